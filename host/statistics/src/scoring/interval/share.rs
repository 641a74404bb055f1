//! One share: how many of so many. Its bounds, and how likely as many are under a share that is known.
//!
//! Always holds: the pairs are taken as independent, and as looked at once. Pairs of one day are often alike; then
//! [`jackknife`](super::jackknife()) over the days is what bounds the figure. Bounds that are looked at after every
//! window are those of [`Sequence`](super::Sequence).

use std::ops::RangeInclusive;

use super::{Interval, assert_confidence, normal_quantile};

/// Weights that change a sum by less than this share of it are left out.
const NEGLIGIBLE: f64 = 1e-18;

/// The bounds of a share by Wilson's score interval, each at `confidence`, in [0, 1]: those shares that a score test
/// at the level 1 - `confidence` does not refuse. E. B. Wilson, "Probable inference, the law of succession, and
/// statistical inference", Journal of the American Statistical Association 22 (1927), without continuity correction.
///
/// What it holds: about the confidence on average over shares, but not at every share. Least where hardly any trial
/// falls short, and on the side of the nearer end. Of 200 trials with shares from 0.8 to 0.999, the lower bound at 0.95
/// holds in 96 % of studies on average and in 93 % at the worst share, 0.9865; the upper bound in 94 % on average and
/// in 82 % at the worst, 0.999. These figures are computed, not simulated: `tests/oracles/intervals.py`.
///
/// `None` for no trials, and for more hits than trials.
///
/// # Panics
///
/// When `confidence` is not in [0.5, 1).
pub fn wilson(hits: u64, trials: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let misses = trials.checked_sub(hits)?;
    (trials > 0).then(|| score(hits as f64, misses as f64, trials as f64, confidence))
}

/// [`wilson`] of a share whose weight is not a count: of an estimate from weighted trials, `trials` is their effective
/// number, above 0, and `share` is in [0, 1]. L. Kish, "Survey Sampling" (1965), has the effective number.
///
/// `None` for no trials, and for what is no share.
///
/// # Panics
///
/// When `confidence` is not in [0.5, 1).
pub fn wilson_weighted(share: f64, trials: f64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let is_share = (0.0..=1.0).contains(&share) && trials.is_finite() && trials > 0.0;
    is_share.then(|| score(share * trials, (1.0 - share) * trials, trials, confidence))
}

/// Wilson's bounds of so many hits and misses among `n` trials, more than none.
fn score(hit: f64, missed: f64, n: f64, confidence: f64) -> Interval {
    let z = normal_quantile(confidence);
    let square = z * z;
    let middle = (hit + square / 2.0) / (n + square);
    let reach = z / (n + square) * (hit * missed / n + square / 4.0).sqrt();
    let Interval { lower, upper } = Interval::around(middle, reach);
    // At the ends the bound is the end; the formula misses it by its rounding.
    Interval {
        lower: if hit == 0.0 { 0.0 } else { lower.max(0.0) },
        upper: if missed == 0.0 { 1.0 } else { upper.min(1.0) },
    }
}

/// The probability of at least `k` hits in `n` independent trials of probability `p` each: the exact upper tail of the
/// binomial distribution, to 1e-9 of itself, by [`upper_tail`]. The incomplete beta function, by which it is mostly
/// written, is no way here: that of `statrs` 0.19.1 stops after 140 terms and is off by 3e-5 for a million trials.
///
/// # Panics
///
/// When `p` is not in [0, 1].
pub fn at_least(k: u64, n: u64, p: f64) -> f64 {
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

/// The probability of `k` or more under a distribution over `counts` with one peak: the weight of `i + 1` is `ratio(i)`
/// times that of `i`, and `likeliest` is of the counts and near the peak.
///
/// The weights of all counts are made from that of the likeliest by the ratio of neighbours, and the tail is its share of
/// their sum. It takes some ten standard deviations of steps each way, and as many as lead to `k`. A tail below the least
/// float is 0.
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
        // Before `k` is reached, only a weight of nothing is negligible.
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
    // Where all of the weight is in the tail, the two sums may differ by their rounding.
    (tail / (below + above)).min(1.0)
}

#[cfg(test)]
mod tests;
