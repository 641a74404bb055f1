//! Since when a class differs as it does, and which way that is.
//!
//! Always holds: what cannot be told is said to be that, and is not taken for "from the first on".

use crate::model::divergence::Direction;
use understudy_sandbox::Better;
use understudy_statistics::divergence::{ChangePoint, find_change_points, min_windows};

/// At which a change is told.
pub const LEVEL: f64 = 0.01;

/// The changes of a series, each a figure and its weight; `None` where there are too few windows to tell of any.
pub fn told(series: &[(f64, f64)], seed: u64) -> Option<Vec<ChangePoint>> {
    (series.len() >= min_windows(LEVEL)).then(|| find_change_points(series, LEVEL, seed))
}

/// How far a class lies from elsewhere in a window, and what that weighs, by the figures and the pairs of both. Its variance is about
/// as the sum of the reciprocals of both numbers of pairs, so that is the reciprocal of the weight.
pub fn gap((class, own): (f64, f64), (elsewhere, other): (f64, f64)) -> (f64, f64) {
    (class - elsewhere, own * other / (own + other))
}

/// The first of the changes of the gap from which on a class lies on the side of elsewhere on which it does, further than before.
pub fn first(changes: Vec<ChangePoint>, difference: f64) -> Option<ChangePoint> {
    let side = difference.signum();
    changes
        .into_iter()
        .find(|change| change.after * side > 0.0 && (change.after - change.before) * side > 0.0)
}

/// How model and substrate lie in a class, by what is better and by how much its figure is more than elsewhere.
pub fn direction(better: Better, difference: f64) -> Direction {
    match (better, difference > 0.0) {
        (Better::Higher, true) | (Better::Lower, false) => Direction::Together,
        (Better::Higher, false) | (Better::Lower, true) => Direction::Apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many windows, each with the gap and some noise that has no order.
    fn series(gap: impl Fn(usize) -> f64, windows: usize) -> Vec<(f64, f64)> {
        (0..windows).map(|at| (gap(at) + ((7 * at * at + 3 * at) % 11) as f64 / 1000.0, 50.0)).collect()
    }

    #[test]
    fn a_class_began_with_the_first_step_and_not_with_the_last() {
        let steps = |at: usize| [0.0, -0.2, -0.4][at / 20];
        let changes = told(&series(steps, 60), 1).unwrap();
        assert_eq!(changes.iter().map(|change| change.at).collect::<Vec<_>>(), [20, 40]);
        assert_eq!(first(changes.clone(), -0.2).map(|change| change.at), Some(20));
        assert_eq!(first(changes, 0.2), None);
    }

    #[test]
    fn it_did_not_begin_while_it_lay_on_the_other_side() {
        let steps = |at: usize| [0.4, 0.1, -0.4][at / 20];
        let changes = told(&series(steps, 60), 1).unwrap();
        assert_eq!(first(changes, -0.1).map(|change| change.at), Some(40));
    }

    #[test]
    fn few_windows_tell_nothing() {
        let step = |at: usize| if at < 4 { 0.0 } else { -0.9 };
        assert_eq!(told(&series(step, 9), 1), None);
        assert_eq!(told(&series(|_| 0.0, 10), 1), Some(vec![]));
        assert_eq!(told(&series(step, 12), 1).map(|changes| changes.len()), Some(1));
    }

    #[test]
    fn a_gap_weighs_what_its_smaller_side_allows() {
        let (gap, weight) = gap((0.5, 10.0), (0.75, 90.0));
        assert_eq!((gap, weight), (-0.25, 9.0));
    }

    #[test]
    fn the_side_says_whether_they_lie_apart() {
        assert_eq!(direction(Better::Higher, -0.1), Direction::Apart);
        assert_eq!(direction(Better::Higher, 0.1), Direction::Together);
        assert_eq!(direction(Better::Lower, 0.1), Direction::Apart);
        assert_eq!(direction(Better::Lower, -0.1), Direction::Together);
    }
}
