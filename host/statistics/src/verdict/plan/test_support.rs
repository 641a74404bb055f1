//! The study whose plans are tested, and how tests make a plan.

use super::{PairsPerWindow, PlanVolume, ScoreKind, ShareOrigin, StudyPlan, ValueShares, plan_study};
use understudy_study::parse;

/// Asserts an absolute error of at most `most`.
#[track_caller]
pub(super) fn assert_within(actual: f64, expected: f64, most: f64) {
    assert!((actual - expected).abs() <= most, "{actual} is not {expected}");
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
pub(super) fn planned(
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
