//! A stopped run resumes where its log ends: after a full disk was cleared, and with sources that have grown.
//! A replaced source is rejected.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use understudy_tests::messy_streams::{assert_same_log, assert_verifies, workspace};
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;
use understudy_tests::{CommandOutput, TestWorkspace, account, deterministic_part};

const COMMAND: [&str; 4] = ["run", "study.toml", "--run", "run"];

#[test]
fn a_run_resumes_after_repeatedly_full_disks() {
    let (workspace, records) = workspace(20_000);
    workspace.ok(&["run", "study.toml", "--run", "plain"]);
    // The small disk vanishes with its namespace, so its files are copied.
    let output = workspace.run_isolated(
        "mkdir disk && mount -t tmpfs -o size=100k none disk
        for size in 100 300 500 700 900 1100 1300 1500 1700 1900 2100 2300 2500 2700 2900 3200 3500 65536; do
            mount -o remount,size=${size}k disk
            $UNDERSTUDY run study.toml --run disk/run >/dev/null; code=$?
            test $code = 0 && break
        done
        cp -R disk/run run; exit $code",
    );
    assert_eq!(output.code, 0, "{}", output.stderr);
    let full: Vec<&str> =
        output.stderr.lines().filter(|line| line.contains("No space left on device")).collect();
    assert!(full.len() > 8, "it was full in many places: {}", output.stderr);
    for line in full {
        assert!(line.contains("; free some space, or choose another directory with --run"), "{line}");
    }
    assert!(
        output.stderr.contains("disk/run contains a run that was cut off; it resumes after"),
        "{}",
        output.stderr
    );
    assert_same_log(&workspace, "run", "plain", records);
    assert_verifies(&workspace, "run");
}

/// A range of lines of a file, counted from 1.
fn lines(text: &str, from: usize, to: usize) -> String {
    text.split_inclusive('\n').skip(from - 1).take(to + 1 - from).collect()
}

/// The small study with snapshots from standard input; its snapshots and decisions.
fn piped() -> (TestWorkspace, [String; 2]) {
    let workspace = TestWorkspace::small();
    let read =
        |name: &str| fs::read_to_string(workspace.path().join(name)).expect("the small study has both");
    let texts = [read("snapshots.jsonl"), read("decisions.jsonl")];
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    (workspace, texts)
}

/// Runs with these snapshots on standard input until the log has this many snapshots and decisions, then
/// stops.
fn stop_after(workspace: &TestWorkspace, snapshots: &str, rows: [usize; 2]) -> CommandOutput {
    let mut running = TestProcess::start(workspace.command(&COMMAND));
    running.feed(snapshots);
    let run = workspace.path().join("run");
    wait_until("all that can be is in the log", || {
        ["snapshots", "decisions"].map(|table| open_rows(&run, table)) == rows
    });
    running.signal("INT");
    let output = workspace.redacted(running.wait_with_output());
    assert_eq!(output.code, 130, "{}", output.stderr);
    output
}

/// Runs with these snapshots on standard input to the end.
fn to_the_end(workspace: &TestWorkspace, snapshots: &str) -> CommandOutput {
    let mut running = TestProcess::start(workspace.command(&COMMAND));
    running.feed(snapshots);
    running.close_stdin();
    workspace.redacted(running.wait_with_output())
}

#[test]
fn a_grown_file_is_read_from_its_last_position() {
    let (undisturbed, [snapshots, decisions]) = piped();
    assert_eq!(to_the_end(&undisturbed, &snapshots).code, 0);

    let (workspace, _) = piped();
    workspace.write("decisions.jsonl", lines(&decisions, 1, 2));
    stop_after(&workspace, &lines(&snapshots, 1, 3), [3, 2]);
    assert_eq!(account(&workspace.report("run"), "decisions"), [("received", 2), ("paired", 2)]);
    workspace.write("decisions.jsonl", lines(&decisions, 1, 4));
    let output = stop_after(&workspace, &lines(&snapshots, 4, 4), [1, 2]);
    insta::assert_snapshot!(output.stderr, @"
    run contains a run that was stopped; it resumes after 3 snapshots and 2 decisions
    written to run
    ");
    workspace.write("decisions.jsonl", &decisions);
    let output = to_the_end(&workspace, &lines(&snapshots, 5, 5));
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(deterministic_part(&workspace.report("run")), deterministic_part(&undisturbed.report("run")));
}

#[test]
fn a_partial_last_line_is_read_again() {
    let (workspace, [snapshots, decisions]) = piped();
    for written in [lines(&decisions, 1, 2).len() + 1, lines(&decisions, 1, 3).len() - 2] {
        let (workspace, _) = piped();
        workspace.write("decisions.jsonl", &decisions[..written]);
        stop_after(&workspace, &lines(&snapshots, 1, 3), [3, 2]);
        workspace.write("decisions.jsonl", &decisions);
        let output = to_the_end(&workspace, &lines(&snapshots, 4, 5));
        assert_eq!(output.code, 0, "{}", output.stderr);
        let report = workspace.report("run");
        assert_eq!(account(&report, "snapshots"), [("received", 5), ("paired", 5)]);
        assert_eq!(account(&report, "decisions"), [("received", 6), ("rejected", 1), ("paired", 5)]);
    }
    // The line was complete except for its line feed.
    workspace.write("decisions.jsonl", lines(&decisions, 1, 3).trim_end());
    stop_after(&workspace, &lines(&snapshots, 1, 3), [3, 3]);
    workspace.write("decisions.jsonl", &decisions);
    assert_eq!(to_the_end(&workspace, &lines(&snapshots, 4, 5)).code, 0);
    assert_eq!(account(&workspace.report("run"), "decisions"), [("received", 5), ("paired", 5)]);
}

#[test]
fn a_growing_compressed_file_is_resumed() {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(text.as_bytes()).expect("a vector takes all");
        encoder.finish().expect("a vector takes all")
    };
    let undisturbed = TestWorkspace::small();
    let plain = deterministic_part(&undisturbed.run(&[]));
    let workspace = TestWorkspace::small();
    let whole =
        gzip(&fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("it has snapshots"));
    for part in [whole.len() / 3, whole.len() / 2, whole.len() - 4] {
        workspace.write("snapshots.jsonl", &whole[..part]);
        let output = workspace.understudy(&COMMAND);
        assert_eq!(output.code, 3, "{}", output.stderr);
    }
    workspace.write("snapshots.jsonl", &whole);
    workspace.ok(&COMMAND);
    assert_eq!(deterministic_part(&workspace.report("run")), plain);
}

#[test]
fn a_replaced_file_is_rejected() {
    let (workspace, [snapshots, decisions]) = piped();
    workspace.write("decisions.jsonl", lines(&decisions, 1, 3));
    stop_after(&workspace, &lines(&snapshots, 1, 3), [3, 3]);
    let report = workspace.report("run");
    let refused = |text: String| {
        workspace.write("decisions.jsonl", text);
        let output = to_the_end(&workspace, "");
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        assert_eq!(workspace.report("run"), report, "what was written stays");
        output.stderr
    };
    let others = [
        // Another record at the position, the same lines at other positions, and fewer bytes than were read.
        decisions.replace("\"s3\"", "\"x3\""),
        format!("\n{decisions}"),
        lines(&decisions, 1, 2),
        String::new(),
    ];
    for other in others {
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused(other), @"cannot resume decisions.jsonl: line 3 is not the record that was read before; restore that file, to which lines may have been appended, or start a new run with --run");
        }
    }
    workspace.write("decisions.jsonl", &decisions);
    let output = to_the_end(&workspace, &lines(&snapshots, 4, 5));
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(account(&workspace.report("run"), "decisions"), [("received", 5), ("paired", 5)]);
}
