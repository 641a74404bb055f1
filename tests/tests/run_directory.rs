//! The run directory: a run writes nothing else, and reports what it cannot write.

use std::fs;

use understudy_tests::tables::{open_rows, sealed, tree};
use understudy_tests::{TestWorkspace, root};

/// The error of a run that cannot start or resume.
fn refused(workspace: &TestWorkspace, run: &str) -> String {
    let output = workspace.understudy(&["run", "study.toml", "--run", run]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

#[test]
fn the_default_name_is_the_study() {
    let workspace = TestWorkspace::small();
    let output = workspace.understudy(&["run", "study.toml"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, "written to runs/small\n"));
    let run = workspace.path().join("runs/small");
    let files: Vec<_> = tree(&run).into_keys().collect();
    let names =
        files.iter().map(|path| path.strip_prefix(&run).expect("it lies there").display().to_string());
    let names: Vec<_> = names.filter(|name| !name.starts_with("plugins/")).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    checkpoint.bin
    decisions
    decisions/000000.parquet
    excluded
    ledger.jsonl
    pairs
    pairs/000000.parquet
    plugins
    report.json
    seal.json
    snapshots
    snapshots/000000.parquet
    study.toml
    ");
    assert_eq!(files.len() - names.len(), 2, "model and comparator are one component, the metric another");
}

#[test]
fn an_empty_directory_is_used() {
    let workspace = TestWorkspace::small();
    fs::create_dir_all(workspace.path().join("deep/empty")).expect("the folder can be made");
    for run in ["deep/empty", "deeper/still"] {
        let output = workspace.understudy(&["run", "study.toml", "--run", run]);
        assert_eq!((output.code, output.stderr), (0, format!("written to {run}\n")));
    }
}

#[test]
fn existing_files_are_not_changed() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    workspace.write("other/notes.txt", "keep me");
    let before = tree(workspace.path());
    insta::assert_snapshot!(refused(&workspace, "run"), @"run already contains a run of this study that has ended; choose another directory with --run");
    insta::assert_snapshot!(refused(&workspace, "other"), @"other is not empty and holds no run; choose another directory with --run");
    insta::assert_snapshot!(refused(&workspace, "snapshots.jsonl"), @"cannot use snapshots.jsonl: Not a directory (os error 20); choose a directory that may be written to with --run");
    insta::assert_snapshot!(refused(&workspace, "snapshots.jsonl/run"), @"cannot use snapshots.jsonl/run: Not a directory (os error 20); choose a directory that may be written to with --run");
    assert_eq!(tree(workspace.path()), before);

    workspace.edit_study(&[("every = \"day\"", "every = \"hour\"")]);
    insta::assert_snapshot!(refused(&workspace, "run"), @"run already contains a run of this study that has ended; choose another directory with --run");
    workspace.edit_study(&[("study = \"small\"", "study = \"smaller\"")]);
    insta::assert_snapshot!(refused(&workspace, "run"), @r#"run already holds a run of another study, "small"; choose another directory with --run"#);
}

#[test]
fn a_run_changes_nothing_in_the_folder_of_the_study() {
    let workspace = TestWorkspace::new();
    for name in ["rooms.toml", "hotel-bookings.jsonl.gz", "hotel-assignments.jsonl.gz"] {
        let bytes = fs::read(root().join("examples/hotel").join(name)).expect("the example is there");
        let text =
            String::from_utf8(bytes.clone()).map(|text| text.replace("../../target/plugins", "PLUGINS"));
        workspace.write(&format!("study/{name}"), text.map_or(bytes, String::into_bytes));
    }
    let study = workspace.path().join("study");
    let before = tree(&study);
    let caches = workspace.path().join("caches");
    for command in [&["run", "study/rooms.toml", "--run", "run"][..], &["verify", "run"]] {
        let output = workspace.command(command).env("XDG_CACHE_HOME", &caches).output();
        assert!(output.expect("the program can be started").status.success(), "{command:?}");
        let compiled = fs::read_dir(caches.join("understudy/plugins")).expect("plugins were compiled");
        assert_eq!(compiled.count(), 5, "{command:?}");
    }
    assert_eq!(tree(&study), before);
}

#[test]
fn a_read_only_study_can_run() {
    let workspace = TestWorkspace::small();
    let elsewhere = TestWorkspace::new();
    let output = elsewhere.run_isolated(&format!(
        "mount --bind {study} {study} && mount -o remount,bind,ro {study} && exec $UNDERSTUDY run {study}/study.toml",
        study = workspace.path().display()
    ));
    assert_eq!((output.code, output.stderr.as_str()), (0, "written to runs/small\n"));
}

#[test]
fn plugins_are_compiled_without_a_cache_if_the_user_has_no_folder_for_it() {
    let workspace = TestWorkspace::small();
    let mut command = workspace.command(&["run", "study.toml", "--run", "run"]);
    let output = command.env_remove("XDG_CACHE_HOME").env_remove("HOME").output();
    assert!(output.expect("the program can be started").status.success());
}

#[test]
fn a_read_only_run_directory_is_an_error() {
    let workspace = TestWorkspace::small();
    fs::create_dir(workspace.path().join("locked")).expect("the folder can be made");
    let lock =
        "mount --bind locked locked && mount -o remount,bind,ro locked && exec $UNDERSTUDY run study.toml";
    let output = workspace.run_isolated(&format!("{lock} --run locked/run"));
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot create locked/run: Read-only file system (os error 30); choose a directory that may be written to with --run");
    let output = workspace.run_isolated(&format!("{lock} --run locked"));
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot write locked/starting.tmp: Read-only file system (os error 30); choose a directory that may be written to with --run");
}

#[test]
fn a_full_disk_ends_the_run_without_losing_data() {
    let workspace = TestWorkspace::small();
    let at = |row: u64| format!("2026-03-01T{:02}:{:02}:{:02}Z", row / 3600, row / 60 % 60, row % 60);
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","booked":"a","nights":{row}}}"#, at(row));
    workspace.write_lines("snapshots.jsonl", (0..20_000).map(line));
    let line = |row: u64| format!(r#"{{"id":"{row}","at":"{}","room":"a"}}"#, at(row));
    workspace.write_lines("decisions.jsonl", (0..20_000).map(line));
    // Enough space for the plugins and some rows. The small disk vanishes with its namespace, so its files
    // are copied.
    let output = workspace.run_isolated(
        "mkdir disk && mount -t tmpfs -o size=2m none disk && $UNDERSTUDY run study.toml --run disk/run
        code=$?; cp -R disk/run kept; exit $code",
    );
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    insta::with_settings!({ filters => [(r"disk/run/\w+/\d+", "disk/run/TABLE/NUMBER")] }, {
        insta::assert_snapshot!(output.stderr, @"cannot write disk/run/TABLE/NUMBER.arrows: No space left on device (os error 28); free some space, or choose another directory with --run; what was written before is kept");
    });
    let kept = workspace.path().join("kept");
    assert!(open_rows(&kept, "snapshots") >= 1000, "whole batches can be read up to where the disk was full");
    assert!(sealed(&kept, "excluded").is_none());
    assert!(!kept.join("report.json").exists(), "no report is made of a run that failed");
}

#[test]
fn a_study_folder_is_not_a_run_directory() {
    let workspace = TestWorkspace::small();
    let output = workspace.understudy(&["run", "study.toml", "--run", "."]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @". is not empty and holds no run; choose another directory with --run");
}

#[test]
fn files_that_the_user_must_not_read_are_named_with_what_to_do() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    // Root may read every file, unless it gives up these capabilities.
    let understudy = "exec setpriv --bounding-set=-dac_override,-dac_read_search $UNDERSTUDY";
    let refused = |file: &str, arguments: &str| {
        let output = workspace.run_isolated(&format!("chmod 0 {file} && {understudy} {arguments}"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(workspace.path().join(file), mode).expect("it is our own file");
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
        output.stderr
    };
    insta::assert_snapshot!(refused("study.toml", "check study.toml"), @"cannot read study.toml: Permission denied (os error 13); run the command as a user who may read it");
    insta::assert_snapshot!(refused("snapshots.jsonl", "run study.toml --run other"), @"cannot read snapshots.jsonl: Permission denied (os error 13); run the command as a user who may read it");
    insta::assert_snapshot!(refused("run/ledger.jsonl", "report run"), @"cannot read run/ledger.jsonl: Permission denied (os error 13); run the command as a user who may read it");
}
