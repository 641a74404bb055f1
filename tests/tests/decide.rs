//! `understudy decide` on runs that are live, exposed, reduced by retention, or tampered with.

use std::fs;

use serde_json::Value;
use understudy_tests::TestWorkspace;
use understudy_tests::process::{TestProcess, wait_until};

const THRESHOLD: &str = r#"
[threshold]
at-least = 0.7
quantifier = "every-window"
windows = { first = 2 }
evidence = "point"
least-per-window = 10
chance = "not-asked"
[blinding]
share = 0
"#;

/// A study over three days with twenty snapshots each, of which `misses` per day have another decision.
fn study(misses: usize, more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    workspace.write("study.toml", format!("{text}{more}"));
    // Records before the first and after the last day show that these days are complete.
    let mut snapshots = vec![snapshot(0, 12)];
    for day in 1..4 {
        snapshots.extend((0..20).map(|number| snapshot(day, number)));
    }
    snapshots.push(snapshot(4, 0));
    workspace.write_lines("snapshots.jsonl", &snapshots);
    workspace.write_lines("decisions.jsonl", decisions(misses));
    workspace
}

fn snapshot(day: usize, number: usize) -> String {
    let hour = number % 24;
    format!(
        r#"{{"id":"s{day}-{number}","at":"2026-03-0{}T{hour:02}:00:00Z","booked":"a","nights":1}}"#,
        day + 1
    )
}

fn decisions(misses: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for day in 1..4 {
        lines.extend((0..20).map(|number| {
            let room = if number < misses { "b" } else { "a" };
            format!(
                r#"{{"id":"s{day}-{number}","at":"2026-03-0{}T{number:02}:30:00Z","room":"{room}"}}"#,
                day + 1
            )
        }));
    }
    lines
}

fn verdict(workspace: &TestWorkspace) -> Value {
    let text = fs::read(workspace.path().join("run/verdict.json")).expect("a verdict");
    serde_json::from_slice(&text).expect("a verdict is JSON")
}

fn first_ruling(workspace: &TestWorkspace) -> Value {
    verdict(workspace)["models"][0]["scopes"][0].clone()
}

#[test]
fn verdicts_list_who_saw_rows_of_a_live_run() {
    let workspace = study(2, &THRESHOLD.replace("first = 2", "latest = 2"));
    workspace.edit_study(&[
        ("file = \"decisions.jsonl\"", "stdin = true"),
        ("horizon = \"1d\"", "horizon = \"1h\""),
    ]);
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed(decisions(2).join("\n") + "\n");
    wait_until("pairs are shown", || workspace.understudy(&["log", "run"]).stdout.contains("s3-10"));
    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(output.code, 2, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("The run has not ended"), "{}", output.stdout);
    assert!(output.stdout.contains("a point estimate decides nothing before the end"), "{}", output.stdout);
    assert_eq!(verdict(&workspace)["closed"], false);
    running.close_stdin();
    let output = running.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);

    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    let reason = first_ruling(&workspace)["reasons"][0]["text"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("answers were shown") && reason.contains("rows by log"), "{reason}");
    let entries = workspace.ledger_entries("run", Some("verdict"));
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["rulings"], serde_json::json!(["echo/all: VOID"]));
    workspace.ok(&["verify", "run"]);
}

#[test]
fn exposures_after_the_end_do_not_affect_the_verdict() {
    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    workspace.ok(&["decide", "run"]);
    workspace.ok(&["export", "run", "--output", "rows.csv"]);
    let before = fs::read(workspace.path().join("run/verdict.json")).expect("a verdict");
    workspace.ok(&["decide", "run"]);
    assert_eq!(fs::read(workspace.path().join("run/verdict.json")).expect("a verdict"), before);
}

#[test]
fn daily_windows_are_evaluated_by_counts() {
    for (misses, code) in [(6, 0), (7, 1)] {
        let workspace = study(misses, THRESHOLD);
        workspace.run(&[]);
        let output = workspace.understudy(&["decide", "run"]);
        assert_eq!(output.code, code, "{}", output.stdout);
        let ruling = first_ruling(&workspace);
        assert_eq!(
            (&ruling["windows"][0]["hits"], &ruling["windows"][0]["pairs"]),
            (&(20 - misses).into(), &20.into())
        );
    }
}

#[test]
fn a_damaged_run_is_void_and_a_changed_verdict_is_detected() {
    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    workspace.ok(&["decide", "run"]);
    let path = workspace.path().join("run/verdict.json");
    let good = fs::read_to_string(&path).expect("a verdict");
    fs::write(&path, good.replace("\"hits\": 18", "\"hits\": 19")).expect("it can be written");
    let output = workspace.understudy(&["verify", "run"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("BROKEN     verdict.json: the file was changed"), "{}", output.stdout);
    // A changed verdict file is not damage of the run, which can be decided again.
    let output = workspace.ok(&["decide", "run"]);
    assert!(output.stderr.contains("verdict.json: the file was changed"), "{}", output.stderr);
    assert!(
        output.stderr.contains("it differed from the recorded verdict and is written again"),
        "{}",
        output.stderr
    );
    assert_eq!(fs::read_to_string(&path).expect("a verdict"), good);
    workspace.ok(&["verify", "run"]);

    // The threshold is changed at the end.
    let path = workspace.path().join("run/study.toml");
    let text = fs::read_to_string(&path).expect("the run's study");
    fs::write(&path, text.replace("at-least = 0.7", "at-least = 0.6")).expect("it can be written");
    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(output.code, 3, "{}", output.stdout);
    assert!(output.stdout.contains("VOID: the run is damaged or altered"), "{}", output.stdout);
    assert!(output.stdout.contains("study.toml"), "{}", output.stdout);
}

#[test]
fn a_failed_verdict_keeps_the_previous_one() {
    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    workspace.ok(&["decide", "run"]);
    let path = workspace.path().join("run/verdict.json");
    let before = fs::read(&path).expect("a verdict");
    let arguments =
        ["disclose", "run", "comparator-change", "--since", "2026-03-02T00:00:00Z", "--text", "rules"];
    workspace.ok(&arguments);
    workspace.ok(&["key", "other", "--output", "other.key"]);
    let output = workspace.understudy(&["decide", "run", "--sign-key", "other.key"]);
    assert_eq!(output.code, 4, "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("it was started without a key"), "{}", output.stderr);
    assert_eq!(fs::read(&path).expect("a verdict"), before);
    let verified = workspace.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0);
    assert!(verified.stdout.contains("it does not cover later events (rules"), "{}", verified.stdout);

    // It works with or without the file of the previous verdict.
    fs::remove_file(&path).expect("it can be removed");
    let output = workspace.understudy(&["report", "run"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("run `understudy decide` again"), "{}", output.stderr);
    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("the substrate or its comparator changed"), "{}", output.stdout);
    assert!(output.stderr.contains("verdict.json: cannot be read"), "{}", output.stderr);
    workspace.ok(&["verify", "run"]);
    workspace.ok(&["report", "run"]);
}

#[test]
fn runs_without_threshold_and_what_if_runs_have_no_verdict() {
    let workspace = study(2, "");
    workspace.run(&[]);
    let output = workspace.understudy(&["decide", "run"]);
    assert_eq!(
        (output.code, output.stderr.trim()),
        (
            4,
            "study \"small\" declares no threshold, so there is nothing to decide; declare [threshold] before the run starts"
        )
    );
    let output = workspace.understudy(&["decide", "elsewhere"]);
    assert_eq!(output.code, 4, "{}", output.stderr);

    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    let component = understudy_tests::plugin("recorded");
    let model = format!("echo={}", component.display());
    workspace.ok(&["replay", "run", "--model", &model, "--run", "what-if"]);
    let output = workspace.understudy(&["decide", "what-if"]);
    assert_eq!(output.code, 4);
    assert!(output.stderr.contains("is an offline evaluation of another run's log"), "{}", output.stderr);
}

#[test]
fn reference_files_are_sealed() {
    let more = "[[threshold.reference]]\ncondition = \"room\"\nfile = \"rooms.json\"\ntolerance = 0.1\n";
    let workspace = study(2, &THRESHOLD.replace("[blinding]", &format!("{more}[blinding]")));
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("the reference `rooms.json`") && output.stderr.contains("cannot read it"),
        "{}",
        output.stderr
    );
    workspace.write("rooms.json", r#"{"a": 9, "b": 1}"#);
    workspace.ok(&["seal", "study.toml"]);
    workspace.write("rooms.json", r#"{"a": 8, "b": 1}"#);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("the file `rooms.json` was "), "{}", output.stderr);
    workspace.write("rooms.json", r#"{"a": 9, "b": 1}"#);
    workspace.run(&[]);
    workspace.ok(&["decide", "run"]);
    let shares = &verdict(&workspace)["inputs"];
    assert_eq!(
        (&shares[0]["value"], &shares[0]["snapshots"], &shares[0]["reference"]),
        (&"a".into(), &40.into(), &0.9.into())
    );
}

#[test]
fn clustered_pairs_have_wider_bounds() {
    let bound = THRESHOLD.replace("evidence = \"point\"", "evidence = \"bound\"\nconfidence = 0.95");
    let method = |more: &str| {
        let workspace = study(2, &bound.replace("[blinding]", &format!("{more}\n[blinding]")));
        workspace.run(&[]);
        let output = workspace.understudy(&["decide", "run"]);
        assert!([0, 2].contains(&output.code), "{}{}", output.stdout, output.stderr);
        first_ruling(&workspace)["pooled"].clone()
    };
    assert_eq!(method("")["method"], "exact");
    // All snapshots have the same number of nights: a single cluster has no variance.
    let together = method("cluster = \"nights\"");
    assert_eq!((&together["method"], &together["interval"]), (&Value::Null, &Value::Null));
}

#[test]
fn meaningless_bounds_are_rejected() {
    let error_of = |asked: &str| {
        let output =
            study(2, &THRESHOLD.replace("at-least = 0.7", asked)).understudy(&["check", "study.toml"]);
        assert_eq!(output.code, 1, "{asked}\n{}", output.stdout);
        output.stderr
    };
    for (asked, what) in [
        (
            "at-most = 0.7",
            "requires at-most, but higher values are closer: a model that never agrees would pass; write at-least",
        ),
        (
            "at-least = 0",
            "requires at-least = 0, which every value of the metric meets; write a bound that can be missed",
        ),
        (
            "at-least = -3",
            "requires at-least = -3, which every value of the metric meets; write a bound that can be missed",
        ),
        (
            "at-least = 1.5",
            "requires at-least = 1.5, which no value of the metric reaches; write a bound that can be met",
        ),
    ] {
        let error = error_of(asked);
        assert!(error.contains(what), "{error}");
    }
    let all = study(2, &THRESHOLD.replace("at-least = 0.7", "at-least = 1"));
    all.ok(&["check", "study.toml"]);
}

#[test]
fn events_count_until_the_last_possible_decision() {
    // The second day ends on the 4th at midnight, and its decisions can arrive one day later.
    for (since, code) in [("2026-03-04T23:59:59Z", 3), ("2026-03-05T00:00:00Z", 0)] {
        let workspace = study(2, THRESHOLD);
        workspace.run(&[]);
        let arguments = ["disclose", "run", "comparator-change", "--since", since, "--text", "new rules"];
        workspace.ok(&arguments);
        assert_eq!(workspace.understudy(&["decide", "run"]).code, code, "{since}");
    }
    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    let arguments = ["disclose", "run", "exposure", "--since", "2999-01-01T00:00:00Z", "--text", "a screen"];
    let output = workspace.understudy(&arguments);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("is in the future"), "{}", output.stderr);
}

#[test]
fn records_older_than_the_seal_are_reported() {
    let workspace = study(2, THRESHOLD);
    workspace.run(&[]);
    let output = workspace.understudy(&["decide", "run"]);
    assert!(output.stdout.contains("THE RECORDS START BEFORE THAT"), "{}", output.stdout);
    assert!(
        output.stdout.contains("No pairs were blinded, so contamination was not tested."),
        "{}",
        output.stdout
    );
}
