//! Chances against scipy and statsmodels: `tests/oracles/plan.py` prints the rows. What always holds is tried on any
//! volume, bound and truth, and what is warned of is read.

use proptest::prelude::*;

use super::calendar::covered_values;
use super::{
    BoundTest, PairsPerWindow, PlanVolume, ScoreKind, ShareOrigin, StudyPlan, ValueShares, calendar, plan,
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

/// Within so much of it.
#[track_caller]
fn assert_within(found: f64, expected: f64, most: f64) {
    assert!((found - expected).abs() <= most, "{found} is not {expected}");
}

#[test]
fn pass_probabilities_of_shares_match_scipy() {
    for (direction, bound, confidence, n, hits, truth, chance) in [
        (AtLeast, 0.85, None, 20, Some(17), 0.85, 0.6477251741567032),
        (AtLeast, 0.85, None, 21, Some(18), 0.88, 0.760435885065986),
        (AtLeast, 0.7, None, 10, Some(7), 0.7, 0.6496107184),
        (AtLeast, 0.29, None, 100, Some(29), 0.3, 0.6232218207837942),
        (AtLeast, 0.85, Some(0.95), 100, Some(91), 0.9, 0.451290165442004),
        (AtLeast, 0.85, Some(0.95), 10, None, 0.99, 0.0),
        (AtLeast, 0.9, Some(0.99), 2000, Some(1832), 0.92, 0.7600554718463799),
        (AtLeast, 1.0, None, 50, Some(50), 0.99, 0.6050060671375364),
        (AtLeast, 0.0, None, 50, Some(0), 0.0, 1.0),
        (AtMost, 0.1, None, 20, Some(2), 0.1, 0.6769268051894659),
        (AtMost, 0.29, None, 100, Some(29), 0.25, 0.8504589534334266),
        (AtMost, 0.1, Some(0.95), 100, Some(5), 0.05, 0.615999127956141),
        (AtMost, 0.1, Some(0.95), 10, None, 0.01, 0.0),
        (AtMost, 0.02, Some(0.9), 5000, Some(87), 0.015, 0.9244152880336622),
    ] {
        let rule = share(direction, bound, confidence);
        assert_eq!(rule.hits_at_bound(n), hits, "{rule:?} of {n}");
        assert_within(rule.pass_probability(n, truth), chance, 1e-9);
    }
}

#[test]
fn chances_of_other_scores_are_those_of_scipy() {
    for (direction, bound, confidence, spread, n, truth, chance) in [
        (AtMost, 12.0, None, 30.0, 400, 11.0, 0.7475074624530771),
        (AtMost, 12.0, Some(0.95), 30.0, 400, 8.0, 0.8465653017491894),
        (AtLeast, 0.4, Some(0.9), 0.7, 250, 0.5, 0.8357694281606931),
    ] {
        let score = ScoreKind::Normal(spread);
        let rule = BoundTest { direction, bound, evidence: evidence(confidence), score, range: (None, None) };
        assert_within(rule.pass_probability(n, truth), chance, 1e-9);
    }
}

#[test]
fn margins_are_those_of_scipy() {
    let bound = share(AtLeast, 0.85, Some(0.95));
    for (n, excess) in [(30, 0.12243651607701977), (100, 0.07646002062608259), (800, 0.030237681073007505)] {
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
fn bounds_beyond_all_shares_and_none_at_all() {
    assert_eq!(share(AtLeast, 1.5, None).hits_at_bound(10), None);
    assert_eq!(share(AtLeast, -0.5, None).hits_at_bound(10), Some(0));
    assert_eq!(share(AtMost, 1.5, None).hits_at_bound(10), Some(10));
    assert_eq!(share(AtMost, -0.5, None).hits_at_bound(10), None);
    // Smaller than one of any number, though above none.
    assert_eq!(share(AtLeast, 1e-300, None).hits_at_bound(1 << 60), Some(1));
    assert_eq!(share(AtMost, 1e-300, None).hits_at_bound(1 << 60), Some(0));
    assert_eq!(share(AtLeast, 0.0, None).pass_probability(0, 1.0), 0.0);
}

#[test]
fn beyond_what_is_summed_the_normal_distribution_goes_on() {
    // Either side of 2,000 standard deviations: 16 million of one half.
    let rule = share(AtLeast, 0.5, None);
    for excess in [-1e-4, 0.0, 1e-4] {
        let [summed, normal] = [15_999_998, 16_000_002].map(|n| rule.pass_probability(n, 0.5 + excess));
        assert_within(normal, summed, 2e-4);
    }
}

proptest! {
    #[test]
    fn a_chance_grows_with_the_truth_and_shrinks_with_the_bound(
        n in 1..400u64,
        bounds in [0.0..=1.0f64, 0.0..=1.0],
        truths in [0.0..=1.0f64, 0.0..=1.0],
        confidence in proptest::option::of(0.51..0.999f64),
        at_most: bool,
        spread in proptest::option::of(0.01..2.0f64),
    ) {
        let direction = if at_most { AtMost } else { AtLeast };
        let rule = |bound: f64| BoundTest {
            score: spread.map_or(ScoreKind::Binary, ScoreKind::Normal),
            ..share(direction, bound, confidence)
        };
        // The laxer bound and the worse truth first.
        let ordered = |[one, other]: [f64; 2]| {
            if (one < other) == at_most { [other, one] } else { [one, other] }
        };
        let ([lax, strict], [worse, better]) = (ordered(bounds), ordered(truths));
        let dust = 1e-12;
        prop_assert!(rule(lax).pass_probability(n, better) + dust >= rule(lax).pass_probability(n, worse));
        prop_assert!(rule(lax).pass_probability(n, worse) + dust >= rule(strict).pass_probability(n, worse));
    }
}

#[test]
fn what_the_calendar_can_show() {
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
        // An hour, five days, an hour.
        (Hour, 121, Split::DayOfWeek, 1, 6),
        (Hour, 122, Split::DayOfWeek, 1, 7),
    ] {
        let found = covered_values(every, windows, &split, times).unwrap().0;
        assert_eq!(found, values, "{windows} {every:?} by {split:?}, {times} times");
    }
    assert_eq!(covered_values(Week, 8, &Split::Bins { field: "x".to_owned(), edges: vec![1.0] }, 1), None);
    for split in [Split::Weekend, Split::DayOfWeek, Split::Hour, Split::Month] {
        let shares = calendar::shares(&split).unwrap();
        assert_eq!(shares.len(), split.values().len());
        assert_within(shares.iter().sum(), 1.0, 1e-12);
    }
}

const STUDY: &str = r#"study = "rooms"
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
    base_rate: Option<f64>,
) -> StudyPlan {
    let study = parse(&format!("{STUDY}{threshold}")).map_err(|unsound| unsound.faults.to_string()).unwrap();
    let segments = groups.map(|groups| {
        let values = [1.0 - groups, groups, 0.0, 0.0].map(Some).to_vec();
        ValueShares { origin: ShareOrigin::Stated, values }
    });
    let volume = PlanVolume { per_window, windows: None, shares: vec![segments, None], base_rate };
    let range = (Some(0.0), Some(1.0));
    plan(&study, study.threshold.as_ref().unwrap(), ScoreKind::Binary, range, &volume)
}

#[test]
fn comparisons_are_shared_out() {
    let plan = planned("at-least = 0.85\n", PairsPerWindow::Measured(vec![400, 500, 300]), Some(0.25), None);
    let counts = |scope: &super::ScopePlan| (scope.per_window, scope.pooled);
    assert_eq!(counts(&plan.scopes[0]), (Some(400), Some(3200)));
    assert_eq!(counts(&plan.scopes[1]), (Some(100), Some(800)));
    // A quarter of 31 days of 365.25, of 3,200.
    assert_eq!(counts(&plan.scopes[2]), (Some(8), Some(68)));
    assert_eq!(plan.scopes.iter().map(|scope| scope.too_few).collect::<Vec<_>>(), [false, false, true]);
    let unknown = planned("at-least = 0.85\n", PairsPerWindow::Stated(400), None, None);
    assert_eq!(counts(&unknown.scopes[1]), (None, None));
    assert!(unknown.scopes[1].go_probabilities.is_empty() && !unknown.scopes[1].too_few);
}

#[test]
fn what_is_declared_is_the_chance_of_all_windows() {
    let plan = planned("at-least = 0.85\n", PairsPerWindow::Stated(100), None, None);
    let all = &plan.scopes[0];
    let truths: Vec<f64> = all.go_probabilities.iter().map(|chance| chance.truth).collect();
    assert_eq!(truths, [0.75, 0.77, 0.79, 0.81, 0.83, 0.85, 0.87, 0.89, 0.91, 0.93, 0.95]);
    for chance in &all.go_probabilities {
        assert_within(chance.study, chance.window.powi(8), 1e-12);
    }
    assert_within(all.margins.declared.unwrap(), 0.054579151411363935, 1e-9);
    assert_within(all.margins.window.unwrap(), 0.07646002062608259, 1e-9);
}

#[test]
fn what_is_warned_of() {
    let said = |threshold: &str, per_window, groups, base| {
        planned(threshold, per_window, groups, base).warnings.join("\n")
    };
    // Enough of everything: there is nothing to say.
    let scarce = PairsPerWindow::Stated(4000);
    assert_eq!(
        planned("at-least = 0.85\n", PairsPerWindow::Stated(400_000), Some(0.5), None).warnings.len(),
        0
    );
    insta::assert_snapshot!(
        said("at-least = 0.85\nconditions = [\"segment\"]\n", scarce, Some(0.002), Some(0.85)),
        @"
    scope `groups`: too few comparisons are to be expected in a window of 1 week, 8, and the threshold asks for 100 (`least-per-window`): then there is no GO, whatever the figures; declare longer windows, or ask for fewer
    scope `groups-in-may`: too few comparisons are to be expected in a window of 1 week, 1, and the threshold asks for 100 (`least-per-window`): then there is no GO, whatever the figures; declare longer windows, or ask for fewer
    of `segment` there will be fewer than 100 comparisons (`least-per-condition`) of groups: then there is no GO; count more windows, or leave out the condition
    scope `groups`: there will be about 35 comparisons in a month; with fewer than 100 a shadow study takes long to say anything
    scope `groups-in-may`: there will be about 3 comparisons in a month; with fewer than 100 a shadow study takes long to say anything
    a model that always gives the substrate's commonest answer would come to 0.85, which meets the bound of 0.85; declare a stricter one, or `least-kappa` or `least-gain`
    "
    );
    let measured = PairsPerWindow::Measured(vec![200, 100, 99, 300]);
    insta::assert_snapshot!(
        said("at-least = 0.85\ncluster = \"segment\"\ncycle = { condition = \"month\" }\n", measured, None, None),
        @"
    of the 4 weeks that were measured, 1 held fewer than 100 comparisons (`least-per-window`); what stands here takes every week for the average one
    each of the 12 values of `month` has to come round once, and 8 weeks show 3 of them so often at best: then there is no GO; count more windows
    comparisons hang together by `segment`, and are taken as independent here: what can be told apart is coarser than this, and chances rise more slowly
    "
    );
    insta::assert_snapshot!(
        said("at-most = 0.2\ncycle = { condition = \"month\", times = 2 }\n", PairsPerWindow::Stated(20), None, Some(0.8)),
        @"
    too few comparisons are to be expected in a window of 1 week, 20, and the threshold asks for 100 (`least-per-window`): then there is no GO, whatever the figures; declare longer windows, or ask for fewer
    of `month` there will be fewer than 100 comparisons (`least-per-condition`) of january, february, march, april, may, june, july, august, september, october, november, december: then there is no GO; count more windows, or leave out the condition
    there will be about 87 comparisons in a month; with fewer than 100 a shadow study takes long to say anything
    each of the 12 values of `month` has to come round 2 times, and 8 weeks show 0 of them so often at best: then there is no GO; count more windows
    a model that always gives the substrate's commonest answer would come to 0.2, which meets the bound of 0.2; declare a stricter one, or `least-kappa` or `least-gain`
    "
    );
}
