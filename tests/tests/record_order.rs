//! Records whose time stamps leap ahead, files that are out of order of time, and `understudy sort`.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use understudy_tests::http::Client;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::served_run::ServedRun;
use understudy_tests::tables::{excluded_rows, open_rows};
use understudy_tests::{TestWorkspace, account, plugin};

const RUN: [&str; 4] = ["run", "study.toml", "--run", "run"];
const JSON: (&str, &str) = ("content-type", "application/json");

/// A snapshot of March 2026, or of any other time.
fn snapshot(id: &str, at: &str) -> String {
    let at = if at.len() < 10 { format!("2026-03-{at}:00:00Z") } else { at.to_owned() };
    format!(r#"{{"id":"{id}","at":"{at}","booked":"a"}}"#)
}

/// A decision of March 2026, or of any other time.
fn decision(id: &str, at: &str) -> String {
    snapshot(id, at).replace("booked", "room")
}

/// Five days, and their decisions one hour later.
const DAYS: [&str; 5] = ["1", "2", "3", "4", "5"];

/// The small study with one hour of lateness and these snapshots and decisions.
fn workspace(snapshots: &[String], decisions: &[String]) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("time = \"at\"\n", "time = \"at\"\nlateness = \"1h\"\n"),
        ("horizon = \"1d\"\n", "horizon = \"2h\"\nlateness = \"1h\"\n"),
    ]);
    workspace.write_lines("snapshots.jsonl", snapshots);
    workspace.write_lines("decisions.jsonl", decisions);
    workspace
}

fn snapshots() -> Vec<String> {
    DAYS.map(|day| snapshot(day, &format!("0{day}T10"))).to_vec()
}

fn decisions() -> Vec<String> {
    DAYS.map(|day| decision(day, &format!("0{day}T11"))).to_vec()
}

/// The lines with others inserted, each before the line with that index.
fn with(lines: &[String], more: &[(usize, String)]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for (index, line) in more.iter().rev() {
        lines.insert(*index, line.clone());
    }
    lines
}

/// Line and reason of the excluded records of a run.
fn exclusions(workspace: &TestWorkspace) -> Vec<(u64, String, String)> {
    let mut kept = excluded_rows(&workspace.path().join("run"));
    // The table mixes the streams in the order in which they were read.
    kept.sort_by(|a, b| b.stream.cmp(&a.stream));
    kept.into_iter().map(|row| (row.line, row.reason, row.detail)).collect()
}

#[test]
fn a_snapshot_that_alone_leaps_ahead_is_rejected_by_name() {
    // The line before which each leap is, counted from 0.
    let leaps: [&[(usize, String)]; 7] = [
        &[(0, snapshot("x", "2026-06-01T00:00:00Z"))],
        &[(1, snapshot("x", "2026-04-01T10:00:00Z"))],
        &[(1, snapshot("x", "9999-12-31T23:59:59Z"))],
        &[(5, snapshot("x", "9999-12-31T23:59:59Z"))],
        &[(2, snapshot("x", "2126-03-03T10:00:00Z")), (2, snapshot("y", "2126-03-03T10:00:00Z"))],
        &[(4, snapshot("x", "2026-06-01T00:00:00Z"))],
        &[(0, snapshot("x", "2026-06-01T00:00:00Z")), (4, snapshot("y", "2026-05-01T00:00:00Z"))],
    ];
    for leaps in leaps {
        for batch_rows in ["1", "2", "3", "1024"] {
            let workspace = workspace(&with(&snapshots(), leaps), &decisions());
            let report = workspace.run(&["--batch-rows", batch_rows]);
            let count = leaps.len() as u64;
            let wanted = [("received", 5 + count), ("rejected", count), ("paired", 5)];
            assert_eq!(account(&report, "snapshots"), wanted, "{leaps:?}");
            let lines: Vec<u64> = exclusions(&workspace).iter().map(|(line, ..)| *line).collect();
            let wanted: Vec<u64> = (1..).zip(leaps).map(|(nth, (index, _))| *index as u64 + nth).collect();
            assert_eq!(lines, wanted, "{leaps:?}");
            workspace.ok(&["verify", "run"]);
        }
    }
}

#[test]
fn the_reason_of_a_leap_names_its_neighbours() {
    let workspace = workspace(
        &with(&snapshots(), &[(1, snapshot("x", "2026-04-01T10:00:00Z"))]),
        &with(&decisions(), &[(0, decision("x", "2026-06-01T00:00:00Z"))]),
    );
    assert_eq!(account(&workspace.run(&[]), "decisions"), [("received", 6), ("rejected", 1), ("paired", 5)]);
    let reasons: Vec<String> =
        exclusions(&workspace).into_iter().map(|(line, _, reason)| format!("{line}: {reason}")).collect();
    insta::assert_snapshot!(reasons.join("\n"), @"
    2: 2026-04-01T10:00:00Z leaps 31d ahead of line 1 (2026-03-01T10:00:00Z), and the records behind it do not follow: line 3 (2026-03-02T10:00:00Z), line 4 (2026-03-03T10:00:00Z), line 5 (2026-03-04T10:00:00Z); correct its time
    1: 2026-06-01T00:00:00Z is the time of the first record, and the records behind it lie before it by more than 1h: line 2 (2026-03-01T11:00:00Z), line 3 (2026-03-02T11:00:00Z), line 4 (2026-03-03T11:00:00Z); correct its time
    ");
}

#[test]
fn a_gap_and_an_overlapping_export_are_no_leap() {
    let mut lines = snapshots();
    // The second export begins with records of the first.
    lines.push(snapshot("6", "20T10"));
    lines.extend([
        snapshot("4", "04T10"),
        snapshot("5", "05T10"),
        snapshot("6", "20T10"),
        snapshot("7", "20T11"),
    ]);
    let mut decided = decisions();
    decided.extend([decision("6", "20T11"), decision("7", "20T12")]);
    let workspace = workspace(&lines, &decided);
    workspace.edit_study(&[("horizon = \"2h\"", "horizon = \"20d\"")]);
    let report = workspace.run(&["--batch-rows", "2"]);
    assert_eq!(account(&report, "snapshots"), [("received", 10), ("duplicate", 3), ("paired", 7)]);
}

#[test]
fn a_leap_in_a_compressed_file_is_rejected_and_a_resumed_run_agrees() {
    let lines = with(&snapshots(), &[(3, snapshot("x", "2026-04-01T10:00:00Z"))]);
    let text: String = lines.iter().map(|line| line.clone() + "\n").collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("a vector takes all");
    let gzip = encoder.finish().expect("a vector takes all");
    let workspace = workspace(&[], &[]);
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    workspace.write("snapshots.jsonl", gzip);
    let mut running = TestProcess::start(workspace.command(&[&RUN[..], &["--batch-rows", "1"]].concat()));
    running.feed(&(decisions()[..2].join("\n") + "\n"));
    let run = workspace.path().join("run");
    wait_until("the first decisions are in the log", || open_rows(&run, "decisions") == 2);
    running.signal("INT");
    assert_eq!(running.wait_with_output().code, 130);
    let mut running = TestProcess::start(workspace.command(&RUN));
    running.feed(&(decisions()[2..].join("\n") + "\n"));
    running.close_stdin();
    assert_eq!(running.wait_with_output().code, 0);
    let report = workspace.report("run");
    assert_eq!(account(&report, "snapshots"), [("received", 6), ("rejected", 1), ("paired", 5)]);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_file_out_of_order_ends_the_run_and_sorting_it_repairs_it() {
    let order =
        |days: &[usize]| -> Vec<String> { days.iter().map(|day| snapshots()[day - 1].clone()).collect() };
    let interleaved: Vec<String> = (0..5)
        .flat_map(|at| {
            [
                snapshots()[at].clone(),
                snapshot(&format!("{at}"), &format!("1{at}T10")).replace("\"id\":\"", "\"id\":\"o"),
            ]
        })
        .collect();
    let concatenated = [snapshots(), snapshots()]
        .concat()
        .into_iter()
        .enumerate()
        .map(|(at, line)| if at < 5 { line.replace("\"id\":\"", "\"id\":\"o") } else { line });
    let cases: [(&str, Vec<String>, &str); 6] = [
        (
            "newest first",
            order(&[5, 4, 3, 2, 1]),
            "line 2 (2026-03-04T10:00:00Z) is 1d behind line 1 (2026-03-05T10:00:00Z)",
        ),
        (
            "shuffled",
            order(&[5, 3, 1, 4, 2]),
            "line 2 (2026-03-03T10:00:00Z) is 2d behind line 1 (2026-03-05T10:00:00Z)",
        ),
        (
            "two lines",
            order(&[2, 1]),
            "line 2 (2026-03-01T10:00:00Z) is 1d behind line 1 (2026-03-02T10:00:00Z)",
        ),
        (
            "concatenated",
            concatenated.collect(),
            "line 6 (2026-03-01T10:00:00Z) is 4d behind line 5 (2026-03-05T10:00:00Z)",
        ),
        (
            "interleaved",
            interleaved,
            "line 3 (2026-03-02T10:00:00Z) is 8d behind line 2 (2026-03-10T10:00:00Z)",
        ),
        (
            "two leaps in a row",
            with(
                &snapshots(),
                &[(2, snapshot("x", "2026-06-01T00:00:00Z")), (2, snapshot("y", "2026-06-02T00:00:00Z"))],
            ),
            "line 5 (2026-03-03T10:00:00Z) is 90d14h behind line 4 (2026-06-02T00:00:00Z)",
        ),
    ];
    for (name, lines, place) in cases {
        let workspace = workspace(&lines, &decisions());
        let output = workspace.understudy(&RUN);
        assert_eq!(output.code, 3, "{name}: {}{}", output.stdout, output.stderr);
        let message = format!(
            "cannot read snapshots.jsonl in order of time: {place}, and `lateness` is 1h; sort the file with `understudy \
             sort`, or declare a larger `lateness`, and start a new run. The lines before it are processed"
        );
        assert!(output.stderr.contains(&message), "{name}: {}", output.stderr);
        assert_eq!(workspace.report("run")["end"], json!({ "source-failed": [message] }), "{name}");

        let sort = ["sort", "study.toml", "--stream", "snapshots", "--output", "snapshots.jsonl"];
        let output = workspace.ok(&sort);
        assert!(
            output.stderr.starts_with(&format!("{} lines sorted by `at`", lines.len())),
            "{}",
            output.stderr
        );
        let output = workspace.understudy(&RUN);
        assert_eq!(output.code, 1, "{name}: {}", output.stderr);
        assert!(output.stderr.contains("start a new run with --run"), "{name}: {}", output.stderr);
        workspace.ok(&["run", "study.toml", "--run", "again"]);
        let paired = lines.len().min(5) as u64;
        assert_eq!(workspace.report("again")["accounting"]["snapshots"]["paired"], paired, "{name}");
    }
}

#[test]
fn a_decision_out_of_order_ends_the_run() {
    let mut lines = decisions();
    lines.swap(0, 3);
    let workspace = workspace(&snapshots(), &lines);
    let output = workspace.understudy(&RUN);
    assert_eq!(output.code, 3);
    assert!(
        output.stderr.contains("cannot read decisions.jsonl in order of time: line 2 "),
        "{}",
        output.stderr
    );
    // Within the lateness any order will do.
    workspace.edit_study(&[("horizon = \"2h\"\nlateness = \"1h\"", "horizon = \"2h\"\nlateness = \"5d\"")]);
    workspace.ok(&["run", "study.toml", "--run", "wide"]);
    assert_eq!(account(&workspace.report("wide"), "decisions"), [("received", 5), ("paired", 5)]);
}

#[test]
fn late_records_of_standard_input_are_counted_and_name_the_record_that_set_the_clock() {
    let workspace = workspace(&[], &decisions());
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let mut running = TestProcess::start(workspace.command(&RUN));
    let future = snapshot("x", "2126-03-03T10:00:00Z");
    running.feed(&(with(&snapshots(), &[(1, future), (4, snapshot("late", "01T12"))]).join("\n") + "\n"));
    running.close_stdin();
    assert_eq!(running.wait_with_output().code, 0);
    let report = workspace.report("run");
    let wanted = [("received", 7), ("rejected", 1), ("late", 1), ("paired", 5)];
    assert_eq!(account(&report, "snapshots"), wanted);
    let kept = exclusions(&workspace);
    let [(2, rejected, future), (6, late, behind)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((rejected.as_str(), late.as_str()), ("rejected", "late"));
    assert!(
        future.contains(" ahead of this machine's clock, ") && future.contains("`most-ahead` is 1h"),
        "{future}"
    );
    assert_eq!(
        behind,
        "2026-03-01T12:00:00Z is more than 1h behind the latest record of its stream, line 5 with the id \"4\" (2026-03-04T10:00:00Z)"
    );
}

/// A study that is served, with one hour of lateness, and its client.
fn served(mirror: &str) -> (TestWorkspace, ServedRun, Client) {
    let workspace = workspace(&[], &[]);
    workspace.edit_study(&[
        ("{ file = \"snapshots.jsonl\" }", "{ http = true }"),
        ("{ file = \"decisions.jsonl\" }", "{ http = true }"),
        ("[[models]]", mirror),
    ]);
    // A mirror is served with tokens only.
    if !mirror.contains("[mirror]") {
        let serving = ServedRun::start(&workspace, &[]);
        let client = serving.client();
        return (workspace, serving, client);
    }
    let token = workspace.ok(&["token", "--role", "feed", "--name", "feed", "--file", "tokens.toml"]).stdout;
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
    let client = Client::with_token(serving.address, token.trim());
    (workspace, serving, client)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[test]
fn a_wrong_clock_over_http_stops_no_other_client() {
    let (workspace, serving, mut client) = served("[[models]]");
    let mut send = |body: String| client.send("POST", "/v1/snapshots", &[JSON], body.as_bytes());
    // Alone, and in a batch with others.
    let answer = send(snapshot("x", "2126-03-03T10:00:00Z"));
    assert_eq!(answer.status, 422, "{}", answer.text());
    let batch = format!(
        "[{},{},{}]",
        snapshot("a", &now()),
        snapshot("y", "9999-12-01T00:00:00Z"),
        snapshot("b", &now())
    );
    let answer = send(batch);
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert!(answer.text().contains("ahead of this machine's clock"), "{}", answer.text());
    let answer = send(snapshot("good", &now()));
    assert_eq!(answer.status, 202, "{}", answer.text());
    // A late record names the one that set the clock.
    let answer = send(snapshot("late", "01T10"));
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("record 5 with the id \\\"good\\\""), "{}", answer.text());
    workspace.ok(&["end", "run", "--reason", "that is all", "--who", "test"]);
    assert_eq!(serving.wait_with_output().code, 0);
    let report = workspace.report("run");
    let wanted = [("received", 6), ("rejected", 2), ("late", 1), ("waiting", 3)];
    assert_eq!(account(&report, "snapshots"), wanted);
    let reasons: Vec<String> = exclusions(&workspace).into_iter().map(|(_, reason, _)| reason).collect();
    assert_eq!(reasons, ["rejected", "rejected", "late"]);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_mirrored_request_of_the_future_is_rejected() {
    let mirror = "[mirror]\nid = \"header x-request-id\"\ntime = \"header x-time\"\n\n[[models]]";
    let (workspace, serving, mut client) = served(mirror);
    for (id, at) in [("x", "2126-03-03T10:00:00Z".to_owned()), ("good", now())] {
        let headers = [("x-request-id", id), ("x-time", at.as_str()), JSON];
        assert_eq!(client.send("POST", "/v1/mirror/book", &headers, b"{}").status, 204);
    }
    let run = workspace.path().join("run");
    wait_until("the good one is in the log", || open_rows(&run, "snapshots") == 1);
    assert_eq!(serving.stop().code, 130);
    let report = workspace.report("run");
    assert_eq!(account(&report, "snapshots"), [("received", 2), ("rejected", 1), ("waiting", 1)]);
}

#[test]
fn a_study_with_simulated_time_declares_how_far_it_is_ahead() {
    let year = |line: &String| line.replace("2026-", "2061-");
    let simulated: [Vec<String>; 2] =
        [snapshots(), decisions()].map(|lines| lines.iter().map(year).collect());
    let workspace = workspace(&simulated[0], &simulated[1]);
    workspace.understudy(&RUN);
    assert_eq!(account(&workspace.report("run"), "snapshots"), [("received", 5), ("rejected", 5)]);
    workspace.edit_study(&[
        ("lateness = \"1h\"\n", "lateness = \"1h\"\nmost-ahead = \"36500d\"\n"),
        ("horizon = \"2h\"\n", "horizon = \"2h\"\nmost-ahead = \"36500d\"\n"),
    ]);
    workspace.ok(&["run", "study.toml", "--run", "simulated"]);
    assert_eq!(account(&workspace.report("simulated"), "snapshots"), [("received", 5), ("paired", 5)]);
}

#[test]
fn a_what_if_run_reads_the_log_by_the_rules_of_its_arrival() {
    let lines = with(&snapshots(), &[(2, snapshot("x", "2126-03-03T10:00:00Z"))]);
    let workspace = workspace(&lines, &decisions());
    workspace.run(&[]);
    let model = format!("echo={}", plugin("recorded").display());
    workspace.ok(&["replay", "run", "--model", &model, "--run", "what-if"]);
    let [plain, replayed] = ["run", "what-if"].map(|run| account(&workspace.report(run), "snapshots"));
    assert_eq!(replayed, plain);
}

#[test]
fn sort_reads_and_writes_every_format_and_says_what_has_no_time() {
    let workspace = workspace(&[], &decisions());
    let lines =
        [snapshots()[1].clone(), "not a record".to_owned(), snapshots()[0].clone(), snapshots()[2].clone()];
    workspace.write_lines("mixed.jsonl", &lines);
    let sort = |input: &str, output: &str| {
        workspace.ok(&["sort", "study.toml", input, "--stream", "snapshots", "--output", output])
    };
    let output = sort("mixed.jsonl", "sorted.jsonl.gz");
    insta::assert_snapshot!(output.stderr, @"
    4 lines sorted by `at` into sorted.jsonl.gz; 1 out of order
    1 lines without a readable time stay behind the line before them, first line 2: not JSON: the word not at column 1; write strings in double quotes
    ");
    sort("sorted.jsonl.gz", "sorted.jsonl.zst");
    sort("sorted.jsonl.zst", "sorted.jsonl");
    let sorted = fs::read_to_string(workspace.path().join("sorted.jsonl")).expect("it was written");
    assert_eq!(sorted.lines().collect::<Vec<_>>(), [&lines[2], &lines[0], &lines[1], &lines[3]]);
    let gzip = fs::read(workspace.path().join("sorted.jsonl.gz")).expect("it was written");
    assert_eq!(gzip[..2], [0x1f, 0x8b]);

    workspace.edit_study(&[("{ file = \"decisions.jsonl\" }", "{ http = true }")]);
    let output = workspace.understudy(&["sort", "study.toml", "--stream", "decisions", "--output", "x"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"study.toml declares no file for the decisions; name the file to sort");
    let output =
        workspace.understudy(&["sort", "study.toml", "none", "--stream", "decisions", "--output", "x"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"cannot read none: No such file or directory (os error 2); name another file, or correct the path in `[sources]`");
}
