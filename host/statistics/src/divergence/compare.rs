//! One part of the pairs against another: whether its figure is greater or less, and by how much.
//!
//! Always holds: a part that cannot be told (no pairs, no figure, no spread) is `None`, and never taken for one that does not
//! differ. The two parts have no pair in common and are taken as independent.

use std::cmp::Ordering;

use super::moments::{Layout, Reduce, estimate};
use super::{Settings, fisher};
use crate::scoring::{Interval, shares, student_above, student_quantile};

/// What a part says of its figure.
pub(super) enum Side {
    /// How many hits of how many scored pairs, at least one: every score is 0 or 1, and the figure is their mean.
    Share { hits: u64, scored: u64 },
    /// A figure of any kind, its standard error, which is above zero, and the scored pairs, two at least.
    Figure { figure: f64, error: f64, scored: f64 },
}

impl Side {
    /// Of a part, which are [`Layout::width`] sums. `None` where the part cannot be told.
    pub(super) fn of(
        part: &[f64],
        layout: &Layout,
        settings: &Settings,
        reduce: &mut Reduce<'_>,
    ) -> Option<Side> {
        let scored = *part.first()?;
        if settings.shares {
            // Sums of zeros and ones are whole numbers.
            let hits = *part.get(1)? as u64;
            return (scored >= 1.0).then_some(Side::Share { hits, scored: scored as u64 });
        }
        let estimate = estimate(part, layout, reduce)?;
        let error = estimate.error.filter(|&error| error > 0.0)?;
        Some(Side::Figure { figure: estimate.figure, error, scored })
    }

    /// The figure.
    pub(super) fn figure(&self) -> f64 {
        match *self {
            Side::Share { hits, scored } => hits as f64 / scored as f64,
            Side::Figure { figure, .. } => figure,
        }
    }

    /// The one-sided p-value for "this figure is `direction` than that of `other`": Fisher's exact test for shares,
    /// otherwise Welch's t of the two standard errors. `None` where there is no such test.
    pub(super) fn p_value(&self, other: &Side, direction: Ordering) -> Option<f64> {
        let (more, less) = match direction {
            Ordering::Greater => (self, other),
            Ordering::Less => (other, self),
            Ordering::Equal => return None,
        };
        match (more, less) {
            (&Side::Share { hits, scored }, &Side::Share { hits: fewer, scored: of }) => {
                fisher((hits, scored), (fewer, of))
            }
            _ => {
                let (error, degrees) = more.welch(less)?;
                student_above((more.figure() - less.figure()) / error, degrees)
            }
        }
    }

    /// The bounds of this figure less that of `other`, each at `confidence`: Newcombe's for shares, otherwise Welch's.
    pub(super) fn interval(&self, other: &Side, confidence: f64) -> Option<Interval> {
        if let (&Side::Share { hits, scored }, &Side::Share { hits: fewer, scored: of }) = (self, other) {
            let found = shares((hits, scored), (fewer, of), confidence, 1.0 - confidence)?;
            return Some(found.interval);
        }
        let (error, degrees) = self.welch(other)?;
        let reach = student_quantile(confidence, degrees)? * error;
        let difference = self.figure() - other.figure();
        Some(Interval { lower: difference - reach, upper: difference + reach })
    }

    /// The standard error of the difference of two figures and its degrees of freedom: B. L. Welch, "The generalization of
    /// Student's problem when several different population variances are involved", Biometrika 34 (1947).
    fn welch(&self, other: &Side) -> Option<(f64, f64)> {
        let (&Side::Figure { error: one, scored: n, .. }, &Side::Figure { error: two, scored: m, .. }) =
            (self, other)
        else {
            return None;
        };
        let error = one.hypot(two);
        // By shares of the variance, so that no square of a small error is lost.
        let (one, two) = ((one / error).powi(2), (two / error).powi(2));
        let degrees = 1.0 / (one * one / (n - 1.0) + two * two / (m - 1.0));
        Some((error, degrees)).filter(|(error, degrees)| error.is_normal() && degrees.is_finite())
    }
}

#[cfg(test)]
mod tests {
    //! Against scipy: `tests/oracles/divergence.py` prints the numbers.

    use super::*;

    const SETTINGS: Settings = Settings { depth: 1, least: 1, level: 0.05, shares: false, confidence: 0.975 };

    fn side(scores: &[f64]) -> Option<Side> {
        let squares = scores.iter().map(|score| score * score).sum();
        let part = [scores.len() as f64, scores.iter().sum(), squares];
        let layout = Layout { components: 1, moments: vec![(0, 0)] };
        Side::of(&part, &layout, &SETTINGS, &mut |n, sums| Some(sums[0] / n as f64))
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-8 * expected.abs(), "{found} and {expected}");
    }

    #[test]
    fn welch_is_that_of_scipy() {
        let x = |at: u32| f64::from((37 * at + 11) % 101 + 1) / 10.0;
        let y = |at: u32| 2.0 + 0.5 * x(at) + f64::from((17 * at + 5) % 13) / 7.0;
        let one = side(&(0..20).map(x).collect::<Vec<_>>()).unwrap();
        let other = side(&(20..50).map(y).collect::<Vec<_>>()).unwrap();
        assert_close(one.p_value(&other, Ordering::Less).unwrap(), 0.3429592624713097);
        assert_close(one.p_value(&other, Ordering::Greater).unwrap(), 1.0 - 0.3429592624713097);
        assert_eq!(one.p_value(&other, Ordering::Equal), None);
        let interval = one.interval(&other, 0.975).unwrap();
        assert_close(interval.lower, -1.8371631877310677);
        assert_close(interval.upper, 1.22716318773107);
    }

    #[test]
    fn what_has_no_spread_cannot_be_told() {
        assert!(side(&[1.0, 2.0]).is_some());
        assert!(side(&[2.0, 2.0]).is_none());
        assert!(side(&[2.0]).is_none());
        assert!(side(&[]).is_none());
    }

    #[test]
    fn shares_are_told_by_their_counts() {
        let share = |hits: u64, scored: u64| Side::Share { hits, scored };
        let p_value = share(3, 12).p_value(&share(8, 10), Ordering::Less).unwrap();
        assert_close(p_value, 0.014986561426189909);
        let interval = share(3, 12).interval(&share(8, 10), 0.975).unwrap();
        assert!(interval.lower < 3.0 / 12.0 - 0.8 && interval.upper < 0.0);
        let layout = Layout { components: 1, moments: vec![] };
        let settings = Settings { shares: true, ..SETTINGS };
        assert!(Side::of(&[0.0, 0.0], &layout, &settings, &mut |_, _| None).is_none());
        assert_eq!(Side::of(&[8.0, 2.0], &layout, &settings, &mut |_, _| None).unwrap().figure(), 0.25);
    }
}
