//! `understudy verify` accepts an intact run, and finds and locates every defect of a damaged one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use understudy_audit::verify;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::synthetic::Numbers;
use understudy_tests::tables::open_rows;
use understudy_tests::{CommandOutput, TestWorkspace, files};

/// An ended and signed run of the small study.
fn signed() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let key = workspace.understudy(&["key", "small-shadow", "--output", "key"]);
    assert_eq!((key.code, key.stderr.as_str()), (0, ""));
    workspace.write("key.pub", key.stdout);
    workspace.run(&["--sign-key", "key"]);
    workspace
}

fn verified(workspace: &TestWorkspace) -> CommandOutput {
    workspace.understudy(&["verify", "run"])
}

/// Replaces digests, keys, times and lengths, which differ between runs.
const UNLIKE: [(&str, &str); 4] = [
    (r"[0-9a-f]{64}", "SHA-256"),
    (r"small-shadow\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "KEY"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r"has \d+ bytes, and the ledger has \d+", "has N bytes, and the ledger has N"),
];

#[test]
fn the_hotel_run_verifies() {
    let workspace = TestWorkspace::hotel();
    let output = verified(&workspace);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::with_settings!({ filters => UNLIKE }, {
        insta::assert_snapshot!(output.stdout, @"
        ledger     10 entries, each chained to the one before
        seal       the declaration and 5 plugins are as sealed on TIME
        segments   3 files with 46,206 rows match the ledger
        records    15,402 snapshots and 15,402 decisions, none missing or repeated
        figures    15,402 pairs and the sums of 62 windows follow from the log, bit for bit; report.json too
        signature  not checked: the ledger is not signed
        run is intact, but not signed: a run that was rewritten completely would not be detected
        ");
    });
}

#[test]
fn a_signed_run_verifies_with_its_signer() {
    let workspace = signed();
    let key = fs::read_to_string(workspace.path().join("key.pub")).expect("the key was printed");
    insta::with_settings!({ filters => UNLIKE }, {
        insta::assert_snapshot!(verified(&workspace).stdout, @"
        ledger     6 entries, each chained to the one before
        signature  the first 6 entries, signed with the key that the ledger names; check the owner with --key: KEY
        seal       the declaration and 3 plugins are as sealed on TIME
        segments   3 files with 15 rows match the ledger
        records    5 snapshots and 5 decisions, none missing or repeated
        figures    5 pairs and the sums of 5 windows follow from the log, bit for bit; report.json too
        run is intact
        ");
        let output = workspace.understudy(&["verify", "run", "--key", key.trim()]);
        assert_eq!(output.code, 0);
        insta::assert_snapshot!(output.stdout.lines().nth(1).expect("the signature"), @"signature  the first 6 entries, signed with a given key: KEY");
    });
    let other = workspace.understudy(&["key", "small-shadow", "--output", "other"]).stdout;
    let output = workspace.understudy(&["verify", "run", "--key", other.trim()]);
    assert_eq!(output.code, 1);
    insta::with_settings!({ filters => UNLIKE }, {
        insta::assert_snapshot!(output.stdout, @"
        ledger     6 entries, each chained to the one before
        seal       the declaration and 3 plugins are as sealed on TIME; the seal itself is not signed, the ledger has its digest
        segments   3 files with 15 rows match the ledger
        records    not checked: the run has other issues
        BROKEN     ledger.note: its signature is not valid for KEY
        run is broken: 1 problem
        ");
    });
    let output = workspace.understudy(&["verify", "run", "--key", "nobody"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(output.stderr, @r#""nobody" is not a verifier key: it does not have three parts separated by +; create one with `understudy key`"#);
}

#[test]
fn keys_are_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = signed();
    let mode = fs::metadata(workspace.path().join("key")).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    insta::assert_snapshot!(workspace.understudy(&["key", "again", "--output", "key"]).stderr, @"cannot write key: File exists (os error 17); name a file that does not exist yet");
    insta::assert_snapshot!(workspace.understudy(&["key", "two words", "--output", "new"]).stderr, @r#""two words" is not a key name: a name must not be empty or contain a space, a plus or a control character; create one with `understudy key`"#);
    let output = workspace.understudy(&["run", "study.toml", "--run", "other", "--sign-key", "study.toml"]);
    insta::assert_snapshot!(output.stderr, @"study.toml is not a signing key: it does not begin with PRIVATE+KEY+; create one with `understudy key`");
}

#[test]
fn verify_needs_a_run_directory() {
    let workspace = TestWorkspace::small();
    let output = verified(&workspace);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(output.stderr, @"run holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`");
}

#[test]
fn issues_are_reported_with_their_location() {
    let workspace = signed();
    let run = workspace.path().join("run");
    let broken = |change: &dyn Fn()| {
        let kept: BTreeMap<_, _> =
            files(&run).into_iter().map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect();
        change();
        let output = verified(&workspace);
        assert_eq!((output.code, output.stderr.as_str()), (1, ""), "{}", output.stdout);
        files(&run).iter().for_each(|path| fs::remove_file(path).expect("removed"));
        kept.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("written back"));
        let broken = output.stdout.lines().filter(|line| line.starts_with("BROKEN")).collect::<Vec<_>>();
        broken.join("\n")
    };
    let ledger = run.join("ledger.jsonl");
    let text = fs::read_to_string(&ledger).expect("a ledger");
    let without = |at: usize| {
        let lines = text.split_inclusive('\n').enumerate();
        lines.filter(|(line, _)| *line != at).map(|(_, line)| line).collect::<String>()
    };
    insta::with_settings!({ filters => UNLIKE }, {
        insta::assert_snapshot!(broken(&|| fs::write(&ledger, without(2)).expect("written")), @"
        BROKEN     ledger.jsonl:3: it does not continue the line before: a line was changed, removed or inserted
        BROKEN     ledger.jsonl:3: it is entry 3, expected 2
        BROKEN     ledger.note: it covers 6 lines, and the ledger has 5: the ledger was truncated
        ");
        insta::assert_snapshot!(broken(&|| fs::write(&ledger, text.replace("\"rows\":5", "\"rows\":6")).expect("written")), @"
        BROKEN     ledger.jsonl:5: it was changed: its hash does not match
        BROKEN     ledger.jsonl:6: it does not continue the line before: a line was changed, removed or inserted
        BROKEN     ledger.note: the ledger's first 6 lines are not the signed ones
        ");
        insta::assert_snapshot!(broken(&|| fs::write(&ledger, "").expect("written")), @"BROKEN     ledger.jsonl: the file is missing or empty");
        insta::assert_snapshot!(broken(&|| fs::remove_file(&ledger).expect("removed")), @"BROKEN     ledger.jsonl: the file is missing or empty");
        insta::assert_snapshot!(broken(&|| fs::remove_file(run.join("ledger.note")).expect("removed")), @"BROKEN     ledger.note: cannot be read: No such file or directory (os error 2); the ledger names the signer KEY");
        insta::assert_snapshot!(broken(&|| fs::remove_file(run.join("seal.json")).expect("removed")), @"BROKEN     seal.json: cannot be read: No such file or directory (os error 2); the ledger names it");
        insta::assert_snapshot!(broken(&|| fs::remove_file(run.join("decisions/000000.parquet")).expect("removed")), @"BROKEN     decisions/000000.parquet: cannot be read: No such file or directory (os error 2); the ledger names it");
        insta::assert_snapshot!(broken(&|| fs::write(run.join("decisions/000000.parquet"), "PAR1").expect("written")), @"BROKEN     decisions/000000.parquet: it has N bytes, and the ledger has N");
        insta::assert_snapshot!(broken(&|| fs::write(run.join("pairs/000007.parquet"), "PAR1").expect("written")), @"BROKEN     pairs/000007.parquet: the ledger does not name this file; understudy did not write it");
        insta::assert_snapshot!(broken(&|| fs::write(run.join("report.json"), "{}").expect("written")), @"BROKEN     report.json: the file was changed: its SHA-256 is SHA-256, and the ledger has SHA-256");
        insta::assert_snapshot!(broken(&|| fs::write(run.join("study.toml"), "study = \"other\"").expect("written")), @"BROKEN     study.toml: the file was changed: its SHA-256 is SHA-256, and the ledger has SHA-256");
    });
    assert_eq!(verified(&workspace).code, 0, "all was put back");
}

#[test]
fn any_changed_byte_of_any_file_is_detected() {
    let workspace = signed();
    let run = workspace.path().join("run");
    let mut reviewing =
        TestProcess::start(workspace.command(&["review", "run", "--who", "Ana", "--sign-key", "key"]));
    reviewing.feed("both\nboundary\nit was late\n");
    reviewing.close_stdin();
    assert_eq!(reviewing.wait_with_output().code, 0);
    assert!(verify(&run, &[], None).expect("a run").issues.is_empty());
    let files = files(&run);
    let names: Vec<_> =
        files.iter().map(|path| path.strip_prefix(&run).expect("it lies there").display()).collect();
    assert!(names.len() >= 11, "{names:?}");
    let mut numbers = Numbers(11);
    let mut changed: BTreeMap<&Path, u32> = BTreeMap::new();
    for _ in 0..1000 {
        let path = &files[numbers.next(files.len() as u64) as usize];
        let whole = fs::read(path).expect("a file of the run");
        let mut bytes = whole.clone();
        let at = numbers.next(bytes.len() as u64) as usize;
        bytes[at] ^= 1 + numbers.next(255) as u8;
        fs::write(path, &bytes).expect("written");
        let found = verify(&run, &[], None).expect("a run can be looked at");
        let name = path.strip_prefix(&run).expect("it lies there");
        assert!(!found.issues.is_empty(), "byte {at} of {} was changed to {}", name.display(), bytes[at]);
        fs::write(path, whole).expect("written back");
        *changed.entry(name).or_default() += 1;
    }
    assert_eq!(changed.len(), files.len(), "every file was changed at least once: {changed:?}");
    assert!(verify(&run, &[], None).expect("a run").issues.is_empty(), "all was put back");
}

#[test]
fn a_live_run_is_verified_up_to_its_current_state() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let run = workspace.path().join("run");
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed(fs::read(workspace.path().join("snapshots.jsonl")).expect("snapshots"));
    wait_until("five snapshots are in the log", || open_rows(&run, "snapshots") == 5);
    let output = verified(&workspace);
    assert_eq!(output.code, 0, "{}", output.stdout);
    insta::with_settings!({ filters => UNLIKE }, {
        insta::assert_snapshot!(output.stdout, @"
        ledger     4 entries, each chained to the one before
        seal       the declaration and 3 plugins are as sealed on TIME
        segments   0 files with 0 rows match the ledger
        open       3 open segments with 15 rows have valid checksums; nothing vouches yet that they are complete
        records    0 snapshots and 0 decisions in sealed segments, none missing or repeated
        signature  not checked: the ledger is not signed
        figures    not checked: the run is not finished, so its results are not final
        run is intact as far as it was checked
        ");
    });
    running.signal("KILL");
    running.wait_with_output();
    let output = verified(&workspace);
    assert_eq!(output.code, 0, "{}", output.stdout);
    insta::assert_snapshot!(output.stdout.lines().last().expect("a line"), @"run is intact as far as it was checked");
    assert!(output.stdout.contains("was cut off"), "{}", output.stdout);

    // One bit of an unsealed file.
    let open = run.join("snapshots/000000.arrows");
    let mut bytes = fs::read(&open).expect("an open segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&open, bytes).expect("written");
    let output = verified(&workspace);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let broken: Vec<_> = output.stdout.lines().filter(|line| line.starts_with("BROKEN")).collect();
    insta::assert_snapshot!(broken.join("\n"), @"BROKEN     snapshots/000000.arrows: a checksum does not match after 0 rows");
}

#[test]
fn a_truncated_ledger_is_not_signed_again() {
    let workspace = signed();
    let output =
        workspace.understudy(&["export", "run", "--output", "rows.csv", "--who", "Eve", "--sign-key", "key"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let ledger = workspace.path().join("run/ledger.jsonl");
    let text = fs::read_to_string(&ledger).expect("a ledger");
    let before = text.trim_end().rfind('\n').expect("lines") + 1;
    fs::write(&ledger, &text[..before]).expect("written");
    for arguments in [["note", "run", "all is well"], ["log", "run", "--rows=1"]] {
        let output = workspace.understudy(&[&arguments[..], &["--who", "Eve", "--sign-key", "key"]].concat());
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        insta::allow_duplicates! {
            let error = output.stderr.trim();
            let error = error.trim_start_matches("nothing is shown, because the exposure cannot be recorded: ");
            insta::assert_snapshot!(error, @"cannot replace run/ledger.note: it covers 7 lines, and the ledger has 6: the ledger was truncated; run `understudy verify` for all faults, and restore ledger and head from copies");
        }
    }
    assert_eq!(verified(&workspace).code, 1, "it still shows");
    fs::write(&ledger, text).expect("put back");
    assert_eq!(
        workspace.understudy(&["note", "run", "all is well", "--who", "Ana", "--sign-key", "key"]).code,
        0
    );
    assert_eq!(verified(&workspace).code, 0);
}

#[test]
fn a_ledger_is_signed_only_with_its_own_key() {
    let workspace = signed();
    workspace.ok(&["key", "small-shadow", "--output", "other"]);
    workspace.ok(&["run", "study.toml", "--run", "unsigned"]);
    insta::with_settings!({ filters => UNLIKE }, {
        let output = workspace.understudy(&["note", "run", "x", "--who", "Ana", "--sign-key", "other"]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        insta::assert_snapshot!(output.stderr, @"cannot sign run/ledger.jsonl with the key KEY: it was started with the key KEY; leave out --sign-key, or use the ledger's key");
        let output = workspace.understudy(&["note", "unsigned", "x", "--who", "Ana", "--sign-key", "key"]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        insta::assert_snapshot!(output.stderr, @"cannot sign unsigned/ledger.jsonl with the key KEY: it was started without a key; leave out --sign-key, or use the ledger's key");
    });
    assert_eq!(verified(&workspace).code, 0);
    workspace.ok(&["verify", "unsigned"]);
}
