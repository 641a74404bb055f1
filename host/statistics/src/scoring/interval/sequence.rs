//! Bounds of a mean score that may be looked at after every window, and stopped at any: a confidence sequence.
//!
//! An interval for one look misses too often when it is looked at again and again. This is the predictable plug-in
//! empirical-Bernstein confidence sequence of I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables
//! by betting", Journal of the Royal Statistical Society B 86 (2024), theorem 2, which is made for that, one bound at a
//! time and fed in blocks: every score of a block has the same weight `lambda` and is compared with the same guess `mu`
//! of the mean. With blocks of one score it is `predmix_empbern_lower_cs` of the package confseq 0.0.11.
//!
//! Always holds: `lambda` and `mu` of a block are made from what came before it, so they are predictable, as the
//! theorem asks. So it does not matter how a block's scores are ordered or why it ends where it ends, and its sums
//! suffice.

use super::{Interval, assert_confidence};

/// The most that a weight may be: the default of confseq, and what the paper advises (1/2 or 3/4, below theorem 2).
const MOST_WEIGHT: f64 = 0.5;

/// What the mean of scores is taken for before there are any, with the weight of one score: the paper, beside theorem
/// 2.
const FIRST_MEAN: f64 = 0.5;
/// The same of their variance.
const FIRST_VARIANCE: f64 = 0.25;

/// Scores in [0, 1] that came together, as sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Block {
    /// How many.
    pub n: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Block {
    /// The sum of the squares of what lies between each score and `mean`. Never below zero, by rounding either.
    fn spread(&self, mean: f64) -> f64 {
        (self.squares - 2.0 * mean * self.sum + self.n as f64 * mean * mean).max(0.0)
    }
}

/// A confidence sequence of the mean of scores in [0, 1], fed in blocks.
///
/// What it holds: with the probability `confidence` the lower bound is at no look above the mean, and the same for the
/// upper bound, whatever the scores' distribution, whenever one looks and whyever one stops. The mean is what each
/// score is expected to be, given all before it. If that drifts, the bounds are those of its average so far, each
/// score's weighted by `lambda`.
///
/// For that reason the bounds of earlier looks are not kept: the highest lower bound so far is a bound too only while
/// the mean stays what it is, which nobody knows of a stream. That the bounds hold for the average follows from the
/// proof of theorem 2: its step for one score (X. Fan, I. Grama, Q. Liu, "Exponential inequalities for martingales with
/// applications", Electronic Journal of Probability 20 (2015)) asks only for that score's own conditional mean.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// ln(1 / (1 - confidence)).
    evidence: f64,
    /// How many scores the next block is thought to have.
    expected: u64,
    /// All scores so far.
    n: u64,
    sum: f64,
    /// Of each block, its spread around the mean as known at its end.
    spread: f64,
    /// Of all scores: the sums of `lambda`, of `lambda` times the score, and of psi(`lambda`) times the square of what
    /// lies between the score, or its mirror image, and `mu`, for the lower and the upper bound.
    weights: f64,
    weighted: f64,
    below: f64,
    above: f64,
}

impl Sequence {
    /// A sequence of no scores yet. Each bound is at `confidence`. `first` is how many scores the first block is
    /// thought to have, at least 1; it must not depend on these scores. The bounds hold whatever it is, and are the
    /// tighter the better it is; far too small a number gives the first block most of the weight for a long time. How
    /// many scores the first window has will do where it ended by the calendar.
    ///
    /// # Panics
    ///
    /// When `confidence` is not in [0.5, 1).
    pub fn new(confidence: f64, first: u64) -> Self {
        assert_confidence(confidence);
        Self {
            evidence: -(1.0 - confidence).ln(),
            expected: first.max(1),
            n: 0,
            sum: 0.0,
            spread: 0.0,
            weights: 0.0,
            weighted: 0.0,
            below: 0.0,
            above: 0.0,
        }
    }

    /// Takes in the next block. One without scores changes nothing. Nothing holds for scores beyond [0, 1]: the caller
    /// rescales them.
    pub fn push(&mut self, block: Block) {
        if block.n == 0 {
            return;
        }
        let lambda = self.lambda();
        let psi = -(-lambda).ln_1p() - lambda;
        let n = block.n as f64;
        let (low, high) = self.guesses();
        self.weights += lambda * n;
        self.weighted += lambda * block.sum;
        self.below += psi * block.spread(low);
        self.above += psi * block.spread(high);
        self.n += block.n;
        self.sum += block.sum;
        self.spread += block.spread(self.mean());
        self.expected = block.n;
    }

    /// The bounds as of now, in [0, 1]; these ends where there are no scores yet.
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

    /// The weight of the next scores: the plug-in of theorem 2, sqrt(2 ln(1 / alpha) / (variance t ln(1 + t))), with
    /// alpha the level of one bound (the paper's alpha / 2), and with t at the end of the next block if it is as long
    /// as expected.
    fn lambda(&self) -> f64 {
        let variance = (FIRST_VARIANCE + self.spread) / (1 + self.n) as f64;
        let t = (self.n + self.expected) as f64;
        (2.0 * self.evidence / (variance * t * t.ln_1p())).sqrt().min(MOST_WEIGHT)
    }

    /// The mean so far, with the first guess as one more score.
    fn mean(&self) -> f64 {
        (FIRST_MEAN + self.sum) / (1 + self.n) as f64
    }

    /// The guesses of the next scores' mean, for the lower and for the upper bound. Before the first score confseq
    /// guesses the end at which the bound begins. That is soon forgotten when scores come one by one, but costs much of
    /// a block; so where more than one score is expected, it is the paper's own, [`FIRST_MEAN`].
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
