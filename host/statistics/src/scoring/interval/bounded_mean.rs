//! Bounds of the mean of independent scores in a known range, whatever their distribution.
//!
//! Invariants:
//! - For scores at the two ends of the range, the bounds are those of
//!   [`clopper_pearson`](super::clopper_pearson). For equal scores they are those of
//!   [`equal_scores`](super::equal_scores).
//! - A bound is never beyond the end of the range that it points to, nor on the other side of the mean.

use super::gamma_sum::probability_below_zero;
use super::root_finding::increasing_root;
use super::{Interval, assert_confidence};

/// The bounds of the mean of independent scores in `range`, each at `confidence`. A score has a value and a weight: the
/// number of pairs that have it, which need not be whole. The sum of the weights is the number of independent scores.
///
/// The lower bound is the quantile at 1 - `confidence` of the mean of the scores and of one more score at the lower end of
/// the range, under random weights with the distribution Dirichlet(1, ..., 1). The upper bound mirrors it. N. Gaffke, "Three
/// test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable", Mathematical Methods of
/// Statistics 14 (2005); E. Learned-Miller, P. S. Thomas, "A new confidence interval for the mean of a bounded random
/// variable", arXiv:1905.06208 (2019).
///
/// Coverage: at least the confidence for scores with two values, where the bounds are those of Clopper and Pearson. For
/// other distributions it is a conjecture of both papers without a known counterexample. The table `bounded-means` of the
/// example program `coverage` has distributions for which the jackknife fails.
///
/// `None` if the range is empty or infinite, without weight, and if a score is outside of the range.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn bounded_mean(
    scores: &[(f64, f64)],
    (least, greatest): (f64, f64),
    confidence: f64,
) -> Option<Interval> {
    assert_confidence(confidence);
    let width = greatest - least;
    let is_usable = |&(score, weight): &(f64, f64)| {
        (least..=greatest).contains(&score) && weight >= 0.0 && f64::is_finite(weight)
    };
    let total: f64 = scores.iter().map(|(_, weight)| weight).sum();
    if !width.is_finite() || width <= 0.0 || total <= 0.0 || !scores.iter().all(is_usable) {
        return None;
    }
    let unit = |mirrored: bool| {
        let scores = scores.iter().filter(|(_, weight)| *weight > 0.0);
        let unit = scores.map(|(score, weight)| {
            let distance = if mirrored { greatest - score } else { score - least };
            ((distance / width).clamp(0.0, 1.0), *weight)
        });
        unit.collect::<Vec<_>>()
    };
    let level = 1.0 - confidence;
    Some(Interval {
        lower: least + width * lower_bound(&unit(false), level),
        upper: greatest - width * lower_bound(&unit(true), level),
    })
}

/// The lower bound for scores in [0, 1], at the level `level`.
fn lower_bound(scores: &[(f64, f64)], level: f64) -> f64 {
    let total: f64 = scores.iter().map(|(_, weight)| weight).sum();
    let mean = scores.iter().map(|(score, weight)| score * weight).sum::<f64>() / total;
    if mean <= 0.0 {
        return 0.0;
    }
    let mut terms = Vec::with_capacity(scores.len() + 1);
    let excess = |bound: f64| {
        terms.clear();
        terms.push((-bound, 1.0));
        terms.extend(scores.iter().map(|(score, weight)| (score - bound, *weight)));
        (probability_below_zero(&terms).max(f64::MIN_POSITIVE) / level).ln()
    };
    increasing_root(excess, 0.0, mean)
}

#[cfg(test)]
mod tests;
