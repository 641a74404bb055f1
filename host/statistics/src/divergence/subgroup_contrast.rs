//! Compares a metric between two disjoint sets of pairs: which value is greater, and by how much.
//!
//! Invariants:
//! - A comparison that is impossible (no pairs, no value, no variance) is `None`, never "no difference".
//! - The two sets have no pair in common and are treated as independent.

use std::cmp::Ordering;

use super::delta_method::{SumsLayout, delta_estimate};
use super::{SearchSettings, fisher_exact};
use crate::scoring::{Interval, Reduce, proportion_difference, student_quantile, student_upper_tail};

/// The estimate of a metric over a set of pairs.
pub(super) enum SampleEstimate {
    /// The hits and the scored pairs, at least one: every score is 0 or 1, and the value is their mean.
    Proportion { hits: u64, scored: u64 },
    /// A value of any kind, its standard error, which is above zero, and the scored pairs, at least two.
    Value { value: f64, standard_error: f64, scored: f64 },
}

impl SampleEstimate {
    /// The estimate from [`SumsLayout::width`] sums; `None` if it is impossible.
    pub(super) fn from_sums(
        part: &[f64],
        layout: &SumsLayout,
        settings: &SearchSettings,
        reduce: &mut Reduce<'_>,
    ) -> Option<SampleEstimate> {
        let scored = *part.first()?;
        if settings.binary_scores {
            // Sums of zeros and ones are whole numbers.
            let hits = *part.get(1)? as u64;
            return (scored >= 1.0).then_some(SampleEstimate::Proportion { hits, scored: scored as u64 });
        }
        let estimate = delta_estimate(part, layout, reduce)?;
        let standard_error = estimate.standard_error.filter(|&error| error > 0.0)?;
        Some(SampleEstimate::Value { value: estimate.value, standard_error, scored })
    }

    /// The value of the metric.
    pub(super) fn value(&self) -> f64 {
        match *self {
            SampleEstimate::Proportion { hits, scored } => hits as f64 / scored as f64,
            SampleEstimate::Value { value, .. } => value,
        }
    }

    /// The one-sided p-value for "this value is `direction` than that of `other`": Fisher's exact test for
    /// proportions, otherwise Welch's t test. `None` if there is no such test.
    pub(super) fn p_value(&self, other: &SampleEstimate, direction: Ordering) -> Option<f64> {
        let (more, less) = match direction {
            Ordering::Greater => (self, other),
            Ordering::Less => (other, self),
            Ordering::Equal => return None,
        };
        match (more, less) {
            (
                &SampleEstimate::Proportion { hits, scored },
                &SampleEstimate::Proportion { hits: fewer, scored: of },
            ) => fisher_exact((hits, scored), (fewer, of)),
            _ => {
                let (error, degrees) = more.welch(less)?;
                student_upper_tail((more.value() - less.value()) / error, degrees)
            }
        }
    }

    /// The bounds of this value minus that of `other`, each at `confidence`: Newcombe's for proportions,
    /// otherwise Welch's.
    pub(super) fn interval(&self, other: &SampleEstimate, confidence: f64) -> Option<Interval> {
        if let (
            &SampleEstimate::Proportion { hits, scored },
            &SampleEstimate::Proportion { hits: fewer, scored: of },
        ) = (self, other)
        {
            let found = proportion_difference((hits, scored), (fewer, of), confidence, 1.0 - confidence)?;
            return Some(found.interval);
        }
        let (error, degrees) = self.welch(other)?;
        let reach = student_quantile(confidence, degrees)? * error;
        let difference = self.value() - other.value();
        Some(Interval { lower: difference - reach, upper: difference + reach })
    }

    /// The standard error of the difference of two values and its degrees of freedom: B. L. Welch, "The
    /// generalization of Student's problem when several different population variances are involved",
    /// Biometrika 34 (1947).
    fn welch(&self, other: &SampleEstimate) -> Option<(f64, f64)> {
        let (
            &SampleEstimate::Value { standard_error: one, scored: n, .. },
            &SampleEstimate::Value { standard_error: two, scored: m, .. },
        ) = (self, other)
        else {
            return None;
        };
        let error = one.hypot(two);
        // Fractions of the variance, so that squares of small errors do not underflow.
        let (one, two) = ((one / error).powi(2), (two / error).powi(2));
        let degrees = 1.0 / (one * one / (n - 1.0) + two * two / (m - 1.0));
        Some((error, degrees)).filter(|(error, degrees)| error.is_normal() && degrees.is_finite())
    }
}

#[cfg(test)]
mod tests {
    //! Checked against scipy: `tests/oracles/divergence.py` prints the numbers.

    use super::*;

    const SETTINGS: SearchSettings = SearchSettings {
        max_terms: 1,
        min_pairs: 1,
        false_discovery_rate: 0.05,
        binary_scores: false,
        confidence: 0.975,
    };

    fn sample(scores: &[f64]) -> Option<SampleEstimate> {
        let squares = scores.iter().map(|score| score * score).sum();
        let part = [scores.len() as f64, scores.iter().sum(), squares];
        let layout = SumsLayout { components: 1, moments: vec![(0, 0)] };
        SampleEstimate::from_sums(&part, &layout, &SETTINGS, &mut |n, sums| Some(sums[0] / n as f64))
    }

    #[test]
    fn errors_too_small_for_a_normal_number_give_no_comparison() {
        let value = |standard_error| SampleEstimate::Value { value: 0.5, standard_error, scored: 10.0 };
        assert!(value(1e-300).welch(&value(0.0)).is_some());
        assert_eq!(value(1e-310).welch(&value(0.0)), None);
        assert_eq!(value(0.0).welch(&value(0.0)), None);
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-8 * expected.abs(), "{found} and {expected}");
    }

    #[test]
    fn welchs_test_matches_scipy() {
        let x = |at: u32| f64::from((37 * at + 11) % 101 + 1) / 10.0;
        let y = |at: u32| 2.0 + 0.5 * x(at) + f64::from((17 * at + 5) % 13) / 7.0;
        let one = sample(&(0..20).map(x).collect::<Vec<_>>()).unwrap();
        let other = sample(&(20..50).map(y).collect::<Vec<_>>()).unwrap();
        assert_close(one.p_value(&other, Ordering::Less).unwrap(), 0.3429592624713097);
        assert_close(one.p_value(&other, Ordering::Greater).unwrap(), 1.0 - 0.3429592624713097);
        assert_eq!(one.p_value(&other, Ordering::Equal), None);
        let interval = one.interval(&other, 0.975).unwrap();
        assert_close(interval.lower, -1.8371631877310677);
        assert_close(interval.upper, 1.22716318773107);
    }

    #[test]
    fn samples_without_variance_have_no_estimate() {
        assert!(sample(&[1.0, 2.0]).is_some());
        assert!(sample(&[2.0, 2.0]).is_none());
        assert!(sample(&[2.0]).is_none());
        assert!(sample(&[]).is_none());
    }

    #[test]
    fn proportions_are_compared_by_their_counts() {
        let share = |hits: u64, scored: u64| SampleEstimate::Proportion { hits, scored };
        let p_value = share(3, 12).p_value(&share(8, 10), Ordering::Less).unwrap();
        assert_close(p_value, 0.014986561426189909);
        let interval = share(3, 12).interval(&share(8, 10), 0.975).unwrap();
        assert!(interval.lower < 3.0 / 12.0 - 0.8 && interval.upper < 0.0);
        let layout = SumsLayout { components: 1, moments: vec![] };
        let settings = SearchSettings { binary_scores: true, ..SETTINGS };
        assert!(SampleEstimate::from_sums(&[0.0, 0.0], &layout, &settings, &mut |_, _| None).is_none());
        assert_eq!(
            SampleEstimate::from_sums(&[8.0, 2.0], &layout, &settings, &mut |_, _| None).unwrap().value(),
            0.25
        );
    }
}
