//! A confidence sequence: bounds of a mean score that remain valid when they are examined after every window
//! and the study stops at any time.
//!
//! Invariant: `lambda` and `mu` of a block are computed from earlier blocks only, so they are predictable, as
//! the theorem requires. So the order of a block's scores and the reason why the block ends do not matter,
//! and the sums of the block suffice.
//!
//! An interval for a single look misses too often when it is examined repeatedly. This is the predictable
//! plug-in empirical-Bernstein confidence sequence of I. Waudby-Smith, A. Ramdas, "Estimating means of
//! bounded random variables by betting", Journal of the Royal Statistical Society B 86 (2024), theorem 2, one
//! bound at a time and fed in blocks. Every score of a block has the same weight `lambda` and is compared
//! with the same estimate `mu` of the mean. With blocks of one score it is `predmix_empbern_lower_cs` of the
//! package confseq 0.0.11.

use super::{Interval, assert_confidence};

/// The maximum weight: the default of confseq, and a value that the paper advises (1/2 or 3/4, below theorem
/// 2).
const MOST_WEIGHT: f64 = 0.5;

/// The prior estimate of the mean, with the weight of one score (the paper, beside theorem 2).
const FIRST_MEAN: f64 = 0.5;
/// The prior estimate of the variance, with the weight of one score (the paper, beside theorem 2).
const FIRST_VARIANCE: f64 = 0.25;

/// A block of scores in [0, 1], as sums.
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

/// A confidence sequence of the mean of scores in [0, 1], fed in blocks.
///
/// Guarantee: with probability `confidence`, the lower bound is above the mean at no look; with the same probability
/// the upper bound is below the mean at no look. This holds for any distribution of the scores and any stopping rule. The mean is the expectation
/// of each score given all earlier scores. If it drifts, the bounds are those of its average so far, weighted
/// by `lambda`.
///
/// Therefore the bounds of earlier looks are not kept: the highest lower bound so far is valid only while the
/// mean stays constant, which nobody knows of a stream. That the bounds hold for the average follows from the
/// proof of theorem 2: its step for one score (X. Fan, I. Grama, Q. Liu, "Exponential inequalities for
/// martingales with applications", Electronic Journal of Probability 20 (2015)) requires only that score's
/// own conditional mean.
#[derive(Clone, Debug)]
pub struct ConfidenceSequence {
    /// ln(1 / (1 - confidence)).
    evidence: f64,
    /// The expected number of scores of the next block.
    expected: u64,
    /// The number of scores so far.
    n: u64,
    sum: f64,
    /// The sum over blocks of the squared deviations from the mean at the end of the block.
    deviations: f64,
    /// The sums over all scores of `lambda`, of `lambda` times the score, and of psi(`lambda`) times the
    /// squared difference between the score (mirrored for the upper bound) and `mu`, for the lower and the
    /// upper bound.
    weights: f64,
    weighted: f64,
    below: f64,
    above: f64,
}

impl ConfidenceSequence {
    /// A sequence without scores. Each bound is at `confidence`. `first` is the expected number of scores in
    /// the first block, at least 1; it must not depend on these scores. The bounds are valid for any number,
    /// and tighter for a better one: a number that is far too small gives the first block most of the weight
    /// for a long time. The size of the first window is suitable if the calendar determined its end.
    ///
    /// # Panics
    /// If `confidence` is not in [0.5, 1).
    pub fn new(confidence: f64, first: u64) -> Self {
        assert_confidence(confidence);
        Self {
            evidence: -(1.0 - confidence).ln(),
            expected: first.max(1),
            n: 0,
            sum: 0.0,
            deviations: 0.0,
            weights: 0.0,
            weighted: 0.0,
            below: 0.0,
            above: 0.0,
        }
    }

    /// Adds the next block. A block without scores changes nothing. The guarantee does not cover scores
    /// outside of [0, 1]: the caller rescales them.
    pub fn push(&mut self, block: ScoreBlock) {
        if block.n == 0 {
            return;
        }
        let lambda = self.lambda();
        let psi = -(-lambda).ln_1p() - lambda;
        let n = block.n as f64;
        let (low, high) = self.guesses();
        self.weights += lambda * n;
        self.weighted += lambda * block.sum;
        self.below += psi * block.squared_deviations(low);
        self.above += psi * block.squared_deviations(high);
        self.n += block.n;
        self.sum += block.sum;
        self.deviations += block.squared_deviations(self.mean());
        self.expected = block.n;
    }

    /// The current bounds, in [0, 1]. Without scores they are 0 and 1.
    pub fn interval(&self) -> Interval {
        if self.n == 0 {
            return Interval { lower: 0.0, upper: 1.0 };
        }
        let middle = self.weighted / self.weights;
        Interval {
            lower: (middle - (self.evidence + self.below) / self.weights).max(0.0),
            upper: (middle + (self.evidence + self.above) / self.weights).min(1.0),
        }
    }

    /// The weight of the next scores: the plug-in of theorem 2, sqrt(2 ln(1 / alpha) / (variance t ln(1 +
    /// t))). Here alpha is the level of one bound (the paper's alpha / 2), and t is the number of scores at
    /// the end of the next block if it has the expected size.
    fn lambda(&self) -> f64 {
        let variance = (FIRST_VARIANCE + self.deviations) / (1 + self.n) as f64;
        let t = (self.n + self.expected) as f64;
        (2.0 * self.evidence / (variance * t * t.ln_1p())).sqrt().min(MOST_WEIGHT)
    }

    /// The mean so far, with the prior estimate as one more score.
    fn mean(&self) -> f64 {
        (FIRST_MEAN + self.sum) / (1 + self.n) as f64
    }

    /// The estimates of the next scores' mean, for the lower and for the upper bound. Before the first score,
    /// confseq uses the end of the range at which the bound starts. That is soon forgotten when scores come
    /// one by one, but is expensive for a block. If more than one score is expected, the estimate is the
    /// paper's own, [`FIRST_MEAN`].
    fn guesses(&self) -> (f64, f64) {
        match (self.n, self.expected) {
            (0, 1) => (0.0, 1.0),
            (0, _) => (FIRST_MEAN, FIRST_MEAN),
            (n, _) => (self.sum / n as f64, self.sum / n as f64),
        }
    }
}

#[cfg(test)]
mod tests;
