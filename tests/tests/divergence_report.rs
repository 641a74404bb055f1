//! The divergence part of the report on runs with a planted subgroup: which subgroup, which direction, since
//! when. Without enough data the report says so.

use serde_json::{Value, json};
use understudy_tests::TestWorkspace;

/// Forty pairs per day, half of them `b`. From the sixteenth day, three of four pairs in `b` differ;
/// otherwise one in ten.
fn workspace(days: usize, change: &[(&str, &str)]) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let pairs = || (0..days).flat_map(|day| (0..40).map(move |pair| (day, pair)));
    let booked = |pair: usize| if pair.is_multiple_of(2) { "a" } else { "b" };
    let id = |day: usize, pair: usize| format!("s{day}-{pair}");
    let at = |day: usize, hour: usize| format!("2026-03-{:02}T{hour}:00:00Z", day + 1);
    workspace.write_lines(
        "snapshots.jsonl",
        pairs().map(|(day, pair)| {
            json!({ "id": id(day, pair), "at": at(day, 10), "booked": booked(pair), "nights": 1 }).to_string()
        }),
    );
    workspace.write_lines(
        "decisions.jsonl",
        pairs().map(|(day, pair)| {
            let number = day * 40 + pair;
            let differs = match booked(pair) == "b" && day >= 15 {
                true => number / 2 % 4 > 0,
                false => number / 2 % 10 == 0,
            };
            let room = if differs { "z" } else { booked(pair) };
            json!({ "id": id(day, pair), "at": at(day, 11), "room": room }).to_string()
        }),
    );
    workspace.edit_study(change);
    workspace
}

fn divergence(report: &Value) -> &Value {
    &report["divergence"]["models"][0]
}

fn subgroup<'r>(report: &'r Value, value: &str) -> &'r Value {
    let subgroups = divergence(report)["subgroups"].as_array().expect("subgroups");
    let is = |class: &&Value| class["terms"] == json!([{ "condition": "room", "value": value }]);
    subgroups.iter().find(is).unwrap_or_else(|| panic!("no subgroup {value}: {subgroups:?}"))
}

#[test]
fn a_subgroup_is_reported_with_direction_and_onset() {
    let report = workspace(30, &[]).run(&[]);
    assert_eq!(report["divergence"]["search-skipped"], Value::Null);
    let (b, a) = (subgroup(&report, "b"), subgroup(&report, "a"));
    assert_eq!((&b["direction"], &a["direction"]), (&json!("less-agreement"), &json!("more-agreement")));
    assert_eq!(b["most-common"], json!({ "model": "b", "substrate": "z", "pairs": 255 }));
    for class in [a, b] {
        assert_eq!(
            (&class["onset"]["since"], &class["onset"]["window"]),
            (&json!("change-point"), &json!("2026-03-16"))
        );
    }
    // The onset refers to the gap to the rest.
    let after = b["onset"]["after"].as_f64().expect("a figure");
    assert!((after - (0.25 - 0.9)).abs() < 0.03, "{after}");
    let changes = divergence(&report)["change-points"].as_array().expect("changes");
    assert_eq!(changes.iter().map(|change| &change["window"]).collect::<Vec<_>>(), ["2026-03-16"]);
}

#[test]
fn nine_windows_are_too_few_for_an_onset() {
    let workspace = workspace(24, &[("every = \"day\"", "every = \"week\"")]);
    let report = workspace.run(&[]);
    assert_eq!(divergence(&report)["change-points"], Value::Null);
    assert_eq!(subgroup(&report, "b")["onset"], json!({ "since": "unknown" }));
    let page = workspace.understudy(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains("at least 10 windows with pairs are needed."), "{page}");
    assert!(!page.contains("No change of"), "{page}");
}

#[test]
fn without_conditions_the_report_says_that_nothing_was_searched() {
    let condition = "[[conditions]]\nname = \"room\"\nfield = \"booked\"\nvalues = [\"a\", \"b\"]\n";
    let workspace = workspace(2, &[(condition, "")]);
    let report = workspace.run(&[]);
    assert_eq!(report["divergence"]["search-skipped"], "no-conditions");
    let page = workspace.understudy(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains("No conditions are declared, so there are no subgroups to search for."), "{page}");
}

#[test]
fn a_metric_with_too_many_components_has_only_its_value() {
    let labels = |count: usize| (0..count).map(|at| format!("\"r{at}\", ")).collect::<String>();
    let kappa = |count: usize| {
        format!(
            "plugin = \"PLUGINS/kappa.wasm\"\nconfig = {{ labels = [{}\"a\", \"b\", \"z\"] }}",
            labels(count)
        )
    };
    let [few, many] = [28, 29].map(|count| {
        let change = kappa(count);
        workspace(30, &[("plugin = \"PLUGINS/agreement.wasm\"", &change)]).run(&[])
    });
    let overall = |report: &Value| report["models"][0]["scores"][0]["overall"].clone();
    assert_eq!(overall(&few)["value"], overall(&many)["value"]);
    assert_eq!(few["divergence"]["search-skipped"], Value::Null);
    // Within a subgroup the model has only one label, so kappa is always 0 and has no variance.
    assert_eq!((&divergence(&few)["candidates"], &divergence(&few)["tested"]), (&json!(2), &json!(0)));
    assert_eq!(many["divergence"]["search-skipped"], "too-many-components");
    assert_eq!((&overall(&many)["interval"], &divergence(&many)["subgroups"]), (&Value::Null, &json!([])));
    assert_ne!(overall(&few)["interval"], Value::Null);
}
