//! How likely a figure meets its bound, if the truth is known.
//!
//! Always holds: the chance grows as the truth moves to the right side of the bound, and shrinks as the bound moves the
//! same way; no comparisons meet no bound. Comparisons are taken as independent.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::scoring::{binomial_tail, wilson};
use crate::verdict::meets_bound_by_count;
use understudy_study::{Direction, Evidence};

/// Up to this standard deviation of the hits the binomial distribution is summed. Beyond, the normal one is within 1e-4 of
/// it (its error is below 0.07 / deviation by the skewness), and does not take longer the more there are.
const MAX_EXACT_DEVIATION: f64 = 2000.0;

/// How often an interval is halved to find a truth: to 1e-12 of it.
const HALVINGS: u32 = 40;

/// A truth this many standard deviations of one score beyond the bound is far enough for any number of comparisons.
const FAR_DEVIATIONS: f64 = 50.0;

/// What the score of one comparison is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreKind {
    /// 0 or 1, so that a figure is a share.
    Binary,
    /// Any number, with this standard deviation, in units of the metric; above 0. The figure is taken as normal.
    Normal(f64),
}

/// How the figure of a number of comparisons is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundTest {
    /// On which side of the bound it has to lie.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
    /// What has to lie there.
    pub evidence: Evidence,
    /// What a score is like.
    pub score: ScoreKind,
    /// The least and the greatest figure there can be.
    pub range: (Option<f64>, Option<f64>),
}

impl BoundTest {
    /// The chance that the figure of `n` comparisons meets the bound if the true figure is `truth`.
    ///
    /// Of scores of 0 and 1: that of as many hits as are needed, by the binomial distribution. Of others: the figure is
    /// normal about the truth with the standard error spread / sqrt(n), and a one-sided bound at the confidence c lies
    /// z(c) standard errors beside it.
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
            ScoreKind::Normal(spread) => {
                let errors = self.excess(truth) * (n as f64).sqrt() / spread;
                let beside = match self.evidence {
                    Evidence::Point => 0.0,
                    Evidence::Bound(confidence) => Normal::standard().inverse_cdf(confidence),
                };
                Normal::standard().cdf(errors - beside)
            }
        }
    }

    /// Of `n` scores of 0 and 1 the least hits, or with `at-most` the most, that meet the bound; `None` if none do.
    ///
    /// They meet it as they do in a verdict: a point by its counts, so that 0.85 of 20 is 17, and a bound by [`wilson`]'s
    /// interval.
    pub fn hits_at_bound(&self, n: u64) -> Option<u64> {
        let passes = |hits: u64| match self.evidence {
            Evidence::Point => meets_bound_by_count(hits, n, self.direction, self.bound),
            Evidence::Bound(confidence) => {
                wilson(hits, n, confidence).is_some_and(|interval| match self.direction {
                    Direction::AtLeast => interval.lower >= self.bound,
                    Direction::AtMost => interval.upper <= self.bound,
                })
            }
        };
        // The count that misses the best one by so many.
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

    /// How far a figure lies on the right side of the bound, in units of the metric; below 0 on the wrong side.
    pub fn excess(&self, figure: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => figure - self.bound,
            Direction::AtMost => self.bound - figure,
        }
    }

    /// The figure that lies so far on the right side of the bound.
    pub fn value_beyond_bound(&self, excess: f64) -> f64 {
        match self.direction {
            Direction::AtLeast => self.bound + excess,
            Direction::AtMost => self.bound - excess,
        }
    }

    /// How far on the right side of the bound a truth can lie.
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
            (ScoreKind::Normal(spread), None) => FAR_DEVIATIONS * spread,
        }
    }

    /// The least excess of the truth over the bound, at least 0, with which `chance` of a truth is `goal` or more. `None`
    /// if no truth that there can be will do.
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

/// The chance of at least `k` hits among `n`, each of the probability `p`.
fn hits_probability(k: u64, n: u64, p: f64) -> f64 {
    let deviation = (n as f64 * p * (1.0 - p)).sqrt();
    if deviation <= MAX_EXACT_DEVIATION {
        return binomial_tail(k, n, p);
    }
    // A count stands for the numbers that round to it.
    Normal::standard().sf((k as f64 - 0.5 - n as f64 * p) / deviation)
}
