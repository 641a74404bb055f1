//! Fisher's exact test: whether one proportion is greater than another.
//!
//! Invariant: the p-value is exact for all sample sizes, so a subgroup is not listed merely because it has
//! few pairs.

use crate::scoring::upper_tail;

/// The one-sided p-value, in [0, 1], for "the proportion of `one` is greater than that of `other`", each
/// `(hits, trials)`: the probability that `one` has at least as many hits if all hits are distributed over
/// all trials at random. R. A. Fisher, "Statistical Methods for Research Workers", fifth edition (1934),
/// section 21.02. It is the upper tail of the hypergeometric distribution, with a relative error of 1e-9,
/// from the ratios of neighboring weights by [`upper_tail`]. The test for "is less" swaps the arguments.
///
/// `None` for more hits than trials; 1 if one has no trials.
pub fn fisher_exact(one: (u64, u64), other: (u64, u64)) -> Option<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The p-values of scipy and of exact fractions: `tests/oracles/divergence.py`.
    #[test]
    fn p_values_match_scipy() {
        for (hits, trials, fewer, of, scipy) in [
            (1, 1, 0, 1, 0.5),
            (3, 4, 1, 4, 0.24285714285714283),
            (0, 5, 5, 5, 1.0),
            (8, 10, 3, 12, 0.014986561426189909),
            (10, 10, 0, 10, 5.412544112234515e-06),
            (450, 500, 8000, 9500, 0.00016350049748332089),
            (380, 500, 8550, 9500, 1.0),
            (45, 50, 9000, 10000, 0.616169486265489),
            (1700, 1713, 147000, 150000, 2.816209355992958e-05),
            (2000, 2000, 140000, 160000, 6.097602647664107e-116),
            (30000, 100000, 50000, 180000, 7.755710517571568e-36),
        ] {
            let p_value = fisher_exact((hits, trials), (fewer, of)).unwrap();
            assert!((p_value / scipy - 1.0).abs() < 1e-9, "{hits} of {trials}: {p_value} and {scipy}");
        }
    }

    #[test]
    fn the_two_tails_overlap_in_the_observed_table() {
        // P(X >= a) + P(X <= a) = 1 + P(X = a), and P(X = a) is the tail at a minus the tail at a + 1.
        let [greater, less] =
            [fisher_exact((7, 20), (12, 25)), fisher_exact((12, 25), (7, 20))].map(Option::unwrap);
        let next = fisher_exact((8, 20), (11, 25)).unwrap();
        assert!((greater + less - 1.0 - (greater - next)).abs() < 1e-12);
    }

    #[test]
    fn no_p_value_is_above_one() {
        for (hits, trials, fewer, of) in [(28, 123, 941, 1391), (17, 263, 491, 810), (6, 262, 394, 469)] {
            assert_eq!(fisher_exact((hits, trials), (fewer, of)), Some(1.0));
        }
    }

    #[test]
    fn without_trials_nothing_differs() {
        assert_eq!(fisher_exact((0, 0), (3, 5)), Some(1.0));
        assert_eq!(fisher_exact((3, 5), (0, 0)), Some(1.0));
        assert_eq!(fisher_exact((0, 0), (0, 0)), Some(1.0));
        assert_eq!(fisher_exact((6, 5), (0, 0)), None);
    }
}
