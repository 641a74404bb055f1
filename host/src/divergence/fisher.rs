//! Whether one share is greater than another, by counts alone: Fisher's exact test.
//!
//! Always holds: the p-value is exact whatever the sizes, so that a class of few pairs is not told for its few.

use crate::scoring::upper_tail;

/// The one-sided p-value for "the share of `one` is greater than that of `other`", each `(hits, trials)`, in [0, 1]: how
/// likely `one` would have so many hits or more if all hits of both were spread over all trials at random. R. A. Fisher,
/// "Statistical Methods for Research Workers", fifth edition (1934), section 21.02. It is the upper tail of the
/// hypergeometric distribution, to 1e-9 of itself, made from the ratios of neighbouring weights as
/// [`upper_tail`] says. The test for "is less" is that of the two exchanged.
///
/// `None` for more hits than trials. Where one has no trials it is 1.
pub fn fisher(one: (u64, u64), other: (u64, u64)) -> Option<f64> {
    let misses = one.1.checked_sub(one.0)? + other.1.checked_sub(other.0)?;
    let (hits, trials) = (one.0 + other.0, one.1);
    let least = trials.saturating_sub(misses);
    let most = hits.min(trials);
    let all = (hits + misses) as f64;
    let likeliest = ((trials + 1) as f64 * ((hits + 1) as f64 / (all + 2.0))) as u64;
    // The weight of i + 1 hits over that of i.
    let ratio = |i: u64| {
        let (more, fewer) = ((hits - i) as f64 * (trials - i) as f64, (i + 1) as f64);
        more / (fewer * (misses + i + 1 - trials) as f64)
    };
    Some(upper_tail(one.0, least..=most, likeliest.clamp(least, most), ratio))
}
