//! A single proportion: exact bounds, Wilson's bounds, and the binomial tail for a known probability.
//!
//! Invariant: pairs are treated as independent, and as examined once. Pairs of one day are often alike; then
//! [`jackknife`](super::jackknife()) over the days gives the bounds. Bounds that are examined after every
//! window are those of [`ConfidenceSequence`](super::ConfidenceSequence).

use std::ops::RangeInclusive;

use super::root_finding::increasing_root;
use super::{Interval, assert_confidence, normal_quantile};

/// Weights below this fraction of a sum are omitted.
const NEGLIGIBLE: f64 = 1e-18;

/// The bounds of a proportion by Wilson's score interval, each at `confidence`, in [0, 1]: the proportions
/// that a score test at the level 1 - `confidence` does not reject. E. B. Wilson, "Probable inference, the
/// law of succession, and statistical inference", Journal of the American Statistical Association 22 (1927),
/// without continuity correction.
///
/// Coverage: about the confidence on average over proportions, but not at every proportion. It is lowest
/// where few trials fail, for the bound towards the nearer end. For 200 trials and proportions from
/// 0.8 to 0.999, the lower bound at 0.95 holds in 96 % of studies on average and in 93 % at the worst
/// proportion, 0.9865; the upper bound in 94 % on average and in 82 % at the worst, 0.999. These numbers are
/// computed, not simulated: `tests/oracles/intervals.py`.
///
/// `None` without trials, and for more hits than trials.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn wilson(hits: u64, trials: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let misses = trials.checked_sub(hits)?;
    (trials > 0).then(|| score(hits as f64, misses as f64, trials as f64, confidence))
}

/// [`wilson`] for an estimate from weighted trials: `trials` is their effective number, above 0 and not
/// necessarily whole, and `share` is in [0, 1]. The effective number is that of L. Kish, "Survey Sampling"
/// (1965).
///
/// `None` without trials, and if `share` is not in [0, 1].
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn wilson_weighted(share: f64, trials: f64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let is_share = (0.0..=1.0).contains(&share) && trials.is_finite() && trials > 0.0;
    is_share.then(|| score(share * trials, (1.0 - share) * trials, trials, confidence))
}

/// The exact bounds of a proportion, each at `confidence`, in [0, 1]: the proportions that the binomial test at
/// the level 1 - `confidence` does not reject. C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial
/// limits illustrated in the case of the binomial", Biometrika 26 (1934).
///
/// Guarantee: each bound holds with at least the confidence at every proportion and for any number of trials.
/// The price is width: the table `rare-events` of the example program `coverage` has it beside that of [`wilson`].
///
/// `None` without trials, and for more hits than trials.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let misses = trials.checked_sub(hits)?;
    (trials > 0).then(|| Interval {
        lower: exact_lower(hits, trials, 1.0 - confidence),
        upper: 1.0 - exact_lower(misses, trials, 1.0 - confidence),
    })
}

/// The probability of a hit at which at least `hits` of `trials` have the probability `alpha`. This is the
/// quantile of the beta distribution with the parameters `hits` and `trials` - `hits` + 1.
fn exact_lower(hits: u64, trials: u64, alpha: f64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    if hits == trials {
        return alpha.powf(1.0 / trials as f64);
    }
    let excess = |p: f64| (binomial_tail(hits, trials, p).max(f64::MIN_POSITIVE) / alpha).ln();
    // A binomial variable with a whole mean has it as its median, too, so the root is at most the share.
    increasing_root(excess, 0.0, hits as f64 / trials as f64)
}

/// Wilson's bounds for numbers of hits and misses among `n` trials, `n` above 0.
fn score(hit: f64, missed: f64, n: f64, confidence: f64) -> Interval {
    let z = normal_quantile(confidence);
    let square = z * z;
    let middle = (hit + square / 2.0) / (n + square);
    let reach = z / (n + square) * (hit * missed / n + square / 4.0).sqrt();
    let Interval { lower, upper } = Interval::centered(middle, reach);
    // At the ends the bound is exactly 0 or 1; the formula misses that by rounding.
    Interval {
        lower: if hit == 0.0 { 0.0 } else { lower.max(0.0) },
        upper: if missed == 0.0 { 1.0 } else { upper.min(1.0) },
    }
}

/// The probability of at least `k` hits in `n` independent trials of probability `p` each: the exact upper
/// tail of the binomial distribution, with a relative error of 1e-9, by [`upper_tail`]. The usual formula,
/// the incomplete beta function, does not suffice: that of `statrs` 0.19.1 stops after 140 terms and is off
/// by 3e-5 for a million trials.
///
/// # Panics
/// If `p` is not in [0, 1].
pub fn binomial_tail(k: u64, n: u64, p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is in [0, 1], not {p}");
    if k == 0 {
        return 1.0;
    }
    if k > n || p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return 1.0;
    }
    let odds = p / (1.0 - p);
    upper_tail(k, 0..=n, (n as f64 * p) as u64, |i| (n - i) as f64 / (i + 1) as f64 * odds)
}

/// The probability of at least `k` under a unimodal distribution over `counts`. The weight of `i + 1` is
/// `ratio(i)` times the weight of `i`; `likeliest` is one of the counts, near the mode.
///
/// All weights follow from that of `likeliest` by the ratios of neighbors, and the tail is its share of their
/// sum. This takes about ten standard deviations of steps in each direction, and as many as lead to `k`. A
/// tail below the least positive float is 0.
pub fn upper_tail(k: u64, counts: RangeInclusive<u64>, likeliest: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    if k <= *counts.start() {
        return 1.0;
    }
    let (mut above, mut below, mut tail) = (0.0, 0.0, 0.0);
    let mut weight = 1.0;
    for i in likeliest..=*counts.end() {
        above += weight;
        if i >= k {
            tail += weight;
        }
        // Before `k` is reached, only a weight of 0 is negligible.
        if weight <= tail * NEGLIGIBLE {
            break;
        }
        weight *= ratio(i);
    }
    weight = 1.0;
    for i in (*counts.start()..likeliest).rev() {
        weight /= ratio(i);
        below += weight;
        if i >= k {
            tail += weight;
        }
        if weight <= below * NEGLIGIBLE {
            break;
        }
    }
    // If all weight is in the tail, the two sums may differ by rounding.
    (tail / (below + above)).min(1.0)
}

#[cfg(test)]
mod tests;
