//! Checked against scipy and statsmodels: `tests/oracles/plan.py` prints the rows. The invariants are checked
//! for random volumes, bounds and true values.

use proptest::prelude::*;

use super::super::test_support::assert_within;
use super::*;
use understudy_study::Direction::{AtLeast, AtMost};

fn evidence(confidence: Option<f64>) -> Evidence {
    confidence.map_or(Evidence::Point, Evidence::Bound)
}

fn share(direction: Direction, bound: f64, confidence: Option<f64>) -> BoundTest {
    let range = (Some(0.0), Some(1.0));
    BoundTest { direction, bound, evidence: evidence(confidence), score: ScoreKind::Binary, range }
}

#[test]
fn pass_probabilities_of_shares_match_scipy() {
    for (direction, bound, confidence, n, hits, truth, probability) in [
        (AtLeast, 0.85, None, 20, Some(17), 0.85, 0.6477251741567032),
        (AtLeast, 0.85, None, 21, Some(18), 0.88, 0.760435885065986),
        (AtLeast, 0.7, None, 10, Some(7), 0.7, 0.6496107184),
        (AtLeast, 0.29, None, 100, Some(29), 0.3, 0.6232218207837942),
        (AtLeast, 0.85, Some(0.95), 100, Some(92), 0.9, 0.32087388836283975),
        (AtLeast, 0.85, Some(0.95), 10, None, 0.99, 0.0),
        (AtLeast, 0.9, Some(0.99), 2000, Some(1832), 0.92, 0.7600554718463799),
        (AtLeast, 1.0, None, 50, Some(50), 0.99, 0.6050060671375364),
        (AtLeast, 0.0, None, 50, Some(0), 0.0, 1.0),
        (AtMost, 0.1, None, 20, Some(2), 0.1, 0.6769268051894659),
        (AtMost, 0.29, None, 100, Some(29), 0.25, 0.8504589534334266),
        (AtMost, 0.1, Some(0.95), 100, Some(4), 0.05, 0.43598130068571),
        (AtMost, 0.1, Some(0.95), 10, None, 0.01, 0.0),
        (AtMost, 0.02, Some(0.9), 5000, Some(86), 0.015, 0.9073591609640024),
    ] {
        let rule = share(direction, bound, confidence);
        assert_eq!(rule.hits_at_bound(n), hits, "{rule:?} of {n}");
        assert_within(rule.pass_probability(n, truth), probability, 1e-9);
    }
}

#[test]
fn pass_probabilities_of_other_scores_match_scipy() {
    for (direction, bound, confidence, deviation, n, truth, probability) in [
        (AtMost, 12.0, None, 30.0, 400, 11.0, 0.7475074624530771),
        (AtMost, 12.0, Some(0.95), 30.0, 400, 8.0, 0.8465653017491894),
        (AtLeast, 0.4, Some(0.9), 0.7, 250, 0.5, 0.8357694281606931),
    ] {
        let score = ScoreKind::Normal(deviation);
        let rule = BoundTest { direction, bound, evidence: evidence(confidence), score, range: (None, None) };
        assert_within(rule.pass_probability(n, truth), probability, 1e-9);
    }
}

#[test]
fn margins_match_scipy() {
    let bound = share(AtLeast, 0.85, Some(0.95));
    for (n, excess) in [(30, 0.12243651607701977), (100, 0.08519227326012269), (800, 0.030237681073007505)] {
        assert_within(bound.margin(0.8, |truth| bound.pass_probability(n, truth)).unwrap(), excess, 1e-9);
    }
    let point = share(AtLeast, 0.85, None);
    for (n, excess) in [(30, 0.09214124897257181), (100, 0.054579151411363935), (800, 0.022407586547346314)] {
        assert_within(
            point.margin(0.8, |truth| point.pass_probability(n, truth).powi(8)).unwrap(),
            excess,
            1e-9,
        );
    }
    // Ten hits of ten have a lower bound of 0.787.
    assert_eq!(bound.margin(0.8, |truth| bound.pass_probability(10, truth)), None);
}

#[test]
fn bounds_outside_of_all_shares() {
    assert_eq!(share(AtLeast, 1.5, None).hits_at_bound(10), None);
    assert_eq!(share(AtLeast, -0.5, None).hits_at_bound(10), Some(0));
    assert_eq!(share(AtMost, 1.5, None).hits_at_bound(10), Some(10));
    assert_eq!(share(AtMost, -0.5, None).hits_at_bound(10), None);
    // Smaller than one hit in any number of pairs, but above none.
    assert_eq!(share(AtLeast, 1e-300, None).hits_at_bound(1 << 60), Some(1));
    assert_eq!(share(AtMost, 1e-300, None).hits_at_bound(1 << 60), Some(0));
    assert_eq!(share(AtLeast, 0.0, None).pass_probability(0, 1.0), 0.0);
}

#[test]
fn the_normal_approximation_continues_the_exact_sum() {
    // Both sides of 2,000 standard deviations: 16 million pairs at one half.
    let rule = share(AtLeast, 0.5, None);
    for excess in [-1e-4, 0.0, 1e-4] {
        let [summed, normal] = [15_999_998, 16_000_002].map(|n| rule.pass_probability(n, 0.5 + excess));
        assert_within(normal, summed, 2e-4);
    }
}

/// The exact value is `scipy.stats.binom.sf(5002999, 25000000, 0.2)`, the other
/// `scipy.stats.norm.sf((10004000 - 0.5 - 1e7) / sqrt(9.9e6))`, of scipy 1.17.1.
#[test]
fn probabilities_are_exact_up_to_a_deviation_of_2000_and_normal_beyond() {
    assert_within(hits_probability(5_003_000, 25_000_000, 0.2), 0.0668476770912743, 1e-9);
    // The exact probability is 0.1018479.
    assert_within(hits_probability(10_004_000, 1_000_000_000, 0.01), 0.1018421728405633, 1e-9);
}

proptest! {
    #[test]
    fn a_probability_grows_with_the_truth_and_falls_with_the_bound(
        n in 1..400u64,
        bounds in [0.0..=1.0f64, 0.0..=1.0],
        truths in [0.0..=1.0f64, 0.0..=1.0],
        confidence in proptest::option::of(0.51..0.999f64),
        at_most: bool,
        deviation in proptest::option::of(0.01..2.0f64),
    ) {
        let direction = if at_most { AtMost } else { AtLeast };
        let rule = |bound: f64| BoundTest {
            score: deviation.map_or(ScoreKind::Binary, ScoreKind::Normal),
            ..share(direction, bound, confidence)
        };
        // The laxer bound and the worse true value first.
        let ordered = |[one, other]: [f64; 2]| {
            if (one < other) == at_most { [other, one] } else { [one, other] }
        };
        let ([lax, strict], [worse, better]) = (ordered(bounds), ordered(truths));
        let rounding = 1e-12;
        prop_assert!(rule(lax).pass_probability(n, better) + rounding >= rule(lax).pass_probability(n, worse));
        prop_assert!(rule(lax).pass_probability(n, worse) + rounding >= rule(strict).pass_probability(n, worse));
    }
}

#[test]
fn the_best_possible_value_bounds_the_margin() {
    let share = |direction, bound| share(direction, bound, None);
    assert_within(share(AtLeast, 0.85).max_excess(), 0.15, 1e-12);
    assert_within(share(AtMost, 0.15).max_excess(), 0.15, 1e-12);
    let open = |score| BoundTest { score, range: (None, None), ..share(AtMost, 12.0) };
    assert_within(open(ScoreKind::Normal(3.0)).max_excess(), 150.0, 1e-12);
    assert_within(open(ScoreKind::Binary).max_excess(), 12.0, 1e-12);
    assert_within(open(ScoreKind::Binary).excess(10.0), 2.0, 1e-12);
    assert_within(open(ScoreKind::Binary).value_beyond_bound(2.0), 10.0, 1e-12);
    let least = BoundTest { range: (None, None), ..share(AtLeast, 0.25) };
    assert_within(least.max_excess(), 0.75, 1e-12);
    // A bound beyond the range has no margin, and one that any value meets needs none.
    assert_eq!(share(AtLeast, 1.5).margin(0.8, |_| 1.0), None);
    assert_eq!(share(AtLeast, 1.0).margin(0.8, |_| 1.0), Some(0.0));
    assert_eq!(share(AtLeast, 0.5).margin(0.8, |_| 1.0), Some(0.0));
    assert_eq!(share(AtLeast, 0.5).margin(0.8, |_| 0.7), None);
}
