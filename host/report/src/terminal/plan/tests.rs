//! Tests the whole text of a plan, and that it keeps to any width.

use unicode_width::UnicodeWidthStr as _;

use crate::terminal::plan::render_plan;
use crate::terminal::text_canvas::Style;
use understudy_statistics::verdict::plan::{
    PairsPerWindow, PlanVolume, ScoreKind, ShareOrigin, StudyPlan, ValueShares, plan_study as planned,
};
use understudy_study::parse;

const STUDY: &str = r#"study = "rooms"
time-zone = "UTC"
[inputs]
id = "id"
time = "observed_at"
[inputs.fields]
segment = "text"
[decisions]
id = "id"
time = "decided_at"
horizon = "2d"
[decisions.fields]
room = "text"
[sources]
snapshots = { file = "bookings.jsonl" }
decisions = { file = "assignments.jsonl" }
[[models]]
name = "rules"
plugin = "rules.wasm"
grant = ["segment"]
[comparator]
name = "recorded"
plugin = "recorded.wasm"
grant = ["decision.room"]
[[metrics]]
name = "agreement"
plugin = "agreement.wasm"
[[conditions]]
name = "segment"
field = "segment"
values = ["direct", "groups"]
[[conditions]]
name = "day"
calendar = "weekend"
[[scopes]]
name = "weekdays"
where = { day = "weekday" }
[[scopes]]
name = "groups-on-weekdays"
where = { day = "weekday", segment = "groups" }
[windows]
every = "week"
"#;

fn made(
    threshold: &str,
    score: ScoreKind,
    range: (Option<f64>, Option<f64>),
    segments: Option<Vec<f64>>,
) -> StudyPlan {
    let study = parse(&format!("{STUDY}[threshold]\n{threshold}")).expect("a sound study");
    let segments = segments.map(|shares| ValueShares {
        origin: ShareOrigin::Stated,
        values: shares.into_iter().map(Some).collect(),
    });
    let volume = PlanVolume {
        per_window: PairsPerWindow::Stated(240),
        windows: None,
        shares: vec![segments, None],
        commonest_share: None,
    };
    planned(&study, study.threshold.as_ref().expect("a threshold"), score, range, &volume)
}

fn agreement(segments: Option<Vec<f64>>) -> StudyPlan {
    let threshold = "at-least = 0.85\nquantifier = \"every-window\"\nwindows = { first = 8 }\nevidence = \"bound\"\n\
                     confidence = 0.95\nfamily = \"each\"\nconditions = [\"segment\"]\n";
    made(threshold, ScoreKind::Binary, (Some(0.0), Some(1.0)), segments)
}

#[test]
fn a_share_in_every_window() {
    let shares = vec![0.7, 0.25, 0.05, 0.0];
    insta::assert_snapshot!(render_plan(&agreement(Some(shares)), Style { width: 100, color: false }));
}

#[test]
fn an_error_over_all_windows_together() {
    let threshold = "at-most = 12\nquantifier = \"pooled\"\nwindows = { latest = 4 }\nevidence = \"point\"\n";
    let made = made(threshold, ScoreKind::Normal(30.0), (Some(0.0), None), None);
    insta::assert_snapshot!(render_plan(&made, Style { width: 100, color: false }));
}

#[test]
fn a_huge_bound_is_not_cut() {
    let threshold =
        "at-most = 1e300\nquantifier = \"pooled\"\nwindows = { latest = 4 }\nevidence = \"point\"\n";
    let made = made(threshold, ScoreKind::Normal(1e299), (Some(0.0), None), None);
    let text = render_plan(&made, Style { width: 60, color: false });
    assert!(!text.contains('…'), "{text}");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.contains(&"1.002e300"), "{text}");
    let words = words.join(" ");
    assert!(words.contains("at most 1e300") && words.contains("a standard deviation of 1e299"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_page() {
    let made = agreement(None);
    for width in 60..120 {
        let text = render_plan(&made, Style { width, color: false });
        for line in text.lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
        assert!(text.contains("groups-on-weekdays"), "{text}");
    }
}
