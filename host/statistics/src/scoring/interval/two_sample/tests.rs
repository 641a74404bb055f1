//! Differences against statsmodels, numpy and scipy: `tests/oracles/intervals.py` prints the rows.

use super::{Difference, jackknife_difference, proportion_difference};
use crate::scoring::interval::tests::assert_close;

#[test]
fn differences_of_proportions_match_statsmodels() {
    for (first, second, confidence, alpha, difference, lower, upper, p_value, detectable) in [
        (
            (90, 100),
            (80, 100),
            0.95,
            0.05,
            0.09999999999999998,
            0.016640370545405514,
            0.1831653263508306,
            0.023835190328080732,
            Some(0.12116616794926376),
        ),
        (
            (450, 500),
            (160, 200),
            0.95,
            0.01,
            0.09999999999999998,
            0.05116349888851701,
            0.15419881881462952,
            0.00017796124928178396,
            Some(0.09275165939331693),
        ),
        (
            (3, 10),
            (6, 10),
            0.9,
            0.05,
            -0.3,
            -0.524549709867554,
            -0.01624074236558115,
            0.9112350737939232,
            None,
        ),
        (
            (20, 20),
            (15, 30),
            0.975,
            0.025,
            0.5,
            0.2668913024980874,
            0.6684587435946623,
            7.852614211537582e-05,
            Some(0.369800056982289),
        ),
        (
            (7, 7),
            (9, 10),
            0.95,
            0.05,
            0.09999999999999998,
            -0.18929914919171115,
            0.3477186673358583,
            0.19423113055054858,
            None,
        ),
        (
            (881000, 1000000),
            (430000, 500000),
            0.95,
            0.05,
            0.02100000000000002,
            0.02003402893019096,
            0.02196808749788179,
            1.5029461350820185e-292,
            Some(0.0014906698366103414),
        ),
        (
            (5, 50),
            (0, 60),
            0.95,
            0.05,
            0.1,
            0.0335999654395636,
            0.19153751415157094,
            0.006085750673944833,
            Some(0.10246780112490143),
        ),
    ] {
        let found = proportion_difference(first, second, confidence, alpha).unwrap();
        assert_close(found.difference, difference);
        assert_close(found.interval.lower, lower);
        assert_close(found.interval.upper, upper);
        assert_close(found.p_value, p_value);
        assert_eq!(found.detectable.is_some(), detectable.is_some(), "{first:?} {second:?}");
        assert_close(found.detectable.unwrap_or_default(), detectable.unwrap_or_default());
    }
}

#[test]
fn swapping_the_samples_mirrors_the_result() {
    let there = proportion_difference((30, 40), (50, 90), 0.95, 0.05).unwrap();
    let back = proportion_difference((50, 90), (30, 40), 0.95, 0.05).unwrap();
    assert_close(there.difference, -back.difference);
    assert_close(there.interval.lower, -back.interval.upper);
    assert_close(there.p_value, 1.0 - back.p_value);
}

#[test]
fn samples_of_only_hits_give_no_evidence_of_a_difference() {
    let found = proportion_difference((7, 7), (9, 9), 0.95, 0.05).unwrap();
    assert_eq!((found.difference, found.p_value, found.detectable), (0.0, 0.5, None));
    assert!(found.interval.lower < -0.1 && found.interval.upper > 0.1, "{found:?}");
    let none = proportion_difference((0, 7), (0, 9), 0.95, 0.05).unwrap();
    assert_eq!((none.difference, none.p_value), (0.0, 0.5));
}

#[test]
fn empty_samples_are_not_compared() {
    assert_eq!(proportion_difference((0, 0), (1, 2), 0.95, 0.05), None);
    assert_eq!(proportion_difference((1, 2), (0, 0), 0.95, 0.05), None);
    assert_eq!(proportion_difference((3, 2), (1, 2), 0.95, 0.05), None);
}

#[test]
fn differences_by_jackknife_match_numpy() {
    // The differences in `intervals.py` with each group left out.
    let without = [
        0.1151947368421053,
        0.1267602739726028,
        0.10614285714285732,
        0.12801074626865677,
        0.11023684210526324,
        0.11047051816557485,
        0.12034285714285725,
        0.09985820895522385,
        0.13167276887871848,
    ];
    for (difference, confidence, alpha, lower, upper, p_value, detectable) in [
        (
            0.11651851851851852,
            0.95,
            0.05,
            0.06264502753140833,
            0.17039200950562872,
            0.0019156029737933595,
            0.0796257600640324,
        ),
        (
            0.11651851851851852,
            0.99,
            0.01,
            0.0326043744354718,
            0.20043266260156523,
            0.0019156029737933595,
            0.10966641315996893,
        ),
    ] {
        let found = jackknife_difference(difference, &without, difference, confidence, alpha).unwrap();
        assert_eq!(found.difference, difference);
        assert_close(found.interval.lower, lower);
        assert_close(found.interval.upper, upper);
        assert_close(found.p_value, p_value);
        assert_close(found.detectable.unwrap(), detectable);
    }
}

#[test]
fn groups_without_variance_are_not_compared() {
    assert_eq!(jackknife_difference(0.1, &[0.1], 0.1, 0.95, 0.05), None);
    assert_eq!(jackknife_difference(0.1, &[0.1, 0.1, 0.1], 0.1, 0.95, 0.05), None);
    assert_eq!(jackknife_difference(0.1, &[0.1, f64::NAN], 0.1, 0.95, 0.05), None);
}

#[test]
fn a_difference_round_trips() {
    let found = proportion_difference((7, 7), (9, 10), 0.95, 0.05).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert!(text.contains(r#""interval":{"lower":-0.1"#), "{text}");
    assert_eq!(serde_json::from_str::<Difference>(&text).unwrap(), found);
}

#[test]
#[should_panic(expected = "the level of a test is in (0, 0.5], not 0.95")]
fn a_confidence_as_level_panics() {
    proportion_difference((1, 2), (1, 2), 0.95, 0.95);
}
