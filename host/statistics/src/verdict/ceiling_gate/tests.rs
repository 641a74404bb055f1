//! The gate of the ceiling on the pairs of a synthetic study.

use super::super::VerdictKind;
use super::super::test_support::{BAD, GOOD, SimulatedStudy, bound, pooled};
use super::*;

/// A study whose threshold requires a share of the ceiling.
fn study(threshold: &str, least: f64, weeks: &[(u64, u64)]) -> SimulatedStudy {
    SimulatedStudy::new(&format!("{threshold}\nof-ceiling = {least}\n[ceiling]\nfields = [\"kind\"]"), weeks)
}

/// A threshold on the metric that every case of these tests meets.
fn low(weeks: usize) -> String {
    pooled(weeks).replace("0.85", "0.1")
}

#[test]
fn the_share_of_the_ceiling_decides() {
    let noisy =
        |least, weeks: &[(u64, u64)]| SimulatedStudy { mixed_labels: true, ..study(&low(1), least, weeks) };
    let noisy_bound = |least, weeks: &[(u64, u64)]| SimulatedStudy {
        mixed_labels: true,
        ..study(&bound(&low(1)), least, weeks)
    };
    let texts = [
        study(&low(1), 0.85, &[GOOD]),
        study(&low(1), 0.95, &[GOOD]),
        noisy(0.95, &[(700, 1000)]),
        noisy(0.95, &[(720, 1000)]),
        noisy_bound(0.5, &[(700, 1000)]),
        noisy_bound(0.95, &[(700, 1000)]),
        noisy_bound(0.95, &[(400, 1000)]),
        study(&low(1), 0.5, &[(15, 20)]),
        SimulatedStudy { scores: [0.0, 0.5], ..study(&low(1), 0.5, &[GOOD]) },
        SimulatedStudy { closed: false, ..study(&bound(&low(2)), 0.5, &[BAD]) },
    ]
    .map(|case| {
        let (kind, reasons) = case.decide();
        format!("{}\n{reasons}", kind.name())
    });
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn a_share_of_the_ceiling_has_bounds_on_both_sides() {
    let case = SimulatedStudy { mixed_labels: true, ..study(&bound(&low(1)), 0.5, &[(700, 1000)]) };
    let found = case.verdict().models[0].scopes[0].ceiling.unwrap();
    let (share, interval) = (found.share.unwrap(), found.interval.unwrap());
    assert!(interval.lower < share && share < interval.upper, "{found:?}");
    // Of two decisions, each `b` with probability 1/3, 5/9 are equal.
    assert!((found.self_agreement.unwrap() - 5.0 / 9.0).abs() < 0.03, "{found:?}");
    assert!((found.ceiling.unwrap().powi(2) - found.self_agreement.unwrap()).abs() < 1e-12);
}

#[test]
fn a_threshold_without_a_share_has_none() {
    let verdict = SimulatedStudy::new(&pooled(1), &[GOOD]).verdict();
    assert_eq!(verdict.models[0].scopes[0].ceiling, None);
    assert!(!verdict.threshold.contains("ceiling"), "{}", verdict.threshold);
    let verdict = study(&pooled(1), 0.95, &[GOOD]).verdict();
    assert!(
        verdict
            .threshold
            .ends_with("; agreement at least 0.95 of the substrate's ceiling, by the point estimate"),
        "{}",
        verdict.threshold
    );
}

#[test]
fn the_least_share_and_the_least_number_of_input_classes_suffice() {
    let pooled = Estimate { pairs: 100, hits: Some(60), value: Some(0.6), ..Estimate::default() };
    let failure = |classes: u64, least: f64| {
        let share = CeilingShare {
            classes,
            decisions: 2 * classes,
            self_agreement: Some(0.64),
            ceiling: Some(0.8),
            agreement: Some(0.6),
            share: Some(0.75),
            interval: None,
        };
        let found = ceiling_failure((Evidence::Point, 0.95), least, &share, (&pooled, 60), false);
        found.map(|(kind, _)| kind)
    };
    assert_eq!(failure(MIN_REPEATED_INPUT_CLASSES, 0.75), None);
    assert_eq!(failure(MIN_REPEATED_INPUT_CLASSES - 1, 0.75), Some(VerdictKind::Inconclusive));
    assert_eq!(failure(MIN_REPEATED_INPUT_CLASSES, 0.76), Some(VerdictKind::NoGo));
}

#[test]
fn a_run_without_pairs_has_no_share_of_the_ceiling() {
    let verdict = SimulatedStudy { cut_off: true, ..study(&low(1), 0.5, &[]) }.verdict();
    assert_eq!(verdict.models[0].scopes[0].ceiling, None);
}
