//! The numbers of comparisons, margins and true values of a plan, and the level that verdicts share. Margins are
//! checked against scipy: `tests/oracles/plan.py` prints the rows.

use super::test_support::{STUDY, assert_within, planned, planned_for};
use super::*;

#[test]
fn comparisons_follow_the_shares() {
    let plan = planned("at-least = 0.85\n", PairsPerWindow::Measured(vec![400, 500, 300]), Some(0.25), None);
    let counts = |scope: &ScopePlan| (scope.per_window, scope.pooled);
    assert_eq!(counts(&plan.scopes[0]), (Some(400), Some(3200)));
    assert_eq!(counts(&plan.scopes[1]), (Some(100), Some(800)));
    // 25 % of 3,200, in 31 of 365.25 days.
    assert_eq!(counts(&plan.scopes[2]), (Some(8), Some(68)));
    assert_eq!(plan.scopes.iter().map(|scope| scope.too_few).collect::<Vec<_>>(), [false, false, true]);
    let unknown = planned("at-least = 0.85\n", PairsPerWindow::Stated(400), None, None);
    assert_eq!(counts(&unknown.scopes[1]), (None, None));
    assert!(unknown.scopes[1].go_probabilities.is_empty() && !unknown.scopes[1].too_few);
}

#[test]
fn the_declared_margin_covers_all_windows() {
    let plan = planned("at-least = 0.85\n", PairsPerWindow::Stated(100), None, None);
    let all = &plan.scopes[0];
    let truths: Vec<f64> = all.go_probabilities.iter().map(|chance| chance.truth).collect();
    assert_eq!(truths, [0.75, 0.77, 0.79, 0.81, 0.83, 0.85, 0.87, 0.89, 0.91, 0.93, 0.95]);
    for chance in &all.go_probabilities {
        assert_within(chance.study, chance.window.powi(8), 1e-12);
    }
    assert_within(all.margins.declared.unwrap(), 0.054579151411363935, 1e-9);
    assert_within(all.margins.window.unwrap(), 0.08519227326012269, 1e-9);
}

#[test]
fn a_plan_with_too_few_comparisons_has_no_probability_of_go() {
    let declaration = format!("{STUDY}at-least = 0.85\nchance = \"not-asked\"\n");
    let found = planned_for(&declaration, PairsPerWindow::Stated(5), Some(0.5), None);
    let all = &found.scopes[0];
    assert!(all.too_few && all.margins.declared.is_none(), "{all:?}");
    assert!(
        !all.go_probabilities.is_empty() && all.go_probabilities.iter().all(|go| go.study == 0.0),
        "{all:?}"
    );
}

#[test]
fn verdicts_that_share_a_level_are_planned_at_their_part_of_it() {
    let plan = |family: &str| {
        let bound = format!("evidence = \"bound\"\nconfidence = 0.95\nfamily = \"{family}\"");
        let declaration = format!("{STUDY}at-least = 0.85\nchance = {{ gain = 0.0 }}\n");
        let declaration = declaration.replace("evidence = \"point\"", &bound);
        planned_for(&declaration, PairsPerWindow::Stated(1000), Some(0.5), Some(0.97))
    };
    let (each, holm) = (plan("each"), plan("holm"));
    assert_eq!((each.confidence, holm.confidence), (0.95, 1.0 - (1.0 - 0.95) / 3.0));
    assert!(holm.scopes[0].margins.declared > each.scopes[0].margins.declared);
    // Six gains without a loss have the probability 0.0156 by chance, which is not below nine tenths of 0.0167.
    assert_eq!(holm.chance.unwrap().least_right, Some(7));
    insta::assert_snapshot!([each.notes, holm.notes].concat().join("\n"), @"
    The 3 verdicts (1 model, each on all of the input and on 2 scopes) have the confidence 0.95 each, without correction: the probability of one or more false GOs is at most 0.15.
    The 3 verdicts (1 model, each on all of the input and on 2 scopes) share the confidence 0.95 by Holm's method: the probability of one or more false GOs is at most 0.05.
    ");
}

#[test]
fn steps_are_round() {
    for (step, round) in
        [(0.01, 0.01), (0.011, 0.02), (0.02, 0.02), (0.03, 0.05), (0.06, 0.1), (4.0, 5.0), (7.0, 10.0)]
    {
        assert_within(round_step(step), round, 1e-12);
    }
}

#[test]
fn values_with_exactly_the_least_number_of_comparisons_suffice() {
    // Half of 25 comparisons in each of eight windows.
    let few = |per_window| {
        let threshold = "at-least = 0.85\nconditions = [\"segment\"]\n";
        let plan = planned(threshold, PairsPerWindow::Stated(per_window), Some(0.5), None);
        plan.conditions[0].values[..2].iter().map(|value| (value.pooled, value.too_few)).collect::<Vec<_>>()
    };
    assert_eq!(few(25), [(Some(100), false); 2]);
    assert_eq!(few(24), [(Some(96), true); 2]);
}

#[test]
fn true_values_at_the_end_of_the_range_are_on_one_side() {
    let plan = planned("at-least = 1.0\nchance = \"not-asked\"\n", PairsPerWindow::Stated(100), None, None);
    let truths: Vec<f64> = plan.scopes[0].go_probabilities.iter().map(|chance| chance.truth).collect();
    assert_eq!(truths, [0.95, 0.96, 0.97, 0.98, 0.99, 1.0]);
}
