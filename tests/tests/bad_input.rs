//! Excluded records are counted and stored unchanged with their reason. Other records are not affected.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::process::{Child, Command};

use serde_json::{Value, json};
use understudy_tests::process::wait_until;
use understudy_tests::tables::{ExcludedRow, excluded_rows, sealed, texts};
use understudy_tests::{TestWorkspace, account, overall};

/// Runs the study and checks that report and log agree on the excluded records.
fn run(workspace: &TestWorkspace) -> (Value, Vec<ExcludedRow>) {
    let report = workspace.run(&[]);
    let mut kept = excluded_rows(&workspace.path().join("run"));
    // Their order in the log depends on how the streams were read.
    kept.sort_by_key(|row| (Reverse(row.stream.clone()), row.line));
    let mut counts = HashMap::new();
    let first = kept.iter().filter(|row| {
        let count = counts.entry(&row.reason).or_insert(0);
        *count += 1;
        *count <= 10
    });
    let expected = |r: &ExcludedRow| json!({"stream": r.stream, "position": "line", "line": r.line, "reason": r.reason, "detail": r.detail});
    assert_eq!(report["excluded"], first.map(expected).collect::<Value>(), "the first ten of each reason");
    (report, kept)
}

/// The excluded records of one stream: line, reason, bytes of the record.
fn of_stream<'r>(kept: &'r [ExcludedRow], stream: &str) -> Vec<(u64, &'r str, &'r [u8])> {
    let own = kept.iter().filter(|row| row.stream == stream);
    own.map(|row| (row.line, row.reason.as_str(), row.raw.as_slice())).collect()
}

/// Makes a named pipe and writes lines to it, in the background.
fn named_pipe(workspace: &TestWorkspace, name: &str, lines: &[String]) -> Child {
    let lines_name = format!("{name}.lines");
    workspace.write_lines(&lines_name, lines);
    let script = "mkfifo \"$0\" && cat \"$1\" > \"$0\"";
    let _ = std::fs::remove_file(workspace.path().join(name));
    let child = Command::new("sh")
        .args(["-c", script, name, &lines_name])
        .current_dir(workspace.path())
        .spawn()
        .expect("there is a shell");
    wait_until("the pipe is there", || workspace.path().join(name).exists());
    child
}

/// Lines and explanations as text.
fn explanations(kept: &[ExcludedRow]) -> String {
    let line = |row: &ExcludedRow| format!("{} {}: {}", row.stream, row.line, row.detail);
    kept.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn undecodable_records_are_rejected() {
    let broken: [&[u8]; 17] = [
        b"nonsense",
        b"[1, 2]",
        br#"{"id":"x","at":"2026-03-05T10:00:00Z""#,
        br#"{"id":"x","at":"2026-03-05T10:00:00Z"} {"id":"y","at":"2026-03-05T10:00:00Z"}"#,
        b"{\"id\":\"x\",\"at\":\"2026-03-05T10:00:00Z\",\"booked\":\"caf\xe9\"}",
        br#"{"at":"2026-03-05T10:00:00Z"}"#,
        br#"{"id":null,"at":"2026-03-05T10:00:00Z"}"#,
        br#"{"id":"","at":"2026-03-05T10:00:00Z"}"#,
        br#"{"id":1.5,"at":"2026-03-05T10:00:00Z"}"#,
        br#"{"id":["x"],"at":"2026-03-05T10:00:00Z"}"#,
        br#"{"id":"x"}"#,
        br#"{"id":"x","at":"yesterday"}"#,
        br#"{"id":"x","at":"2026-03-05T10:00:00"}"#,
        br#"{"id":"x","at":1772704800}"#,
        br#"{"id":"x","at":"2026-02-30T10:00:00Z"}"#,
        br#"{"id":"x","at":"2026-03-05T10:00:00Z","booked":7}"#,
        br#"{"at":"2026-03-05","booked":["a"],"nights":"3"}"#,
    ];
    let workspace = TestWorkspace::small();
    let mut text = Vec::new();
    for (at, broken) in broken.iter().enumerate() {
        // A valid record before every third, so that invalid ones are between valid ones.
        if at % 3 == 0 {
            let at = at / 3 + 1;
            text.extend(
                format!("{{\"id\":\"s{at}\",\"at\":\"2026-03-0{at}T10:00:00Z\",\"booked\":\"a\"}}\n").bytes(),
            );
        }
        text.extend([broken, &b"\n"[..]].concat());
    }
    workspace.write("snapshots.jsonl", text);
    let (report, kept) = run(&workspace);
    assert_eq!(
        account(&report, "snapshots"),
        [("received", 23), ("rejected", 17), ("paired", 5), ("waiting", 1)]
    );
    assert_eq!(account(&report, "decisions"), [("received", 5), ("paired", 5)]);
    let wanted: Vec<_> = broken
        .iter()
        .enumerate()
        .map(|(at, raw)| (at as u64 + at as u64 / 3 + 2, "rejected", *raw))
        .collect();
    assert_eq!(of_stream(&kept, "snapshots"), wanted);
    insta::assert_snapshot!(explanations(&kept), @r#"
    snapshots 2: not JSON: the word nonsense at column 1; write strings in double quotes
    snapshots 3: not a JSON object but an array; write one object per line
    snapshots 4: not JSON: the line ends in the middle of a record
    snapshots 6: not JSON: trailing characters at column 40
    snapshots 7: not UTF-8: invalid byte at column 52
    snapshots 8: field `id`: the id is missing; every record needs one
    snapshots 10: field `id`: the id is missing; every record needs one
    snapshots 11: field `id`: the id is empty
    snapshots 12: field `id`: expected an id, a string or an integer, found 1.5
    snapshots 14: field `id`: expected an id, a string or an integer, found ["x"]
    snapshots 15: field `at`: the time is missing; every record needs one
    snapshots 16: field `at`: "yesterday" is not a time; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"
    snapshots 18: field `at`: "2026-03-05T10:00:00" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z"
    snapshots 19: field `at`: expected a time such as "2026-05-01T09:30:00Z", found 1772704800, perhaps seconds since 1970, which is 2026-03-05T10:00:00Z
    snapshots 20: field `at`: "2026-02-30T10:00:00Z" has the day 30, but that month has the days 01 to 28
    snapshots 22: field `booked`: expected a string, found 7
    snapshots 23: field `id`: the id is missing; every record needs one; field `at`: "2026-03-05" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z"; field `booked`: expected a string, found ["a"]; field `nights`: expected an integer, found "3"
    "#);
}

#[test]
fn null_and_absent_fields_are_valid() {
    let workspace = TestWorkspace::small();
    let lines = [
        r#"{"id":1,"at":"2026-03-01T10:00:00Z","booked":null,"nights":3}"#,
        r#"{"id":"2","at":"2026-03-01T11:00:00+01:00","other":{"deep":[1]}}"#,
        r#"{"id":3,"at":"2026-03-01T10:00:00.5Z","booked":"a","nights":3.0}"#,
    ];
    workspace.write_lines("snapshots.jsonl", lines);
    let line = |id: u64| format!(r#"{{"id":"{id}","at":"2026-03-01T10:00:00Z","room":"a"}}"#);
    workspace.write_lines("decisions.jsonl", (1..=3).map(line));
    let (report, kept) = run(&workspace);
    assert_eq!(kept, []);
    assert_eq!(account(&report, "snapshots"), [("received", 3), ("paired", 3)]);
    let figure = overall(&report, 0, 0);
    assert_eq!(
        (&figure["pairs"], &figure["abstained"], &figure["sums"]),
        (&json!(3), &json!(2), &json!([1.0]))
    );
    let logged = sealed(&workspace.path().join("run"), "snapshots").expect("three rows");
    assert_eq!(texts(&logged, "raw"), lines, "a record's own text is kept");
}

#[test]
fn records_are_excluded_for_each_reason() {
    let workspace = TestWorkspace::small();
    let snapshot = |id: &str, at: &str, booked: &str| {
        format!(r#"{{"id":"{id}","at":"2026-03-{at}:00Z","booked":"{booked}"}}"#)
    };
    let decision = |id: &str, at: &str, room: &str| {
        format!(r#"{{"id":"{id}","at":"2026-03-{at}:00Z","room":"{room}"}}"#)
    };
    // Horizon and lateness are one day.
    let snapshots = [
        snapshot("met", "01T10:00", "a"),
        snapshot("met", "01T10:00", "a"),
        snapshot("met", "01T10:00", "b"),
        snapshot("never decided", "01T10:05", "a"),
        snapshot("decided before", "01T12:00", "a"),
        snapshot("decided too late", "01T13:00", "a"),
        snapshot("out of order", "01T09:00", "a"),
        snapshot("not decided yet", "05T10:30", "a"),
        snapshot("too old", "04T10:00", "a"),
        snapshot("just in time", "04T10:30", "a"),
    ];
    let decisions = [
        decision("met", "01T11:00", "a"),
        decision("met", "01T11:01", "b"),
        decision("met", "01T11:00", "a"),
        decision("orphan", "01T11:30", "a"),
        decision("decided before", "01T11:00", "b"),
        decision("out of order", "01T12:30", "a"),
        decision("decided too late", "03T00:00", "a"),
        decision("just in time", "04T11:00", "a"),
        decision("early bird", "05T11:00", "a"),
        decision("too old", "03T10:59", "a"),
    ];
    // A file would have to be in order of time.
    let pipes = [("snapshots.jsonl", &snapshots), ("decisions.jsonl", &decisions)]
        .map(|(name, lines)| named_pipe(&workspace, name, lines));
    let (report, kept) = run(&workspace);
    for mut pipe in pipes {
        pipe.wait().expect("its reader has ended");
    }
    let exclusions = [("received", 10), ("duplicate", 1), ("conflict", 1), ("late", 1)];
    let others = [("paired", 4), ("waiting", 1), ("expired", 2)];
    for stream in ["snapshots", "decisions"] {
        assert_eq!(account(&report, stream), [&exclusions[..], &others].concat(), "{stream}");
    }
    let sent = |lines: &[String], line: usize| lines[line - 1].clone().into_bytes();
    let [second, third, ninth] = [2, 3, 9].map(|line| sent(&snapshots, line));
    let wanted = [(2, "duplicate", &second[..]), (3, "conflict", &third), (9, "late", &ninth)];
    assert_eq!(of_stream(&kept, "snapshots"), wanted);
    let [second, third, tenth] = [2, 3, 10].map(|line| sent(&decisions, line));
    let wanted = [(2, "conflict", &second[..]), (3, "duplicate", &third), (10, "late", &tenth)];
    assert_eq!(of_stream(&kept, "decisions"), wanted);
    let mut details: Vec<_> = kept.iter().map(|row| row.detail.as_str()).collect();
    details.sort_unstable();
    insta::assert_snapshot!(details.join("\n"), @r#"
    2026-03-03T10:59:00Z is more than 1d behind the latest record of its stream, line 9 with the id "early bird" (2026-03-05T11:00:00Z)
    2026-03-04T10:00:00Z is more than 1d behind the latest record of its stream, line 8 with the id "not decided yet" (2026-03-05T10:30:00Z)
    an earlier record has the id "met": the two are identical
    an earlier record has the id "met": the two are identical
    an earlier record has the id "met": the two differ; the first one counts
    an earlier record has the id "met": the two differ; the first one counts
    "#);

    let mut met = texts(&sealed(&workspace.path().join("run"), "pairs").expect("four rows"), "id");
    met.sort_unstable();
    assert_eq!(met, ["decided before", "just in time", "met", "out of order"]);
    assert_eq!(overall(&report, 0, 0)["sums"], json!([3.0]));
    let latency = &report["substrate-latency"];
    assert_eq!((&latency["dated-before-snapshot"], &latency["latency"]["count"]), (&json!(1), &json!(3)));
}

#[test]
fn an_oversized_record_is_stored_truncated() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("[windows]", "[limits]\nrecord-bytes = 100\n\n[windows]")]);
    let line = |id: &str, length: usize| {
        let start = format!(r#"{{"id":"{id}","at":"2026-03-01T10:00:00Z","booked":"a","nights":1,"why":""#);
        let dots = ".".repeat(length - start.len() - 2);
        format!("{start}{dots}\"}}")
    };
    let lines = [line("s1", 100), line("s2", 101), line("s3", 1_000_000), line("s4", 99)];
    workspace.write_lines("snapshots.jsonl", &lines);
    let (report, kept) = run(&workspace);
    assert_eq!(
        account(&report, "snapshots"),
        [("received", 4), ("rejected", 2), ("paired", 1), ("expired", 1)]
    );
    let cut = |line: &str| line.as_bytes()[..100].to_vec();
    let [second, third] = [cut(&lines[1]), cut(&lines[2])];
    assert_eq!(of_stream(&kept, "snapshots"), [(2, "rejected", &*second), (3, "rejected", &*third)]);
    insta::assert_snapshot!(explanations(&kept), @"
    snapshots 2: longer than 100 bytes, see `limits.record-bytes`; its beginning is stored
    snapshots 3: longer than 100 bytes, see `limits.record-bytes`; its beginning is stored
    ");
}

#[test]
fn a_stream_without_valid_records_has_no_metrics() {
    let workspace = TestWorkspace::small();
    workspace.write_lines("snapshots.jsonl", ["?", "!"]);
    let (report, kept) = run(&workspace);
    assert_eq!(account(&report, "snapshots"), [("received", 2), ("rejected", 2)]);
    assert_eq!(account(&report, "decisions"), [("received", 5), ("waiting", 5)]);
    assert_eq!(of_stream(&kept, "snapshots"), [(1, "rejected", &b"?"[..]), (2, "rejected", b"!")]);
    let figure = overall(&report, 0, 0);
    assert_eq!((&figure["value"], &figure["pairs"]), (&Value::Null, &json!(0)));
    assert_eq!(report["windows"], json!([]));
}
