//! Blinded snapshots: no model answers one before its decision has arrived, and the metrics equal those of a
//! run without blinding.
//!
//! The seal selects the blinded ids and differs from run to run. So counts of blinded ids are only near the
//! declared share.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::UInt64Type;
use arrow::ipc::reader::StreamReader;
use serde_json::Value;
use understudy_engine::BlindingRule;
use understudy_sandbox::sha256_hex;
use understudy_tests::messy_streams::{self, assert_verifies};
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::{column, open_rows, sealed, segments, texts};
use understudy_tests::{TestWorkspace, account, deterministic_part, overall, root, synthetic};

/// The hotel study of rooms with additional sections.
fn hotel(more: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let folder = root().join("examples/hotel");
    let text = fs::read_to_string(folder.join("rooms.toml")).expect("the study");
    let text = text.replace("../../target/plugins", "PLUGINS");
    let text = text.replace("file = \"hotel-", &format!("file = \"{}/hotel-", folder.display()));
    workspace.write("study.toml", format!("{text}\n{more}"));
    workspace
}

/// The ids that the seal of a run blinds.
fn blind(run: &Path, share: f64) -> BlindingRule {
    let seal = fs::read(run.join("seal.json")).expect("a run has a seal");
    BlindingRule::new(share, &sha256_hex(&seal)).expect("a share is blinded")
}

/// The part of a report that depends neither on the blinded ids nor on the declaration. Also checks how many
/// snapshots each model answered.
fn figures(report: &Value) -> Value {
    let mut figures = deterministic_part(report);
    figures.as_object_mut().expect("a report is an object").remove("declaration-digest");
    for model in figures["models"].as_array_mut().expect("a report has models") {
        let model = model.as_object_mut().expect("a model is an object");
        let counts = ["answered", "abstained", "failed", "blinded"]
            .map(|name| model.remove(name).and_then(|count| count.as_u64()).expect("a count"));
        let account = &report["accounting"]["snapshots"];
        let accepted = ["paired", "waiting", "expired"].map(|name| account[name].as_u64().expect("a count"));
        assert_eq!(counts.iter().sum::<u64>(), accepted.iter().sum::<u64>());
    }
    figures
}

/// Per id: a model's answer in a table, or in brackets why there is none; `None` if both are missing.
fn answers(batch: &RecordBatch, model: &str) -> BTreeMap<String, String> {
    let [answer, reason] =
        ["answer", "unanswered"].map(|part| column(batch, &format!("model.{model}.{part}")));
    let (answer, reason) = (answer.as_string::<i32>(), reason.as_string::<i32>());
    let row = |(row, id): (usize, String)| match (answer.is_valid(row), reason.is_valid(row)) {
        (true, false) => Some((id, answer.value(row).to_owned())),
        (false, true) => Some((id, format!("({})", reason.value(row)))),
        (false, false) => None,
        (true, true) => panic!("{id} has an answer and none"),
    };
    texts(batch, "id").into_iter().enumerate().filter_map(row).collect()
}

fn table(workspace: &TestWorkspace, table: &str) -> RecordBatch {
    sealed(&workspace.path().join("run"), table).expect("it has rows")
}

#[test]
fn blinding_does_not_change_the_hotel_metrics() {
    let plain = hotel("");
    let all = figures(&plain.run(&[]));
    let workspace = hotel("[blinding]\nshare = 0.2\n");
    let output = workspace.ok(&["run", "study.toml", "--run", "run"]);
    let report = workspace.report("run");
    assert_eq!(figures(&report), all);
    assert_eq!(overall(&report, 0, 0)["sums"][0], 12_293.0);
    assert_eq!(overall(&report, 0, 0)["pairs"], 15_402);

    // The expected number is 3,080, with a standard deviation of 50.
    let blinded = report["models"][0]["blinded"].as_u64().expect("a count");
    assert!((2_780..3_380).contains(&blinded), "{blinded}");
    for model in [0, 1] {
        let model = &report["models"][model];
        assert_eq!(model["blinded"], blinded);
        assert_eq!(model["answered"], 15_402 - blinded);
        assert_eq!(model["latency"]["count"], 15_402 - blinded);
    }
    let lines: Vec<&str> = output.stdout.lines().filter(|line| line.contains("blinded")).collect();
    insta::with_settings!({ filters => [(r"\d,\d{3}", "N")] }, {
        insta::assert_snapshot!(lines.join("\n"), @"  N snapshots are blinded: the models are asked only once the decision is known");
    });

    let (snapshots, pairs) = (table(&workspace, "snapshots"), table(&workspace, "pairs"));
    let is_blinded = column(&pairs, "blinded");
    assert_eq!(is_blinded.as_boolean().true_count() as u64, blinded);
    let ids = texts(&pairs, "id").into_iter().zip(is_blinded.as_boolean().iter());
    let ids: BTreeSet<String> = ids.filter(|(_, blinded)| *blinded == Some(true)).map(|(id, _)| id).collect();
    let seal = blind(&workspace.path().join("run"), 0.2);
    assert!(texts(&pairs, "id").iter().all(|id| ids.contains(id) == seal.is_blinded(id)));
    for model in ["booked-room", "room-rules"] {
        let asked = answers(&table(&plain, "snapshots"), model);
        let (at_once, late) = (answers(&snapshots, model), answers(&pairs, model));
        assert!(late.keys().eq(&ids), "the pairs hold the answers of those that were blinded");
        for (id, answer) in asked {
            match late.get(&id) {
                Some(late) => assert_eq!((late, &at_once[&id]), (&answer, &"(blinded)".to_owned()), "{id}"),
                None => assert_eq!(at_once[&id], answer, "{id}"),
            }
        }
        assert_eq!(column(&snapshots, &format!("model.{model}.nanos")).null_count() as u64, blinded);
    }
    assert_verifies(&workspace, "run");
}

#[test]
fn blinded_metrics_are_identical_for_any_execution() {
    let all = figures(&hotel("").run(&[]));
    let ways: [&[&str]; 5] = [
        &["--batch-rows", "1"],
        &["--batch-rows", "1024", "--workers", "3"],
        &["--workers", "1", "--order", "snapshots-first"],
        &["--order", "decisions-first", "--batch-rows", "7"],
        &["--order", "in-step", "--workers", "3"],
    ];
    for way in ways {
        assert_eq!(figures(&hotel("[blinding]\nshare = 0.5\n").run(way)), all, "{way:?}");
    }
}

#[test]
fn blinded_snapshots_spill_with_the_fields_that_models_read() {
    let waiting = |more: &str| {
        let workspace = synthetic::workspace(60_000);
        let more = format!("every = \"day\"\n{more}");
        workspace.edit_study(&[
            ("horizon = \"15m\"", "horizon = \"5d\""),
            // A field that only the model reads.
            (
                "grant = [\"zone\"]\nconfig = { field = \"zone\"",
                "grant = [\"carrier\"]\nconfig = { field = \"carrier\"",
            ),
            ("every = \"day\"\n", &more),
        ]);
        let report = workspace.run(&["--order", "snapshots-first"]);
        assert_eq!(account(&report, "snapshots"), [("received", 60_000), ("paired", 60_000)]);
        (figures(&report), workspace)
    };
    let (all, _) = waiting("");
    let (little, workspace) = waiting("\n[limits]\njoin-buffer-mib = 1\n\n[blinding]\nshare = 0.3\n");
    assert_eq!(little, all);
    assert_verifies(&workspace, "run");
}

/// The small study with half of the ids blinded, forty snapshots, and decisions from standard input. The
/// model fails on every snapshot.
fn failing_model() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("file = \"decisions.jsonl\"", "stdin = true"),
        (
            "plugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"booked\"]",
            "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]",
        ),
        ("nights = \"integer\"", "text = \"text\""),
        ("config = { field = \"booked\", form = \"label\" }", "config = { on = \"all\", do = \"panic\" }"),
        ("every = \"day\"\n", "every = \"day\"\n\n[blinding]\nshare = 0.5\n"),
    ]);
    let line =
        |at: u64| format!(r#"{{"id":"s{at}","at":"2026-03-01T10:00:{at:02}Z","booked":"a","text":"all"}}"#);
    workspace.write_lines("snapshots.jsonl", (0..40).map(line));
    workspace
}

fn decisions(ids: std::ops::Range<u64>) -> String {
    ids.map(|at| format!("{{\"id\":\"s{at}\",\"at\":\"2026-03-01T10:01:{at:02}Z\",\"room\":\"a\"}}\n"))
        .collect()
}

/// The rows in the open segments of a table.
fn open(run: &Path, table: &str) -> Vec<RecordBatch> {
    let paths = segments(run, table, "arrows");
    let batches = paths.iter().flat_map(|path| {
        let reader = StreamReader::try_new(File::open(path).expect("it is there"), None);
        reader.expect("a stream of Arrow").map_while(Result::ok).collect::<Vec<_>>()
    });
    batches.collect()
}

#[test]
fn a_model_that_does_not_repeat_its_answers_is_named_as_the_cause() {
    let workspace = failing_model();
    let study = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let study = study.replace("on = \"all\", do = \"panic\"", "on = \"always\", do = \"stateful\"");
    let threshold = "[log]\nreplay-share = 1.0\n[threshold]\nat-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\n\
                     evidence = \"point\"\nleast-per-window = 1\nchance = \"not-asked\"\n";
    workspace.write("study.toml", study + threshold);
    let run = workspace.path().join("run");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    wait_until("all snapshots are in the log", || open_rows(&run, "snapshots") == 40);
    running.feed(decisions(0..20));
    wait_until("half are compared", || open_rows(&run, "pairs") == 20);
    running.signal("INT");
    assert_eq!(running.wait_with_output().code, 130);
    // The model counts the rows that it is asked for, and begins again with the process.
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed(decisions(20..40));
    running.close_stdin();
    let output = running.wait_with_output();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let cause = "determinism: echo gave a different answer in ";
    let verified = workspace.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains(&format!("BROKEN     {cause}")), "{}", verified.stdout);
    let decided = workspace.understudy(&["decide", "run"]);
    assert_eq!(decided.code, 3);
    let first =
        "VOID: a model gave other answers when they were computed again, so the figures cannot be verified\n";
    assert!(decided.stdout.starts_with(first) && decided.stdout.contains(cause), "{}", decided.stdout);
}

#[test]
fn models_answer_blinded_snapshots_only_after_the_decision() {
    let workspace = failing_model();
    let run = workspace.path().join("run");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    wait_until("all snapshots are in the log", || open_rows(&run, "snapshots") == 40);
    let seal = blind(&run, 0.5);
    let blinded =
        |from: u64, to: u64| (from..to).filter(|at| seal.is_blinded(&format!("s{at}"))).count() as u64;
    let logged: BTreeMap<_, _> =
        open(&run, "snapshots").iter().flat_map(|batch| answers(batch, "echo")).collect();
    assert_eq!(logged.len(), 40);
    for (id, answer) in &logged {
        match seal.is_blinded(id) {
            true => assert_eq!(answer, "(blinded)", "{id}"),
            false => assert!(answer.contains("evil panics on `all`"), "{id}: {answer}"),
        }
    }
    assert_eq!(open_rows(&run, "pairs"), 0);
    running.feed(decisions(10..30));
    wait_until("half have their decision", || open_rows(&run, "pairs") == 20);
    running.signal("INT");
    assert_eq!(running.wait_with_output().code, 130);

    // The failures show what the model was asked: snapshots that are not blinded, and blinded ones with a
    // decision.
    let report = workspace.report("run");
    let broke = |report: &Value| report["failures"][0]["count"].as_u64();
    let model = &report["models"][0];
    assert_eq!(model["blinded"].as_u64(), Some(blinded(0, 40)));
    assert_eq!(model["failed"].as_u64(), Some(40 - blinded(0, 40)));
    assert_eq!(broke(&report), Some(40 - blinded(0, 10) - blinded(30, 40)));
    assert_eq!(report["failures"][0]["first-id"], "", "no row is named before the end");
    assert_eq!(overall(&report, 0, 0)["failed"], 0, "the window is not complete");
    let pairs = answers(&table(&workspace, "pairs"), "echo");
    assert_eq!(pairs.len() as u64, blinded(10, 30));
    assert!(pairs.values().all(|answer| answer.contains("evil panics on `all`")));

    // The run resumes. Only one of the others is ever decided.
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed(decisions(5..6));
    running.close_stdin();
    assert_eq!(running.wait_with_output().code, 0);
    let report = workspace.report("run");
    let never = blinded(0, 5) + blinded(6, 10) + blinded(30, 40);
    assert_eq!(broke(&report), Some(40 - never), "what is blinded and not decided is never asked about");
    assert_eq!(report["models"][0]["blinded"].as_u64(), Some(blinded(0, 40)));
    let first = (0..40).find(|at| *at == 5 || (10..30).contains(at) || !seal.is_blinded(&format!("s{at}")));
    assert_eq!(report["failures"][0]["first-id"], format!("s{}", first.expect("half are decided")));
    assert_verifies(&workspace, "run");
    workspace.ok(&["export", "run", "--output", "rows.csv", "--who", "Ana"]);
    let rows = fs::read_to_string(workspace.path().join("rows.csv")).expect("the rows");
    assert_eq!(rows.lines().count(), 22);
    assert!(rows.lines().skip(1).all(|row| row.contains("evil panics on `all`")), "{rows}");
}

#[test]
fn a_killed_blinded_run_has_the_same_metrics() {
    let study = |share: &str| {
        let (workspace, records) = messy_streams::workspace(8_000);
        workspace.edit_study(&[("[windows]", &format!("[blinding]\nshare = {share}\n\n[windows]"))]);
        (workspace, records)
    };
    let (plain, _) = study("0");
    let all = figures(&plain.run(&[]));
    let (workspace, records) = study("0.4");
    let command = ["run", "study.toml", "--run", "run", "--batch-rows", "1"];
    let mut kills = 0;
    for written in [300_000, 900_000, 40_000, 600_000, 900_000] {
        let mut running = TestProcess::start(workspace.command(&command));
        wait_until("it has written enough or ended", || {
            running.bytes_written().is_none_or(|now| now >= written)
        });
        kills += u32::from(running.kill());
    }
    assert!(kills >= 3, "{kills} kills of a living process");
    workspace.ok(&command);
    let without_failures = |mut figures: Value| {
        figures.as_object_mut().expect("a report is an object").remove("failures");
        figures
    };
    let report = workspace.report("run");
    assert_eq!(without_failures(figures(&report)), without_failures(all));
    // Each id has one pair, with an answer if it is blinded.
    let pairs = table(&workspace, "pairs");
    let mut numbers = column(&pairs, "snapshot").as_primitive::<UInt64Type>().values().to_vec();
    numbers.sort_unstable();
    assert!(
        numbers.windows(2).all(|two| two[0] < two[1]) && *numbers.last().expect("pairs") < records.snapshots
    );
    let late = column(&pairs, "blinded").as_boolean().true_count();
    assert!((1..pairs.num_rows()).contains(&late));
    assert_eq!(answers(&pairs, "echo").len(), late);
    assert_verifies(&workspace, "run");
}

#[test]
fn blinded_pairs_are_shown_with_their_answers() {
    let rows = |share: &str| {
        let workspace = TestWorkspace::small();
        workspace.edit_study(&[(
            "every = \"day\"\n",
            &format!("every = \"day\"\n\n[blinding]\nshare = {share}\n"),
        )]);
        let line = |at: u64| {
            format!(r#"{{"id":"s{at}","at":"2026-03-01T10:00:{at:02}Z","booked":"{at}","nights":1}}"#)
        };
        workspace.write_lines("snapshots.jsonl", (0..40).map(line));
        workspace.write("decisions.jsonl", decisions(0..40));
        workspace.run(&[]);
        workspace.ok(&["export", "run", "--output", "rows.csv", "--who", "Ana"]);
        let log = workspace.understudy(&["log", "run", "--rows", "40", "--who", "Ana"]);
        assert_eq!(log.code, 0, "{}", log.stderr);
        let csv = fs::read_to_string(workspace.path().join("rows.csv")).expect("the rows");
        (csv.lines().map(str::to_owned).collect::<Vec<_>>(), log.stdout, workspace)
    };
    let (all, all_log, _) = rows("0");
    let (half, half_log, workspace) = rows("0.5");
    assert_eq!(half_log, all_log);
    // One additional column marks the blinded rows.
    let place = half[0].split(',').position(|name| name == "blinded").expect("the column");
    let seal = blind(&workspace.path().join("run"), 0.5);
    for (row, (half, all)) in half.iter().zip(&all).enumerate() {
        let mut cells: Vec<&str> = half.split(',').collect();
        let blinded = cells.remove(place);
        assert_eq!(cells.join(","), *all);
        assert!(row == 0 || blinded == seal.is_blinded(cells[0]).to_string(), "{half}");
    }
    assert_eq!((half.len(), all.len()), (41, 41));
}

#[test]
fn blinded_snapshots_are_not_replayed() {
    let workspace = hotel("[blinding]\nshare = 0.2\n\n[log]\nreplay-share = 1.0\n");
    let report = workspace.run(&[]);
    let blinded = report["models"][0]["blinded"].as_u64().expect("a count");
    assert_eq!(report["models"][0]["determinism-check"]["checked"], 15_402 - blinded);
    assert_eq!(report["models"][0]["determinism-check"]["mismatches"], 0);
    let output = workspace.ok(&["replay", "run", "--batch-rows", "100"]);
    let counted = |text: &str| -> u64 {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    let lines: Vec<&str> = output.stdout.lines().collect();
    for (line, model) in lines.iter().zip(["booked-room", "room-rules"]) {
        let rows =
            line.strip_prefix(&format!("{model}: ")).and_then(|rest| rest.strip_suffix(" rows, 0 differ"));
        assert_eq!(rows.map(counted), Some(15_402 - blinded), "{line}");
    }
    assert_eq!(lines.len(), 2);
    assert_eq!(output.stderr.split(' ').next().map(counted), Some(blinded));
    insta::with_settings!({ filters => [(r"^\d,\d{3}", "N")] }, {
        insta::assert_snapshot!(output.stderr, @"N snapshots not replayed: blinded; their answers are in the pairs, which `understudy verify` recomputes");
    });
}

#[test]
fn a_what_if_run_blinds_nothing() {
    let workspace = hotel("[blinding]\nshare = 0.3\n");
    let report = workspace.run(&[]);
    let same = understudy_tests::plugin("agreement");
    let same = format!("agreement={}", same.to_str().expect("a path in UTF-8"));
    workspace.ok(&["replay", "run", "--metric", &same, "--run", "other"]);
    let other = workspace.report("other");
    assert_eq!(other["models"][0]["blinded"], 0);
    assert_eq!(other["models"][0]["scores"], report["models"][0]["scores"]);
    assert_verifies(&workspace, "other");
}

#[test]
fn scores_of_blinded_pairs_outlive_dropped_fields() {
    let workspace = TestWorkspace::small();
    let more = "every = \"day\"\n\n[log]\nretain = \"1s\"\n\n[blinding]\nshare = 0.5\n";
    workspace.edit_study(&[("every = \"day\"\n", more)]);
    let line =
        |at: u64| format!(r#"{{"id":"s{at}","at":"2026-03-01T10:00:{at:02}Z","booked":"a","nights":{at}}}"#);
    workspace.write_lines("snapshots.jsonl", (0..40).map(line));
    workspace.write("decisions.jsonl", decisions(0..40));
    let report = workspace.run(&[]);
    assert_eq!(overall(&report, 0, 0)["sums"][0], 40.0);
    wait_until("the fields are dropped", || {
        workspace.understudy(&["retain", "run"]).stdout.contains("snapshots in 1 segment")
    });
    let verified = workspace.ok(&["verify", "run"]);
    assert!(
        verified.stdout.contains("follow from the stored scores of 40 pairs, bit for bit"),
        "{}",
        verified.stdout
    );
}
