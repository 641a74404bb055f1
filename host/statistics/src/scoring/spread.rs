//! How a model's answers lie to the substrate's: which label for which, by how much a number is off, how far down a ranking
//! the substrate's choice stands.
//!
//! Always holds: as with cells, the same pairs give an equal spread in whatever order they were added; all pairs are in it,
//! answered or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::capped::Matrix;
use super::exact::ExactSum;
use understudy_study::Form;

/// Bits of a float's fraction by which errors are told apart: 32 steps to a doubling, so a quantile is known to 3 %.
const FRACTION: u32 = 5;
/// What is left of a float's bits then.
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - FRACTION;
/// How many units of an [`ExactSum`] that is not wide make a whole.
const UNITS: f64 = (1u128 << 64) as f64;

/// How answers lie to each other, over some pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Spread {
    /// Which label for which.
    Labels(Matrix),
    /// By how much numbers are off.
    Numbers(Errors),
    /// Where the substrate's first choice stands in the model's ranking.
    Rankings(Places),
}

impl Spread {
    /// Of no pairs.
    pub fn new(form: Form) -> Spread {
        match form {
            Form::Label => Spread::Labels(Matrix::default()),
            Form::Number => Spread::Numbers(Errors::default()),
            Form::Ranking => Spread::Rankings(Places::default()),
        }
    }

    /// Adds all that `other` has. One of another form has nothing.
    pub fn merge(&mut self, other: &Spread) {
        match (self, other) {
            (Spread::Labels(own), Spread::Labels(more)) => own.merge(more),
            (Spread::Numbers(own), Spread::Numbers(more)) => own.merge(more),
            (Spread::Rankings(own), Spread::Rankings(more)) => own.merge(more),
            _ => {}
        }
    }
}

/// Errors of numbers: the model's less the substrate's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Pairs without an answer.
    pub unanswered: u64,
    /// Their sum.
    pub sum: ExactSum,
    /// The sum of their squares, each to a part in 2^64 of a whole at least, and held at the end of the range.
    pub squares: ExactSum,
    /// How many lie in each step.
    steps: BTreeMap<i32, u64>,
}

impl Errors {
    /// Counts an error, or `count` pairs without one. An error beyond the range of 64 bits is held at its end.
    pub fn add(&mut self, error: f64) {
        let error = error.clamp(f64::MIN, f64::MAX);
        self.sum.add(error);
        let square = (error * error).min(f64::MAX);
        self.squares.add(square);
        // What the square was rounded by: of errors that are all about the same, the spread is no more than that. Only what is a
        // whole number of the units in which sums are cheap.
        let rest = (error.mul_add(error, -square) * UNITS).round() / UNITS;
        if rest.is_finite() {
            self.squares.add(rest);
        }
        *self.steps.entry(step(error)).or_default() += 1;
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Errors) {
        self.unanswered += other.unanswered;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
    }

    /// How many errors there are.
    pub fn count(&self) -> u64 {
        self.steps.values().sum()
    }

    /// The error that a share of them does not exceed, from 0 to 1, to 3 %; `None` if there are none.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        quantile(self.steps.iter().map(|(step, count)| (*step, *count)), self.count(), share)
    }

    /// The distance from 0 that a share of them does not exceed, from 0 to 1, to 3 %; `None` if there are none.
    pub fn distance(&self, share: f64) -> Option<f64> {
        let mut distances: BTreeMap<i32, u64> = BTreeMap::new();
        for (step, count) in &self.steps {
            *distances.entry(step.abs()).or_default() += count;
        }
        quantile(distances.into_iter(), self.count(), share)
    }

    /// Their standard deviation, with one less than there are; `None` for fewer than two, and where it is no finite number.
    ///
    /// Of n errors with the sum s and the sum of squares q it is the root of (n q - s s) / n (n - 1), which are taken with twice the
    /// bits of a float: where all errors are about the same, nearly nothing is left of them.
    pub fn deviation(&self) -> Option<f64> {
        let n = self.count() as f64;
        let (sum, squares) = (self.sum.value(), self.squares.value());
        let (of_squares, of_sum) = (n * squares, sum * sum);
        let rest = n.mul_add(squares, -of_squares) - sum.mul_add(sum, -of_sum) + n * self.squares.remainder()
            - 2.0 * sum * self.sum.remainder();
        let variance = (of_squares - of_sum + rest) / n / (n - 1.0);
        // What the rounding of the squares alone can come to is no spread.
        let rounding = (squares / n * f64::EPSILON).min(1.0 / UNITS);
        let deviation = if variance <= rounding { 0.0 } else { variance.sqrt() };
        (n > 1.0 && variance.is_finite()).then_some(deviation)
    }

    /// How many errors lie at or above `from` and below `to`, to 3 % of these bounds: an error in whose step a bound lies counts
    /// as above it, since what lies right at a round bound is common.
    pub fn between(&self, from: f64, to: f64) -> u64 {
        self.steps
            .iter()
            .filter(|(step, _)| (from..to).contains(&greatest(**step)))
            .map(|(_, count)| count)
            .sum()
    }
}

fn quantile(steps: impl Iterator<Item = (i32, u64)>, count: u64, share: f64) -> Option<f64> {
    let rank = ((share * count as f64).ceil() as u64).clamp(1, count.max(1));
    let mut below = 0;
    for (step, count) in steps {
        below += count;
        if below >= rank {
            return Some(middle(step));
        }
    }
    None
}

/// The step that an error lies in: its exponent and the first bits of its fraction, with its sign. Ascending.
fn step(error: f64) -> i32 {
    let size = (error.abs().to_bits() >> SHIFT) as i32;
    match error.total_cmp(&0.0) {
        _ if error == 0.0 => 0,
        std::cmp::Ordering::Less => -1 - size,
        _ => 1 + size,
    }
}

/// The greatest error of a step.
fn greatest(step: i32) -> f64 {
    match step {
        0 => 0.0,
        1.. => f64::from_bits(((step as u64) << SHIFT) - 1),
        _ => -f64::from_bits((u64::from(step.unsigned_abs()) - 1) << SHIFT),
    }
}

/// The middle of a step.
fn middle(step: i32) -> f64 {
    let size = (step.unsigned_abs() as u64).saturating_sub(1);
    let edge = |size: u64| f64::from_bits(size << SHIFT);
    let (low, high) = (edge(size), edge(size + 1));
    let middle = if high.is_finite() { low + (high - low) / 2.0 } else { low };
    match step.signum() {
        0 => 0.0,
        sign => f64::from(sign) * middle,
    }
}

/// Where the substrate's first choice stands in the model's rankings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Pairs without an answer.
    pub unanswered: u64,
    /// Pairs in which the model's ranking does not have it.
    pub absent: u64,
    /// Pairs with an answer in which the substrate's ranking is empty, so there is no first choice.
    pub unranked: u64,
    /// How often it stands at each place, from 1.
    pub places: BTreeMap<u32, u64>,
}

impl Places {
    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Places) {
        self.unanswered += other.unanswered;
        self.absent += other.absent;
        self.unranked += other.unranked;
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
        fn a_step_holds_its_error_to_three_per_cent(error in prop::num::f64::NORMAL) {
            let held = middle(step(error));
            prop_assert!((held - error).abs() <= error.abs() * 0.032, "{error} is held as {held}");
        }

        #[test]
        fn steps_ascend_as_errors_do(one in -1e9f64..1e9, other in -1e9f64..1e9) {
            prop_assert!(one > other || step(one) <= step(other));
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_errors(errors in prop::collection::vec(-1e4f64..1e4, 1..300), share in 0.0f64..1.0) {
            let mut spread = Errors::default();
            errors.iter().for_each(|error| spread.add(*error));
            let mut sorted = errors.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = ((share * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
            let exact = sorted[rank - 1];
            let found = spread.quantile(share).unwrap();
            prop_assert!((found - exact).abs() <= exact.abs() * 0.032, "{found} for {exact}");
        }
    }

    proptest! {
        #[test]
        fn whole_errors_lie_between_the_bounds_that_they_lie_between(
            errors in prop::collection::vec(-63i32..64, 1..200), from in -63i32..64, width in 1i32..40
        ) {
            let mut spread = Errors::default();
            errors.iter().for_each(|error| spread.add(f64::from(*error)));
            let expected = errors.iter().filter(|error| (from..from + width).contains(error)).count() as u64;
            prop_assert_eq!(spread.between(f64::from(from), f64::from(from + width)), expected);
        }

        #[test]
        fn any_errors_do_to_three_per_cent(errors in prop::collection::vec(-1e4f64..1e4, 1..200), from in -1e4f64..1e4, width in 0f64..1e4) {
            let mut spread = Errors::default();
            errors.iter().for_each(|error| spread.add(*error));
            let within = |slack: f64| {
                let (from, to) = (from - slack * from.abs(), from + width + slack * (from + width).abs());
                errors.iter().filter(|error| (from..to).contains(error)).count() as u64
            };
            let found = spread.between(from, from + width);
            prop_assert!((within(-0.033)..=within(0.033)).contains(&found), "{found}");
        }
    }

    #[test]
    fn deviations_are_those_of_numpy() {
        // x = np.array([7 * i % 11 for i in range(1000)]); x.std(ddof=1), the same of x / 10.
        let deviation = |of: &dyn Fn(f64) -> f64| {
            let mut errors = Errors::default();
            (0..1000).for_each(|at| errors.add(of(f64::from(7 * at % 11))));
            errors.deviation().unwrap()
        };
        let numpy = 3.165283244516676;
        assert!((deviation(&|x| x) / numpy - 1.0).abs() < 1e-14);
        assert!((deviation(&|x| x / 10.0) * 10.0 / numpy - 1.0).abs() < 1e-14);
        // However far off they all are.
        assert!((deviation(&|x| 1e9 + x) / numpy - 1.0).abs() < 1e-14);
        assert!((deviation(&|x| x - 1e12) / numpy - 1.0).abs() < 1e-14);
        assert_eq!(deviation(&|_| 0.1), 0.0);
        assert_eq!(Errors::default().deviation(), None);
    }

    #[test]
    fn counts_between_bounds_and_distances() {
        let mut errors = Errors::default();
        [-20.0, -3.0, 0.0, 0.0, 3.0, 7.0].iter().for_each(|error| errors.add(*error));
        assert_eq!(errors.between(-5.0, 5.0), 4);
        assert_eq!(errors.between(5.0, f64::INFINITY), 1);
        assert!((errors.distance(1.0).unwrap() - 20.0).abs() < 0.7);
        assert_eq!(errors.distance(0.3), Some(0.0));
        assert_eq!(Errors::default().quantile(0.5), None);
        assert!((errors.sum.value() + 13.0).abs() < 1e-12);
    }
}
