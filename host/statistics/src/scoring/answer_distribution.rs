//! The joint distribution of a model's and the substrate's answers: a confusion matrix of labels, a histogram
//! of numeric errors, or the rank positions of the substrate's first choice.
//!
//! Invariants:
//! - The same pairs give an equal distribution, whatever the order.
//! - Every pair is counted, answered or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bottom_k_counts::BottomKCounts;
use super::exact_sum::ExactSum;
use understudy_study::AnswerForm;

/// The bits of a float's fraction that select a histogram bin: 32 bins per doubling, so quantiles have a
/// relative error of at most 3 %.
const FRACTION: u32 = 5;
/// The bits of a float that a bin ignores.
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - FRACTION;
/// The number of units of a narrow [`ExactSum`] in 1.
const UNITS: f64 = (1u128 << 64) as f64;

/// The distribution over a set of pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnswerHistogram {
    /// The number of pairs for each combination of labels.
    Labels(BottomKCounts),
    /// The distribution of numeric errors.
    Numbers(ErrorHistogram),
    /// The rank positions of the substrate's first choice in the model's ranking.
    Rankings(RankPositions),
}

impl AnswerHistogram {
    /// The distribution of no pairs.
    pub fn new(form: AnswerForm) -> AnswerHistogram {
        match form {
            AnswerForm::Label | AnswerForm::LabelSet | AnswerForm::Json => {
                AnswerHistogram::Labels(BottomKCounts::default())
            }
            AnswerForm::Number => AnswerHistogram::Numbers(ErrorHistogram::default()),
            AnswerForm::Ranking => AnswerHistogram::Rankings(RankPositions::default()),
        }
    }

    /// Adds all pairs of `other`. A distribution of another form adds nothing.
    pub fn merge(&mut self, other: &AnswerHistogram) {
        match (self, other) {
            (AnswerHistogram::Labels(own), AnswerHistogram::Labels(more)) => own.merge(more),
            (AnswerHistogram::Numbers(own), AnswerHistogram::Numbers(more)) => own.merge(more),
            (AnswerHistogram::Rankings(own), AnswerHistogram::Rankings(more)) => own.merge(more),
            _ => {}
        }
    }
}

/// A histogram of numeric errors: the model's answer minus the substrate's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorHistogram {
    /// Pairs without an answer.
    pub unanswered: u64,
    /// The sum of the errors.
    pub sum: ExactSum,
    /// The sum of the squared errors, each precise to 2^-64 or better, and clamped to the range of f64.
    pub squares: ExactSum,
    /// The number of errors in each bin.
    bins: BTreeMap<i32, u64>,
}

impl ErrorHistogram {
    /// Adds an error. It is clamped to the range of f64.
    pub fn add(&mut self, error: f64) {
        let error = error.clamp(f64::MIN, f64::MAX);
        self.sum.add(error);
        let square = (error * error).min(f64::MAX);
        self.squares.add(square);
        // Add the rounding error of the square, too: if all errors are nearly equal, their variance is no
        // larger than that. Only whole units of a narrow sum are added, since these are cheap.
        let rest = (error.mul_add(error, -square) * UNITS).round() / UNITS;
        if rest.is_finite() {
            self.squares.add(rest);
        }
        *self.bins.entry(bin(error)).or_default() += 1;
    }

    /// Adds all errors of `other`.
    pub fn merge(&mut self, other: &ErrorHistogram) {
        self.unanswered += other.unanswered;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        for (bin, count) in &other.bins {
            *self.bins.entry(*bin).or_default() += count;
        }
    }

    /// The number of errors.
    pub fn count(&self) -> u64 {
        self.bins.values().sum()
    }

    /// The quantile of the errors at `share`, in [0, 1], with a relative error of at most 3 %; `None` without
    /// errors.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        quantile(self.bins.iter().map(|(bin, count)| (*bin, *count)), self.count(), share)
    }

    /// The quantile of the absolute errors at `share`, in [0, 1], with a relative error of at most 3 %;
    /// `None` without errors.
    pub fn absolute_quantile(&self, share: f64) -> Option<f64> {
        let mut distances: BTreeMap<i32, u64> = BTreeMap::new();
        for (bin, count) in &self.bins {
            *distances.entry(bin.abs()).or_default() += count;
        }
        quantile(distances.into_iter(), self.count(), share)
    }

    /// The sample standard deviation (divisor n - 1); `None` for fewer than two errors, and if it is not
    /// finite.
    ///
    /// For n errors with the sum s and the sum of squares q it is sqrt((n q - s²) / (n (n - 1))). The
    /// difference is computed with twice the precision of a float, since cancellation leaves almost nothing
    /// of it when all errors are nearly equal.
    pub fn standard_deviation(&self) -> Option<f64> {
        let n = self.count() as f64;
        let (sum, squares) = (self.sum.value(), self.squares.value());
        let (of_squares, of_sum) = (n * squares, sum * sum);
        let rest = n.mul_add(squares, -of_squares) - sum.mul_add(sum, -of_sum) + n * self.squares.remainder()
            - 2.0 * sum * self.sum.remainder();
        let variance = (of_squares - of_sum + rest) / n / (n - 1.0);
        // A variance that the rounding of the squares alone can produce counts as zero.
        let rounding = (squares / n * f64::EPSILON).min(1.0 / UNITS);
        let deviation = if variance <= rounding { 0.0 } else { variance.sqrt() };
        (n > 1.0 && variance.is_finite()).then_some(deviation)
    }

    /// The number of errors in [`from`, `to`), with a relative error of at most 3 % in these bounds. An error
    /// in the same bin as a bound counts as above it, since errors exactly at a round bound are common.
    pub fn count_between(&self, from: f64, to: f64) -> u64 {
        self.bins
            .iter()
            .filter(|(bin, _)| (from..to).contains(&greatest(**bin)))
            .map(|(_, count)| count)
            .sum()
    }
}

fn quantile(bins: impl Iterator<Item = (i32, u64)>, count: u64, share: f64) -> Option<f64> {
    let rank = ((share * count as f64).ceil() as u64).clamp(1, count.max(1));
    let mut below = 0;
    for (bin, count) in bins {
        below += count;
        if below >= rank {
            return Some(middle(bin));
        }
    }
    None
}

/// The bin of an error: its exponent and the first bits of its fraction, with its sign. Bins ascend with the
/// errors.
fn bin(error: f64) -> i32 {
    let size = (error.abs().to_bits() >> SHIFT) as i32;
    match error.total_cmp(&0.0) {
        _ if error == 0.0 => 0,
        std::cmp::Ordering::Less => -1 - size,
        _ => 1 + size,
    }
}

/// The greatest error of a bin.
fn greatest(bin: i32) -> f64 {
    match bin {
        0 => 0.0,
        1.. => f64::from_bits(((bin as u64) << SHIFT) - 1),
        _ => -f64::from_bits((u64::from(bin.unsigned_abs()) - 1) << SHIFT),
    }
}

/// The middle of a bin.
fn middle(bin: i32) -> f64 {
    let size = (bin.unsigned_abs() as u64).saturating_sub(1);
    let edge = |size: u64| f64::from_bits(size << SHIFT);
    let (low, high) = (edge(size), edge(size + 1));
    let middle = if high.is_finite() { low + (high - low) / 2.0 } else { low };
    match bin.signum() {
        0 => 0.0,
        sign => f64::from(sign) * middle,
    }
}

/// The positions of the substrate's first choice in the model's rankings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankPositions {
    /// Pairs without an answer.
    pub unanswered: u64,
    /// Pairs in which the model's ranking does not contain the substrate's first choice.
    pub absent: u64,
    /// Pairs with an answer in which the substrate's ranking is empty, so that there is no first choice.
    pub unranked: u64,
    /// The number of pairs at each position, counted from 1.
    pub places: BTreeMap<u32, u64>,
    /// The number of items of the longest ranking of either side.
    pub longest: u32,
}

impl RankPositions {
    /// Adds all pairs of `other`.
    pub fn merge(&mut self, other: &RankPositions) {
        self.unanswered += other.unanswered;
        self.absent += other.absent;
        self.unranked += other.unranked;
        self.longest = self.longest.max(other.longest);
        for (place, count) in &other.places {
            *self.places.entry(*place).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_middle_of_a_bin_is_within_half_its_width_of_the_error(error in -1e300f64..1e300) {
            let middle = middle(bin(error));
            // A bin is 1/32 of its lower edge wide.
            prop_assert!((middle - error).abs() <= error.abs() / 64.0, "{error} is in the bin around {middle}");
        }

        #[test]
        fn bins_ascend_with_errors(one in -1e9f64..1e9, other in -1e9f64..1e9) {
            prop_assert!(one > other || bin(one) <= bin(other));
        }

        #[test]
        fn quantiles_match_the_sorted_errors(errors in prop::collection::vec(-1e4f64..1e4, 1..300), share in 0.0f64..1.0) {
            let mut histogram = ErrorHistogram::default();
            errors.iter().for_each(|error| histogram.add(*error));
            let mut sorted = errors.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = ((share * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
            let exact = sorted[rank - 1];
            let found = histogram.quantile(share).unwrap();
            prop_assert!((found - exact).abs() <= exact.abs() * 0.032, "{found} for {exact}");
        }
    }

    proptest! {
        #[test]
        fn whole_errors_are_counted_exactly_between_bounds(
            errors in prop::collection::vec(-63i32..64, 1..200), from in -63i32..64, width in 1i32..40
        ) {
            let mut histogram = ErrorHistogram::default();
            errors.iter().for_each(|error| histogram.add(f64::from(*error)));
            let expected = errors.iter().filter(|error| (from..from + width).contains(error)).count() as u64;
            prop_assert_eq!(histogram.count_between(f64::from(from), f64::from(from + width)), expected);
        }

        #[test]
        fn errors_are_counted_between_bounds_to_three_per_cent(errors in prop::collection::vec(-1e4f64..1e4, 1..200), from in -1e4f64..1e4, width in 0f64..1e4) {
            let mut histogram = ErrorHistogram::default();
            errors.iter().for_each(|error| histogram.add(*error));
            let within = |slack: f64| {
                let (from, to) = (from - slack * from.abs(), from + width + slack * (from + width).abs());
                errors.iter().filter(|error| (from..to).contains(error)).count() as u64
            };
            let found = histogram.count_between(from, from + width);
            prop_assert!((within(-0.033)..=within(0.033)).contains(&found), "{found}");
        }
    }

    #[test]
    fn standard_deviations_match_numpy() {
        // x = np.array([7 * i % 11 for i in range(1000)]); x.std(ddof=1), the same of x / 10.
        let deviation = |of: &dyn Fn(f64) -> f64| {
            let mut errors = ErrorHistogram::default();
            (0..1000).for_each(|at| errors.add(of(f64::from(7 * at % 11))));
            errors.standard_deviation().unwrap()
        };
        let numpy = 3.165283244516676;
        assert!((deviation(&|x| x) / numpy - 1.0).abs() < 1e-14);
        assert!((deviation(&|x| x / 10.0) * 10.0 / numpy - 1.0).abs() < 1e-14);
        // The mean of the errors does not matter.
        assert!((deviation(&|x| 1e9 + x) / numpy - 1.0).abs() < 1e-14);
        assert!((deviation(&|x| x - 1e12) / numpy - 1.0).abs() < 1e-14);
        assert_eq!(deviation(&|_| 0.1), 0.0);
        assert_eq!(ErrorHistogram::default().standard_deviation(), None);
        let of = |errors: &[f64]| {
            let mut histogram = ErrorHistogram::default();
            errors.iter().for_each(|error| histogram.add(*error));
            histogram.standard_deviation()
        };
        assert_eq!(of(&[1e200, -1e200]), None);
        // Errors far below one: their variance is above the rounding of their squares.
        assert!((of(&[1e-8, 2e-8, 4e-8]).unwrap() / 1.5275252316519467e-8 - 1.0).abs() < 1e-9);
        // Powers of two, so that every square is exact. By hand: two values at the distance d have the variance d²/2,
        // and n values, half of each, d²/4 * n/(n - 1).
        let power = |exponent: i32| 2f64.powi(exponent);
        let large = of(&[power(20), power(20) + power(-10)]).unwrap();
        assert!((large / (power(-10) / 2f64.sqrt()) - 1.0).abs() < 1e-9, "{large}");
        let small: Vec<f64> = (0..1000).map(|at| power(-10) + power(-33) * f64::from(at % 2)).collect();
        let deviation = of(&small).unwrap();
        assert!((deviation / (power(-34) * (1000f64 / 999.0).sqrt()) - 1.0).abs() < 1e-9, "{deviation}");
    }

    #[test]
    fn counts_between_bounds_and_distances() {
        let mut errors = ErrorHistogram::default();
        [-20.0, -3.0, 0.0, 0.0, 3.0, 7.0].iter().for_each(|error| errors.add(*error));
        assert_eq!(errors.count_between(-5.0, 5.0), 4);
        assert_eq!(errors.count_between(5.0, f64::INFINITY), 1);
        assert!((errors.absolute_quantile(1.0).unwrap() - 20.0).abs() < 0.7);
        assert_eq!(errors.absolute_quantile(0.3), Some(0.0));
        assert_eq!(ErrorHistogram::default().quantile(0.5), None);
        assert!((errors.sum.value() + 13.0).abs() < 1e-12);
    }
}
