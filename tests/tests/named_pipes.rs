//! Every command refuses a named pipe in place of a file of a study or of a run. Opening the pipe would block until a
//! writer opens it.

use std::fs;
use std::path::Path;

use understudy_tests::{TestWorkspace, files, make_pipe};

const REFUSAL: &str = "it is a named pipe, not a regular file";

/// Replaces a file by a named pipe, calls `check`, and restores the file.
fn with_pipe(path: &Path, check: impl FnOnce()) {
    let aside = path.with_extension("aside");
    let existed = fs::rename(path, &aside).is_ok();
    make_pipe(path);
    check();
    fs::remove_file(path).expect("the pipe is there");
    if existed {
        fs::rename(&aside, path).expect("the file was kept");
    }
}

/// Runs the program, which must fail, and returns everything that it printed.
fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = workspace.understudy(arguments);
    assert_ne!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
    format!("{}{}", output.stdout, output.stderr)
}

#[test]
fn no_file_of_a_study_may_be_a_named_pipe() {
    let workspace = TestWorkspace::small();
    workspace.ok(&["seal", "study.toml"]);
    for file in ["study.toml", "seal.json"] {
        with_pipe(&workspace.path().join(file), || {
            for arguments in [&["check", "study.toml"][..], &["seal", "study.toml"], &["run", "study.toml"]] {
                // `check` warns of a seal.
                let output = workspace.understudy(arguments);
                assert!(output.code == 1 || (file, arguments[0]) == ("seal.json", "check"), "{arguments:?}");
                let text = output.stderr;
                assert!(text.contains(&format!("cannot read {file}")) && text.contains(REFUSAL), "{text}");
            }
        });
    }
}

#[test]
fn plugins_may_not_be_named_pipes() {
    let workspace = TestWorkspace::small();
    with_pipe(&workspace.path().join("./pipe"), || {
        let name = "recorded.wasm";
        let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
        let end = text.find(name).expect("a plugin");
        let start = text[..end].rfind('"').expect("a path is quoted") + 1;
        let changed = format!("{}./pipe{}", &text[..start], &text[end + name.len()..]);
        workspace.write("changed.toml", changed);
        let text = refused(&workspace, &["check", "changed.toml"]);
        assert!(text.contains("./pipe") && text.contains(REFUSAL), "{text}");
    });
}

#[test]
fn a_pending_seal_that_is_a_named_pipe_is_replaced() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("study = \"small\"", "study = \"small\"\nregister = \"register.jsonl\"")]);
    let pending = workspace.path().join("seal.json.tmp");
    make_pipe(&pending);
    workspace.ok(&["seal", "study.toml"]);
    assert!(workspace.path().join("seal.json").is_file() && !pending.exists());
}

#[test]
fn no_file_of_a_run_may_be_a_named_pipe() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    let run = workspace.path().join("run");
    for path in files(&run) {
        with_pipe(&path, || {
            let text = refused(&workspace, &["verify", "run"]);
            assert!(text.contains("named pipe"), "{}: {text}", path.display());
            // These commands read some of the files. None may block.
            let name = path.file_name().expect("a name").to_string_lossy();
            if ["seal.json", "ledger.jsonl", "checkpoint.bin", "report.json", "study.toml"].contains(&&*name)
            {
                workspace.understudy(&["report", "run"]);
                workspace.understudy(&["run", "study.toml", "--run", "run"]);
                workspace.understudy(&["replay", "run", "--run", "again"]);
                let _ = fs::remove_dir_all(workspace.path().join("again"));
            }
        });
    }
    workspace.ok(&["verify", "run"]);
}

/// Sources may be named pipes: `understudy run` reads them to their end.
#[test]
fn a_source_may_be_a_named_pipe() {
    let workspace = TestWorkspace::small();
    let lines = fs::read(workspace.path().join("snapshots.jsonl")).expect("they were written");
    let pipe = workspace.path().join("./pipe");
    make_pipe(&pipe);
    workspace.edit_study(&[("snapshots.jsonl", "./pipe")]);
    let writer = std::thread::spawn(move || fs::write(pipe, lines).expect("somebody reads"));
    let report = workspace.run(&[]);
    writer.join().expect("it wrote everything");
    assert_eq!(report["comparison"]["compared"], 5);
}

/// Two readers of one pipe would share its records between them, and each would wait for the end of the other's.
#[test]
fn both_sources_may_not_be_one_named_pipe() {
    let workspace = TestWorkspace::small();
    make_pipe(&workspace.path().join("./pipe"));
    std::os::unix::fs::symlink("pipe", workspace.path().join("link")).expect("a link");
    workspace.edit_study(&[("snapshots.jsonl", "./pipe"), ("decisions.jsonl", "link")]);
    for arguments in
        [&["check", "study.toml"][..], &["seal", "study.toml"], &["run", "study.toml", "--run", "run"]]
    {
        let text = refused(&workspace, arguments);
        assert!(text.contains("it is one pipe"), "{text}");
    }
    assert!(!workspace.path().join("run").exists(), "the sources are checked before a run begins");
}
