//! The bounds of any figure from groups of pairs: the jackknife that leaves out one group at a time.
//!
//! Always holds: nothing is asked of the figure but that it can be made again without a group, so a metric of somebody
//! else's code has bounds too. The groups (days, say) are taken as independent, the pairs within one are not. A group
//! without pairs is no group: leaving it out changes nothing, and it would only feign evidence.

use super::{Interval, assert_confidence, student_quantile};

/// The standard error of a figure, in its unit. `without[g]` is the figure with the group `g` left out.
///
/// `sqrt((G - 1) / G * sum over g of (without[g] - their mean)^2)` for G groups: B. Efron, R. J. Tibshirani, "An
/// Introduction to the Bootstrap", Chapman & Hall (1993), equation 11.5, with groups for its observations. It is
/// centred on the mean of the replicates, as there, and not on the figure itself: the two differ by the figure's bias,
/// which is no spread. For a mean over groups of one size it is the usual standard error of the groups' means.
///
/// `None` for fewer than two groups and when a figure is not finite.
pub fn standard_error(without: &[f64]) -> Option<f64> {
    if without.len() < 2 {
        return None;
    }
    let groups = without.len() as f64;
    // From the first on, so that figures that are all the same have no spread by rounding either.
    let first = without[0];
    let mean = first + without.iter().map(|figure| figure - first).sum::<f64>() / groups;
    let squares: f64 = without.iter().map(|figure| (figure - mean).powi(2)).sum();
    Some(((groups - 1.0) / groups * squares).sqrt()).filter(|error| error.is_finite())
}

/// The bounds of a figure, each at `confidence`, in its unit: `estimate` less and plus the quantile of Student's t with
/// one degree of freedom less than there are groups, times the [`standard_error`]. That quantile is J. W. Tukey's
/// ("Bias and confidence in not-quite large samples", Annals of Mathematical Statistics 29 (1958), p. 614). `estimate`
/// is the figure over all groups, `without[g]` the figure with the group `g` left out.
///
/// What it holds: the confidence, for means over groups of like size that are about normal. It holds less where few
/// groups have most of the pairs, and it is not for figures that jump, such as a median. Where leaving out any group
/// changes nothing, the two bounds are the figure: then the groups say nothing of its spread.
///
/// `None` for fewer than two groups and when a figure is not finite.
///
/// # Panics
///
/// When `confidence` is not in [0.5, 1).
pub fn jackknife(estimate: f64, without: &[f64], confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let error = standard_error(without)?;
    let degrees = (without.len() - 1) as f64;
    let interval = Interval::around(estimate, student_quantile(confidence, degrees)? * error);
    estimate.is_finite().then_some(interval)
}

#[cfg(test)]
mod tests {
    //! Against numpy, scipy and astropy: `tests/oracles/intervals.py` prints the rows.

    use super::super::tests::assert_close;
    use super::{jackknife, standard_error};

    /// The scores of the groups of `intervals.py`.
    fn groups() -> Vec<Vec<f64>> {
        let score = |g: usize, i: usize| ((37 * i + 11 * g) % 101) as f64 / 100.0;
        (0..9).map(|g| (0..5 + 3 * (g % 4)).map(|i| score(g, i)).collect()).collect()
    }

    /// The mean over all groups, and with each left out.
    fn means(groups: &[Vec<f64>]) -> (f64, Vec<f64>) {
        let mean = |left_out: Option<usize>| {
            let kept = groups.iter().enumerate().filter(|(g, _)| Some(*g) != left_out);
            let scores: Vec<f64> = kept.flat_map(|(_, scores)| scores.iter().copied()).collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        (mean(None), (0..groups.len()).map(|g| mean(Some(g))).collect())
    }

    #[test]
    fn bounds_are_those_of_numpy_and_scipy() {
        let (estimate, without) = means(&groups());
        assert_close(estimate, 0.4996296296296296);
        assert_close(standard_error(&without).unwrap(), 0.014202705025388179);
        for (confidence, lower, upper) in [
            (0.8, 0.48700499400862507, 0.5122542652506341),
            (0.95, 0.4732190173720388, 0.5260402418872204),
            (0.99, 0.4584920704758111, 0.5407671887834481),
        ] {
            let interval = jackknife(estimate, &without, confidence).unwrap();
            assert_close(interval.lower, lower);
            assert_close(interval.upper, upper);
        }
    }

    #[test]
    fn groups_of_one_score_are_those_of_astropy() {
        let singles: Vec<_> = groups()[3].iter().map(|&score| vec![score]).collect();
        let (estimate, without) = means(&singles);
        assert_close(estimate, 0.4985714285714286);
        assert_close(standard_error(&without).unwrap(), 0.08116498692195306);
    }

    #[test]
    fn without_a_change_there_is_no_spread() {
        let interval = jackknife(0.1, &[0.1; 5], 0.95).unwrap();
        assert_eq!((interval.lower, interval.upper), (0.1, 0.1));
    }

    #[test]
    fn too_little_has_no_bounds() {
        assert_eq!(jackknife(1.0, &[], 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0], 0.95), None);
        assert!(jackknife(1.0, &[1.0, 2.0], 0.95).is_some());
        assert_eq!(jackknife(f64::NAN, &[1.0, 2.0], 0.95), None);
        assert_eq!(jackknife(f64::INFINITY, &[1.0, 2.0], 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0, f64::NAN], 0.95), None);
        assert_eq!(jackknife(1.0, &[1.0, f64::INFINITY], 0.95), None);
        // Figures whose squares are no floats any more.
        assert_eq!(jackknife(1.0, &[1e300, -1e300], 0.95), None);
    }
}
