//! `understudy report`: rebuilds the report of an ended run from the run directory alone.

use std::fs;

use serde_json::Value;
use understudy_tests::{CommandOutput, TestWorkspace, plugin, root};

#[test]
fn a_report_is_rebuilt_from_the_sums() {
    let workspace = TestWorkspace::new();
    let study = root().join("examples/hotel/rooms.toml");
    let first = workspace.ok(&["run", study.to_str().expect("a path in UTF-8"), "--run", "run"]);
    for table in ["snapshots", "decisions", "pairs", "excluded"] {
        fs::remove_dir_all(workspace.path().join("run").join(table)).expect("a run has this table");
    }
    let again = workspace.understudy(&["report", "run", "--format", "text"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, first.stdout.as_str(), ""));
    let json = workspace.understudy(&["report", "run", "--format", "json"]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(printed["report"], workspace.report("run"));
}

#[test]
fn the_report_needs_neither_the_study_nor_its_plugins() {
    let workspace = TestWorkspace::small();
    workspace.write("echo.wasm", fs::read(plugin("recorded")).expect("the plugin is there"));
    workspace.edit_study(&[("PLUGINS/recorded.wasm", "echo.wasm")]);
    workspace.run(&[]);
    let elsewhere = TestWorkspace::new();
    fs::rename(workspace.path().join("run"), elsewhere.path().join("moved")).expect("it can be moved");
    let before = elsewhere.report("moved");
    drop(workspace);
    let json = elsewhere.understudy(&["report", "moved", "--format", "json"]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).expect("it is JSON")["report"], before);
}

#[test]
fn a_report_needs_a_run_directory() {
    let workspace = TestWorkspace::small();
    let refused = |run: &str| {
        let output = workspace.understudy(&["report", run]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        output.stderr
    };
    insta::assert_snapshot!(refused("run"), @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
    insta::assert_snapshot!(refused("."), @". holds no run: ledger.jsonl is missing; name a directory written by `understudy run` or `understudy serve`");
    workspace.run(&[]);
    let checkpoint = workspace.path().join("run/checkpoint.bin");
    let mut bytes = fs::read(&checkpoint).expect("a run leaves it");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(&checkpoint, &bytes).expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is damaged: its digest does not match; run/report.json holds the original figures");
    fs::write(&checkpoint, "something else").expect("it can be written");
    insta::assert_snapshot!(refused("run"), @"cannot use run/checkpoint.bin: it is not a checkpoint of this version of understudy; run/report.json holds the original figures");
}

#[test]
fn a_closed_output_pipe_is_harmless() {
    let workspace = TestWorkspace::small();
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
        let status = workspace.command(arguments).stdout(hung_up()).stderr(hung_up()).status();
        assert_eq!(status.expect("the program can be started").code(), Some(0), "{arguments:?}");
    }
    assert_eq!(workspace.report("run")["end"], "finished");
}

#[test]
fn output_errors_are_reported() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let full = fs::File::options().write(true).open("/dev/full").expect("a disk that is always full");
    let output: CommandOutput = workspace
        .command(&["report", "run", "--format", "md"])
        .stdout(full)
        .output()
        .expect("it can be started")
        .into();
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"cannot write to standard output: No space left on device (os error 28)");
}

#[test]
fn a_report_needs_the_plugins_that_ran() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let declared = fs::read_to_string(workspace.path().join("run/study.toml")).expect("the declaration");
    workspace.write("run/study.txt", declared.replace("[\"a\", \"b\"]", "[\"b\", \"a\"]"));
    let plugins = fs::read_dir(workspace.path().join("run/plugins")).expect("the plugins");
    let plugin = plugins.map(|entry| entry.expect("an entry").path()).min().expect("a plugin");
    let bytes = fs::read(&plugin).expect("a plugin");

    fs::rename(workspace.path().join("run/study.txt"), workspace.path().join("run/study.toml"))
        .expect("renamed");
    let changed = workspace.understudy(&["report", "run"]);
    fs::write(workspace.path().join("run/study.toml"), declared).expect("written back");
    fs::write(&plugin, [&bytes[..], b"x"].concat()).expect("written");
    let swapped = workspace.understudy(&["report", "run"]);
    fs::write(&plugin, bytes).expect("written back");
    assert_eq!((changed.code, swapped.code, workspace.understudy(&["report", "run"]).code), (1, 1, 0));
    insta::assert_snapshot!(changed.stderr, @"run/study.toml is missing or differs from the file that the run used, so nothing can be recomputed; report.json still has the statistics, and `understudy verify` lists all faults");
    assert!(
        swapped.stderr.starts_with("run/plugins/")
            && swapped.stderr.contains("is missing or differs from the file that the run used"),
        "{}",
        swapped.stderr
    );
}

#[test]
fn the_report_of_an_interrupted_run_says_so() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    fs::remove_file(workspace.path().join("run/checkpoint.bin")).expect("removed");
    insta::assert_snapshot!(workspace.understudy(&["report", "run"]).stderr, @"cannot compute the report: run/checkpoint.bin is missing; run/report.json holds the original figures");
    // As if the run had been killed before its last entry.
    let ledger = fs::read_to_string(workspace.path().join("run/ledger.jsonl")).expect("a run has a ledger");
    let (rest, closed) = ledger.trim_end().rsplit_once('\n').expect("several lines");
    assert!(closed.contains("\"kind\":\"run-closed\""), "{closed}");
    workspace.write("run/ledger.jsonl", format!("{rest}\n"));
    insta::assert_snapshot!(workspace.understudy(&["report", "run"]).stderr, @"run holds a run that has not ended; resume it with `understudy run` and ask for the report after its end");
    fs::write(workspace.path().join("run/checkpoint.bin"), "something else").expect("it can be written");
    insta::assert_snapshot!(workspace.understudy(&["report", "run"]).stderr, @"cannot use run/checkpoint.bin: it is not a checkpoint of this version of understudy; resume the run with `understudy run`, which computes it again from the log");
    workspace.run(&[]);
    workspace.ok(&["report", "run"]);
}
