//! Jackknife bounds of any metric: the value is computed again with one group of pairs left out at a time.
//!
//! Invariants:
//! - The metric only has to be computable without a group, so third-party metrics have bounds, too.
//! - Groups are treated as independent; the pairs within a group are not.
//! - A group without pairs is not a group: leaving it out changes nothing, and would only simulate evidence.
//! - Groups without spread have no jackknife bounds: a width of zero would look like certainty.

use super::{Interval, assert_confidence, student_quantile};

/// The greatest difference between two values that is attributed to rounding, relative to the numbers from which they
/// are computed. A sum is exact and rounded once, to 1.1e-16 of its size. A metric and a difference add a few such
/// errors, and 1e-12 allows a thousand times as many. The least real spread is far above: one miss in 64 million pairs
/// changes a share by 2.5e-10 without one of the 64 groups.
const ROUNDING: f64 = 1e-12;

/// The standard error of a value, in its unit. `without[g]` is the value with the group `g` left out.
///
/// `sqrt((G - 1) / G * sum over g of (without[g] - their mean)^2)` for G groups: B. Efron, R. J. Tibshirani,
/// "An Introduction to the Bootstrap", Chapman & Hall (1993), equation 11.5, with groups as observations. As
/// there, it is centered on the mean of the replicates and not on the value itself; the two differ by the
/// bias of the value, which is not variance. For a mean over groups of equal size it is the usual standard
/// error of the group means.
///
/// `None` for fewer than two groups, and if a value is not finite.
pub fn standard_error(without: &[f64]) -> Option<f64> {
    if without.len() < 2 {
        return None;
    }
    let groups = without.len() as f64;
    // Differences from the first value, so that rounding gives equal values no variance.
    let first = without[0];
    let mean = first + without.iter().map(|value| value - first).sum::<f64>() / groups;
    let squares: f64 = without.iter().map(|value| (value - mean).powi(2)).sum();
    Some(((groups - 1.0) / groups * squares).sqrt()).filter(|error| error.is_finite())
}

/// The bounds of a value, each at `confidence`, in its unit: `estimate` minus and plus the [`standard_error`]
/// times the quantile of Student's t with one degree of freedom less than there are groups. The quantile is
/// J. W. Tukey's ("Bias and confidence in not-quite large samples", Annals of Mathematical Statistics 29
/// (1958), p. 614). `estimate` is the value over all groups, `without[g]` the value with the group `g` left
/// out. `scale` is as for [`has_spread`].
///
/// Guarantee: the confidence holds for means over groups of similar size that are about normal. It is lower
/// if few groups have most of the pairs. The method does not suit values that jump, such as a median.
///
/// `None` for fewer than two groups, if a value is not finite, and if [`has_spread`] does not hold: the groups
/// say nothing about the variance then.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn jackknife(estimate: f64, without: &[f64], scale: f64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let error = standard_error(without).filter(|_| has_spread(without, scale))?;
    let degrees = (without.len() - 1) as f64;
    let interval = Interval::centered(estimate, student_quantile(confidence, degrees)? * error);
    estimate.is_finite().then_some(interval)
}

/// The bounds of a value whose distance from `greatest` is skewed, as that of few failures is: for each bound the wider one
/// of the [`jackknife`] and of the jackknife of the logarithm of the distance. The logarithm suits the lower bound, because
/// the standard error of a count grows with the count: M. S. Bartlett, "The use of transformations", Biometrics 3 (1947). Only
/// the first applies if a value is not below `greatest`.
///
/// Coverage: the rows of kappa in the table `skewed-scores` of the example program `coverage`.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn skewed_jackknife(
    estimate: f64,
    without: &[f64],
    greatest: f64,
    scale: f64,
    confidence: f64,
) -> Option<Interval> {
    let linear = jackknife(estimate, without, scale, confidence)?;
    let logarithms: Vec<f64> = without.iter().map(|value| (greatest - value).ln()).collect();
    let Some(distance) = jackknife((greatest - estimate).ln(), &logarithms, 0.0, confidence) else {
        return Some(linear);
    };
    Some(
        linear.hull(Interval {
            lower: greatest - distance.upper.exp(),
            upper: greatest - distance.lower.exp(),
        }),
    )
}

/// Whether the values `without` each group differ from each other by more than rounding. It does not matter whether
/// they differ from the value over all groups: leaving out a group always changes a count.
///
/// `scale` is the size of the numbers from which the values are computed. For a difference it is the size of what is
/// subtracted: the difference of two values near 1 has an error of 1e-16, even if it is 1e-7 itself.
pub fn has_spread(without: &[f64], scale: f64) -> bool {
    let least = without.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = without.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let largest = scale.abs().max(least.abs()).max(greatest.abs());
    greatest - least > ROUNDING * largest
}

#[cfg(test)]
mod tests {
    //! Checked against numpy, scipy and astropy: `tests/oracles/intervals.py` prints the rows.

    use super::{Interval, has_spread, jackknife, skewed_jackknife, standard_error};
    use crate::scoring::interval::tests::assert_close;

    /// The scores of the groups in `intervals.py`.
    fn groups() -> Vec<Vec<f64>> {
        let score = |g: usize, i: usize| ((37 * i + 11 * g) % 101) as f64 / 100.0;
        (0..9).map(|g| (0..5 + 3 * (g % 4)).map(|i| score(g, i)).collect()).collect()
    }

    /// The mean over all groups, and with each group left out.
    fn means(groups: &[Vec<f64>]) -> (f64, Vec<f64>) {
        let mean = |left_out: Option<usize>| {
            let kept = groups.iter().enumerate().filter(|(g, _)| Some(*g) != left_out);
            let scores: Vec<f64> = kept.flat_map(|(_, scores)| scores.iter().copied()).collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        (mean(None), (0..groups.len()).map(|g| mean(Some(g))).collect())
    }

    #[test]
    fn bounds_match_numpy_and_scipy() {
        let (estimate, without) = means(&groups());
        assert_close(estimate, 0.4996296296296296);
        assert_close(standard_error(&without).unwrap(), 0.014202705025388179);
        for (confidence, lower, upper) in [
            (0.8, 0.48700499400862507, 0.5122542652506341),
            (0.95, 0.4732190173720388, 0.5260402418872204),
            (0.99, 0.4584920704758111, 0.5407671887834481),
        ] {
            let interval = jackknife(estimate, &without, estimate, confidence).unwrap();
            assert_close(interval.lower, lower);
            assert_close(interval.upper, upper);
        }
    }

    #[test]
    fn groups_of_one_score_match_astropy() {
        let singles: Vec<_> = groups()[3].iter().map(|&score| vec![score]).collect();
        let (estimate, without) = means(&singles);
        assert_close(estimate, 0.4985714285714286);
        assert_close(standard_error(&without).unwrap(), 0.08116498692195306);
    }

    #[test]
    fn equal_replicates_have_no_bounds() {
        assert_eq!(jackknife(0.1, &[0.1; 5], 0.1, 0.95), None);
        assert_eq!(jackknife(0.0, &[0.0; 64], 0.0, 0.95), None);
        // Means of equal scores that differ by rounding only.
        let scores = 0.1 * 3.0;
        let without = [scores / 3.0, 0.1, 0.1];
        assert!(without[0] != 0.1);
        assert_eq!(jackknife(0.1, &without, 0.1, 0.95), None);
        // The smallest real spread: one miss in 64 million pairs.
        let pairs = 64e6;
        let mut without = vec![(pairs * 63.0 / 64.0 - 1.0) / (pairs * 63.0 / 64.0); 63];
        without.push(1.0);
        let estimate = (pairs - 1.0) / pairs;
        assert!(has_spread(&without, estimate) && jackknife(estimate, &without, estimate, 0.95).is_some());
        assert!(has_spread(&[1e-300, 0.0], 0.0) && !has_spread(&[-5.0, -5.0], -5.0));
    }

    #[test]
    fn the_rounding_of_a_difference_is_no_spread() {
        // Differences of 1e-7 between values up to 1 differ from each other by the rounding of these values.
        let without: Vec<f64> = (1..=64).map(|g| f64::from(g) / 64.3).map(|x| (x + 1e-7) - x).collect();
        assert!(has_spread(&without, 1e-7) && !has_spread(&without, 1.0));
        assert_eq!(jackknife(1e-7, &without, 1.0, 0.95), None);
    }

    #[test]
    fn a_count_over_equal_groups_has_no_spread() {
        // Leaving out a group changes the count, but every group changes it alike.
        assert!(!has_spread(&[630.0; 64], 640.0));
        assert_eq!(jackknife(640.0, &[630.0; 64], 640.0, 0.95), None);
    }

    #[test]
    fn skewed_values_have_the_wider_bounds_of_two_scales() {
        // A share of 0.99 over four groups, one of which has most failures.
        let (estimate, without) = (0.99, [0.989, 0.988, 0.99, 0.9965]);
        let linear = jackknife(estimate, &without, estimate, 0.95).unwrap();
        let logarithms = without.map(|value: f64| (1.0 - value).ln());
        let distance = jackknife(0.01f64.ln(), &logarithms, 0.0, 0.95).unwrap();
        let found = skewed_jackknife(estimate, &without, 1.0, estimate, 0.95).unwrap();
        assert_eq!(found.lower, 1.0 - distance.upper.exp());
        assert_eq!(found.upper, linear.upper);
        assert!(found.lower < linear.lower && 1.0 - distance.lower.exp() < linear.upper);
        // A distance of 0 has no logarithm.
        let without = [0.989, 0.988, 0.99, 1.0];
        let Interval { lower, upper } = jackknife(estimate, &without, estimate, 0.95).unwrap();
        assert_eq!(
            skewed_jackknife(estimate, &without, 1.0, estimate, 0.95),
            Some(Interval { lower, upper })
        );
        assert_eq!(skewed_jackknife(estimate, &[0.99; 4], 1.0, estimate, 0.95), None);
    }

    /// numpy and scipy: `np.log(1 - without)` with the formula of the standard error, and `stats.t.ppf(0.8, 15)`.
    #[test]
    fn at_a_low_confidence_the_logarithm_has_the_wider_upper_bound() {
        let mut without = [0.9; 16];
        without[15] = 0.99;
        let found = skewed_jackknife(0.905, &without, 1.0, 0.905, 0.8).unwrap();
        assert_close(found.lower, 0.38364876906908163);
        assert_close(found.upper, 0.9853573749072118);
    }

    #[test]
    fn too_few_or_infinite_values_have_no_bounds() {
        assert_eq!(jackknife(1.0, &[], 1.0, 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0], 1.0, 0.95), None);
        assert!(jackknife(1.0, &[1.0, 2.0], 1.0, 0.95).is_some());
        assert_eq!(jackknife(f64::NAN, &[1.0, 2.0], 1.0, 0.95), None);
        assert_eq!(jackknife(f64::INFINITY, &[1.0, 2.0], 1.0, 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0, f64::NAN], 1.0, 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0, f64::INFINITY], 1.0, 0.95), None);
        // Values whose squares overflow.
        assert_eq!(jackknife(1.0, &[1e300, -1e300], 1.0, 0.95), None);
    }
}
