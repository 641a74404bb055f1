//! A served study whose model and comparator can be swapped, and its clients.

use std::path::Path;

use arrow::array::AsArray as _;
use arrow::datatypes::{UInt32Type, UInt64Type};
use serde_json::{Value, json};
use understudy_study::{PerStream, StreamKind};
use understudy_tests::http::Client;
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed};
use understudy_tests::{TestWorkspace, plugin};

/// Every fourth decision differs from its snapshot. Model and comparator may both read the snapshot's text,
/// so that `evil`, which answers the text except on its trigger, can replace either.
pub fn study() -> StudyToml {
    let config = r#"{ field = "text", form = "label" }"#;
    StudyToml::new("swap")
        .input("text", "text")
        .decision("text", "text")
        .http()
        .model("echo", "text")
        .plugin_comparator("rules", "PLUGINS/recorded.wasm", &["text", "decision.text"], Some(config))
        .metric("agreement")
        .section("swaps", "last = 100\nfailed-rows = 20")
}

const CAREFUL: &str = r#"{ "on": "cue", "do": "trap-unreachable" }"#;

pub fn workspace(more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", format!("{}{more}", study()));
    workspace.write("careful.json", CAREFUL);
    workspace.write("by-decision.json", r#"{ "field": "decision.text", "form": "label" }"#);
    workspace
}

pub fn snapshot(number: u64, text: &str) -> String {
    let at = format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    format!("{{\"id\":\"s{number}\",\"at\":\"{at}\",\"text\":\"{text}\"}}\n")
}

pub fn text(number: u64) -> &'static str {
    ["a", "b", "c"][number as usize % 3]
}

pub fn decided(number: u64) -> &'static str {
    if number.is_multiple_of(4) { "d" } else { text(number) }
}

/// Sends lines and returns the receipt.
pub fn send(client: &mut Client, path: &str, lines: &str) -> Value {
    let answer = client.send("POST", path, &[("content-type", "application/x-ndjson")], lines.as_bytes());
    assert!(answer.status == 202 || answer.status == 422, "{answer:?}");
    answer.json()
}

/// Sends snapshots and decisions with these numbers.
pub fn feed(serving: &ServedRun, numbers: std::ops::Range<u64>) {
    let mut client = serving.client();
    let lines: String = numbers.clone().map(|number| snapshot(number, text(number))).collect();
    assert_eq!(send(&mut client, "/v1/snapshots", &lines)["excluded"], json!([]));
    let lines: String = numbers.map(|number| snapshot(number, decided(number))).collect();
    assert_eq!(send(&mut client, "/v1/decisions", &lines)["excluded"], json!([]));
}

/// Waits until this many pairs are compared, so that shadow comparisons have data.
pub fn wait_for_pairs(serving: &ServedRun, pairs: u64) {
    understudy_tests::process::wait_until("the pairs are counted", || {
        let status = serving.client().get("/v1/status").json();
        status["run-status"]["accounting"]["snapshots"]["paired"].as_u64() >= Some(pairs)
    });
}

/// Serves a study with sixty pairs for shadow comparisons.
pub fn served(workspace: &TestWorkspace) -> ServedRun {
    let serving = ServedRun::start(workspace, &[]);
    feed(&serving, 0..60);
    wait_for_pairs(&serving, 60);
    serving
}

/// Ends a run and returns its report.
pub fn end(workspace: &TestWorkspace, serving: ServedRun) -> Value {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.report("run")
}

pub fn verified(workspace: &TestWorkspace) {
    workspace.ok(&["verify", "run"]);
    let output = workspace.understudy(&["replay", "run"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

/// Sequence number and generation of each row of a table.
pub fn generations(run: &Path, table: &str, sequence: &str) -> Vec<(u64, u32)> {
    let Some(rows) = sealed(run, table) else { return Vec::new() };
    let sequences = column(&rows, sequence);
    let generations = column(&rows, "generation");
    let sequences = sequences.as_primitive::<UInt64Type>().values().to_vec();
    sequences.into_iter().zip(generations.as_primitive::<UInt32Type>().values().iter().copied()).collect()
}

/// The first sequence numbers of each generation from 1 on, according to the ledger.
pub fn first_sequences(workspace: &TestWorkspace) -> Vec<PerStream<u64>> {
    let first = |entry: &Value, kind: StreamKind| {
        entry["first-sequences"][kind.name()].as_u64().expect("a sequence number")
    };
    let entries = workspace.ledger_entries("run", Some("swap-applied"));
    entries.iter().map(|entry| PerStream::from_fn(|kind| first(entry, kind))).collect()
}

/// The generation of a record, by its sequence number.
pub fn generation(first_sequences: &[PerStream<u64>], kind: StreamKind, sequence: u64) -> u32 {
    first_sequences.iter().filter(|first| first[kind] <= sequence).count() as u32
}

pub fn recorded() -> String {
    plugin("recorded").display().to_string()
}

pub fn evil() -> String {
    plugin("guests/evil").display().to_string()
}
