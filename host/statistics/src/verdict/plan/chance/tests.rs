//! The requirement beyond chance in a plan: what it needs, and when no model can meet it.

use super::super::test_support::{STUDY, assert_within, planned_for};
use super::super::{PairsPerWindow, StudyPlan};
use super::*;

#[test]
fn the_requirement_beyond_chance_is_planned() {
    let plan = |chance: &str, evidence: &str, per_window, base| {
        let threshold = format!("at-least = 0.85\nchance = {chance}\n");
        let declaration = format!("{STUDY}{threshold}").replace("evidence = \"point\"", evidence);
        planned_for(&declaration, PairsPerWindow::Stated(per_window), Some(0.5), base)
    };
    let bound = "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"";
    let numbers = |plan: &StudyPlan| {
        let chance = plan.chance.clone().unwrap();
        (chance.other_decisions, chance.least_right)
    };
    // Five gains without a loss pass the exact test at 0.95, however many pairs there are.
    let plan_of = |chance, evidence| plan(chance, evidence, 1000, Some(0.97));
    assert_eq!(numbers(&plan_of("{ gain = 0.0 }", bound)), (Some(240), Some(5)));
    assert_eq!(numbers(&plan_of("{ gain = 0.0 }", "evidence = \"point\"")), (Some(240), Some(1)));
    assert_eq!(numbers(&plan_of("{ gain = 0.01 }", "evidence = \"point\"")), (Some(240), Some(80)));
    assert_eq!(numbers(&plan_of("{ kappa = 0.4 }", bound)), (Some(240), None));
    assert_eq!(numbers(&plan("{ gain = 0.0 }", bound, 1000, None)), (None, None));
    assert_eq!(plan_of("\"not-asked\"", bound).chance, None);
    // The smallest number whose lower bound meets the gain, and the next smaller.
    let least = numbers(&plan_of("{ gain = 0.02 }", bound)).1.unwrap();
    let lower = |gains| paired_difference(gains, 0, 8000, 0.95).unwrap().lower;
    assert!(lower(least) >= 0.02 && lower(least - 1) < 0.02, "{least}");
    let warnings = |chance| plan(chance, bound, 1000, Some(0.9999)).warnings.join("\n");
    insta::assert_snapshot!([warnings("\"not-asked\""), warnings("{ gain = 0.0 }")].join("\n\n"), @"
    scope `groups-in-may`: only 42 comparisons are expected in a window of 1 week, and the threshold requires 100 (`least-per-window`), so GO is impossible; declare longer windows, or a lower minimum
    a model that always gives the substrate's commonest label would reach 0.9999 and meet the bound of 0.85; declare a stricter bound, or `chance = { gain = 0.0 }`

    scope `groups-in-may`: only 42 comparisons are expected in a window of 1 week, and the threshold requires 100 (`least-per-window`), so GO is impossible; declare longer windows, or a lower minimum
    the expected number of decisions other than the commonest label is 1; a model must have at least 5 of them right to be better than always giving that label, so GO is impossible; count more comparisons
    ");
}

#[test]
fn a_go_is_no_likelier_than_the_gain_over_the_commonest_label() {
    let plan = |commonest_share| {
        let bound = "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"";
        let declaration = format!("{STUDY}at-least = 0.85\nchance = {{ gain = 0.0 }}\n");
        let declaration =
            declaration.replace("evidence = \"point\"", bound).replace("every-window", "pooled");
        planned_for(&declaration, PairsPerWindow::Stated(1000), Some(0.5), commonest_share)
    };
    let plan_at = |commonest_share| plan(Some(commonest_share));
    let common = plan_at(0.97);
    let probabilities = &common.scopes[0].go_probabilities;
    assert!(probabilities.iter().all(|go| (go.study > 0.0) == (go.truth > 0.97)), "{probabilities:?}");
    assert!(probabilities.iter().any(|go| go.study > 0.9), "{probabilities:?}");
    // Five gains in 8,000 pairs suffice, so the margin is that of the gain.
    let excess = common.scopes[0].margins.declared.unwrap();
    assert_within(excess, 0.12 + 6.72 / 8000.0, 1e-5);
    // Without another label no gain is possible.
    let always = plan_at(1.0);
    assert!(always.scopes[0].go_probabilities.iter().all(|go| go.study == 0.0));
    assert_eq!((always.scopes[0].margins.declared, always.chance.unwrap().other_decisions), (None, Some(0)));
    assert!(
        !always.warnings.iter().any(|warning| warning.contains("GO is unlikely")),
        "{:?}",
        always.warnings
    );
    // A rare label changes nothing.
    assert_eq!(plan_at(0.3).scopes, plan(None).scopes);
}

#[test]
fn a_gain_above_the_share_of_other_labels_is_impossible() {
    let plan = |least: f64, share: f64| {
        let declaration = format!("{STUDY}at-least = 0.85\nchance = {{ gain = {least} }}\n");
        planned_for(&declaration, PairsPerWindow::Stated(100), Some(0.5), Some(share))
    };
    let found = plan(0.2, 0.9);
    let chance = found.chance.unwrap();
    assert!(matches!(chance.impossible, Some(ImpossibleGain::BeyondPerfectModel { .. })), "{chance:?}");
    // No number of right answers suffices, so none is stated.
    assert_eq!((chance.other_decisions, chance.least_right), (Some(80), None));
    let impossible: Vec<&String> =
        found.warnings.iter().filter(|warning| warning.contains("required gain")).collect();
    assert_eq!(
        impossible,
        [
            "the required gain is 0.2, and a model that is always right has a gain of 0.1, the share of the decisions other than \
          the commonest label, so GO is impossible; require a smaller gain"
        ]
    );
    let least = plan(0.1, 0.9).chance.unwrap();
    assert_eq!((least.impossible, least.least_right), (None, Some(80)));
}

#[test]
fn no_number_of_comparisons_is_asked_for_where_none_suffices() {
    let warnings = |least: f64, share: f64, evidence: &str| {
        let declaration = format!("{STUDY}at-least = 0.85\nchance = {{ gain = {least} }}\n");
        let declaration = declaration.replace("evidence = \"point\"", evidence);
        let found = planned_for(&declaration, PairsPerWindow::Stated(10_000), Some(0.5), Some(share));
        found
            .warnings
            .into_iter()
            .filter(|warning| warning.contains("so GO") || warning.contains("and GO"))
            .collect::<Vec<_>>()
    };
    let bound = "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"";
    let point = "evidence = \"point\"";
    let always = warnings(0.0, 1.0, bound);
    insta::assert_snapshot!(always.join("\n"), @"every decision is expected to have the commonest label, so no model can be better than always giving it, and GO is impossible; choose a stream in which the decisions differ");
    assert_eq!(warnings(0.1, 1.0, point), always);
    // The bound of a gain is below the gain, so not even a model that is always right passes.
    insta::assert_snapshot!(warnings(0.3, 0.7, bound).join("\n"), @"the required gain is 0.3 by its bound, which is below the gain itself, and a model that is always right has a gain of 0.3, the share of the decisions other than the commonest label, so GO is impossible; require a smaller gain");
    assert_eq!(warnings(0.3, 0.7, point), Vec::<String>::new());
    assert_eq!(warnings(0.25, 0.7, bound), Vec::<String>::new());
}

#[test]
fn no_gain_is_planned_without_comparisons() {
    for evidence in ["evidence = \"point\"", "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\""] {
        let declaration = format!("{STUDY}at-least = 0.85\nchance = {{ gain = 0.0 }}\n");
        let declaration = declaration.replace("evidence = \"point\"", evidence);
        let chance =
            planned_for(&declaration, PairsPerWindow::Stated(0), Some(0.5), Some(0.9)).chance.unwrap();
        assert_eq!((chance.other_decisions, chance.least_right), (Some(0), None), "{evidence}");
        assert_eq!(chance.impossible, Some(ImpossibleGain::TooFewPairs(None)), "{evidence}");
    }
}
