//! `understudy report`: the report of a run that has ended, made again from what the run left and nothing else.

use std::fs;

use serde_json::Value;
use understudy_tests::{Bench, Said, plugin, root};

#[test]
fn a_report_is_made_again_from_the_sums() {
    let bench = Bench::new();
    let study = root().join("examples/hotel/rooms.toml");
    let first = bench.understudy(&["run", study.to_str().expect("a path in UTF-8"), "--run", "run"]);
    assert_eq!(first.code, 0, "{}", first.err);
    for table in ["snapshots", "decisions", "pairs", "excluded"] {
        fs::remove_dir_all(bench.path().join("run").join(table)).expect("a run has this table");
    }
    let again = bench.understudy(&["report", "run", "--format", "text"]);
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (0, first.out.as_str(), ""));
    let json = bench.understudy(&["report", "run", "--format", "json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(printed["report"], bench.report("run"));
}

#[test]
fn the_report_needs_neither_the_study_nor_its_plugins() {
    let bench = Bench::small();
    bench.write("echo.wasm", fs::read(plugin("recorded")).expect("the plugin is there"));
    bench.change(&[("PLUGINS/recorded.wasm", "echo.wasm")]);
    bench.run(&[]);
    let elsewhere = Bench::new();
    fs::rename(bench.path().join("run"), elsewhere.path().join("moved")).expect("it can be moved");
    let before = elsewhere.report("moved");
    drop(bench);
    let json = elsewhere.understudy(&["report", "moved", "--format", "json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&json.out).expect("it is JSON")["report"], before);
}

#[test]
fn a_report_of_what_is_no_run() {
    let bench = Bench::small();
    let refused = |run: &str| {
        let said = bench.understudy(&["report", run]);
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        said.err
    };
    insta::assert_snapshot!(refused("run"), @"cannot read run/checkpoint.bin: No such file or directory (os error 2); name a run directory whose run has ended");
    insta::assert_snapshot!(refused("."), @"cannot read ./checkpoint.bin: No such file or directory (os error 2); name a run directory whose run has ended");
    bench.run(&[]);
    let checkpoint = bench.path().join("run/checkpoint.bin");
    let mut bytes = fs::read(&checkpoint).expect("a run leaves it");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(&checkpoint, &bytes).expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is damaged: its digest does not match; run/report.json holds the figures as they were");
    fs::write(&checkpoint, "something else").expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is not a checkpoint of this version of understudy; run/report.json holds the figures as they were");
}

#[test]
fn a_reader_who_hangs_up_ends_nothing() {
    let bench = Bench::small();
    let hung_up = || std::io::pipe().expect("a pipe").1;
    let commands: [&[&str]; 6] = [
        &["run", "study.toml", "--run", "run"],
        &["report", "run"],
        &["report", "run", "--format", "text"],
        &["report", "run", "--format", "json"],
        &["check", "study.toml"],
        &["schema", "report"],
    ];
    for arguments in commands {
        let status = bench.command(arguments).stdout(hung_up()).stderr(hung_up()).status();
        assert_eq!(status.expect("the program can be started").code(), Some(0), "{arguments:?}");
    }
    assert_eq!(bench.report("run")["end"], "finished");
}

#[test]
fn what_cannot_be_printed_is_said() {
    let bench = Bench::small();
    bench.run(&[]);
    let full = fs::File::options().write(true).open("/dev/full").expect("a disk that is always full");
    let said: Said = bench
        .command(&["report", "run", "--format", "md"])
        .stdout(full)
        .output()
        .expect("it can be started")
        .into();
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @"cannot write to standard output: No space left on device (os error 28)");
}

#[test]
fn a_report_is_not_made_again_from_what_did_not_run() {
    let bench = Bench::small();
    bench.run(&[]);
    let declared = fs::read_to_string(bench.path().join("run/study.toml")).expect("the declaration");
    bench.write("run/study.txt", declared.replace("[\"a\", \"b\"]", "[\"b\", \"a\"]"));
    let plugins = fs::read_dir(bench.path().join("run/plugins")).expect("the plugins");
    let plugin = plugins.map(|entry| entry.expect("an entry").path()).min().expect("a plugin");
    let bytes = fs::read(&plugin).expect("a plugin");

    fs::rename(bench.path().join("run/study.txt"), bench.path().join("run/study.toml")).expect("renamed");
    let changed = bench.understudy(&["report", "run"]);
    fs::write(bench.path().join("run/study.toml"), declared).expect("written back");
    fs::write(&plugin, [&bytes[..], b"x"].concat()).expect("written");
    let swapped = bench.understudy(&["report", "run"]);
    fs::write(&plugin, bytes).expect("written back");
    assert_eq!((changed.code, swapped.code, bench.understudy(&["report", "run"]).code), (1, 1, 0));
    insta::assert_snapshot!(changed.err, @"run/study.toml is missing, or is not the one that the run was made with, so nothing can be made again from it; report.json holds the figures as they were, and `understudy verify` says what else is wrong");
    assert!(
        swapped.err.starts_with("run/plugins/") && swapped.err.contains("is not the one"),
        "{}",
        swapped.err
    );
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let bench = Bench::small();
    bench.run(&[]);
    fs::remove_file(bench.path().join("run/checkpoint.bin")).expect("removed");
    insta::assert_snapshot!(bench.understudy(&["report", "run"]).err, @"run/checkpoint.bin is gone, so the report cannot be made again; run/report.json holds the figures as they were");
    // As if it had been killed before its last entry.
    let ledger = fs::read_to_string(bench.path().join("run/ledger.jsonl")).expect("a run has a ledger");
    let (rest, closed) = ledger.trim_end().rsplit_once('\n').expect("several lines");
    assert!(closed.contains("\"kind\":\"closed\""), "{closed}");
    bench.write("run/ledger.jsonl", format!("{rest}\n"));
    insta::assert_snapshot!(bench.understudy(&["report", "run"]).err, @"run holds a run that has not ended; run the study again to go on, and see its report at the end");
    fs::write(bench.path().join("run/checkpoint.bin"), "something else").expect("it can be written");
    insta::assert_snapshot!(bench.understudy(&["report", "run"]).err, @"cannot use run/checkpoint.bin: it is not a checkpoint of this version of understudy; run the study again to go on, which makes it anew from the log");
    bench.run(&[]);
    assert_eq!(bench.understudy(&["report", "run"]).code, 0);
}
