//! A stopped run ends in order: accepted records are answered, compared, sealed and reported.

use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::{column, open_rows, sealed, texts};
use understudy_tests::{TestWorkspace, account, make_pipe, overall};

/// Stops a run that waits for standard input.
fn stopped_by(signal: &str) {
    let workspace = TestWorkspace::small();
    let text = std::fs::read_to_string(workspace.path().join("snapshots.jsonl"))
        .expect("the small study has snapshots");
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let run = workspace.path().join("run");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    // Three lines and an unfinished fourth one.
    let end = text.match_indices('\n').nth(2).expect("five lines").0 + 20;
    running.feed(&text[..end]);
    wait_until("all that can be is in the log", || {
        ["snapshots", "decisions", "pairs"].map(|table| open_rows(&run, table)) == [3, 5, 3]
    });
    running.signal(signal);
    let output = running.wait_with_output();
    assert_eq!((output.code, output.stderr.as_str()), (130, "written to run\n"));

    let report = workspace.report("run");
    assert_eq!(report["end"], "interrupted");
    assert_eq!(account(&report, "snapshots"), [("received", 3), ("paired", 3)]);
    assert_eq!(account(&report, "decisions"), [("received", 5), ("paired", 3), ("waiting", 2)]);
    let figure = overall(&report, 0, 0);
    // Before the end, figures cover complete windows only, and there is none.
    assert_eq!((figure["value"].as_f64(), figure["pairs"].as_u64()), (None, Some(0)));
    let ids = |table| texts(&sealed(&run, table).expect("it has rows"), "id");
    assert_eq!(ids("snapshots"), ["s1", "s2", "s3"]);
    assert_eq!(ids("decisions"), ["s1", "s2", "s3", "s4", "s5"]);
    assert_eq!(ids("pairs"), ["s1", "s2", "s3"]);
    let answers = column(&sealed(&run, "snapshots").expect("it has rows"), "model.echo.answer");
    assert_eq!(
        arrow::array::AsArray::as_string::<i32>(&answers).iter().flatten().collect::<Vec<_>>(),
        ["a", "b", "a"]
    );

    // The report can be rebuilt.
    let again = workspace.understudy(&["report", "run", "--format", "text"]);
    assert_eq!((again.code, again.stdout), (0, output.stdout));
}

#[test]
fn sigint_ends_the_run() {
    stopped_by("INT");
}

#[test]
fn sigterm_ends_the_run() {
    stopped_by("TERM");
}

/// Stops a run whose snapshots come from `source` before there is any.
fn stopped_before_the_first_record(workspace: &TestWorkspace, source: &str) {
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", source)]);
    workspace.write("decisions.jsonl", "");
    let running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    wait_until("the run has begun", || workspace.path().join("run/pairs").exists());
    running.signal("INT");
    let output = running.wait_with_output();
    assert_eq!(output.code, 130, "{}{}", output.stdout, output.stderr);
    let report = workspace.report("run");
    assert_eq!(report["end"], "interrupted");
    assert_eq!(account(&report, "snapshots"), []);
}

#[test]
fn a_run_can_end_before_the_first_record() {
    stopped_before_the_first_record(&TestWorkspace::small(), "stdin = true");
}

#[test]
fn a_run_can_end_before_a_named_pipe_has_a_writer() {
    let workspace = TestWorkspace::small();
    make_pipe(&workspace.path().join("pipe"));
    stopped_before_the_first_record(&workspace, "file = \"pipe\"");
}
