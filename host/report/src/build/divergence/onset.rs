//! Detects since when a subgroup differs, and in which direction.
//!
//! Invariants: an onset that cannot be detected is reported as unknown, never as "since the start".

use crate::model::divergence::DivergenceDirection;
use understudy_sandbox::Better;
use understudy_statistics::divergence::{DetectedChange, find_change_points, min_windows};

/// The significance level of change points.
pub const SIGNIFICANCE_LEVEL: f64 = 0.01;

/// The change points of a series of values with their weights; `None` if there are too few windows.
pub fn change_points(series: &[(f64, f64)], seed: u64) -> Option<Vec<DetectedChange>> {
    (series.len() >= min_windows(SIGNIFICANCE_LEVEL))
        .then(|| find_change_points(series, SIGNIFICANCE_LEVEL, seed))
}

/// The difference between a subgroup and all other pairs in one window, with its weight n·m/(n+m) for n and m
/// pairs. The variance of a difference is about proportional to 1/n + 1/m, and the weight is its reciprocal.
pub fn weighted_difference((value, pairs): (f64, f64), (complement, other_pairs): (f64, f64)) -> (f64, f64) {
    (value - complement, pairs * other_pairs / (pairs + other_pairs))
}

/// The first change point after which the difference has the sign of `difference` and is larger in size than
/// before.
pub fn first_change_in_direction(changes: Vec<DetectedChange>, difference: f64) -> Option<DetectedChange> {
    let sign = difference.signum();
    changes
        .into_iter()
        .find(|change| change.after * sign > 0.0 && (change.after - change.before) * sign > 0.0)
}

/// Whether a subgroup with this difference from all other pairs shows more or less agreement.
pub fn direction(better: Better, difference: f64) -> DivergenceDirection {
    match (better, difference > 0.0) {
        (Better::Higher, true) | (Better::Lower, false) => DivergenceDirection::MoreAgreement,
        (Better::Higher, false) | (Better::Lower, true) => DivergenceDirection::LessAgreement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of windows, each with its difference and some noise without order.
    fn series(weighted_difference: impl Fn(usize) -> f64, windows: usize) -> Vec<(f64, f64)> {
        (0..windows)
            .map(|at| (weighted_difference(at) + ((7 * at * at + 3 * at) % 11) as f64 / 1000.0, 50.0))
            .collect()
    }

    #[test]
    fn the_onset_is_the_first_step_and_not_the_last() {
        let steps = |at: usize| [0.0, -0.2, -0.4][at / 20];
        let changes = change_points(&series(steps, 60), 1).unwrap();
        assert_eq!(changes.iter().map(|change| change.window).collect::<Vec<_>>(), [20, 40]);
        assert_eq!(first_change_in_direction(changes.clone(), -0.2).map(|change| change.window), Some(20));
        assert_eq!(first_change_in_direction(changes, 0.2), None);
    }

    #[test]
    fn a_step_with_the_opposite_sign_is_no_onset() {
        let steps = |at: usize| [0.4, 0.1, -0.4][at / 20];
        let changes = change_points(&series(steps, 60), 1).unwrap();
        assert_eq!(first_change_in_direction(changes, -0.1).map(|change| change.window), Some(40));
    }

    #[test]
    fn few_windows_give_no_change_points() {
        let step = |at: usize| if at < 4 { 0.0 } else { -0.9 };
        assert_eq!(change_points(&series(step, 9), 1), None);
        assert_eq!(change_points(&series(|_| 0.0, 10), 1), Some(vec![]));
        assert_eq!(change_points(&series(step, 12), 1).map(|changes| changes.len()), Some(1));
    }

    #[test]
    fn the_weight_is_limited_by_the_smaller_side() {
        let (weighted_difference, weight) = weighted_difference((0.5, 10.0), (0.75, 90.0));
        assert_eq!((weighted_difference, weight), (-0.25, 9.0));
    }

    #[test]
    fn the_sign_of_the_difference_gives_the_direction() {
        assert_eq!(direction(Better::Higher, -0.1), DivergenceDirection::LessAgreement);
        assert_eq!(direction(Better::Higher, 0.1), DivergenceDirection::MoreAgreement);
        assert_eq!(direction(Better::Lower, 0.1), DivergenceDirection::LessAgreement);
        assert_eq!(direction(Better::Lower, -0.1), DivergenceDirection::MoreAgreement);
    }
}
