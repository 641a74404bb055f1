//! A confidence sequence whose observations are whole windows, for scores that depend on each other within a window.
//!
//! Invariant: the scale depends on the sizes of the windows alone, never on their scores.

use super::{ScoreBlock, SequenceTuning};
use crate::scoring::interval::Interval;

/// A confidence sequence of the running average of windows, weighted by their numbers of scores.
///
/// Guarantee: that of [`ConfidenceSequence`](super::ConfidenceSequence), for the average of the windows' expected means,
/// weighted by their sizes. The expected mean of a window is the expectation given all earlier windows and its own size.
/// So scores of a window may depend on each other in any way. Scores of different windows may, too, but the expected
/// mean of a window then depends on the scores of earlier windows.
///
/// A window of n scores moves their sum by up to n times the range, and no greatest n is known in advance. So there is a
/// sequence for each scale of 1, 2, 4, ... usual sizes, which holds as long as no window is larger. The k-th sequence has
/// the level `level` / (k (k + 1)). These levels add up to `level`, so all sequences hold together. The first one that
/// covers all sizes is used. On its scale a window has a weight w of at most 1. The proof of theorem 4 holds for such
/// weights, since psi(w x) is at most w^2 psi(x) for its function psi(x) = -ln(1 - x) - x.
#[derive(Clone, Debug)]
pub struct WindowSequence {
    level: f64,
    tuning: SequenceTuning,
    /// The first scale: a number of scores.
    usual: u64,
    /// The number of scores of the largest window so far.
    largest: u64,
    n: u64,
    sum: f64,
    /// The sum of squared differences between a window's sum and the sum expected from the average of earlier windows.
    variation: f64,
}

impl WindowSequence {
    /// A sequence without windows. Each bound misses with a probability of at most `level`. `tuning` counts windows as
    /// observations. `usual` is the usual number of scores of a window, at least 1. Neither may depend on the scores.
    ///
    /// # Panics
    /// If `level` is not in (0, 0.5], the range is empty or not finite, or the guessed mean is not in it.
    pub fn new(level: f64, tuning: SequenceTuning, usual: u64) -> Self {
        tuning.assert_valid(level);
        Self { level, tuning, usual: usual.max(1), largest: 0, n: 0, sum: 0.0, variation: 0.0 }
    }

    /// Adds the next window. A window without scores changes nothing.
    pub fn push(&mut self, window: ScoreBlock) {
        let guess = if self.n == 0 { self.tuning.mean } else { self.sum / self.n as f64 };
        self.variation += (window.sum - window.n as f64 * guess).powi(2);
        self.largest = self.largest.max(window.n);
        self.n += window.n;
        self.sum += window.sum;
    }

    /// The current bounds, within the range. `mean` is the average of all scores, which the caller has from exact sums.
    /// Without scores the interval is the range.
    pub fn interval(&self, mean: f64) -> Interval {
        if self.n == 0 {
            return Interval { lower: self.tuning.range.0, upper: self.tuning.range.1 };
        }
        let (mut scale, mut number) = (self.usual as f64, 1.0);
        while scale < self.largest as f64 {
            scale *= 2.0;
            number += 1.0;
        }
        let boundary = self.tuning.boundary(self.level / (number * (number + 1.0)));
        let unit = scale * self.tuning.width();
        let reach = boundary.at_variance(self.variation / (unit * unit)) * unit / self.n as f64;
        self.tuning.interval(mean, reach)
    }
}
