//! A confidence sequence of a constant mean, for comparison. It weights scores by its bets, so on a drifting stream its
//! bounds are not those of the average of the scores.
//!
//! Invariant: `lambda` and `mu` of a block are computed from earlier blocks only.
//!
//! This is the predictable plug-in empirical-Bernstein confidence sequence of I. Waudby-Smith, A. Ramdas, "Estimating means
//! of bounded random variables by betting", Journal of the Royal Statistical Society B 86 (2024), theorem 2, one bound at a
//! time and fed in blocks. With blocks of one score it is `predmix_empbern_lower_cs` of the package confseq 0.0.11.

use understudy_statistics::scoring::{Interval, ScoreBlock};

/// The maximum weight: the default of confseq, and a value that the paper advises (1/2 or 3/4, below theorem
/// 2).
const MOST_WEIGHT: f64 = 0.5;

/// The prior estimate of the mean, with the weight of one score (the paper, beside theorem 2).
const FIRST_MEAN: f64 = 0.5;
/// The prior estimate of the variance, with the weight of one score (the paper, beside theorem 2).
const FIRST_VARIANCE: f64 = 0.25;

/// The sum of squared deviations of a block's scores from `mean`. Rounding does not make it negative.
fn squared_deviations(block: ScoreBlock, mean: f64) -> f64 {
    (block.squares - 2.0 * mean * block.sum + block.n as f64 * mean * mean).max(0.0)
}

/// A confidence sequence of the constant mean of scores in [0, 1], fed in blocks. If the mean drifts, the bounds are those of
/// its average weighted by `lambda`.
#[derive(Clone, Debug)]
pub struct WeightedSequence {
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

impl WeightedSequence {
    /// A sequence without scores. Each bound is at `confidence`. `first` is the expected number of scores in the first
    /// block, at least 1.
    pub fn new(confidence: f64, first: u64) -> Self {
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

    /// Adds the next block of scores in [0, 1]. A block without scores changes nothing.
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
        self.below += psi * squared_deviations(block, low);
        self.above += psi * squared_deviations(block, high);
        self.n += block.n;
        self.sum += block.sum;
        self.deviations += squared_deviations(block, self.mean());
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

    /// The estimates of the next scores' mean, for the lower and for the upper bound. Before the first of several scores it
    /// is [`FIRST_MEAN`]; before a single one, confseq uses the end of the range at which the bound starts.
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
