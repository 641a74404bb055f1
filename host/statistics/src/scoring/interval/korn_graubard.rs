//! Bounds of a share or a mean of scores in [0, 1] whose standard error is known from groups, where few scores differ.
//!
//! Invariant: the bounds are in [0, 1] and no narrower than those of as many independent trials as have the same error.

use super::{Interval, assert_confidence, clopper_pearson, normal_quantile, student_quantile};

/// The bounds of a share, each at `confidence`: those of [`clopper_pearson`] for the effective number of trials, the number
/// of independent ones that has the given standard error. `error` is above 0 and comes from a jackknife with `degrees`
/// degrees of freedom; `most` is the number of trials, which the effective number does not exceed. Fractions of a trial are
/// rounded outward.
///
/// Source: E. L. Korn, B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts
/// estimated from survey data", Survey Methodology 24 (1998). A jackknife interval that is symmetric holds too seldom for
/// such shares. For a mean of scores between 0 and 1 the variance is less than that of a share, so the same holds.
///
/// `None` if the share is not above 0 and below 1, or there is not one effective trial.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn korn_graubard(share: f64, error: f64, degrees: u64, most: u64, confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    if !(share > 0.0 && share < 1.0 && error > 0.0) {
        return None;
    }
    // The variance is itself an estimate, which fewer groups make less certain.
    let certainty = match confidence > 0.5 {
        true => normal_quantile(confidence) / student_quantile(confidence, degrees as f64)?,
        false => 1.0,
    };
    let trials = (share * (1.0 - share) / (error * error) * certainty * certainty).min(most as f64).floor();
    if trials < 1.0 {
        return None;
    }
    let (least, greatest) = ((share * trials).floor(), (share * trials).ceil());
    let trials = trials as u64;
    let lower = clopper_pearson(least as u64, trials, confidence)?.lower;
    let upper = clopper_pearson((greatest as u64).min(trials), trials, confidence)?.upper;
    Some(Interval { lower, upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `effective = 0.9 * 0.1 / 0.02**2 * (norm.ppf(0.95) / t.ppf(0.95, 20))**2` = 204.6; the bounds are
    /// `beta.ppf(0.05, 183, 22)` and `beta.ppf(0.95, 185, 20)`, by scipy 1.17.1.
    #[test]
    fn bounds_match_scipy() {
        let Interval { lower, upper } = korn_graubard(0.9, 0.02, 20, 1_000_000, 0.95).unwrap();
        assert!((lower - 0.855_151_852_8).abs() < 1e-9, "{lower}");
        assert!((upper - 0.934_077_165_5).abs() < 1e-9, "{upper}");
    }

    #[test]
    fn the_effective_number_of_trials_is_at_most_their_number() {
        let few = korn_graubard(0.5, 1e-6, 63, 100, 0.95).unwrap();
        assert_eq!(few, clopper_pearson(50, 100, 0.95).unwrap());
    }

    #[test]
    fn what_cannot_be_bounded_has_no_bounds() {
        for (share, error) in [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (0.5, f64::NAN), (0.5, 0.9)] {
            assert_eq!(korn_graubard(share, error, 63, 100, 0.95), None, "{share} {error}");
        }
        assert_eq!(korn_graubard(0.5, 0.1, 0, 100, 0.95), None);
    }
}
