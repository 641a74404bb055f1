//! Records that wait for their partner beyond the memory that they may have wait on disk, and nothing else changes.

use serde_json::Value;
use understudy_tests::{Bench, account, essence, synthetic};

/// Sixty thousand snapshots that all wait until the last of them has come.
fn report(memory: &str) -> Value {
    let bench = synthetic::bench(60_000);
    bench.change(&[
        ("horizon = \"15m\"", "horizon = \"5d\""),
        ("every = \"day\"\n", &format!("every = \"day\"\n\n[limits]\n{memory}")),
    ]);
    bench.run(&["--order", "snapshots-first"])
}

fn figures(report: &Value) -> Value {
    let mut figures = essence(report);
    figures.as_object_mut().expect("a report is an object").remove("declaration");
    figures
}

#[test]
fn figures_are_the_same_bits_wherever_records_wait() {
    let plenty = report("");
    let little = report("waiting-mib = 1\n");
    assert_eq!(account(&plenty, "snapshots"), [("received", 60_000), ("paired", 60_000)]);
    assert_eq!(figures(&little), figures(&plenty));
}

/// Rankings with gaps, and a model that abstains from some.
fn rankings(memory: &str) -> Value {
    let bench = Bench::small();
    bench.change(&[
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
    bench.lines("snapshots.jsonl", (0..20_000).map(line));
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","room":{}}}"#, at(row), names(row + row % 2));
    bench.lines("decisions.jsonl", (0..20_000).map(line));
    bench.run(&["--order", "snapshots-first"])
}

#[test]
fn rankings_and_gaps_wait_as_well() {
    let (plenty, little) = (rankings(""), rankings("waiting-mib = 1\n"));
    assert_eq!(account(&plenty, "snapshots"), [("received", 20_000), ("paired", 20_000)]);
    assert!(plenty["models"][0]["abstained"].as_u64() > Some(3_000), "{}", plenty["models"][0]["abstained"]);
    assert_eq!(figures(&little), figures(&plenty));
}

#[test]
fn a_run_that_is_verified_waits_on_disk_too() {
    let bench = synthetic::bench(60_000);
    bench.change(&[
        ("horizon = \"15m\"", "horizon = \"5d\""),
        ("every = \"day\"\n", "every = \"day\"\n\n[limits]\nwaiting-mib = 1\n"),
    ]);
    bench.run(&["--order", "decisions-first"]);
    assert_eq!(left_behind(&bench), [] as [String; 0]);
    let said = bench.understudy(&["verify", "run"]);
    assert_eq!(said.code, 0, "{}", said.out);
}

/// What is left in the run of the files in which records waited.
fn left_behind(bench: &Bench) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path().join("run")).expect("a run");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".tmp")).collect()
}
