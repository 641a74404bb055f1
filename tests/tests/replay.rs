//! Replays: the plugins of a run give the same answers for its log, stateful plugins are detected, and other
//! plugins make a what-if run, which has no verdict.

use std::fs;

use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;
use understudy_tests::{TestWorkspace, account, deterministic_part, hotel_rooms_study, overall, plugin};

/// The small study with a misbehaving model over many snapshots.
fn evil(config: &str, share: &str) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("booked = \"text\"", "text = \"text\""),
        ("field = \"booked\"\n", "field = \"text\"\n"),
        (
            "plugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"booked\"]",
            "plugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]",
        ),
        ("config = { field = \"booked\", form = \"label\" }", &format!("config = {config}")),
        ("every = \"day\"\n", &format!("every = \"day\"\n\n[log]\nreplay-share = {share}\n")),
    ]);
    let at = |row: u64| format!("2026-03-01T{:02}:{:02}:{:02}Z", row / 3600, row / 60 % 60, row % 60);
    let line = |row: u64| format!(r#"{{"id":"s{row}","at":"{}","text":"t{}","nights":1}}"#, at(row), row % 3);
    workspace.write_lines("snapshots.jsonl", (0..2000).map(line));
    let line = |row: u64| format!(r#"{{"id":"s{row}","at":"{}","room":"t{}"}}"#, at(row), row % 2);
    workspace.write_lines("decisions.jsonl", (0..2000).map(line));
    workspace
}

#[test]
fn the_hotel_answers_do_not_depend_on_batch_sizes() {
    let workspace = TestWorkspace::hotel();
    for rows in ["1", "7", "1024"] {
        let output = workspace.understudy(&["replay", "run", "--batch-rows", rows]);
        assert_eq!(
            (output.code, output.stdout.as_str(), output.stderr.as_str()),
            (0, "booked-room: 15,402 rows, 0 differ\nroom-rules: 15,402 rows, 0 differ\n", "")
        );
    }
}

#[test]
fn determinism_checks_run_during_the_run() {
    let workspace = evil("{ on = \"never\", do = \"stateful\" }", "0.5");
    let report = workspace.run(&[]);
    let check = &report["models"][0]["determinism-check"];
    let asked = check["checked"].as_u64().expect("a count");
    assert!((800..1200).contains(&asked), "{asked} of 2,000");
    assert_eq!((check["mismatches"].as_u64(), check["first-id"].as_str()), (Some(0), Some("")));
    let told: u64 = workspace
        .ledger_entries("run", Some("determinism-checked"))
        .iter()
        .filter_map(|entry| entry["rows"].as_u64())
        .sum();
    assert_eq!(told, asked);
    let none = evil("{ on = \"never\", do = \"stateful\" }", "0");
    assert_eq!(none.run(&[])["models"][0]["determinism-check"]["checked"], 0);
}

#[test]
fn a_stateful_model_is_detected() {
    let workspace = evil("{ on = \"t1\", do = \"stateful\" }", "0.1");
    let output = workspace.ok(&["run", "study.toml", "--run", "run"]);
    let told: Vec<_> = output.stdout.lines().filter(|line| line.contains("MISMATCH")).collect();
    assert_eq!(told.len(), 1, "{}", output.stdout);
    let report = workspace.report("run");
    let check = &report["models"][0]["determinism-check"];
    assert!(check["mismatches"].as_u64() > Some(0), "{check}");
    let entry = &workspace.ledger_entries("run", Some("determinism-checked"))[0];
    assert_eq!(entry["first-id"], check["first-id"]);
    let rows: Vec<u64> =
        entry["sequences"].as_array().expect("rows").iter().filter_map(Value::as_u64).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row % 3 == 1), "{rows:?}");

    for rows in ["1", "100", "1024"] {
        let output = workspace.understudy(&["replay", "run", "--batch-rows", rows, "--max-differences", "2"]);
        assert_eq!((output.code, output.stderr.as_str()), (1, ""), "{}", output.stdout);
        insta::allow_duplicates! {
            insta::with_settings!({ filters => [(r"\d+( differ| more)", "N$1"), (r"(sequence|id) s?\d+", "$1 N")] }, {
                insta::assert_snapshot!(output.stdout, @"
                echo: 2,000 rows, N differ
                  sequence N, id N
                  sequence N, id N
                  and N more; list more with --max-differences
                ");
            });
        }
    }
}

#[test]
fn a_what_if_run_is_marked_as_such() {
    let workspace = TestWorkspace::hotel();
    let before = deterministic_part(&workspace.report("run"));
    let rules = plugin("room_rules");
    let rules = format!("booked-room={}", rules.to_str().expect("a path in UTF-8"));
    let refused = workspace.understudy(&["replay", "run", "--model", &rules]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(refused.stderr, @r#"run/study.toml:34: model "booked-room" is not granted `adults`, `children`, `market_segment`, `customer_type`, which it reads; write grant = ["reserved_room_type", "adults", "children", "market_segment", "customer_type"]. The sealed declaration cannot change; grant further fields with --grant"#);
    let grants =
        ["adults", "children", "market_segment", "customer_type"].map(|field| ["--grant", field]).concat();
    let output = workspace.understudy(&[&["replay", "run", "--model", &rules], &grants[..]].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, "written to run-what-if\n"));
    insta::with_settings!({ filters => [(r"[0-9a-f]{12}\.", "SEAL.")] }, {
        insta::assert_snapshot!(output.stdout.lines().nth(1).expect("a headline"), @"OFFLINE EVALUATION of the log of the run with seal SEAL. Its results do not permit any use");
    });
    let report = workspace.report("run-what-if");
    assert!(report["replay-of"].is_string());
    // Both models are the rules now and answer like them.
    for model in [0, 1] {
        assert_eq!(overall(&report, model, 0)["sums"], before["models"][1]["scores"][0]["overall"]["sums"]);
    }
    workspace.ok(&["verify", "run-what-if"]);
    workspace.ok(&["replay", "run-what-if"]);
    assert_eq!(workspace.understudy(&["verify", "run"]).code, 0, "the run itself is as it was");

    let study = hotel_rooms_study();
    let study = study.to_str().expect("a path in UTF-8");
    let onto = workspace.understudy(&["run", study, "--run", "run-what-if"]);
    assert_eq!(onto.code, 1);
    insta::assert_snapshot!(onto.stderr, @"run-what-if contains a replay of another run's log, which cannot be resumed from the sources; choose another directory with --run");
    let onto = workspace.understudy(&[&["replay", "run", "--model", &rules], &grants[..]].concat());
    insta::assert_snapshot!(onto.stderr, @"run-what-if already contains a run of this study; choose another directory with --run");
}

#[test]
fn a_what_if_run_keeps_excluded_records() {
    let workspace = TestWorkspace::small();
    let text = fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    let first = text.lines().next().expect("a line");
    workspace.write(
        "snapshots.jsonl",
        format!("{first}\n{{\n{first}\n{}\n{text}", first.replace("\"nights\":1", "\"nights\":2")),
    );
    let before = workspace.run(&[]);
    assert_eq!(
        account(&before, "snapshots"),
        [("received", 9), ("rejected", 1), ("duplicate", 2), ("conflict", 1), ("paired", 5)]
    );
    let same = plugin("agreement");
    let same = format!("agreement={}", same.to_str().expect("a path in UTF-8"));
    workspace.ok(&["replay", "run", "--metric", &same, "--run", "again"]);
    let strip = |report: &Value| {
        let mut report = deterministic_part(report);
        report.as_object_mut().expect("a report is an object").remove("replay-of");
        report
    };
    assert_eq!(strip(&workspace.report("again")), strip(&before));
}

#[test]
fn impossible_replays_are_explained() {
    let workspace = TestWorkspace::small();
    let error_of = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_ne!(output.code, 0, "{}", output.stdout);
        output.stderr
    };
    insta::assert_snapshot!(error_of(&["replay", "run"]), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    workspace.run(&[]);
    insta::assert_snapshot!(error_of(&["replay", "run", "--model", "other=x.wasm"]), @r#"unknown model "other"; the study has echo"#);
    insta::assert_snapshot!(error_of(&["replay", "run", "--model", "echo=x.wasm"]), @r#"run/study.toml:26: model "echo": cannot read x.wasm: No such file or directory (os error 2); build the plugin, or correct the path"#);
    insta::assert_snapshot!(error_of(&["replay", "run", "--grant", "nights"]), @"--grant applies only to a what-if; add --model or --comparator");
    insta::assert_snapshot!(error_of(&["replay", "run", "--run", "other"]), @"--run other applies only to a what-if; add --model, --comparator or --metric");
    let plugins = fs::read_dir(workspace.path().join("run/plugins")).expect("the plugins");
    let kept = plugins.map(|entry| entry.expect("an entry").path()).min().expect("a plugin");
    fs::write(&kept, "\0asm").expect("written");
    let changed = error_of(&["replay", "run"]);
    assert!(changed.contains("is missing or differs from the file that the run used"), "{changed}");
}

#[test]
fn a_what_if_run_needs_an_ended_run() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    wait_until("five snapshots are in the log", || {
        open_rows(&workspace.path().join("run"), "snapshots") == 5
    });
    running.signal("TERM");
    running.wait_with_output();
    let same = plugin("agreement");
    let same = format!("agreement={}", same.to_str().expect("a path in UTF-8"));
    let output = workspace.understudy(&["replay", "run", "--metric", &same]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"run holds a run that has not ended, and a what-if replay would show answers to undecided snapshots; resume it with `understudy run` and replay it after its end");
    assert_eq!(workspace.understudy(&["replay", "run"]).code, 0, "its own models may be asked at any time");
}
