//! A killed run with damaged files resumes with the same metrics, or reports the damage and what to do.

use std::fs;
use std::path::{Path, PathBuf};

use understudy_tests::messy_streams::{RecordCounts, assert_same_log, assert_verifies, workspace};
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::synthetic::Numbers;
use understudy_tests::tables::{segments, tree};
use understudy_tests::{CommandOutput, TestWorkspace, deterministic_part};

/// The arguments of each start.
const COMMAND: [&str; 4] = ["run", "study.toml", "--run", "run"];
const ROWS: u64 = 10_000;

/// Two runs over messy streams: `plain` is undisturbed; `killed` was killed and has sealed and open segments.
fn killed() -> (TestWorkspace, RecordCounts) {
    let (workspace, records) = workspace(ROWS);
    workspace.ok(&["run", "study.toml", "--run", "plain"]);
    let run = workspace.path().join("killed");
    let mut running =
        TestProcess::start(workspace.command(&["run", "study.toml", "--run", "killed", "--batch-rows", "8"]));
    wait_until("segments are sealed and open", || {
        let count = |table, extension| segments(&run, table, extension).len();
        ["snapshots", "decisions", "pairs"].iter().all(|table| count(table, "parquet") > 1)
            && ["snapshots", "decisions", "pairs"].iter().all(|table| count(table, "arrows") > 0)
    });
    assert!(running.kill(), "it was killed before its end");
    (workspace, records)
}

fn copy(from: &Path, to: &Path) {
    for (path, content) in tree(from) {
        let to = to.join(path.strip_prefix(from).expect("it lies there"));
        match path.is_dir() {
            true => fs::create_dir_all(to).expect("a folder can be made"),
            false => fs::write(to, content).expect("a file can be written"),
        }
    }
}

/// Resumes the killed run after one of its files is replaced by this content.
fn go_on(workspace: &TestWorkspace, file: &Path, content: &[u8]) -> CommandOutput {
    let run = workspace.path().join("run");
    if run.exists() {
        fs::remove_dir_all(&run).expect("it can be removed");
    }
    fs::create_dir(&run).expect("it can be made");
    copy(&workspace.path().join("killed"), &run);
    fs::write(run.join(file), content).expect("it can be written");
    workspace.understudy(&COMMAND)
}

/// The files of the killed run, by relative path.
fn files(workspace: &TestWorkspace) -> Vec<(PathBuf, Vec<u8>)> {
    let run = workspace.path().join("killed");
    let files = tree(&run).into_iter().filter(|(path, _)| path.is_file());
    files.map(|(path, bytes)| (path.strip_prefix(&run).expect("it lies there").to_owned(), bytes)).collect()
}

/// Files that are derived, stored twice, or possibly torn by a crash. A run resumes without them.
fn may_be_damaged(file: &Path) -> bool {
    let name = file.display().to_string();
    name.ends_with(".arrows")
        || name.starts_with("plugins/")
        || ["checkpoint.bin", "study.toml", "report.json"].contains(&name.as_str())
}

#[test]
fn any_file_can_be_truncated_anywhere() {
    let (workspace, records) = killed();
    let mut numbers = Numbers(3);
    let (mut went_on, mut refused) = (0, 0);
    for (file, bytes) in files(&workspace) {
        let length = bytes.len() as u64;
        let end = [0, length / 2, length.saturating_sub(1)][numbers.next(3) as usize];
        // There are many sealed files; one of each kind suffices.
        let sealed = file.extension().is_some_and(|extension| extension == "parquet");
        let cuts = [numbers.next(length.max(1)), end];
        for &cut in &cuts[usize::from(sealed)..] {
            let output = go_on(&workspace, &file, &bytes[..cut as usize]);
            let what = format!("{} cut at {cut} of {}: {}", file.display(), bytes.len(), output.stderr);
            match output.code {
                0 => {
                    assert_same_log(&workspace, "run", "plain", records);
                    went_on += 1;
                }
                1 => {
                    assert!(!may_be_damaged(&file), "{what}");
                    let name = file.file_name().expect("a file has a name").to_string_lossy();
                    assert!(output.stderr.contains(&*name), "the file is named: {what}");
                    assert_eq!(output.stderr.lines().count(), 1, "{what}");
                    let advice = ["restore it from a copy", "restore the ledger from a copy"];
                    assert!(advice.iter().any(|advice| output.stderr.contains(advice)), "no advice: {what}");
                    refused += 1;
                }
                _ => panic!("{what}"),
            }
        }
    }
    println!("{went_on} went on, {refused} refused");
}

#[test]
fn the_ledger_can_end_within_a_line() {
    let (workspace, records) = killed();
    let ledger = fs::read(workspace.path().join("killed/ledger.jsonl")).expect("a run has a ledger");
    let last = ledger.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().expect("it has a line");
    for torn in [1, last.len() / 2, last.len()] {
        let output = go_on(&workspace, Path::new("ledger.jsonl"), &[&ledger, &last[..torn]].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert_same_log(&workspace, "run", "plain", records);
        assert_verifies(&workspace, "run");
    }
}

#[test]
fn a_changed_byte_of_an_unsealed_file_changes_no_metric() {
    let (workspace, records) = killed();
    let mut numbers = Numbers(4);
    // A new segment can be empty.
    let sound = |(file, bytes): &(PathBuf, Vec<u8>)| may_be_damaged(file) && !bytes.is_empty();
    for (file, bytes) in files(&workspace).into_iter().filter(sound) {
        let mut bytes = bytes;
        let at = numbers.next(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << numbers.next(8);
        let output = go_on(&workspace, &file, &bytes);
        assert_eq!(output.code, 0, "{}, byte {at}: {}", file.display(), output.stderr);
        assert_same_log(&workspace, "run", "plain", records);
        assert_verifies(&workspace, "run");
    }
}

#[test]
fn missing_files_are_reported() {
    let (workspace, _) = killed();
    let without = |file: &str| {
        let path = Path::new(file);
        let run = workspace.path().join("run");
        let _ = fs::remove_dir_all(&run);
        fs::create_dir(&run).expect("it can be made");
        copy(&workspace.path().join("killed"), &run);
        fs::remove_file(run.join(path)).expect("it is there");
        let output = workspace.understudy(&COMMAND);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        output.stderr
    };
    insta::assert_snapshot!(without("snapshots/000001.parquet"), @"run/snapshots/000001.parquet is missing; restore it from a copy to resume the run, or choose another directory with --run");
    insta::assert_snapshot!(without("pairs/000000.parquet"), @"run/pairs/000000.parquet is missing; restore it from a copy to resume the run, or choose another directory with --run");
    insta::assert_snapshot!(without("ledger.jsonl"), @"run holds a run without ledger.jsonl; restore it from a copy to resume the run, or choose another directory with --run");
    insta::assert_snapshot!(without("seal.json"), @"cannot read run/seal.json: No such file or directory (os error 2); restore it from a copy to resume the run, or choose another directory with --run");
}

#[test]
fn a_changed_byte_of_a_sealed_file_is_reported() {
    let (workspace, _) = killed();
    let changed = |file: &str, old: &str, new: &str| {
        let text = fs::read_to_string(workspace.path().join("killed").join(file)).expect("it is text");
        assert!(text.contains(old), "{file} has no {old}");
        let output = go_on(&workspace, Path::new(file), text.replacen(old, new, 1).as_bytes());
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        output.stderr
    };
    insta::assert_snapshot!(changed("seal.json", "\"evil\"", "\"good\""), @"run/seal.json is damaged: its declaration does not match its digest; restore it from a copy to resume the run, or choose another directory with --run");
    insta::assert_snapshot!(changed("ledger.jsonl", "\"evil\"", "\"good\""), @"cannot use run/ledger.jsonl:3: it was changed: its hash does not match; run `understudy verify` for all faults, and restore the file from a copy");
}

#[test]
fn an_ended_run_stays_ended() {
    let (workspace, _) = workspace(600);
    workspace.run(&[]);
    let before = deterministic_part(&workspace.report("run"));
    let tree_before = tree(&workspace.path().join("run"));
    let output = workspace.understudy(&COMMAND);
    assert_eq!(output.code, 1);
    assert_eq!(
        (deterministic_part(&workspace.report("run")), tree(&workspace.path().join("run"))),
        (before, tree_before)
    );
}
