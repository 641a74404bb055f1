//! The probability that an estimate meets its bound, for a known true value.
//!
//! Invariants:
//! - The probability grows as the true value improves, and falls as the bound becomes stricter.
//! - Without comparisons it is 0.
//! - Comparisons are treated as independent.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::scoring::binomial_tail;
use crate::verdict::meets_bound_by_count;
use understudy_study::{Direction, Evidence};

/// Up to this standard deviation of the hits, the binomial distribution is summed. Beyond it, the normal
/// distribution is within 1e-4 (its error is below 0.07 / deviation by the skewness), and its cost does not
/// grow with the number of comparisons.
const MAX_EXACT_DEVIATION: f64 = 2000.0;

/// The number of times an interval is halved in the search for a true value: to 1e-12 of it.
const HALVINGS: u32 = 40;

/// A true value this many standard deviations of one score beyond the bound is far enough for any number of
/// comparisons.
const FAR_DEVIATIONS: f64 = 50.0;

/// The distribution of the score of one comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreKind {
    /// 0 or 1, so that the value of the metric is a share.
    Binary,
    /// Any number, with this standard deviation, in units of the metric and above 0. The mean is treated as
    /// normal.
    Normal(f64),
}

/// The test whether the estimate from a number of comparisons meets its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundTest {
    /// The direction of the bound.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
    /// Whether the point estimate or its confidence bound has to meet the bound.
    pub evidence: Evidence,
    /// The distribution of the scores.
    pub score: ScoreKind,
    /// The least and the greatest possible value of the metric; `None` is no limit.
    pub range: (Option<f64>, Option<f64>),
}

impl BoundTest {
    /// The probability that the estimate from `n` comparisons meets the bound if the true value is `truth`.
    ///
    /// For binary scores: the probability of the required number of hits, by the binomial distribution. For
    /// other scores, the estimate is normal around the true value with the standard error deviation /
    /// sqrt(n), and a one-sided bound at the confidence c is z(c) standard errors away.
    pub fn pass_probability(&self, n: u64, truth: f64) -> f64 {
        if n == 0 {
            return 0.0;
        }
        match self.score {
            ScoreKind::Binary => {
                let truth = truth.clamp(0.0, 1.0);
                match (self.hits_at_bound(n), self.direction) {
                    (None, _) => 0.0,
                    (Some(least), Direction::AtLeast) => hits_probability(least, n, truth),
                    (Some(most), Direction::AtMost) => hits_probability(n - most, n, 1.0 - truth),
                }
            }
            ScoreKind::Normal(deviation) => {
                let errors = self.excess(truth) * (n as f64).sqrt() / deviation;
                let margin = match self.evidence {
                    Evidence::Point => 0.0,
                    Evidence::Bound(confidence) => Normal::standard().inverse_cdf(confidence),
                };
                Normal::standard().cdf(errors - margin)
            }
        }
    }

    /// For `n` binary scores: the least number of hits that meets the bound, or the greatest with `at-most`;
    /// `None` if none does.
    ///
    /// Hits meet the bound as in a verdict: a point estimate by its counts, so that 0.85 of 20 is 17, and a
    /// confidence bound by the binomial test whose bounds are those of
    /// [`clopper_pearson`](crate::scoring::clopper_pearson).
    pub fn hits_at_bound(&self, n: u64) -> Option<u64> {
        let passes = |hits: u64| match self.evidence {
            Evidence::Point => meets_bound_by_count(hits, n, self.direction, self.bound),
            Evidence::Bound(confidence) => {
                let (hits, least) = match self.direction {
                    Direction::AtLeast => (hits, self.bound),
                    Direction::AtMost => (n - hits, 1.0 - self.bound),
                };
                least <= 0.0 || (least < 1.0 && binomial_tail(hits, n, least) <= 1.0 - confidence)
            }
        };
        // The number of hits that is `off` worse than the best.
        let off_best = |off: u64| if self.direction == Direction::AtLeast { n - off } else { off };
        if !passes(off_best(0)) {
            return None;
        }
        let (mut passing, mut failing) = (0, n + 1);
        while failing - passing > 1 {
            let middle = passing + (failing - passing) / 2;
            if passes(off_best(middle)) { passing = middle } else { failing = middle }
        }
        Some(off_best(passing))
    }

    /// The distance of a value beyond the bound, in units of the metric; negative on the wrong side.
    pub fn excess(&self, value: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => value - self.bound,
            Direction::AtMost => self.bound - value,
        }
    }

    /// The value at this distance beyond the bound.
    pub fn value_beyond_bound(&self, excess: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => self.bound + excess,
            Direction::AtMost => self.bound - excess,
        }
    }

    /// The greatest distance of a true value beyond the bound.
    pub fn max_excess(&self) -> f64 {
        let end = match self.direction {
            Direction::AtLeast => self.range.1,
            Direction::AtMost => self.range.0,
        };
        match (self.score, end) {
            (_, Some(end)) => self.excess(end),
            (ScoreKind::Binary, None) => {
                self.excess(if self.direction == Direction::AtLeast { 1.0 } else { 0.0 })
            }
            (ScoreKind::Normal(deviation), None) => FAR_DEVIATIONS * deviation,
        }
    }

    /// The least excess of the true value over the bound, at least 0, at which `probability` of the true
    /// value is at least `goal`. `None` if no possible true value suffices.
    pub fn margin(&self, goal: f64, probability: impl Fn(f64) -> f64) -> Option<f64> {
        let enough = |excess: f64| probability(self.value_beyond_bound(excess)) >= goal;
        let (mut below, mut above) = (0.0, self.max_excess());
        if above < 0.0 || !enough(above) {
            return None;
        }
        if enough(below) {
            return Some(below);
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(below, above);
            if enough(middle) { above = middle } else { below = middle }
        }
        Some(above)
    }
}

/// The probability of at least `k` hits among `n`, each of probability `p`.
pub(super) fn hits_probability(k: u64, n: u64, p: f64) -> f64 {
    let deviation = (n as f64 * p * (1.0 - p)).sqrt();
    if deviation <= MAX_EXACT_DEVIATION {
        return binomial_tail(k, n, p);
    }
    // Continuity correction.
    Normal::standard().sf((k as f64 - 0.5 - n as f64 * p) / deviation)
}

#[cfg(test)]
mod tests;
