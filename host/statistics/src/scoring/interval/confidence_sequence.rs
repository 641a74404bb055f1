//! Confidence sequences: bounds of an average score that hold at all looks together, while the mean may change.
//!
//! Invariants:
//! - The guess for a block comes from earlier blocks only, so it is predictable, as the theorem requires. The order of a
//!   block's scores therefore does not matter, and the sums of the block suffice.
//! - The average itself lies inside its interval.
//!
//! A look is one evaluation of a run. An interval for a single look misses too often at repeated looks. This is the
//! empirical-Bernstein sequence of S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric,
//! nonasymptotic confidence sequences", Annals of Statistics 49 (2021), theorem 4. `mixture_boundary.rs` has its boundary.
//! With blocks of one score it is `conjmix_empbern_lower_cs` of the package confseq 0.0.11.

mod window_sequence;

pub use window_sequence::WindowSequence;

use super::Interval;
use super::mixture_boundary::MixtureBoundary;

/// The least variance for which a boundary is tuned, in units of the squared range.
const LEAST_VARIANCE: f64 = 1.0;

/// A block of scores, as sums in the unit of the scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreBlock {
    /// The number of scores.
    pub n: u64,
    /// The sum of the scores.
    pub sum: f64,
    /// The sum of the squares of the scores.
    pub squares: f64,
}

impl ScoreBlock {
    /// The sum of squared deviations of the scores from `mean`. Rounding does not make it negative.
    fn squared_deviations(&self, mean: f64) -> f64 {
        (self.squares - 2.0 * mean * self.sum + self.n as f64 * mean * mean).max(0.0)
    }
}

/// The expectations with which a sequence is tuned before its first observation. Bounds hold for any tuning, and are
/// narrow for a good one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SequenceTuning {
    /// The least and the greatest possible score; the first is below the second, and both are finite.
    pub range: (f64, f64),
    /// A guess of the mean score, in the range.
    pub mean: f64,
    /// The number of observations at which the bounds are about as narrow as possible.
    pub observations: u64,
}

impl SequenceTuning {
    fn width(&self) -> f64 {
        self.range.1 - self.range.0
    }

    /// The boundary at `level` for deviations in units of the range. It is tuned for the greatest variance that scores
    /// with the guessed mean can have.
    fn boundary(&self, level: f64) -> MixtureBoundary {
        let mean = (self.mean - self.range.0) / self.width();
        let variance = self.observations as f64 * mean * (1.0 - mean);
        MixtureBoundary::new(level, variance.max(LEAST_VARIANCE))
    }

    /// The interval of `reach` on both sides of `mean`, within the range. It contains `mean` despite rounding.
    fn interval(&self, mean: f64, reach: f64) -> Interval {
        let Interval { lower, upper } =
            Interval::centered(mean, reach).clamped((Some(self.range.0), Some(self.range.1)));
        Interval { lower: lower.min(mean), upper: upper.max(mean) }
    }

    /// Panics if this is no tuning, or no level of a bound.
    fn assert_valid(&self, level: f64) {
        let (least, greatest) = self.range;
        assert!(level > 0.0 && level <= 0.5, "the level of a bound is in (0, 0.5], not {level}");
        assert!(self.width().is_finite() && least < greatest, "{least} to {greatest} is no range");
        assert!((least..=greatest).contains(&self.mean), "{} is not in the range", self.mean);
    }
}

/// A confidence sequence of the running average of scores in a known range, fed in blocks.
///
/// Guarantee: with a probability of at least 1 - `level`, the lower bound is above the true average at no look. With the
/// same probability, the upper bound is below it at no look. The true average at a look is the mean of the expected scores
/// so far. The expected score is the expectation given all earlier scores, and may change from score to score in any way.
/// The guarantee holds for any distribution of the scores in the range, any number of scores in a block, and any stopping
/// rule.
///
/// The bounds of earlier looks say nothing about the average at this look, so they are not combined.
#[derive(Clone, Debug)]
pub struct ConfidenceSequence {
    tuning: SequenceTuning,
    boundary: MixtureBoundary,
    n: u64,
    sum: f64,
    /// The sum of squared differences between the scores and the guess at the start of their block.
    variation: f64,
}

impl ConfidenceSequence {
    /// A sequence without scores. Each bound misses with a probability of at most `level`. `tuning` must not depend on the
    /// scores.
    ///
    /// # Panics
    /// If `level` is not in (0, 0.5], the range is empty or not finite, or the guessed mean is not in it.
    pub fn new(level: f64, tuning: SequenceTuning) -> Self {
        tuning.assert_valid(level);
        Self { tuning, boundary: tuning.boundary(level), n: 0, sum: 0.0, variation: 0.0 }
    }

    /// Adds the next block. A block without scores changes nothing. The guarantee does not cover scores outside of the
    /// range.
    pub fn push(&mut self, block: ScoreBlock) {
        let guess = if self.n == 0 { self.tuning.mean } else { self.sum / self.n as f64 };
        self.variation += block.squared_deviations(guess);
        self.n += block.n;
        self.sum += block.sum;
    }

    /// The current bounds, within the range. `mean` is the average of all scores, which the caller has from exact sums.
    /// Without scores the interval is the range.
    pub fn interval(&self, mean: f64) -> Interval {
        if self.n == 0 {
            return Interval { lower: self.tuning.range.0, upper: self.tuning.range.1 };
        }
        let width = self.tuning.width();
        let reach = self.boundary.at_variance(self.variation / (width * width)) * width / self.n as f64;
        self.tuning.interval(mean, reach)
    }
}

#[cfg(test)]
mod tests;
