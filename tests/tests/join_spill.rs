//! Unmatched records beyond the memory limit of the join spill to disk, without any other effect.

use serde_json::Value;
use understudy_tests::{TestWorkspace, account, deterministic_part, synthetic};

/// Sixty thousand snapshots that stay unmatched until the last of them has arrived.
fn report(memory: &str) -> Value {
    let workspace = synthetic::workspace(60_000);
    workspace.edit_study(&[
        ("horizon = \"15m\"", "horizon = \"5d\""),
        ("every = \"day\"\n", &format!("every = \"day\"\n\n[limits]\n{memory}")),
    ]);
    workspace.run(&["--order", "snapshots-first"])
}

fn figures(report: &Value) -> Value {
    let mut figures = deterministic_part(report);
    figures.as_object_mut().expect("a report is an object").remove("declaration-digest");
    figures
}

#[test]
fn metrics_are_identical_with_and_without_spilling() {
    let plenty = report("");
    let little = report("join-buffer-mib = 1\n");
    assert_eq!(account(&plenty, "snapshots"), [("received", 60_000), ("paired", 60_000)]);
    assert_eq!(figures(&little), figures(&plenty));
}

/// Rankings with missing values, and a model that abstains from some.
fn rankings(memory: &str) -> Value {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("booked = \"text\"", "booked = \"json\""),
        ("field = \"booked\", form = \"label\"", "field = \"booked\", form = \"ranking\""),
        ("room = \"text\"", "room = \"json\""),
        ("field = \"decision.room\", form = \"label\"", "field = \"decision.room\", form = \"ranking\""),
        (
            "name = \"agreement\"\nplugin = \"PLUGINS/agreement.wasm\"",
            "name = \"overlap\"\nplugin = \"PLUGINS/top_k_overlap.wasm\"\nconfig = { k = 2 }",
        ),
        ("field = \"booked\"\nvalues = [\"a\", \"b\"]", "field = \"nights\"\nvalues = [0, 1]"),
        ("every = \"day\"\n", &format!("every = \"day\"\n\n[limits]\n{memory}")),
    ]);
    let at = |row: u64| format!("2026-03-01T{:02}:{:02}:{:02}Z", row / 3600, row / 60 % 60, row % 60);
    let names = |row: u64| match row % 5 {
        0 => "null".to_owned(),
        other => format!(r#"["bay-{}","bay-{}","\u00e9 {other}"]"#, row % 7, 7 + row % 11),
    };
    let line = |row: u64| {
        format!(r#"{{"id":"{row}","at":"{}","booked":{},"nights":{}}}"#, at(row), names(row), row % 3)
    };
    workspace.write_lines("snapshots.jsonl", (0..20_000).map(line));
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","room":{}}}"#, at(row), names(row + row % 2));
    workspace.write_lines("decisions.jsonl", (0..20_000).map(line));
    workspace.run(&["--order", "snapshots-first"])
}

#[test]
fn rankings_and_missing_values_can_spill() {
    let (plenty, little) = (rankings(""), rankings("join-buffer-mib = 1\n"));
    assert_eq!(account(&plenty, "snapshots"), [("received", 20_000), ("paired", 20_000)]);
    assert!(plenty["models"][0]["abstained"].as_u64() > Some(3_000), "{}", plenty["models"][0]["abstained"]);
    assert_eq!(figures(&little), figures(&plenty));
}

#[test]
fn verification_can_spill() {
    let workspace = synthetic::workspace(60_000);
    workspace.edit_study(&[
        ("horizon = \"15m\"", "horizon = \"5d\""),
        ("every = \"day\"\n", "every = \"day\"\n\n[limits]\njoin-buffer-mib = 1\n"),
    ]);
    workspace.run(&["--order", "decisions-first"]);
    assert_eq!(left_behind(&workspace), [] as [String; 0]);
    workspace.ok(&["verify", "run"]);
}

/// The spill files that remain in the run.
fn left_behind(workspace: &TestWorkspace) -> Vec<String> {
    let entries = std::fs::read_dir(workspace.path().join("run")).expect("a run");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".tmp")).collect()
}
