//! `understudy init`: its declarations are clean and run.

use std::fs;
use std::process::Command;

use understudy_tests::{TestWorkspace, account, built_program, root};

/// Checks and runs the declaration in a folder of the workspace. Returns the number of its paired snapshots.
fn checked_and_run(workspace: &TestWorkspace, folder: &str) -> u64 {
    let study = format!("{folder}/study.toml");
    let checked = workspace.ok(&["check", &study]);
    assert_eq!(checked.stderr, "", "check is clean");
    let run = format!("{folder}/run");
    workspace.ok(&["run", &study, "--run", &run]);
    let report = workspace.report(&run);
    assert_eq!(report["end"], "finished");
    account(&report, "snapshots").iter().find(|(term, _)| *term == "paired").map_or(0, |(_, rows)| *rows)
}

#[test]
fn the_hotel_is_declared_and_runs() {
    let workspace = TestWorkspace::new();
    for file in ["hotel-bookings.jsonl.gz", "hotel-assignments.jsonl.gz"] {
        fs::copy(root().join("examples/hotel").join(file), workspace.path().join(file)).expect("the feed");
    }
    let feeds = ["--snapshots", "hotel-bookings.jsonl.gz", "--decisions", "hotel-assignments.jsonl.gz"];
    let output = workspace.ok(&[&["init"], &feeds[..], &["--output", "hotel"]].concat());
    insta::assert_snapshot!(output.stdout, @r"
    id                 `id`: 15,402 of 15,402 decisions have the id of a snapshot
    time               `observed_at`: it is the only key with times
    time of decisions  `decided_at`: it is the only key with times
    horizon            1d: 15,402 of 15,402 decisions lie within it; the farthest is 12h from its snapshot
    fields             20 of the snapshots: 13 integer, 1 number, 6 text
    decision           `room`: in 12,293 of 15,402 pairs it equals `reserved_room_type` of the snapshot; others, for --decision, are `price`
    form               label: it holds 9 different texts
    model              answers what `reserved_room_type` says: it equals the decision in 12,293 of 15,402 pairs
    condition          `customer_type`: 4 values, each with 162 pairs or more
    condition          `distribution_channel`: 3 values, each with 1,331 pairs or more
    condition          `market_segment`: 5 values, each with 900 pairs or more
    condition          `meal`: 4 values, each with 108 pairs or more
    condition          `adults`: 3 values, each with 629 pairs or more
    condition          weekdays and weekends: the snapshots span 425d
    windows            week: the snapshots span 425d: about 61 weeks with 252 pairs each
    ");
    assert_eq!(checked_and_run(&workspace, "hotel"), 15_402);
    let again = workspace.understudy(&[&["init"], &feeds[..], &["--output", "hotel"]].concat());
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(again.stderr, @"hotel/study.toml exists already; name another directory with --output");
}

#[test]
fn the_yard_is_declared_and_runs() {
    let workspace = TestWorkspace::new();
    let generated = Command::new(built_program("freight-yard"))
        .arg(workspace.path())
        .arg("2026")
        .output()
        .expect("started");
    assert!(generated.status.success());
    let output = workspace.ok(&["init", "--snapshots", "snapshots.jsonl", "--decisions", "decisions.jsonl"]);
    insta::assert_snapshot!(output.stdout, @r"
    id                 `id`: 3,016 of 3,016 decisions have the id of a snapshot
    time               `called_at`: it is the only key with times
    time of decisions  `decided_at`: it is the only key with times
    horizon            15m: 3,016 of 3,016 decisions lie within it; the farthest is 7m59s from its snapshot
    fields             10 of the snapshots: 2 boolean, 5 integer, 3 text
    decision           `bay`: it is the only field of the decisions
    form               label: it holds 15 different texts
    model              a stand-in that answers what `cargo` says: no field of the snapshots often equals the decision
    condition          `cargo`: 3 values, each with 339 pairs or more
    condition          `carrier`: 6 values, each with 466 pairs or more
    condition          `vehicle`: 3 values, each with 506 pairs or more
    condition          `priority`: 2 values, each with 581 pairs or more
    condition          `weekend_priority`: 2 values, each with 300 pairs or more
    condition          weekdays and weekends: the snapshots span 21d7h
    windows            week: the snapshots span 21d7h: about 3 weeks with 1,005 pairs each
    ");
    assert_eq!(checked_and_run(&workspace, "."), 3016);
}

#[test]
fn what_the_feeds_do_not_tell_is_asked_for_as_an_argument() {
    let workspace = TestWorkspace::new();
    workspace.write_lines(
        "s.jsonl",
        (0..5).map(|at| format!("{{\"id\":{at},\"at\":\"2026-03-01T10:0{at}:00Z\"}}")),
    );
    workspace.write_lines(
        "d.jsonl",
        (0..5).map(|at| {
            format!("{{\"id\":{at},\"at\":\"2026-03-01T10:0{at}:00Z\",\"bay\":\"a\",\"door\":\"b\"}}")
        }),
    );
    let feeds = ["init", "--snapshots", "s.jsonl", "--decisions", "d.jsonl"];
    let output = workspace.understudy(&feeds);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(output.stderr, @r"
    error: cannot guess which field is the decision: decisions have several fields: `bay`, `door`; name it with --decision

    Usage: understudy init [OPTIONS] --snapshots <FILE> --decisions <FILE>

    For more information, try '--help'.
    ");
    assert!(!workspace.path().join("study.toml").exists());
    workspace.ok(&[&feeds[..], &["--decision", "bay"]].concat());
    assert_eq!(checked_and_run(&workspace, "."), 5);
}

#[test]
fn tables_are_declared_and_run() {
    let workspace = TestWorkspace::new();
    let snapshots = (0..500).map(|at| {
        format!("{at:04},2026-03-{:02}T{:02}:00:00Z,{},{}", 1 + at / 24, at % 24, ["x", "y"][at % 2], at % 7)
    });
    workspace
        .write_lines("s.csv", std::iter::once("Ticket No,Seen At,Queue,Age".to_owned()).chain(snapshots));
    let decisions = (0..500).map(|at| {
        format!("{at:04},2026-03-{:02}T{:02}:30:00Z,{}", 1 + at / 24, at % 24, ["x", "z"][at % 3 % 2])
    });
    workspace.write_lines("d.csv", std::iter::once("Ticket No,Done At,Team".to_owned()).chain(decisions));
    workspace.ok(&["init", "--snapshots", "s.csv", "--decisions", "d.csv"]);
    assert_eq!(checked_and_run(&workspace, "."), 500);
}
