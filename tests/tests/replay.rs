//! Replays: a run's own plugins answer its log again as they did; one that keeps something between calls is caught; other
//! plugins make another run, which permits nothing.

use std::fs;

use serde_json::Value;
use understudy_tests::process::{Running, until};
use understudy_tests::tables::open_rows;
use understudy_tests::{Bench, account, essence, hotel_rooms, overall, plugin};

/// The small study with a model that misbehaves as told, over many snapshots.
fn evil(config: &str, share: &str) -> Bench {
    let bench = Bench::small();
    bench.change(&[
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
    bench.lines("snapshots.jsonl", (0..2000).map(line));
    let line = |row: u64| format!(r#"{{"id":"s{row}","at":"{}","room":"t{}"}}"#, at(row), row % 2);
    bench.lines("decisions.jsonl", (0..2000).map(line));
    bench
}

#[test]
fn the_whole_hotel_answers_the_same_at_any_batch_size() {
    let bench = Bench::hotel();
    for rows in ["1", "7", "1024"] {
        let said = bench.understudy(&["replay", "run", "--batch-rows", rows]);
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (0, "booked-room: of 15,402 rows 0 differ\nroom-rules: of 15,402 rows 0 differ\n", "")
        );
    }
}

#[test]
fn models_are_asked_again_while_a_run_goes_on() {
    let bench = evil("{ on = \"never\", do = \"stateful\" }", "0.5");
    let report = bench.run(&[]);
    let again = &report["models"][0]["again"];
    let asked = again["asked"].as_u64().expect("a count");
    assert!((800..1200).contains(&asked), "{asked} of 2,000");
    assert_eq!((again["otherwise"].as_u64(), again["first-id"].as_str()), (Some(0), Some("")));
    let told: u64 =
        bench.ledger("run", Some("replayed")).iter().filter_map(|entry| entry["asked"].as_u64()).sum();
    assert_eq!(told, asked);
    let none = evil("{ on = \"never\", do = \"stateful\" }", "0");
    assert_eq!(none.run(&[])["models"][0]["again"]["asked"], 0);
}

#[test]
fn a_model_that_keeps_something_between_calls_is_caught() {
    let bench = evil("{ on = \"t1\", do = \"stateful\" }", "0.1");
    let said = bench.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let told: Vec<_> = said.out.lines().filter(|line| line.contains("OTHERWISE")).collect();
    assert_eq!(told.len(), 1, "{}", said.out);
    let report = bench.report("run");
    let again = &report["models"][0]["again"];
    assert!(again["otherwise"].as_u64() > Some(0), "{again}");
    let entry = &bench.ledger("run", Some("replayed"))[0];
    assert_eq!(entry["first-id"], again["first-id"]);
    let rows: Vec<u64> =
        entry["sequences"].as_array().expect("rows").iter().filter_map(Value::as_u64).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row % 3 == 1), "{rows:?}");

    for rows in ["1", "100", "1024"] {
        let said = bench.understudy(&["replay", "run", "--batch-rows", rows, "--most", "2"]);
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{}", said.out);
        insta::allow_duplicates! {
            insta::with_settings!({ filters => [(r"\d+( differ| more)", "N$1"), (r"(sequence|id) s?\d+", "$1 N")] }, {
                insta::assert_snapshot!(said.out, @"
                echo: of 2,000 rows N differ
                  sequence N, id N
                  sequence N, id N
                  and N more; --most names more of them
                ");
            });
        }
    }
}

#[test]
fn a_what_if_is_another_run_and_says_so() {
    let bench = Bench::hotel();
    let before = essence(&bench.report("run"));
    let rules = plugin("room_rules");
    let rules = format!("booked-room={}", rules.to_str().expect("a path in UTF-8"));
    let refused = bench.understudy(&["replay", "run", "--model", &rules]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    insta::assert_snapshot!(refused.err, @r#"the declaration stays as it was sealed; grant a what-if more fields with --grant: run/study.toml:34: model "booked-room" is not granted `adults`, `children`, `market_segment`, `customer_type`, which it reads; write grant = ["reserved_room_type", "adults", "children", "market_segment", "customer_type"]"#);
    let grants =
        ["adults", "children", "market_segment", "customer_type"].map(|field| ["--grant", field]).concat();
    let said = bench.understudy(&[&["replay", "run", "--model", &rules], &grants[..]].concat());
    assert_eq!((said.code, said.err.as_str()), (0, "written to run-what-if\n"));
    insta::with_settings!({ filters => [(r"[0-9a-f]{12}:", "SEAL:")] }, {
        insta::assert_snapshot!(said.out.lines().nth(1).expect("a headline"), @"AN OFFLINE EVALUATION of the log of the run sealed as SEAL: what the models did not see live");
    });
    let report = bench.report("run-what-if");
    assert!(report["replay-of"].is_string());
    // Both are the rules now, and they do as the rules did.
    for model in [0, 1] {
        assert_eq!(overall(&report, model, 0)["sums"], before["models"][1]["scores"][0]["overall"]["sums"]);
    }
    assert_eq!(bench.understudy(&["verify", "run-what-if"]).code, 0);
    assert_eq!(bench.understudy(&["replay", "run-what-if"]).code, 0);
    assert_eq!(bench.understudy(&["verify", "run"]).code, 0, "the run itself is as it was");

    let study = hotel_rooms();
    let study = study.to_str().expect("a path in UTF-8");
    let onto = bench.understudy(&["run", study, "--run", "run-what-if"]);
    assert_eq!(onto.code, 1);
    insta::assert_snapshot!(onto.err, @"run-what-if holds a replay of another run's log, which cannot go on from the sources; choose another directory with --run");
    let onto = bench.understudy(&[&["replay", "run", "--model", &rules], &grants[..]].concat());
    insta::assert_snapshot!(onto.err, @"run-what-if already holds a run of this study; choose another directory with --run");
}

#[test]
fn a_what_if_takes_the_refused_records_along() {
    let bench = Bench::small();
    let text = fs::read_to_string(bench.path().join("snapshots.jsonl")).expect("snapshots");
    let first = text.lines().next().expect("a line");
    bench.write(
        "snapshots.jsonl",
        format!("{first}\n{{\n{first}\n{}\n{text}", first.replace("\"nights\":1", "\"nights\":2")),
    );
    let before = bench.run(&[]);
    assert_eq!(
        account(&before, "snapshots"),
        [("received", 9), ("rejected", 1), ("duplicate", 2), ("conflict", 1), ("paired", 5)]
    );
    let same = plugin("agreement");
    let same = format!("agreement={}", same.to_str().expect("a path in UTF-8"));
    let said = bench.understudy(&["replay", "run", "--metric", &same, "--run", "again"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let strip = |report: &Value| {
        let mut report = essence(report);
        report.as_object_mut().expect("a report is an object").remove("replay-of");
        report
    };
    assert_eq!(strip(&bench.report("again")), strip(&before));
}

#[test]
fn what_cannot_be_replayed_is_said() {
    let bench = Bench::small();
    let said = |arguments: &[&str]| {
        let said = bench.understudy(arguments);
        assert_ne!(said.code, 0, "{}", said.out);
        said.err
    };
    insta::assert_snapshot!(said(&["replay", "run"]), @"cannot read run/seal.json: No such file or directory (os error 2); name the directory that `understudy run` wrote");
    bench.run(&[]);
    insta::assert_snapshot!(said(&["replay", "run", "--model", "other=x.wasm"]), @r#"the study has no model "other"; it has echo"#);
    insta::assert_snapshot!(said(&["replay", "run", "--model", "echo=x.wasm"]), @r#"run/study.toml:26: model "echo": cannot read x.wasm: No such file or directory (os error 2); build the plugin, or correct the path"#);
    insta::assert_snapshot!(said(&["replay", "run", "--grant", "nights"]), @"--grant is for a what-if; name another --model or --comparator too");
    insta::assert_snapshot!(said(&["replay", "run", "--run", "other"]), @"--run other is the directory of a what-if; name another --model, --comparator or --metric too");
    let plugins = fs::read_dir(bench.path().join("run/plugins")).expect("the plugins");
    let kept = plugins.map(|entry| entry.expect("an entry").path()).min().expect("a plugin");
    fs::write(&kept, "\0asm").expect("written");
    let changed = said(&["replay", "run"]);
    assert!(changed.contains("is missing, or is not the one that the run was made with"), "{changed}");
}

#[test]
fn a_what_if_waits_for_the_end_of_the_run() {
    let bench = Bench::small();
    bench.change(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let running = Running::start(bench.command(&["run", "study.toml", "--run", "run"]));
    until("five snapshots are in the log", || open_rows(&bench.path().join("run"), "snapshots") == 5);
    running.signal("TERM");
    running.said();
    let same = plugin("agreement");
    let same = format!("agreement={}", same.to_str().expect("a path in UTF-8"));
    let said = bench.understudy(&["replay", "run", "--metric", &same]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!(said.err, @"run holds a run that has not ended, and a what-if would show answers to snapshots that are still to be decided; run the study again to go on, and ask at its end");
    assert_eq!(bench.understudy(&["replay", "run"]).code, 0, "its own models may be asked at any time");
}
