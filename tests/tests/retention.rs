//! Retention: raw records and fields of snapshots are dropped. Everything else remains and still verifies.

use std::fs;
use std::path::Path;

use serde_json::Value;
use understudy_tests::process::wait_until;
use understudy_tests::tables::{sealed, segments};
use understudy_tests::{TestWorkspace, deterministic_part, synthetic};

/// The column names of the table `snapshots`.
fn columns(run: &Path) -> Vec<String> {
    let rows = sealed(run, "snapshots").expect("rows");
    rows.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// The small study with a retention of one second.
fn brief() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("every = \"day\"\n", "every = \"day\"\n\n[log]\nretain = \"1s\"\n")]);
    workspace
}

/// Waits until a drop is due, then drops.
fn retain(workspace: &TestWorkspace) -> String {
    let mut output = String::new();
    wait_until("something is due", || {
        let now = workspace.understudy(&["retain", "run"]);
        assert_eq!((now.code, now.stderr.as_str()), (0, ""));
        output = now.stdout;
        output != "no segment is due\n"
    });
    output
}

#[test]
fn fields_are_dropped_and_answers_and_scores_remain() {
    let workspace = brief();
    let before = workspace.run(&[]);
    let run = workspace.path().join("run");
    let whole = columns(&run);
    insta::assert_snapshot!(retain(&workspace), @"deleted text and fields of snapshots in 1 segment; recorded in the ledger");
    let left = columns(&run);
    insta::assert_snapshot!(left.join(" "), @"sequence generation line offset id observed_at digest model.echo.answer model.echo.unanswered model.echo.confidence model.echo.nanos");
    let [entry] = &workspace.ledger_entries("run", Some("segment-reduced"))[..] else {
        panic!("one segment was reduced")
    };
    let dropped: Vec<_> =
        entry["dropped-columns"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(dropped, ["input.booked", "input.nights", "raw"]);
    assert_eq!(whole.len(), left.len() + dropped.len());
    assert_eq!(workspace.understudy(&["retain", "run"]).stdout, "no segment is due\n");

    let verified = workspace.ok(&["verify", "run"]);
    let figures =
        verified.stdout.lines().find(|line| line.starts_with("figures")).expect("the figures are checked");
    insta::assert_snapshot!(figures, @"figures    the sums of 5 windows follow from the stored scores of 5 pairs, bit for bit; report.json too. The pairs are not computed again: the fields of 1 segment were dropped, as the study declares. So the counts of records, the statistics of the verdict, the sums of revised decisions, the sums by profile, the answer distributions and the latencies are taken from checkpoint.bin as they are");
    let json = workspace.understudy(&["report", "run", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).expect("JSON")["report"], before);
    let replayed = workspace.understudy(&["replay", "run"]);
    assert_eq!(replayed.code, 0);
    insta::assert_snapshot!(format!("{}{}", replayed.stdout, replayed.stderr), @"
    echo: 0 rows, 0 differ
    5 snapshots not replayed: the study declares that their fields are dropped
    ");
    insta::assert_snapshot!(workspace.understudy(&["export", "run", "--output", "rows.csv"]).stderr, @"cannot read the fields of the snapshots in run: `log.retain` of its study dropped them in 1 segments, so they can neither be shown nor passed to other plugins");
}

#[test]
fn an_interrupted_drop_is_completed_or_rolled_back() {
    let workspace = brief();
    workspace.run(&[]);
    let path = workspace.path().join("run/snapshots/000000.parquet");
    let beside = path.with_extension("parquet.reduced");
    let whole = fs::read(&path).expect("a sealed segment");
    // Interrupted before the ledger entry.
    fs::write(&beside, "half of it").expect("written");
    retain(&workspace);
    assert!(!beside.exists());
    let reduced = fs::read(&path).expect("a sealed segment");
    assert_ne!(reduced, whole);
    // Interrupted after the ledger entry.
    fs::write(&beside, &reduced).expect("written");
    fs::write(&path, &whole).expect("written");
    assert_eq!(workspace.understudy(&["verify", "run"]).code, 1);
    assert_eq!(workspace.understudy(&["retain", "run"]).stdout, "no segment is due\n");
    assert_eq!((fs::read(&path).expect("a sealed segment"), beside.exists()), (reduced, false));
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_changed_score_is_detected_after_fields_are_dropped() {
    let workspace = brief();
    workspace.run(&[]);
    retain(&workspace);
    let run = workspace.path().join("run");
    // The scores reveal a changed checkpoint, even if its digest and the ledger are rewritten: here the sums
    // are those of another run of the same study.
    let other = brief();
    let decisions = fs::read_to_string(other.path().join("decisions.jsonl")).expect("decisions");
    other.write("decisions.jsonl", decisions.replace("\"room\":\"c\"", "\"room\":\"a\""));
    other.run(&[]);
    for file in segments(&other.path().join("run"), "pairs", "parquet") {
        let name = file.file_name().expect("a name");
        fs::copy(&file, run.join("pairs").join(name)).expect("copied");
    }
    let found = workspace.understudy(&["verify", "run"]);
    assert_eq!(found.code, 1);
    assert!(found.stdout.contains("pairs/000000.parquet"), "{}", found.stdout);
}

#[test]
fn a_run_drops_fields_when_due_and_no_longer_needed() {
    let figures = |retain: &str| {
        let workspace = synthetic::workspace(60_000);
        let log = format!("every = \"day\"\n\n[log]\nsegment-rows = 4096\n{retain}");
        workspace.edit_study(&[("every = \"day\"\n", &log)]);
        let report = workspace.run(&["--batch-rows", "64"]);
        (workspace, report)
    };
    let (_, whole) = figures("");
    let (workspace, report) = figures("retain = \"1s\"\n");
    let without = |report: &Value| {
        let mut report = deterministic_part(report);
        report.as_object_mut().expect("a report is an object").remove("declaration-digest");
        report
    };
    assert_eq!(without(&report), without(&whole));
    workspace.ok(&["verify", "run"]);
}

#[test]
fn unlimited_retention_is_stated() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let output = workspace.understudy(&["retain", "run"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"cannot delete from run: its study declares no `log.retain`, so that snapshots are kept forever");
}
