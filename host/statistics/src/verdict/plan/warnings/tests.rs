//! The sentences of the warnings.

use super::super::test_support::{STUDY, assert_within, planned, planned_for};
use super::*;
use understudy_study::parse;

#[test]
fn a_bound_at_the_end_of_the_range_is_not_met_by_a_confidence_bound() {
    let warnings = |evidence: &str| {
        let declaration = format!("{STUDY}at-least = 1.0\nchance = \"not-asked\"\n");
        let declaration = declaration.replace("evidence = \"point\"", evidence);
        planned_for(&declaration, PairsPerWindow::Stated(10_000), Some(0.5), None).warnings
    };
    let bound = "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"";
    insta::assert_snapshot!(warnings(bound).join("\n"), @"no value of the metric is beyond 1, and a confidence bound is never at the end of the range, so GO is impossible; declare a bound that a good model exceeds");
    assert!(!warnings("evidence = \"point\"").iter().any(|warning| warning.contains("no value")));
}

#[test]
fn warnings_name_problem_and_remedy() {
    let warnings_of = |threshold: &str, per_window, groups, base| {
        planned(threshold, per_window, groups, base).warnings.join("\n")
    };
    // With enough of everything there are no warnings.
    let scarce = PairsPerWindow::Stated(4000);
    assert_eq!(
        planned("at-least = 0.85\n", PairsPerWindow::Stated(400_000), Some(0.5), None).warnings.len(),
        0
    );
    insta::assert_snapshot!(
        warnings_of("at-least = 0.85\nconditions = [\"segment\"]\n", scarce, Some(0.002), Some(0.85)),
        @"
    scope `groups`: only 8 comparisons are expected in a window of 1 week, and the threshold requires 100 (`least-per-window`), so GO is impossible; declare longer windows, or a lower minimum
    scope `groups-in-may`: only 1 comparison is expected in a window of 1 week, and the threshold requires 100 (`least-per-window`), so GO is impossible; declare longer windows, or a lower minimum
    condition `segment`: fewer than 100 comparisons (`least-per-condition`) are expected for groups, so GO is impossible; count more windows, or leave out the condition
    scope `groups`: about 35 comparisons are expected per month; below 100, a shadow study takes long to reach a verdict
    scope `groups-in-may`: about 3 comparisons are expected per month; below 100, a shadow study takes long to reach a verdict
    a model that always gives the substrate's commonest label would reach 0.85 and meet the bound of 0.85; declare a stricter bound
    "
    );
    let measured = PairsPerWindow::Measured(vec![200, 100, 99, 300]);
    insta::assert_snapshot!(
        warnings_of("at-least = 0.85\ncluster = \"segment\"\ncycle = { condition = \"month\" }\n", measured, None, None),
        @"
    of the 4 weeks measured, 1 had fewer than 100 comparisons (`least-per-window`); each week that counts needs as many, which the measured run allows with a probability of 0 %; declare longer windows, or a lower minimum
    each of the 12 values of `month` must occur once, and 8 weeks cover at most 3 of them, so GO is impossible; count more windows
    GO is unlikely: if the true value were 0.985, its probability would be 0 %; count more comparisons, or declare another bound
    comparisons are correlated within `segment`, but this plan treats them as independent: real margins are larger, and GO probabilities rise more slowly
    "
    );
    insta::assert_snapshot!(
        warnings_of("at-most = 0.2\ncycle = { condition = \"month\", times = 2 }\n", PairsPerWindow::Stated(20), None, Some(0.8)),
        @"
    only 20 comparisons are expected in a window of 1 week, and the threshold requires 100 (`least-per-window`), so GO is impossible; declare longer windows, or a lower minimum
    condition `month`: fewer than 100 comparisons (`least-per-condition`) are expected for january, february, march, april, may, june, july, august, september, october, november, december, so GO is impossible; count more windows, or leave out the condition
    about 87 comparisons are expected per month; below 100, a shadow study takes long to reach a verdict
    each of the 12 values of `month` must occur 2 times, and 8 weeks cover at most 0 of them, so GO is impossible; count more windows
    a model that always gives the substrate's commonest label would reach 0.2 and meet the bound of 0.2; declare a stricter bound
    "
    );
}

#[test]
fn unlikely_goes_and_open_ends_are_warned_of() {
    let bound =
        STUDY.replace("evidence = \"point\"", "evidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"");
    let strict = planned_for(&format!("{bound}at-least = 0.97\n"), PairsPerWindow::Stated(100), None, None);
    // All of 100 have to be hits, in each of eight windows: 0.997 to the power of 800.
    assert_within(strict.scopes[0].go_probabilities.last().unwrap().truth, 1.0, 1e-12);
    insta::assert_snapshot!(
        strict.warnings.join("\n"),
        @"GO is unlikely: if the true value were 0.997, its probability would be 9 %; count more comparisons, or declare another bound"
    );
    let all = STUDY.replace("every-window", "pooled").replace("{ first = 8 }", "{ all = true }");
    let open = planned_for(&format!("{all}at-least = 0.85\n"), PairsPerWindow::Stated(4000), None, None);
    assert_eq!((open.windows, open.measured), (1, None));
    insta::assert_snapshot!(
        open.warnings.join("\n"),
        @"`windows = { all = true }` does not fix the number of windows, so all numbers here are for one window; give --windows N"
    );
    let measured = PairsPerWindow::Measured(vec![4000, 2000]);
    let known = planned_for(&format!("{all}at-least = 0.85\n"), measured, None, None);
    assert_eq!((known.windows, known.measured, known.warnings.len()), (2, Some(2), 0));
    assert_eq!((known.scopes[0].per_window, known.scopes[0].pooled), (Some(3000), Some(6000)));
}

#[test]
fn a_minimum_that_is_met_exactly_causes_no_warning() {
    let warnings =
        |declaration: &str, per_window| planned_for(declaration, per_window, None, None).warnings.join("\n");
    // 100 comparisons per window, which is per month here.
    let months = STUDY.replace("every = \"week\"", "every = \"month\"");
    let months = format!("{months}at-least = 0.5\nchance = \"not-asked\"\n");
    assert_eq!(warnings(&months, PairsPerWindow::Stated(100)), "");
    // All twelve months occur.
    let year = months.replace("{ first = 8 }", "{ first = 12 }");
    let year = format!("{year}cycle = {{ condition = \"month\" }}\n");
    assert_eq!(warnings(&year, PairsPerWindow::Stated(2000)), "");
    assert!(warnings(&year.replace("12", "11"), PairsPerWindow::Stated(2000)).contains("at most 11 of them"));
    // A measured window with exactly as many as required has enough.
    assert_eq!(warnings(&months, PairsPerWindow::Measured(vec![100; 12])), "");
}

#[test]
fn measured_windows_with_few_comparisons_are_warned_of_once() {
    let warnings = |declaration: &str, windows: Vec<u64>| {
        let found = planned_for(declaration, PairsPerWindow::Measured(windows), None, None).warnings;
        found.iter().filter(|warning| warning.contains("least-per-window")).count()
    };
    let first = format!("{STUDY}at-least = 0.85\n");
    let all = first.replace("every-window", "pooled").replace("{ first = 8 }", "{ all = true }");
    // All windows together need the comparisons, not each.
    assert_eq!([warnings(&first, vec![900, 20]), warnings(&all, vec![900, 20])], [1, 0]);
    // The mean is too small already.
    assert_eq!(warnings(&first, vec![40, 20]), 1);
}

#[test]
fn too_few_comparisons_are_those_of_all_windows_where_all_count() {
    let all = STUDY.replace("every-window", "pooled").replace("{ first = 8 }", "{ all = true }");
    let warnings = |windows: Vec<u64>| {
        planned_for(&format!("{all}at-least = 0.85\n"), PairsPerWindow::Measured(windows), None, None)
            .warnings
    };
    assert_eq!(
        warnings(vec![30, 20, 40])[0],
        "only 90 comparisons are expected in 3 weeks, and the threshold requires 100 (`least-per-window`), so GO is \
         impossible; declare longer windows, or a lower minimum"
    );
    assert!(!warnings(vec![30, 30, 40]).iter().any(|warning| warning.contains("least-per-window")));
}

#[test]
fn an_even_chance_at_the_best_value_is_not_unlikely() {
    // A point estimate of scores around the end of their range is above it in half of the studies.
    let declaration =
        format!("{STUDY}at-least = 1.0\nchance = \"not-asked\"\n").replace("every-window", "pooled");
    let study = parse(&declaration).map_err(|unsound| unsound.faults.to_string()).unwrap();
    let volume = PlanVolume {
        per_window: PairsPerWindow::Stated(1000),
        windows: None,
        shares: vec![None, None],
        commonest_share: None,
    };
    let range = (Some(0.0), Some(1.0));
    let threshold = study.threshold.as_ref().unwrap();
    let plan =
        super::super::plan_study(&study, threshold, super::super::ScoreKind::Normal(0.1), range, &volume);
    assert_eq!(plan.scopes[0].go_probabilities.last().map(|chance| chance.study), Some(0.5));
    assert_eq!(plan.warnings, Vec::<String>::new());
}

/// The probability is `scipy.stats.binom.sf(75, 800, 0.09)`, 0.3278, of scipy 1.17.1.
#[test]
fn the_optimistic_value_lies_between_the_commonest_label_and_the_best_value() {
    // Nine tenths of the way from 0.9 to 1. Of 800 pairs, 76 have to be gains.
    let threshold = "at-least = 0.5\nchance = { gain = 0.095 }\n";
    let plan = planned(threshold, PairsPerWindow::Stated(100), None, Some(0.9));
    insta::assert_snapshot!(plan.warnings.join("\n"), @"GO is unlikely: if the true value were 0.99, its probability would be 33 %; count more comparisons, or declare another bound");
}

#[test]
fn a_plan_of_a_bound_that_does_not_exist_or_holds_at_all_looks_says_so() {
    let plan = |threshold: &str, sources: &str, range: (Option<f64>, Option<f64>)| {
        let declaration = format!("{STUDY}at-most = 5.0\nchance = \"not-asked\"\n")
            .replace(
                "quantifier = \"every-window\"\nwindows = { first = 8 }\nevidence = \"point\"",
                threshold,
            )
            .replace("decisions = { file = \"assignments.jsonl\" }", sources);
        let study = parse(&declaration).map_err(|unsound| unsound.faults.to_string());
        let study = study.unwrap();
        let volume = PlanVolume {
            per_window: PairsPerWindow::Stated(10_000),
            windows: Some(8),
            shares: vec![None, None],
            commonest_share: None,
        };
        let threshold = study.threshold.as_ref().unwrap();
        super::super::plan_study(&study, threshold, super::super::ScoreKind::Normal(1.0), range, &volume)
    };
    let file = "decisions = { file = \"assignments.jsonl\" }";
    let bound = "quantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"";
    let (known, unknown) = ((Some(0.0), Some(60.0)), (Some(0.0), None));
    let without =
        "the range of the metric is not known, so it has no confidence bounds, and GO is impossible";
    let found = plan(bound, file, unknown);
    assert!(found.warnings.iter().any(|warning| warning.starts_with(without)), "{:?}", found.warnings);
    assert!(found.scopes[0].go_probabilities.iter().all(|probability| probability.study == 0.0));
    for (threshold, range) in
        [(bound, known), ("quantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"", unknown)]
    {
        let found = plan(threshold, file, range);
        assert!(!found.warnings.iter().any(|warning| warning.starts_with(without)), "{:?}", found.warnings);
        assert!(found.scopes[0].go_probabilities.iter().any(|probability| probability.study > 0.9));
    }
    let chosen = "whoever ends the run chooses when";
    let stdin = "decisions = { stdin = true }";
    for (threshold, sources, is_chosen) in [
        (bound.to_owned(), stdin, true),
        (bound.to_owned(), file, false),
        (bound.replace("{ all = true }", "{ latest = 8 }"), stdin, true),
        (bound.replace("{ all = true }", "{ first = 8 }"), stdin, false),
    ] {
        let found = plan(&threshold, sources, known);
        assert_eq!(
            found.warnings.iter().any(|warning| warning.starts_with(chosen)),
            is_chosen,
            "{threshold}"
        );
    }
}
