//! The ledger of a run from start to end.

use std::fs;

use serde_json::Value;
use understudy_tests::TestWorkspace;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;

/// The entries as kind and content, without parts that differ between runs.
fn entries(workspace: &TestWorkspace) -> String {
    let entries = workspace.ledger_entries("run", None).into_iter().map(|mut entry| {
        let entry = entry.as_object_mut().expect("an entry is an object");
        for unlike in ["entry", "at", "previous", "hash", "seal", "sha256"] {
            entry.remove(unlike);
        }
        let kind = entry.remove("kind").expect("an entry has a kind");
        format!("{} {}", kind.as_str().expect("a word"), Value::from(entry.clone()))
    });
    entries.collect::<Vec<_>>().join("\n")
}

const FILTERS: [(&str, &str); 3] = [
    ("[0-9a-f]{64}", "SHA-256"),
    (r#""bytes":\d+"#, r#""bytes":N"#),
    (r#""version":"[0-9.]+""#, r#""version":"N""#),
];

#[test]
fn a_ledger_records_a_run_from_start_to_end() {
    let workspace = TestWorkspace::small();
    let text = fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    workspace.write("snapshots.jsonl", format!("{{\n{text}"));
    workspace.run(&[]);
    let output = workspace.understudy(&["note", "run", "the dock was closed on 2 March", "--who", "Ana"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @"entry 7 of run/ledger.jsonl");
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(entries(&workspace), @r#"
        run-started {"study":"small","study-toml":"SHA-256","version":"N"}
        plugin-loaded {"assets":[],"name":"echo","role":"model"}
        plugin-loaded {"assets":[],"name":"recorded","role":"comparator"}
        plugin-loaded {"assets":[],"name":"agreement","role":"metric"}
        records-excluded {"decisions":{"conflict":0,"duplicate":0,"late":0,"rejected":0},"snapshots":{"conflict":0,"duplicate":0,"late":0,"rejected":1}}
        group-sealed {"group":0,"position":{"decisions":5,"snapshots":6},"segments":[{"bytes":N,"file":"snapshots/000000.parquet","rows":5,"sequences":[1,5],"sha256":"SHA-256"},{"bytes":N,"file":"decisions/000000.parquet","rows":5,"sequences":[0,4],"sha256":"SHA-256"},{"bytes":N,"file":"excluded/000000.parquet","rows":1,"sha256":"SHA-256"},{"bytes":N,"file":"pairs/000000.parquet","rows":5,"sha256":"SHA-256"}]}
        run-closed {"files":[{"file":"checkpoint.bin","sha256":"SHA-256"},{"file":"report.json","sha256":"SHA-256"}]}
        note {"text":"the dock was closed on 2 March","who":"Ana"}
        "#);
    });
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_ledger_records_gaps_of_sources_that_cannot_be_replayed() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let text = fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    let start = |rows: usize| {
        let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
        running.feed(text.lines().take(rows).map(|line| line.to_owned() + "\n").collect::<String>());
        running
    };
    let running = start(2);
    let logged = |table| open_rows(&workspace.path().join("run"), table);
    wait_until("the records are in the log", || logged("snapshots") == 2 && logged("decisions") == 5);
    running.signal("KILL");
    running.wait_with_output();
    let mut again = start(5);
    again.close_stdin();
    let output = again.wait_with_output();
    assert_eq!(output.code, 0, "{}", output.stderr);
    insta::assert_snapshot!(output.stderr, @"
    run contains a run that was cut off; it resumes after 2 snapshots and 5 decisions
    written to run
    ");
    let entries = entries(&workspace);
    let since: Vec<_> = entries.lines().skip_while(|line| !line.starts_with("run-resumed")).take(2).collect();
    insta::assert_snapshot!(since.join("\n"), @r#"
    run-resumed {"interruption":"was cut off","position":{"decisions":5,"snapshots":2},"truncated":{"decisions":0,"snapshots":0}}
    source-gap {"reason":"the source is not replayable; records that arrived while the run was stopped are missing from the log","stream":"snapshots"}
    "#);
}

#[test]
fn a_ledger_records_truncated_sources() {
    let workspace = TestWorkspace::small();
    let text = fs::read(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    let whole = zstd::encode_all(&text[..], 1).expect("a vector takes all");
    workspace.write("snapshots.jsonl", &whole[..whole.len() / 2]);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    let entries = entries(&workspace);
    let gaps: Vec<_> = entries.lines().filter(|line| line.starts_with("source-gap")).collect();
    insta::assert_snapshot!(gaps.join("\n"), @r#"source-gap {"reason":"cannot read snapshots.jsonl after line 0: it ends in the middle of a compressed member; the lines before are processed. Restore the whole file and start again","stream":"snapshots"}"#);
}
