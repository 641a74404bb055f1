//! The directory that a run writes: it is the run's own, nothing else is touched, and what cannot be written is said.

use std::collections::BTreeMap;
use std::fs;

use understudy_tests::tables::{open_rows, sealed, tree};
use understudy_tests::{Bench, root};

/// What a run says that cannot begin or go on.
fn refused(bench: &Bench, run: &str) -> String {
    let said = bench.understudy(&["run", "study.toml", "--run", run]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
    said.err
}

#[test]
fn it_is_named_after_the_study_unless_named() {
    let bench = Bench::small();
    let said = bench.understudy(&["run", "study.toml"]);
    assert_eq!((said.code, said.err.as_str()), (0, "written to runs/small\n"));
    let run = bench.path().join("runs/small");
    let files: Vec<_> = tree(&run).into_keys().collect();
    let names =
        files.iter().map(|path| path.strip_prefix(&run).expect("it lies there").display().to_string());
    let names: Vec<_> = names.filter(|name| !name.starts_with("plugins/")).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    checkpoint.bin
    decisions
    decisions/000000.parquet
    ledger.jsonl
    pairs
    pairs/000000.parquet
    plugins
    refused
    report.json
    seal.json
    snapshots
    snapshots/000000.parquet
    study.toml
    ");
    assert_eq!(files.len() - names.len(), 2, "model and comparator are one component, the metric another");
}

#[test]
fn an_empty_directory_is_taken() {
    let bench = Bench::small();
    fs::create_dir_all(bench.path().join("deep/empty")).expect("the folder can be made");
    for run in ["deep/empty", "deeper/still"] {
        let said = bench.understudy(&["run", "study.toml", "--run", run]);
        assert_eq!((said.code, said.err), (0, format!("written to {run}\n")));
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let bench = Bench::small();
    bench.run(&[]);
    bench.write("other/notes.txt", "keep me");
    let before = tree(bench.path());
    insta::assert_snapshot!(refused(&bench, "run"), @"run already holds a run of this study, which has ended; choose another directory with --run");
    insta::assert_snapshot!(refused(&bench, "other"), @"other is not empty and holds no run; choose another directory with --run");
    insta::assert_snapshot!(refused(&bench, "snapshots.jsonl"), @"cannot use snapshots.jsonl: Not a directory (os error 20); choose a directory that may be written to with --run");
    insta::assert_snapshot!(refused(&bench, "snapshots.jsonl/run"), @"cannot use snapshots.jsonl/run: Not a directory (os error 20); choose a directory that may be written to with --run");
    assert_eq!(tree(bench.path()), before);

    bench.change(&[("every = \"day\"", "every = \"hour\"")]);
    insta::assert_snapshot!(refused(&bench, "run"), @"run already holds a run of this study, which has ended; choose another directory with --run");
    bench.change(&[("study = \"small\"", "study = \"smaller\"")]);
    insta::assert_snapshot!(refused(&bench, "run"), @r#"run already holds a run of another study, "small"; choose another directory with --run"#);
}

#[test]
fn a_run_changes_nothing_of_the_study_but_the_cache() {
    let bench = Bench::new();
    for name in ["rooms.toml", "hotel-bookings.jsonl.gz", "hotel-assignments.jsonl.gz"] {
        let bytes = fs::read(root().join("examples/hotel").join(name)).expect("the example is there");
        let text =
            String::from_utf8(bytes.clone()).map(|text| text.replace("../../target/plugins", "PLUGINS"));
        bench.write(&format!("study/{name}"), text.map_or(bytes, String::into_bytes));
    }
    let study = bench.path().join("study");
    let before = tree(&study);
    let said = bench.understudy(&["run", "study/rooms.toml", "--run", "run"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let cache = study.join(".understudy/cache");
    let after = tree(&study);
    assert_eq!(
        after.keys().filter(|path| path.starts_with(&cache)).count(),
        6,
        "five plugins and their folder"
    );
    let left: BTreeMap<_, _> =
        after.into_iter().filter(|(path, _)| !cache.starts_with(path) && !path.starts_with(&cache)).collect();
    assert_eq!(left, before);
}

#[test]
fn a_study_that_may_not_be_written_to_is_run_all_the_same() {
    let bench = Bench::small();
    let elsewhere = Bench::new();
    let said = elsewhere.isolated(&format!(
        "mount --bind {study} {study} && mount -o remount,bind,ro {study} && exec $UNDERSTUDY run {study}/study.toml",
        study = bench.path().display()
    ));
    assert_eq!((said.code, said.err.as_str()), (0, "written to runs/small\n"));
    assert!(!bench.path().join(".understudy").exists());
}

#[test]
fn a_directory_that_may_not_be_written_to() {
    let bench = Bench::small();
    fs::create_dir(bench.path().join("locked")).expect("the folder can be made");
    let lock =
        "mount --bind locked locked && mount -o remount,bind,ro locked && exec $UNDERSTUDY run study.toml";
    let said = bench.isolated(&format!("{lock} --run locked/run"));
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!(said.err, @"cannot make locked/run: Read-only file system (os error 30); choose a directory that may be written to with --run");
    let said = bench.isolated(&format!("{lock} --run locked"));
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    insta::assert_snapshot!(said.err, @"cannot write locked/beginning.tmp: Read-only file system (os error 30); choose a directory that may be written to with --run");
}

#[test]
fn a_full_disk_ends_the_run_and_keeps_what_was_written() {
    let bench = Bench::small();
    let at = |row: u64| format!("2026-03-01T{:02}:{:02}:{:02}Z", row / 3600, row / 60 % 60, row % 60);
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","booked":"a","nights":{row}}}"#, at(row));
    bench.lines("snapshots.jsonl", (0..20_000).map(line));
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","room":"a"}}"#, at(row));
    bench.lines("decisions.jsonl", (0..20_000).map(line));
    // Room for the plugins and some of the rows. What is on the small disk goes with it, so it is copied.
    let said = bench.isolated(
        "mkdir disk && mount -t tmpfs -o size=2m none disk && $UNDERSTUDY run study.toml --run disk/run
        code=$?; cp -R disk/run kept; exit $code",
    );
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
    insta::with_settings!({ filters => [(r"disk/run/\w+/\d+", "disk/run/TABLE/NUMBER")] }, {
        insta::assert_snapshot!(said.err, @"cannot write disk/run/TABLE/NUMBER.arrows: No space left on device (os error 28); free some space, or choose another directory with --run. What was written before is kept");
    });
    let kept = bench.path().join("kept");
    assert!(open_rows(&kept, "snapshots") >= 1000, "whole batches can be read up to where the disk was full");
    assert!(sealed(&kept, "excluded").is_none());
    assert!(!kept.join("report.json").exists(), "no report is made of a run that failed");
}

#[test]
fn the_folder_of_a_study_is_not_taken_for_a_run() {
    let bench = Bench::small();
    let said = bench.understudy(&["run", "study.toml", "--run", "."]);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @". is not empty and holds no run; choose another directory with --run");
}
