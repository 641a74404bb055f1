//! Decisions that are revised: which one counts, over files and over HTTP, and the agreement before and after.

use std::thread;
use std::time::Duration;

use arrow::datatypes::DataType;
use serde_json::{Value, json};
use understudy_tests::messy_streams::{self, RecordCounts, assert_same_log, assert_verifies};
use understudy_tests::process::TestProcess;
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::synthetic::Numbers;
use understudy_tests::tables::{column, sealed};
use understudy_tests::{TestWorkspace, account, deterministic_part, overall};

const HORIZON: &str = "horizon = \"2d\"";
const MODES: [&str; 3] =
    ["revisions = \"first\"", "revisions = \"last\"", "revisions = \"last\"\nversion = \"revision\""];

/// The booked room of a snapshot.
fn booked(day: usize) -> &'static str {
    ["b", "a"][day % 2]
}

/// The snapshots, one a day: `s1` to `s20`.
fn snapshots() -> Vec<String> {
    let line = |day: usize| {
        let room = booked(day);
        format!(r#"{{"id":"s{day}","at":"2026-03-{day:02}T10:00:00Z","booked":"{room}","nights":{day}}}"#)
    };
    (1..=20).map(line).collect()
}

fn decision(day: usize, at: &str, room: &str, revision: usize) -> String {
    format!(r#"{{"id":"s{day}","at":"2026-03-{at}:00:00Z","room":"{room}","revision":{revision}}}"#)
}

/// The decisions, in order of time.
fn decisions() -> Vec<String> {
    let revised = [
        // A day later.
        (2, "02T11", "a", 1),
        (2, "03T11", "b", 2),
        // By version against time.
        (3, "03T12", "b", 2),
        (3, "04T11", "a", 1),
        // Three revisions.
        (4, "04T12", "c", 1),
        (4, "04T13", "a", 2),
        (4, "04T14", "b", 3),
        // Back to the first decision.
        (5, "05T11", "a", 1),
        (5, "05T12", "b", 2),
        (5, "05T13", "a", 3),
        // Beyond the horizon.
        (6, "06T11", "a", 1),
        (6, "09T12", "b", 2),
        // Before the snapshot.
        (7, "07T08", "a", 1),
        (7, "07T09", "b", 2),
    ];
    let mut all: Vec<(String, String)> =
        revised.map(|(day, at, room, revision)| (at.to_owned(), decision(day, at, room, revision))).to_vec();
    for day in (1..=20).filter(|day| !(2..=7).contains(day)) {
        let at = format!("{day:02}T15");
        let line = decision(day, &at, booked(day), 1);
        all.push((at, line));
    }
    // The same bytes again.
    let again = all[all.len() - 1].clone();
    all.push(again);
    all.sort();
    all.into_iter().map(|(_, line)| line).collect()
}

/// The study with both streams in files.
fn workspace(revisions: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study =
        StudyToml::small().decision("revision", "integer").horizon("2d").section("log", "segment-rows = 4");
    workspace.write("study.toml", study.to_string().replacen(HORIZON, &format!("{HORIZON}\n{revisions}"), 1));
    workspace.write_lines("snapshots.jsonl", snapshots());
    workspace.write_lines("decisions.jsonl", decisions());
    workspace
}

/// The study over HTTP.
fn served(revisions: &str) -> TestWorkspace {
    let workspace = workspace(revisions);
    workspace.edit_study(&[
        ("{ file = \"snapshots.jsonl\" }", "{ http = true }"),
        ("{ file = \"decisions.jsonl\" }", "{ http = true }"),
    ]);
    workspace
}

fn send(serving: &ServedRun, stream: &str, records: &[String]) {
    let mut client = serving.client();
    for record in records {
        let response = client.post(&format!("/v1/{stream}"), record);
        assert_eq!(response.status, 202, "{record}: {}", response.text());
    }
}

fn end(workspace: &TestWorkspace, serving: ServedRun) -> Value {
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    let output = serving.wait_with_output();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    workspace.ok(&["verify", "run"]);
    workspace.report("run")
}

#[test]
fn refused_revisions_are_conflicts() {
    let workspace = workspace("revisions = \"refuse\"");
    let report = workspace.run(&[]);
    let wanted = [("received", 29), ("duplicate", 1), ("conflict", 8), ("paired", 20)];
    assert_eq!(account(&report, "decisions"), wanted);
    assert_eq!(report["revisions"], Value::Null);
    assert_eq!(overall(&report, 0, 0)["value"], json!(0.8));
    workspace.ok(&["verify", "run"]);
}

#[test]
fn the_declared_decision_counts() {
    let agreement = |report: &Value, end: &str| {
        report["revisions"]["models"][0]["scores"][0][end]["overall"]["value"].clone()
    };
    for (mode, counts, hits, first, last) in [
        (MODES[0], "first", 0.8, 0.4, 0.8),
        (MODES[1], "last", 0.9, 0.4, 0.8),
        (MODES[2], "last", 0.85, 0.6, 0.6),
    ] {
        let workspace = workspace(mode);
        let report = workspace.run(&[]);
        let wanted = [("received", 29), ("duplicate", 1), ("paired", 20), ("revised", 7), ("expired", 1)];
        assert_eq!(account(&report, "decisions"), wanted, "{mode}");
        assert_eq!(account(&report, "snapshots"), [("received", 20), ("paired", 20)], "{mode}");
        assert_eq!(overall(&report, 0, 0)["value"], json!(hits), "{mode}");
        let revisions = &report["revisions"];
        assert_eq!(revisions["counts"], counts);
        assert_eq!(
            revisions["overall"],
            json!({ "pairs": 5, "decisions": 7, "known": 5, "changed": 4 }),
            "{mode}"
        );
        let a = json!({ "pairs": 3, "decisions": 4, "known": 3, "changed": 2 });
        let b = json!({ "pairs": 2, "decisions": 3, "known": 2, "changed": 2 });
        assert_eq!([&revisions["conditions"][0][0], &revisions["conditions"][0][1]], [&a, &b], "{mode}");
        assert_eq!(
            (agreement(&report, "first"), agreement(&report, "last")),
            (json!(first), json!(last)),
            "{mode}"
        );
        workspace.ok(&["verify", "run"]);
        workspace.ok(&["replay", "run"]);
    }
}

#[test]
fn the_account_of_revised_decisions_is_printed() {
    let workspace = workspace(MODES[1]);
    let output = workspace.ok(&["run", "study.toml", "--run", "run"]).stdout;
    for line in [
        "+ revised",
        "5 of 20 pairs have more than one decision; the last one counts, by event time.",
        "The comparator answered both the first and the last decision of 5 pairs; its answer changed in 4.",
    ] {
        assert!(output.contains(line), "{line}: {output}");
    }
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains("## Revised decisions"), "{page}");
    assert!(page.contains("| agreement | echo | 0.400000 | 0.800000 |"), "{page}");
}

#[test]
fn the_pair_table_has_both_decisions() {
    let workspace = workspace(MODES[2]);
    workspace.run(&[]);
    let pairs = sealed(&workspace.path().join("run"), "pairs").expect("there are pairs");
    let text = |name: &str, row: usize| {
        let values = column(&pairs, name);
        // Without a time zone, whose name the display would have to know.
        let values = match values.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                arrow::compute::cast(&values, &DataType::Timestamp(*unit, None)).expect("the same times")
            }
            _ => values,
        };
        arrow::util::display::array_value_to_string(&values, row).expect("a value")
    };
    let mut found: Vec<String> = (0..pairs.num_rows())
        .filter(|row| text("revised.decisions", *row) != "0")
        .map(|row| {
            let names =
                ["id", "revised.decisions", "comparator.answer", "revised.answer", "revised.decided_at"];
            names.map(|name| text(name, row)).join(" ")
        })
        .collect();
    found.sort();
    let wanted = [
        "s2 1 b a 2026-03-02T11:00:00",
        "s3 1 b a 2026-03-04T11:00:00",
        "s4 2 b c 2026-03-04T12:00:00",
        "s5 2 a a 2026-03-05T11:00:00",
        "s7 1 b a 2026-03-07T08:00:00",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_case_shows_all_decisions_of_its_snapshot() {
    let workspace = workspace(MODES[1]);
    workspace.run(&[]);
    let output = workspace.ok(&["case", "run", "s4", "--who", "Ana"]).stdout;
    assert!(
        output.contains("Decision  decided 2026-03-04 14:00:00 UTC, 4.00 h after the snapshot"),
        "{output}"
    );
    for at in ["12:00:00 UTC, 2.00 h", "13:00:00 UTC, 3.00 h"] {
        let heading =
            format!("Other decision  decided 2026-03-04 {at} after the snapshot; it does not count");
        assert!(output.contains(&heading), "{output}");
    }
    let single = workspace.ok(&["case", "run", "s10", "--who", "Ana"]).stdout;
    assert!(!single.contains("Other decision"), "{single}");
}

#[test]
fn a_review_shows_all_decisions_of_each_snapshot() {
    let workspace = workspace(MODES[1]);
    workspace.run(&[]);
    let mut running =
        TestProcess::start(workspace.command(&["review", "run", "--who", "Ana", "--sample", "20"]));
    running.feed("later\n".repeat(20));
    running.close_stdin();
    let output = running.wait_with_output();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let case = |id: &str| {
        let heading = format!("\n{id}  observed");
        let case = output.stdout.split("--- ").find(|case| case.contains(&heading));
        case.expect("model and substrate differ").to_owned()
    };
    let (single, revised) = (case("s6"), case("s7"));
    assert!(!single.contains("Other decision"), "the second decision is beyond the horizon: {single}");
    assert!(revised.contains("Other decision  decided 2026-03-07 08:00:00 UTC"), "{revised}");
}

#[test]
fn pairs_do_not_depend_on_the_order_in_which_the_streams_arrive() {
    for mode in MODES {
        let of_files = deterministic_part(&workspace(mode).run(&[]));
        let (snapshots, decisions) = (snapshots(), decisions());
        for snapshots_first in [true, false] {
            let workspace = served(mode);
            let serving = ServedRun::start(&workspace, &[]);
            let streams = [("snapshots", &snapshots), ("decisions", &decisions)];
            let streams = if snapshots_first { streams } else { [streams[1], streams[0]] };
            for (stream, records) in streams {
                send(&serving, stream, records);
            }
            let report = end(&workspace, serving);
            for part in ["accounting", "comparison", "revisions"] {
                assert_eq!(report[part], of_files[part], "{mode}, {snapshots_first}, {part}");
            }
            assert_eq!(overall(&report, 0, 0), overall(&of_files, 0, 0), "{mode}, {snapshots_first}");
        }
    }
}

#[test]
fn a_killed_run_resumes_with_the_same_pairs() {
    for mode in MODES {
        let undisturbed = {
            let workspace = served(mode);
            let serving = ServedRun::start(&workspace, &[]);
            send(&serving, "snapshots", &snapshots());
            send(&serving, "decisions", &decisions());
            end(&workspace, serving)
        };
        let workspace = served(mode);
        let (snapshots, decisions) = (snapshots(), decisions());
        // Killed between revisions, before snapshots of decisions, and behind everything.
        let mut serving = ServedRun::start(&workspace, &[]);
        for part in 0..7 {
            let rows = |all: &[String]| {
                let size = all.len().div_ceil(6);
                all.iter().skip(part * size).take(size).cloned().collect::<Vec<_>>()
            };
            send(&serving, "decisions", &rows(&decisions));
            send(&serving, "snapshots", &rows(&snapshots));
            match part % 3 {
                0 => serving.kill(),
                1 => drop(serving.stop()),
                _ => continue,
            }
            serving = ServedRun::start(&workspace, &[]);
        }
        let report = end(&workspace, serving);
        assert_eq!(deterministic_part(&report), deterministic_part(&undisturbed), "{mode}");
    }
}

#[test]
fn a_run_that_is_killed_after_its_last_group_ends_with_the_same_pairs() {
    for keeps_checkpoint in [true, false] {
        let workspace = workspace(MODES[2]);
        let undisturbed = deterministic_part(&workspace.run(&[]));
        let run = workspace.path().join("run");
        let ledger = std::fs::read_to_string(run.join("ledger.jsonl")).expect("a run has a ledger");
        let mut lines: Vec<&str> = ledger.split_inclusive('\n').collect();
        while lines.last().is_some_and(|line| !line.contains("\"ended\":true")) {
            lines.pop();
        }
        assert!(!lines.is_empty(), "no group says that the sources have ended: {ledger}");
        std::fs::write(run.join("ledger.jsonl"), lines.concat()).expect("it can be written");
        std::fs::remove_file(run.join("report.json")).expect("it is there");
        if !keeps_checkpoint {
            std::fs::remove_file(run.join("checkpoint.bin")).expect("it is there");
        }
        // A decision that arrives only now is not read: its pair is in the log.
        let mut decisions = decisions();
        decisions.push(decision(20, "21T10", "c", 9));
        workspace.write_lines("decisions.jsonl", decisions);
        let report = workspace.run(&[]);
        assert_eq!(deterministic_part(&report), undisturbed, "{keeps_checkpoint}");
        workspace.ok(&["verify", "run"]);
    }
}

#[test]
fn both_decisions_of_a_pair_are_answered_by_the_comparator_of_its_generation() {
    let workspace = served(MODES[1]);
    workspace.edit_study(&[("grant = [\"decision.room\"]", "grant = [\"decision.room\", \"booked\"]")]);
    workspace.write("by-snapshot.json", r#"{ "field": "booked", "form": "label" }"#);
    let serving = ServedRun::start(&workspace, &[]);
    let (snapshots, decisions) = (snapshots(), decisions());
    send(&serving, "snapshots", &snapshots[..10]);
    // Up to the decision on s6.
    send(&serving, "decisions", &decisions[..12]);
    let swap = ["swap", "run", "recorded", "--config", "by-snapshot.json", "--force", "--reason", "a test"];
    workspace.ok(&[&swap[..], &["--who", "test"]].concat());
    send(&serving, "snapshots", &snapshots[10..]);
    send(&serving, "decisions", &decisions[12..]);
    let report = end(&workspace, serving);
    // The new comparator gives the same answer to both decisions on s7.
    assert_eq!(
        report["revisions"]["overall"],
        json!({ "pairs": 5, "decisions": 7, "known": 5, "changed": 3 })
    );
}

#[test]
fn a_verdict_counts_revised_decisions_by_condition() {
    let workspace = workspace(MODES[1]);
    let threshold = "[threshold]\nat-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\n\
                     least-per-window = 10\nmost-orphaned = 0.1\nchance = { gain = 0.0 }\n";
    let study = std::fs::read_to_string(workspace.path().join("study.toml")).expect("it was written");
    workspace.write("study.toml", study + threshold);
    workspace.ok(&["seal", "study.toml"]);
    workspace.run(&[]);
    let decided = workspace.understudy(&["decide", "run"]);
    assert!(
        decided.stdout.contains("5 of 20 pairs have more than one decision. The last one counts"),
        "{}",
        decided.stdout
    );
    let text =
        std::fs::read_to_string(workspace.path().join("run/verdict.json")).expect("there is a verdict");
    let verdict: Value = serde_json::from_str(&text).expect("a verdict is JSON");
    let revisions = &verdict["revisions"];
    assert_eq!((&revisions["counts"], &revisions["overall"]["decisions"]), (&json!("last"), &json!(7)));
    assert_eq!(revisions["overall"]["models"][0], json!({ "model": "echo", "first": 0.4, "last": 0.8 }));
    assert_eq!(
        (&revisions["conditions"][0]["value"], &revisions["conditions"][0]["pairs"]),
        (&json!("a"), &json!(3))
    );
    workspace.ok(&["verify", "run"]);
}

/// Messy streams in which one decision of a hundred is revised, with this horizon.
fn messy(rows: u64, horizon: &str, more: &str) -> (TestWorkspace, RecordCounts) {
    let (workspace, records) = messy_streams::workspace(rows);
    workspace.edit_study(&[
        ("horizon = \"6m\"", &format!("horizon = \"{horizon}\"\nrevisions = \"last\"")),
        ("every = \"day\"\n", &format!("every = \"day\"\n\n{more}")),
    ]);
    (workspace, records)
}

#[test]
fn a_run_with_revisions_that_is_killed_often_ends_like_an_undisturbed_run() {
    const KILLS: u32 = 40;
    const COMMAND: [&str; 6] = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];
    let (workspace, records) = messy(12_000, "6m", "");
    workspace.ok(&["run", "study.toml", "--run", "plain"]);
    let plain = workspace.report("plain");
    assert!(plain["accounting"]["decisions"]["revised"].as_u64() > Some(50), "{}", plain["accounting"]);
    let checkpoint = workspace.path().join("run/checkpoint.bin");
    let mut numbers = Numbers(20_260_302);
    let mut killed = 0;
    for kill in 0..KILLS {
        if kill % 5 == 4 && checkpoint.exists() {
            std::fs::remove_file(&checkpoint).expect("it is there");
        }
        let limit = numbers.next(1_200_000);
        let mut running = TestProcess::start(workspace.command(&COMMAND));
        while running.bytes_written().is_some_and(|written| written < limit) {
            thread::sleep(Duration::from_micros(50));
        }
        if !running.kill() {
            break;
        }
        killed += 1;
    }
    assert!(killed > KILLS / 4, "{killed}");
    if !workspace.path().join("run/report.json").exists() {
        workspace.ok(&COMMAND);
    }
    assert_same_log(&workspace, "run", "plain", records);
    assert_verifies(&workspace, "run");
}

#[test]
fn revised_pairs_are_the_same_with_and_without_spilling() {
    let figures = |limits: &str, order: &str| {
        let (workspace, _) = messy(20_000, "5d", limits);
        let mut figures = deterministic_part(&workspace.run(&["--order", order]));
        workspace.ok(&["verify", "run"]);
        figures.as_object_mut().expect("a report is an object").remove("declaration-digest");
        figures
    };
    let plenty = figures("", "snapshots-first");
    let little = figures("[limits]\njoin-buffer-mib = 1\n", "decisions-first");
    assert!(plenty["accounting"]["decisions"]["revised"].as_u64() > Some(100), "{}", plenty["accounting"]);
    assert_eq!(little, plenty);
}
