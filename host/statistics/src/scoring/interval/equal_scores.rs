//! Bounds of a mean score where all scores are equal, so that the data show no variance.
//!
//! Invariant: the bounds hold for any distribution of the scores in the range. They only need independence.

use super::{Interval, assert_confidence};

/// The bounds of the mean of scores in `range`, each at `confidence`, if `n` independent scores all equal
/// `score`. The mean of a group of pairs is a score, too, if the groups are independent.
///
/// For scores in [0, 1] with the mean m, Markov's inequality (W. Feller, "An Introduction to Probability
/// Theory and Its Applications", volume II, second edition (1971), V.7) gives P(score >= v) <= m / v. So `n`
/// independent scores are all at least v with a probability of at most (m / v)^n. This is less than
/// 1 - `confidence` unless m is at least v * (1 - `confidence`)^(1 / n), which is the lower bound. The upper
/// bound is the lower bound of 1 minus the score. For v = 1 the lower bound is that of C. J. Clopper, E. S.
/// Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26
/// (1934), for no failure in n trials.
///
/// `None` if the range is empty or infinite, without scores, and for a score outside of the range.
///
/// # Panics
/// If `confidence` is not in [0.5, 1).
pub fn equal_scores(score: f64, n: u64, (least, greatest): (f64, f64), confidence: f64) -> Option<Interval> {
    assert_confidence(confidence);
    let width = greatest - least;
    if n == 0 || !width.is_finite() || width <= 0.0 || !(least..=greatest).contains(&score) {
        return None;
    }
    let factor = (1.0 - confidence).powf(1.0 / n as f64);
    Some(Interval { lower: least + (score - least) * factor, upper: greatest - (greatest - score) * factor })
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::proportion::binomial_tail;
    use super::*;

    const UNIT: (f64, f64) = (0.0, 1.0);

    #[test]
    fn the_bound_without_failures_is_that_of_clopper_and_pearson() {
        for n in [1, 2, 59, 3000] {
            let Interval { lower, upper } = equal_scores(1.0, n, UNIT, 0.95).unwrap();
            assert_eq!(upper, 1.0);
            // At the bound, no failure in n trials has the probability 0.05.
            assert!((binomial_tail(n, n, lower) - 0.05).abs() < 1e-9, "{n}: {lower}");
            let mirrored = equal_scores(0.0, n, UNIT, 0.95).unwrap();
            assert!(mirrored.lower == 0.0 && (mirrored.upper - (1.0 - lower)).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn scores_in_another_range_are_rescaled() {
        let unit = equal_scores(0.75, 10, UNIT, 0.9).unwrap();
        let scaled = equal_scores(0.75 * 40.0 - 10.0, 10, (-10.0, 30.0), 0.9).unwrap();
        assert!((scaled.lower - (unit.lower * 40.0 - 10.0)).abs() < 1e-9, "{scaled:?}");
        assert!((scaled.upper - (unit.upper * 40.0 - 10.0)).abs() < 1e-9, "{scaled:?}");
    }

    #[test]
    fn an_unusable_range_has_no_bounds() {
        assert_eq!(equal_scores(0.5, 0, UNIT, 0.95), None);
        assert_eq!(equal_scores(1.5, 9, UNIT, 0.95), None);
        assert_eq!(equal_scores(0.5, 9, (0.0, f64::INFINITY), 0.95), None);
        assert_eq!(equal_scores(0.5, 9, (0.5, 0.5), 0.95), None);
    }

    /// The least favourable distribution puts mass on the score and on the far end of the range.
    #[test]
    fn the_bounds_hold_for_the_least_favourable_distribution() {
        let mut rng = Rng::with_seed(6);
        let (n, score, studies) = (3u64, 0.75, 20_000);
        for mass in [0.3, 0.36, 0.4, 0.6, 0.9] {
            let mean = mass * score;
            let mut missed = 0;
            for _ in 0..studies {
                if (0..n).all(|_| rng.f64() < mass) {
                    missed += u32::from(equal_scores(score, n, UNIT, 0.95).unwrap().lower > mean);
                }
            }
            assert!(f64::from(missed) / f64::from(studies) <= 0.05 + 0.005, "{mass}: {missed}");
        }
    }
}
