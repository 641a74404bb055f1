//! Bounds of a share whose standard error is known from groups of dependent trials.
//!
//! Invariant: the bounds are no narrower than those of as many independent trials as have the same standard error.

use super::{Interval, assert_confidence, clopper_pearson, normal_quantile, student_quantile};

/// A number of trials that differs less than this from a whole number is that number.
const ROUNDING: f64 = 1e-9;

/// The bounds of a share, each at `confidence`: those of [`clopper_pearson`] for the effective number of trials.
///
/// The effective number is that of independent trials with the same standard error, at most `most`: the number of
/// trials, or a lower limit, such as [`ClusterLimits::pairs`](crate::scoring::ClusterLimits).
/// `error` is the standard error, above 0, from a jackknife with `degrees` degrees of freedom. The effective number
/// is rounded down, and hits are rounded so that the bounds are wider. With less than one effective trial the bounds
/// are 0 and 1.
///
/// Source: E. L. Korn, B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts
/// estimated from survey data", Survey Methodology 24 (1998). A jackknife interval is symmetric, and holds too seldom for
/// shares near 0 or 1.
///
/// Coverage: at least the confidence in each kind of study in the table `clusters` of the example program `coverage`,
/// with the limit for the sizes of the clusters. Without this limit it is less if few clusters have most of the
/// trials.
///
/// `None` if the share is not above 0 and below 1, `error` is not above 0, or there are no degrees of freedom.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn korn_graubard(share: f64, error: f64, degrees: u64, most: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let is_usable = share > 0.0 && share < 1.0 && error > 0.0 && error.is_finite();
    let certainty = jackknife_certainty(degrees, confidence).filter(|_| is_usable)?;
    let variance = (error / certainty).powi(2);
    let trials = (share * (1.0 - share) / variance + ROUNDING).floor().min(most as f64);
    if trials < 1.0 {
        return Some(Interval { lower: 0.0, upper: 1.0 });
    }
    let hits = share * trials;
    let (least, greatest) = ((hits + ROUNDING).floor() as u64, (hits - ROUNDING).ceil() as u64);
    let trials = trials as u64;
    let lower = clopper_pearson(least, trials, confidence)?.lower;
    let upper = clopper_pearson(greatest.min(trials), trials, confidence)?.upper;
    Some(Interval { lower, upper })
}

/// The quantile of the standard normal distribution at the confidence, as a fraction of that of Student's t with `degrees`
/// degrees of freedom. A standard error from a jackknife is an estimate, which fewer groups make less certain: a bound with
/// Student's t is that of the normal distribution for the error divided by this fraction. `None` for 0 degrees.
pub fn jackknife_certainty(degrees: u64, confidence: f64) -> Option<f64> {
    let student = student_quantile(confidence, degrees as f64)?;
    // At the confidence 0.5 both quantiles are 0.
    Some(if student > 0.0 { normal_quantile(confidence) / student } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::interval::tests::assert_close;

    /// The rows are printed by `tests/oracles/intervals.py`.
    #[test]
    fn bounds_match_scipy() {
        for (share, error, degrees, most, confidence, lower, upper) in [
            (0.9, 0.02, 20, 1000000, 0.95, 0.8551518528430709, 0.9340771654531854),
            (0.999, 0.001, 63, 1000, 0.95, 0.9951138182830603, 1.0),
            (0.98, 0.01, 63, 1000, 0.975, 0.9464221013621028, 0.9966970233792284),
            (0.02, 0.01, 9, 400, 0.9, 0.006577566670610551, 0.04701701565039611),
            // The limit for 370 clusters, ten of them with 40 % of the trials.
            (0.97, 0.008, 63, 56, 0.95, 0.8918106418529096, 0.9990844676702069),
        ] {
            let interval = korn_graubard(share, error, degrees, most, confidence).unwrap();
            assert_close(interval.lower, lower);
            assert_close(interval.upper, upper);
        }
    }

    #[test]
    fn the_effective_number_of_trials_is_at_most_their_number() {
        let few = korn_graubard(0.7, 1e-6, 63, 100, 0.95).unwrap();
        assert_eq!(few, clopper_pearson(70, 100, 0.95).unwrap());
    }

    #[test]
    fn at_the_confidence_one_half_the_error_is_taken_as_it_is() {
        // 0.9 * 0.1 / 0.02^2 is 225, whatever the rounding. Of these 202.5 are hits.
        let found = korn_graubard(0.9, 0.02, 20, 1_000_000, 0.5).unwrap();
        assert_eq!(found.lower, clopper_pearson(202, 225, 0.5).unwrap().lower);
        assert_eq!(found.upper, clopper_pearson(203, 225, 0.5).unwrap().upper);
    }

    #[test]
    fn less_than_one_effective_trial_says_nothing() {
        let whole = Some(Interval { lower: 0.0, upper: 1.0 });
        assert_eq!(korn_graubard(0.5, 0.9, 63, 100, 0.95), whole);
    }

    #[test]
    fn what_cannot_be_bounded_has_no_bounds() {
        for (share, error) in [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (0.5, f64::NAN), (0.5, f64::INFINITY)] {
            assert_eq!(korn_graubard(share, error, 63, 100, 0.95), None, "{share} {error}");
        }
        assert_eq!(korn_graubard(0.5, 0.1, 0, 100, 0.95), None);
    }
}
