//! Exact bounds of the difference between two shares of the same trials, such as the agreement of two models with one
//! substrate.
//!
//! Invariant: each bound holds with at least its confidence for any number of independent trials.

use super::{Interval, assert_confidence, clopper_pearson};

/// The part of the level for the two bounds of how often the two differ; each has half of it. The rest of the level is for
/// the bound of how often the first is right where they differ. That bound decides whether the difference is above 0, so
/// it has the larger part.
const FREQUENCY_PART: f64 = 0.1;

/// The bounds of the share of gains less the share of losses, each at `confidence`, in [-1, 1]. In `trials` trials, `gains`
/// is how often only the first was right, and `losses` how often only the second was.
///
/// Let p be the probability that the two differ, and q the probability that the first is right where they differ. The
/// difference is p (2 q - 1). The number of trials in which they differ is binomial with p. Given that number, the gains
/// are binomial with q. So the lower bound is (2 q - 1) at the lower bound of q, times the lower bound of p, or times its
/// upper bound where (2 q - 1) is negative. Bonferroni's inequality adds the levels of these bounds, which are those of
/// [`clopper_pearson`]. q is the parameter of the exact test of Q. McNemar, "Note on the sampling error of the difference
/// between correlated proportions or percentages", Psychometrika 12 (1947).
///
/// The score bounds of T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
/// paired-sample design", Statistics in Medicine 17 (1998), are narrower. Where the two rarely differ, they fail in up to
/// 7.3 % of studies at 0.95. `tests/oracles/paired_difference.py` computes both.
///
/// `None` without trials, and for more gains and losses than trials.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn paired_difference(gains: u64, losses: u64, trials: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let differing = gains.checked_add(losses).filter(|differing| *differing <= trials && trials > 0)?;
    let level = 1.0 - confidence;
    let frequency = clopper_pearson(differing, trials, 1.0 - level * FREQUENCY_PART / 2.0)?;
    let lower = |gains: u64| {
        let right = clopper_pearson(gains, differing, 1.0 - level * (1.0 - FREQUENCY_PART));
        let direction = 2.0 * right.map_or(0.0, |right| right.lower) - 1.0;
        direction * if direction < 0.0 { frequency.upper } else { frequency.lower }
    };
    Some(Interval { lower: lower(gains), upper: -lower(losses) })
}

#[cfg(test)]
mod tests;
