//! Checked against scipy and statsmodels: `tests/oracles/plan.py` prints the rows. The invariants are checked
//! for random volumes, bounds and true values.

use proptest::prelude::*;

use super::calendar::covered_values;
use super::chance::ImpossibleGain;
use super::{
    BoundTest, PairsPerWindow, PlanVolume, ScoreKind, ShareOrigin, StudyPlan, ValueShares, calendar,
    plan_study,
};
use understudy_study::Direction::{AtLeast, AtMost};
use understudy_study::{Direction, Every, Evidence, Split, parse};

fn evidence(confidence: Option<f64>) -> Evidence {
    confidence.map_or(Evidence::Point, Evidence::Bound)
}

fn share(direction: Direction, bound: f64, confidence: Option<f64>) -> BoundTest {
    let range = (Some(0.0), Some(1.0));
    BoundTest { direction, bound, evidence: evidence(confidence), score: ScoreKind::Binary, range }
}

/// Asserts an absolute error of at most `most`.
#[track_caller]
fn assert_within(actual: f64, expected: f64, most: f64) {
    assert!((actual - expected).abs() <= most, "{actual} is not {expected}");
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
fn calendar_coverage_at_best() {
    use Every::{Day, Hour, Month, Week};
    for (every, windows, split, times, values) in [
        // The end of January, February, the beginning of March.
        (Week, 8, Split::Month, 1, 3),
        // From the last of January to the first of December there are 305 days.
        (Week, 43, Split::Month, 1, 11),
        (Week, 44, Split::Month, 1, 12),
        (Day, 304, Split::Month, 1, 11),
        (Day, 305, Split::Month, 1, 12),
        (Month, 11, Split::Month, 1, 11),
        (Month, 12, Split::Month, 1, 12),
        (Month, 23, Split::Month, 2, 11),
        (Month, 1, Split::DayOfWeek, 4, 7),
        (Month, 1, Split::DayOfWeek, 5, 3),
        (Month, 1, Split::Hour, 31, 24),
        (Month, 1, Split::Hour, 32, 0),
        (Month, 2, Split::Hour, 62, 24),
        (Day, 3, Split::Weekend, 2, 1),
        (Day, 4, Split::Weekend, 2, 2),
        (Week, 1, Split::Weekend, 2, 2),
        (Week, 1, Split::DayOfWeek, 1, 7),
        (Hour, 23, Split::Hour, 1, 23),
        (Hour, 24, Split::Hour, 1, 24),
        // One hour, five days, one hour.
        (Hour, 121, Split::DayOfWeek, 1, 6),
        (Hour, 122, Split::DayOfWeek, 1, 7),
    ] {
        let covered = covered_values(every, windows, &split, times).unwrap().0;
        assert_eq!(covered, values, "{windows} {every:?} by {split:?}, {times} times");
    }
    assert_eq!(covered_values(Week, 8, &Split::Bins { field: "x".to_owned(), edges: vec![1.0] }, 1), None);
    for split in [Split::Weekend, Split::DayOfWeek, Split::Hour, Split::Month] {
        let shares = calendar::shares(&split).unwrap();
        assert_eq!(shares.len(), split.values().len());
        assert_within(shares.iter().sum(), 1.0, 1e-12);
    }
}

pub(super) const STUDY: &str = r#"study = "rooms"
time-zone = "UTC"
inputs = { id = "id", time = "at", fields = { segment = "text" } }
decisions = { id = "id", time = "at", horizon = "2d", fields = { room = "text" } }
sources = { snapshots = { file = "bookings.jsonl" }, decisions = { file = "assignments.jsonl" } }
models = [{ name = "rules", plugin = "rules.wasm", grant = ["segment"] }]
comparator = { name = "recorded", plugin = "recorded.wasm", grant = ["decision.room"] }
metrics = [{ name = "agreement", plugin = "agreement.wasm" }]
conditions = [
    { name = "segment", field = "segment", values = ["direct", "groups"] },
    { name = "month", calendar = "month" },
]
scopes = [
    { name = "groups", where = { segment = "groups" } },
    { name = "groups-in-may", where = { segment = "groups", month = "may" } },
]
windows = { every = "week" }
[threshold]
quantifier = "every-window"
windows = { first = 8 }
evidence = "point"
"#;

/// The plan of a study with a threshold.
fn planned(
    threshold: &str,
    per_window: PairsPerWindow,
    groups: Option<f64>,
    commonest_share: Option<f64>,
) -> StudyPlan {
    planned_for(&format!("{STUDY}{threshold}"), per_window, groups, commonest_share)
}

/// The plan of a complete declaration.
pub(super) fn planned_for(
    declaration: &str,
    per_window: PairsPerWindow,
    groups: Option<f64>,
    commonest_share: Option<f64>,
) -> StudyPlan {
    let study = parse(declaration).map_err(|unsound| unsound.faults.to_string()).unwrap();
    let segments = groups.map(|groups| {
        let values = [1.0 - groups, groups, 0.0, 0.0].map(Some).to_vec();
        ValueShares { origin: ShareOrigin::Stated, values }
    });
    let volume = PlanVolume { per_window, windows: None, shares: vec![segments, None], commonest_share };
    let range = (Some(0.0), Some(1.0));
    plan_study(&study, study.threshold.as_ref().unwrap(), ScoreKind::Binary, range, &volume)
}

#[test]
fn comparisons_follow_the_shares() {
    let plan = planned("at-least = 0.85\n", PairsPerWindow::Measured(vec![400, 500, 300]), Some(0.25), None);
    let counts = |scope: &super::ScopePlan| (scope.per_window, scope.pooled);
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
    let lower = |gains| crate::scoring::paired_difference(gains, 0, 8000, 0.95).unwrap().lower;
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
fn months_have_windows_and_steps_are_round() {
    let per_month = [Every::Hour, Every::Day, Every::Week, Every::Month].map(calendar::windows_per_month);
    for (windows, expected) in per_month.into_iter().zip([730.5, 30.4375, 4.348214285714286, 1.0]) {
        assert_within(windows, expected, 1e-12);
    }
    for (step, round) in
        [(0.01, 0.01), (0.011, 0.02), (0.02, 0.02), (0.03, 0.05), (0.06, 0.1), (4.0, 5.0), (7.0, 10.0)]
    {
        assert_within(super::round_step(step), round, 1e-12);
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
    assert_eq!(share(AtLeast, 0.5).margin(0.8, |_| 1.0), Some(0.0));
    assert_eq!(share(AtLeast, 0.5).margin(0.8, |_| 0.7), None);
}
