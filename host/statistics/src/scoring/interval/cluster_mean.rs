//! Bounds of a mean over clusters that allow for clusters too rare to have been observed.
//!
//! Invariant: the bounds include the mean, and are within the range.

use super::{Interval, assert_confidence, bounded_mean, jackknife_certainty, korn_graubard};
use crate::scoring::cluster_sizes::ClusterLimits;

/// The bounds of a mean of scores in `range`, each at `confidence`, if only clusters are independent. `error` is the standard
/// error of the mean, and `clusters` the number of clusters of equal sizes that the clusters count for.
///
/// The mean of a cluster is a score in the range, too, and these scores are independent. Their number, their mean and their
/// variance, which is that of the mean times their number, are known. Their distribution is not. The lower bound is that of
/// [`bounded_mean`] for the distribution with this mean and variance that is the most skewed: each score is at the lower end
/// of the range or at one other value. The upper bound mirrors it.
///
/// With c clusters, none of which fails as a whole, a share of up to 1 - (1 - `confidence`)^(1 / c) of all clusters may do so:
/// 3 % for 100 clusters at 0.95. The spread that is observed, from single failing pairs, says nothing about them.
///
/// Coverage: the table `clusters` of the example program `coverage`.
///
/// `None` if the range is empty or infinite, the mean is not in it, or there is less than one cluster.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn cluster_mean(
    mean: f64,
    error: f64,
    clusters: f64,
    (least, greatest): (f64, f64),
    confidence: f64,
) -> Option<Interval> {
    assert_confidence(confidence);
    let width = greatest - least;
    if !width.is_finite() || width <= 0.0 || !(least..=greatest).contains(&mean) || clusters < 1.0 {
        return None;
    }
    let variance = (error / width).powi(2) * clusters;
    let lower = |mean: f64| -> Option<f64> {
        if mean <= 0.0 {
            return Some(0.0);
        }
        // Of all scores in [0, 1] with this mean, those at both ends have the greatest variance.
        let variance = variance.min(mean * (1.0 - mean));
        let value = (mean + variance / mean).min(1.0);
        let at_value = clusters * mean / value;
        let scores = [(0.0, clusters - at_value), (value, at_value)];
        Some(bounded_mean(&scores, (0.0, 1.0), confidence)?.lower.min(mean))
    };
    let mean = (mean - least) / width;
    let (lower, upper) = (lower(mean)?, 1.0 - lower(1.0 - mean)?);
    Some(Interval { lower: least + width * lower, upper: least + width * upper })
}

/// The bounds of a share of `pairs` pairs, each at `confidence`, if only clusters are independent: the wider ones of
/// [`korn_graubard`] and of [`cluster_mean`]. `error` is the standard error of a jackknife with `degrees` degrees of freedom.
///
/// `None` as for [`korn_graubard`].
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn cluster_share(
    share: f64,
    (error, degrees): (f64, u64),
    pairs: u64,
    limits: ClusterLimits,
    confidence: f64,
) -> Option<Interval> {
    let most = (pairs as f64).min(limits.pairs) as u64;
    let interval = korn_graubard(share, error, degrees, most, confidence)?;
    let error = error / jackknife_certainty(degrees, confidence)?;
    let rare = cluster_mean(share, error, limits.clusters.min(pairs as f64), (0.0, 1.0), confidence)?;
    Some(interval.hull(rare))
}

#[cfg(test)]
mod tests {
    use super::super::clopper_pearson;
    use super::super::tests::assert_close;
    use super::*;

    const UNIT: (f64, f64) = (0.0, 1.0);

    #[test]
    fn clusters_that_fail_as_a_whole_have_the_exact_bounds() {
        // The variance of 97 whole clusters of 100 is 0.97 * 0.03.
        let error = (0.97 * 0.03 / 100.0f64).sqrt();
        let found = cluster_mean(0.97, error, 100.0, UNIT, 0.95).unwrap();
        let exact = clopper_pearson(97, 100, 0.95).unwrap();
        assert_close(found.lower, exact.lower);
        assert_close(found.upper, exact.upper);
        // A greater variance is impossible.
        assert_eq!(cluster_mean(0.97, 3.0 * error, 100.0, UNIT, 0.95), Some(found));
    }

    #[test]
    fn a_small_spread_does_not_exclude_rare_clusters() {
        // By the oracle: `tests/oracles/intervals.py` prints the rows.
        for (mean, error, clusters, lower, upper) in [
            (0.99, 0.003, 100.0, 0.959965369973189, 0.994473676231713),
            (0.999, 0.0002, 1000.0, 0.9959747407982115, 0.9993059030070731),
            (0.5, 0.01, 62.0, 0.4681133147944718, 0.5318866852055282),
        ] {
            let found = cluster_mean(mean, error, clusters, UNIT, 0.95).unwrap();
            assert_close(found.lower, lower);
            assert_close(found.upper, upper);
        }
    }

    #[test]
    fn bounds_move_with_the_range_and_mirror_with_the_mean() {
        let found = cluster_mean(0.9, 0.01, 80.0, UNIT, 0.975).unwrap();
        let moved = cluster_mean(-1.0 + 3.0 * 0.9, 0.03, 80.0, (-1.0, 2.0), 0.975).unwrap();
        assert_close(moved.lower, -1.0 + 3.0 * found.lower);
        assert_close(moved.upper, -1.0 + 3.0 * found.upper);
        let mirrored = cluster_mean(0.1, 0.01, 80.0, UNIT, 0.975).unwrap();
        assert_close(mirrored.lower, 1.0 - found.upper);
        assert_close(mirrored.upper, 1.0 - found.lower);
    }

    #[test]
    fn a_mean_at_an_end_of_the_range_has_a_bound_there() {
        let found = cluster_mean(1.0, 0.0, 50.0, UNIT, 0.95).unwrap();
        assert_close(found.lower, 0.05f64.powf(1.0 / 50.0));
        assert_eq!(found.upper, 1.0);
    }

    #[test]
    fn what_cannot_be_bounded_has_no_bounds() {
        let infinite = (0.0, f64::INFINITY);
        for (mean, clusters, range) in [
            (0.5, 0.9, UNIT),
            (1.5, 9.0, UNIT),
            (0.5, 9.0, infinite),
            (0.5, 9.0, (0.5, 0.5)),
            (f64::NAN, 9.0, UNIT),
        ] {
            assert_eq!(cluster_mean(mean, 0.1, clusters, range, 0.95), None);
        }
    }

    #[test]
    fn a_share_has_the_wider_bounds() {
        let limits = ClusterLimits { pairs: f64::INFINITY, clusters: 100.0 };
        let found = cluster_share(0.99, (0.003, 63), 1000, limits, 0.95).unwrap();
        let error = 0.003 / jackknife_certainty(63, 0.95).unwrap();
        let rare = cluster_mean(0.99, error, 100.0, UNIT, 0.95).unwrap();
        let usual = korn_graubard(0.99, 0.003, 63, 1000, 0.95).unwrap();
        assert!(rare.lower < usual.lower, "{rare:?} {usual:?}");
        assert_eq!(found, usual.hull(rare));
        // Pairs that are clusters of their own.
        let limits = ClusterLimits { clusters: 5000.0, ..limits };
        let own = cluster_share(0.99, (0.003, 63), 1000, limits, 0.95).unwrap();
        let rare = cluster_mean(0.99, error, 1000.0, UNIT, 0.95).unwrap();
        assert_eq!(own, usual.hull(rare));
    }
}
