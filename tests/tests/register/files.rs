//! The file of a register: what `check` and a start require of it, and when it changes.

use std::fs;

use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;
use understudy_tests::{CommandOutput, make_pipe};

use super::*;

#[test]
fn a_register_that_cannot_be_written_refuses_the_start() {
    let workspace = workspace();
    let refused = |output: &CommandOutput| {
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        output.stderr.clone()
    };
    let command = "$UNDERSTUDY run study/study.toml --run run";
    let full = format!(
        "mkdir disk && mount -t tmpfs -o size=4k none disk && head -c 4096 /dev/zero > disk/fill; \
         mount --bind disk/fill disk/fill; sed -i 's|../register.jsonl|../disk/register.jsonl|' study/study.toml; {command}; \
         code=$?; ls run 2>/dev/null; exit $code"
    );
    let full = refused(&workspace.run_isolated(&full));
    set_bound(&workspace, "../disk/register.jsonl", "../locked/register.jsonl");
    fs::create_dir(workspace.path().join("locked")).expect("created");
    let locked = format!("mount --bind locked locked && mount -o remount,ro,bind locked && {command}");
    let locked = refused(&workspace.run_isolated(&locked));
    set_bound(&workspace, "../locked/register.jsonl", "../share/register.jsonl");
    let no_folder = refused(&workspace.understudy(&["run", "study/study.toml", "--run", "run"]));
    set_bound(&workspace, "../share/register.jsonl", "snapshots.jsonl");
    let no_register = refused(&workspace.understudy(&["run", "study/study.toml", "--run", "run"]));
    insta::assert_snapshot!([full, locked, no_folder, no_register].concat(), @r#"
cannot write the register study/../disk/register.jsonl: No space left on device (os error 28); free some space: a study that names a register starts once its entry is on disk
cannot create the register study/../locked/register.jsonl: Read-only file system (os error 30); make it accessible to this user: a study that names a register starts once its entry is on disk
cannot open the register study/../share/register.jsonl: the folder study/../share does not exist; create it, or mount the share that has it
study/snapshots.jsonl is not a register: its first line does not open one; name another file as `register`
"#);
    assert!(!workspace.path().join("run").exists(), "nothing was begun");
}

#[test]
fn check_refuses_a_register_that_cannot_be_used() {
    let workspace = workspace();
    let check = || workspace.understudy(&["check", "study/study.toml"]);
    assert_eq!(check().code, 0);
    let mut register = "\"../register.jsonl\"".to_owned();
    for (other, what) in [
        (
            "../share/register.jsonl",
            "the folder study/../share does not exist; create it, or mount the share that has it",
        ),
        ("snapshots.jsonl", "snapshots.jsonl"),
    ] {
        let named = format!("\"{other}\"");
        set_bound(&workspace, &register, &named);
        register = named;
        let output = check();
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        assert!(output.stderr.contains(what), "{}", output.stderr);
    }
}

#[test]
fn a_register_that_cannot_be_written_is_an_error_of_the_check() {
    let workspace = workspace();
    fs::create_dir_all(workspace.path().join("folder/register.jsonl")).expect("folders");
    std::os::unix::fs::symlink("none/register.jsonl", workspace.path().join("lost")).expect("a link");
    let mut register = "\"../register.jsonl\"".to_owned();
    for (other, what) in [
        ("../folder", "folder/register.jsonl: it is a directory, not a regular file"),
        ("../lost", "the folder study/../none does not exist"),
        ("/proc/register.jsonl", "cannot create the register /proc/register.jsonl"),
    ] {
        let named = format!("\"{other}\"");
        set_bound(&workspace, &register, &named);
        register = named;
        for arguments in [&["check", "study/study.toml"][..], &["run", "study/study.toml", "--run", "run"]] {
            let output = workspace.understudy(arguments);
            assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
            let is_check = arguments[0] == "check";
            assert!(!is_check || output.stderr.contains(what), "{}", output.stderr);
        }
    }
}

#[test]
fn no_special_file_is_opened() {
    let workspace = workspace();
    make_pipe(&workspace.path().join("pipe"));
    let mut texts = Vec::new();
    let mut refused = |arguments: &[&str]| {
        let output = workspace.understudy(arguments);
        assert_ne!(output.code, 0, "{}", output.stdout);
        // The cause is the last line, for `decide` of what it prints.
        let text = if output.stderr.is_empty() { output.stdout } else { output.stderr };
        texts.push(text.lines().last().unwrap_or_default().to_owned());
    };
    set_bound(&workspace, "\"../register.jsonl\"", "\"/dev/null\"");
    refused(&["check", "study/study.toml"]);
    refused(&["seal", "study/study.toml"]);
    set_bound(&workspace, "\"/dev/null\"", "\"../pipe\"");
    refused(&["check", "study/study.toml"]);
    refused(&["run", "study/study.toml", "--run", "run"]);
    set_bound(&workspace, "\"../pipe\"", "\"../register.jsonl\"");
    run(&workspace, "run");
    refused(&["decide", "run", "--register", "pipe"]);
    refused(&["decide", "run", "--sign-key", "pipe"]);
    refused(&["check", "pipe"]);
    insta::assert_snapshot!(texts.join("\n"), @"
    cannot use the register /dev/null: it is a device, not a regular file; name a file as `register`
    cannot use the register /dev/null: it is a device, not a regular file; name a file as `register`
    cannot use the register study/../pipe: it is a named pipe, not a regular file; name a file as `register`
    cannot use the register study/../pipe: it is a named pipe, not a regular file; name a file as `register`
      register: cannot use the register pipe: it is a named pipe, not a regular file; name a file as `register`
    cannot read key pipe: it is a named pipe, not a regular file
    cannot read pipe: it is a named pipe, not a regular file; name a study.toml
    ");
}

#[test]
fn nothing_is_appended_but_by_a_seal_and_a_start() {
    let workspace = workspace();
    let register = workspace.path().join("register.jsonl");
    let checked = workspace.ok(&["check", "study/study.toml"]);
    assert!(
        checked.stdout.contains("study/../register.jsonl does not exist yet; the first seal creates it"),
        "{}",
        checked.stdout
    );
    workspace.understudy(&["plan", "study/study.toml", "--per-window", "100"]);
    assert!(!register.exists(), "neither check nor plan creates it");
    set_bound(&workspace, "file = \"snapshots.jsonl\"", "stdin = true");
    workspace.ok(&["seal", "study/study.toml"]);
    workspace.ok(&["seal", "study/study.toml"]);
    assert_eq!(entries(&workspace, "register.jsonl"), (vec![1], Vec::new()));
    let mut running = TestProcess::start(workspace.command(&["run", "study/study.toml", "--run", "run"]));
    running.feed(fs::read(workspace.path().join("snapshots.jsonl")).expect("snapshots"));
    wait_until("five snapshots are in the log", || {
        open_rows(&workspace.path().join("run"), "snapshots") == 5
    });
    running.signal("TERM");
    assert_eq!(running.wait_with_output().code, 130);
    assert_eq!(entries(&workspace, "register.jsonl"), (vec![1], vec![2]));
    // Not even a register that has vanished keeps a run from going on; its verdict is VOID.
    let kept = fs::read(&register).expect("a register");
    fs::remove_file(&register).expect("it is there");
    workspace.ok(&["run", "study/study.toml", "--run", "run"]);
    assert!(!register.exists(), "a resumed run appends nothing");
    void_without_register(&workspace.understudy(&["decide", "run"]));
    // A new run under the seal is refused before a directory is created.
    let refused = workspace.understudy(&["run", "study/study.toml", "--run", "other"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    insta::assert_snapshot!(refused.stderr, @"study/seal.json is not in the register study/../register.jsonl: the register does not exist; restore the register from a copy, or move the seal away and seal the study again with `understudy seal`");
    assert!(!workspace.path().join("other").exists());
    fs::write(&register, &kept).expect("written");
    workspace.ok(&["replay", "run"]);
    let checked = workspace.ok(&["check", "study/study.toml"]);
    assert!(
        checked.stdout.contains("study/../register.jsonl has 1 seal of this study"),
        "{}",
        checked.stdout
    );
    assert_eq!(fs::read(&register).expect("a register"), kept);
}

#[test]
fn an_incomplete_line_is_removed_by_the_next_append() {
    let workspace = workspace();
    run(&workspace, "first");
    let whole = lines(&workspace, "register.jsonl").concat();
    workspace.write("register.jsonl", format!("{whole}{{\"entry\":3,\"at\":\"20"));
    let output = workspace.ok(&["register", "verify", "register.jsonl"]);
    assert!(output.stdout.contains("the last line is incomplete"), "{}", output.stdout);
    workspace.ok(&["verify", "first"]);
    set_bound(&workspace, "at-least = 0.7", "at-least = 0.6");
    run(&workspace, "second");
    assert_eq!(entries(&workspace, "register.jsonl"), (vec![1, 3], vec![2, 4]));
    for directory in ["first", "second"] {
        workspace.ok(&["verify", directory]);
    }
}
