//! Checked against scipy: `tests/oracles/intervals.py` prints the rows.

use fastrand::Rng;

use super::super::tests::assert_close;
use super::super::{clopper_pearson, equal_scores};
use super::*;

const UNIT: (f64, f64) = (0.0, 1.0);

/// Scores with their weights, the confidence, and the two bounds.
type Row<'r> = (&'r [(f64, f64)], f64, f64, f64);

#[test]
fn bounds_match_scipy() {
    let rows: [Row<'_>; 8] = [
        (&[(0.0, 3.0), (0.5, 5.0), (1.0, 2.0)], 0.95, 0.242519588195708, 0.676362707321577),
        (&[(0.2, 1.0), (0.4, 1.0), (0.9, 1.0)], 0.95, 0.15326188647871075, 0.8650317369376397),
        (&[(0.0, 2.0), (0.9, 300.0), (1.0, 698.0)], 0.95, 0.9631334227046499, 0.9710433433583333),
        (
            &[(0.1, 10.5), (0.2, 2.25), (0.35, 30.0), (0.6, 1.0), (0.99, 0.5)],
            0.9,
            0.2631711309629687,
            0.34380267994976854,
        ),
        (&[(0.3, 500.0), (0.7, 500.0)], 0.5, 0.4995010269790103, 0.5004989730209897),
        (&[(0.5, 1.0), (0.6, 3.0)], 0.999, 0.1019426546908275, 0.924787938138274),
        (&[(0.97, 3e5), (0.98, 3e5), (1.0, 4e5)], 0.95, 0.9849778223272285, 0.9850211445447995),
        // One pair in many, where few pairs are independent.
        (&[(0.6, 2800.0), (1.0, 0.015)], 0.95, 0.5993600442686069, 0.6004318682963727),
    ];
    for (scores, confidence, lower, upper) in rows {
        let found = bounded_mean(scores, UNIT, confidence).unwrap();
        assert_close(found.lower, lower);
        assert_close(found.upper, upper);
    }
}

/// The documentation of the package `gaffke` 0.1.2 has this example: three answers 1, five answers 2, two answers 3.
#[test]
fn bounds_match_the_published_example() {
    let found = bounded_mean(&[(1.0, 3.0), (2.0, 5.0), (3.0, 2.0)], (1.0, 3.0), 0.975).unwrap();
    assert_eq!([found.lower, found.upper].map(|bound| (bound * 1e4).floor() / 1e4), [1.4276, 2.4186]);
}

#[test]
fn scores_at_the_ends_have_the_bounds_of_clopper_and_pearson() {
    for (hits, trials) in
        [(0, 1), (1, 1), (1, 2), (3, 20), (97, 100), (999, 1000), (1, 1_000_000), (300_000, 1_000_000)]
    {
        for confidence in [0.5, 0.8, 0.95, 0.999] {
            let scores = [(0.0, (trials - hits) as f64), (1.0, hits as f64)];
            let (found, exact) = (
                bounded_mean(&scores, UNIT, confidence).unwrap(),
                clopper_pearson(hits, trials, confidence).unwrap(),
            );
            assert_close(found.lower, exact.lower);
            assert_close(1.0 - found.upper, 1.0 - exact.upper);
        }
    }
}

#[test]
fn equal_scores_have_the_bounds_of_equal_scores() {
    for (score, n) in [(0.75, 1), (0.75, 10), (0.01, 500), (1.0, 59)] {
        for confidence in [0.8, 0.95, 0.999] {
            let found = bounded_mean(&[(score, n as f64)], UNIT, confidence).unwrap();
            let equal = equal_scores(score, n, UNIT, confidence).unwrap();
            assert_close(found.lower, equal.lower);
            assert_close(1.0 - found.upper, 1.0 - equal.upper);
        }
    }
}

#[test]
fn scores_in_another_range_are_rescaled() {
    let unit = bounded_mean(&[(0.25, 4.0), (0.75, 6.0)], UNIT, 0.9).unwrap();
    let scaled = bounded_mean(&[(0.0, 4.0), (20.0, 6.0)], (-10.0, 30.0), 0.9).unwrap();
    assert_close(scaled.lower, unit.lower * 40.0 - 10.0);
    assert_close(scaled.upper, unit.upper * 40.0 - 10.0);
}

#[test]
fn more_confidence_widens_the_interval_and_more_scores_narrow_it() {
    let width = |weight: f64, confidence| {
        let found =
            bounded_mean(&[(0.2, weight), (0.6, weight), (0.7, 2.0 * weight)], UNIT, confidence).unwrap();
        assert!(found.lower < 0.55 && found.upper > 0.55, "{found:?}");
        found.upper - found.lower
    };
    let widths = [width(1.0, 0.99), width(1.0, 0.9), width(10.0, 0.9), width(1e4, 0.9), width(1e4, 0.6)];
    assert!(widths.is_sorted_by(|wide, narrow| wide > narrow), "{widths:?}");
}

#[test]
fn what_cannot_be_bounded_has_no_bounds() {
    let score = |score, weight| bounded_mean(&[(score, weight)], UNIT, 0.95);
    for (value, weight) in
        [(1.5, 1.0), (-0.1, 1.0), (f64::NAN, 1.0), (0.5, 0.0), (0.5, -1.0), (0.5, f64::INFINITY)]
    {
        assert_eq!(score(value, weight), None, "{value} {weight}");
    }
    assert_eq!(bounded_mean(&[], UNIT, 0.95), None);
    assert_eq!(bounded_mean(&[(0.5, 1.0)], (0.5, 0.5), 0.95), None);
    assert_eq!(bounded_mean(&[(0.5, 1.0)], (0.0, f64::INFINITY), 0.95), None);
    assert_eq!(bounded_mean(&[(0.0, 9.0)], UNIT, 0.95).unwrap().lower, 0.0);
}

/// A rare score far from the others: many studies have none of it, and their scores show little spread.
#[test]
fn the_bounds_hold_for_rare_distant_scores() {
    let mut rng = Rng::with_seed(4);
    let (n, studies) = (300, 4000);
    for rare in [0.002, 0.005, 0.02] {
        let mean = (1.0 - rare) * 0.95;
        let mut missed = 0;
        for _ in 0..studies {
            let (mut zeros, mut high) = (0.0, 0.0);
            for _ in 0..n {
                match rng.f64() {
                    score if score < rare => zeros += 1.0,
                    score if score < (1.0 + rare) / 2.0 => high += 1.0,
                    _ => {}
                }
            }
            let scores = [(0.0, zeros), (1.0, high), (0.9, f64::from(n) - zeros - high)];
            missed += u32::from(bounded_mean(&scores, UNIT, 0.95).unwrap().lower > mean);
        }
        assert!(f64::from(missed) / f64::from(studies) <= 0.055, "{rare}: {missed}");
    }
}
