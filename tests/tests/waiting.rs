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
