//! The register of seals: a second try of a study is visible, and a seal that is not in its register is VOID.

use std::fs;

use serde_json::Value;
use understudy_run_log::register::{RegisterEvent, read_register};
use understudy_tests::process::TestProcess;
use understudy_tests::{CommandOutput, TestWorkspace};

mod files;

/// Filters for digests, keys, times and versions, which differ between registers.
const FILTERS: [(&str, &str); 4] = [
    (r"[a-z]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "KEY"),
    (r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "DIGEST"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r"understudy \d+\.\d+\.\d+", "understudy VERSION"),
];

/// The small study in the folder `study`, with a register beside that folder and a threshold.
fn workspace() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let text = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    let threshold = "
[threshold]
at-least = 0.7
quantifier = \"pooled\"
windows = { all = true }
evidence = \"point\"
least-per-window = 1
chance = \"not-asked\"
[blinding]
share = 0
";
    let text = text.replacen("study = \"small\"", "study = \"small\"\nregister = \"../register.jsonl\"", 1);
    for file in ["snapshots.jsonl", "decisions.jsonl"] {
        let lines = fs::read(workspace.path().join(file)).expect("records");
        workspace.write(&format!("study/{file}"), lines);
    }
    workspace.write("study/study.toml", text + threshold);
    workspace
}

/// Declares another threshold.
fn set_bound(workspace: &TestWorkspace, old: &str, new: &str) {
    let text = fs::read_to_string(workspace.path().join("study/study.toml")).expect("the study");
    assert!(text.contains(old), "{text}");
    workspace.write("study/study.toml", text.replace(old, new));
}

fn run(workspace: &TestWorkspace, directory: &str) -> CommandOutput {
    workspace.ok(&["run", "study/study.toml", "--run", directory])
}

/// The text of `decide` about other tries: the end of the account, up to the guards.
fn tries(output: &CommandOutput) -> String {
    let at = output.stdout.find("  This is the ").or_else(|| output.stdout.find("  The study names no"));
    let text = &output.stdout[at.unwrap_or_else(|| panic!("{}", output.stdout))..];
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

/// The reasons of a verdict that is VOID without figures.
fn void(output: &CommandOutput) -> String {
    void_because(output, "the run is damaged or altered")
}

/// The reasons of a verdict that is VOID because the register is not where the run recorded it.
fn void_without_register(output: &CommandOutput) -> String {
    void_because(output, "the register of seals is not where the run recorded it")
}

fn void_because(output: &CommandOutput, cause: &str) -> String {
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.starts_with(&format!("VOID: {cause}")), "{}", output.stdout);
    output.stdout.lines().skip(1).collect::<Vec<_>>().join("\n")
}

/// The seals and the starts of runs in the register, by their numbers of entries.
fn entries(workspace: &TestWorkspace, register: &str) -> (Vec<u64>, Vec<u64>) {
    let content = read_register(&workspace.path().join(register)).expect("it is whole").unwrap_or_default();
    let (mut seals, mut runs) = (Vec::new(), Vec::new());
    for entry in content.entries() {
        match &entry.event.event {
            RegisterEvent::RegisterOpened { .. } => assert_eq!(entry.entry, 0),
            RegisterEvent::StudySealed(_) => seals.push(entry.entry),
            RegisterEvent::RunStarted { .. } => runs.push(entry.entry),
        }
    }
    (seals, runs)
}

fn lines(workspace: &TestWorkspace, register: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace.path().join(register)).expect("a register");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
fn the_third_try_of_a_study_says_that_it_is_the_third() {
    let workspace = workspace();
    run(&workspace, "first");
    set_bound(&workspace, "at-least = 0.7", "at-least = 0.6");
    run(&workspace, "second");
    set_bound(&workspace, "at-least = 0.6", "at-least = 0.5");
    run(&workspace, "third");
    assert_eq!(entries(&workspace, "register.jsonl"), (vec![1, 3, 5], vec![2, 4, 6]));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(tries(&workspace.understudy(&["decide", "third"])), @r#"
  This is the third seal of this study in its register. No seal of another study over the same feed,
  or of the same fields, came before it. The seals before it:
    - TIME: agreement at least 0.7 pooled over all windows, by the point
    estimate; the same feed and fields; 1 run; seal DIGEST
    - TIME: agreement at least 0.6 pooled over all windows, by the point
    estimate; the same feed and fields; 1 run; seal DIGEST
  The seal is entry 5, counted from 0, of the 7 entries that the register DIGEST had when the
  verdict was given; it was opened on TIME.
"#);
        insta::assert_snapshot!(tries(&workspace.understudy(&["decide", "first"])), @r#"
  This is the first seal of this study in its register. No seal of another study over the same feed,
  or of the same fields, came before it.
  2 such seals came after it and before the verdict:
    - TIME: agreement at least 0.6 pooled over all windows, by the point
    estimate; the same feed and fields; 1 run; seal DIGEST
    - TIME: agreement at least 0.5 pooled over all windows, by the point
    estimate; the same feed and fields; 1 run; seal DIGEST
  The seal is entry 1, counted from 0, of the 7 entries that the register DIGEST had when the
  verdict was given; it was opened on TIME.
"#);
        let listed = workspace.ok(&["register", "verify", "register.jsonl"]);
        insta::assert_snapshot!(listed.stdout, @r#"
0    TIME  opened by understudy VERSION  (not signed)
1    TIME  seal DIGEST of study "small": agreement at least 0.7 pooled over all windows, by the point estimate  (not signed)
2    TIME  run DIGEST under seal DIGEST  (not signed)
3    TIME  seal DIGEST of study "small": agreement at least 0.6 pooled over all windows, by the point estimate  (not signed)
4    TIME  run DIGEST under seal DIGEST  (not signed)
5    TIME  seal DIGEST of study "small": agreement at least 0.5 pooled over all windows, by the point estimate  (not signed)
6    TIME  run DIGEST under seal DIGEST  (not signed)
identity   DIGEST
register.jsonl is intact: 7 entries, each chained to the one before
"#);
    });
    let verdict = fs::read(workspace.path().join("third/verdict.json")).expect("a verdict");
    let verdict: Value = serde_json::from_slice(&verdict).expect("a verdict is JSON");
    assert_eq!(verdict["tries"]["state"], "read");
    assert_eq!(verdict["tries"]["earlier"].as_array().map(Vec::len), Some(2));
    let page = workspace.ok(&["report", "third", "--format", "md"]).stdout;
    assert!(page.contains("This is the third seal of this study in its register."), "{page}");
    // A seal that is appended after the verdict changes neither the verdict nor its check.
    set_bound(&workspace, "at-least = 0.5", "at-least = 0.4");
    workspace.ok(&["seal", "study/study.toml"]);
    workspace.ok(&["verify", "third"]);
}

#[test]
fn other_studies_over_the_same_feed_and_other_runs_under_the_same_seal_are_listed() {
    let workspace = workspace();
    run(&workspace, "first");
    set_bound(&workspace, "study = \"small\"", "study = \"large\"");
    workspace.ok(&["seal", "study/study.toml"]);
    run(&workspace, "second");
    run(&workspace, "third");
    assert_eq!(entries(&workspace, "register.jsonl"), (vec![1, 3], vec![2, 4, 5]));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(tries(&workspace.understudy(&["decide", "third"])), @r#"
  This is the first seal of this study in its register. 1 seal of another study over the same feed,
  or of the same fields, came before it. The seals before it:
    - TIME: study "small", agreement at least 0.7 pooled over all windows, by the
    point estimate; the same feed and fields; 1 run; seal DIGEST
  This is the second run under this seal.
  The seal is entry 3, counted from 0, of the 6 entries that the register DIGEST had when the
  verdict was given; it was opened on TIME.
"#);
    });
}

#[test]
fn a_seal_that_is_not_in_its_register_is_void() {
    let workspace = workspace();
    run(&workspace, "first");
    set_bound(&workspace, "at-least = 0.7", "at-least = 0.6");
    run(&workspace, "second");
    let whole = lines(&workspace, "register.jsonl");
    let lines: Vec<&str> = whole.iter().map(String::as_str).collect();
    let verified = || {
        let output = workspace.understudy(&["verify", "second"]);
        assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
        let broken = output.stdout.lines().find(|line| line.starts_with("BROKEN     register: "));
        broken.unwrap_or_else(|| panic!("{}", output.stdout)).to_owned()
    };
    let with_lines = |kept: &[&str]| {
        workspace.write("register.jsonl", kept.concat());
        verified()
    };
    let changed = lines[1].replace("at least 0.7", "at least 0.9");
    // The last entry is that of the run, and the one before that of its seal.
    let mut faults = vec![
        with_lines(&lines[..4]),
        with_lines(&lines[..3]),
        with_lines(&[lines[0], &changed, lines[2], lines[3], lines[4]]),
    ];
    // The same register with another seal in the place of this one.
    workspace.write("register.jsonl", lines[..3].concat());
    set_bound(&workspace, "at-least = 0.6", "at-least = 0.55");
    workspace.ok(&["seal", "study/study.toml"]);
    faults.push(verified());
    // Another register, which a seal of the same study opened.
    fs::remove_file(workspace.path().join("register.jsonl")).expect("it is there");
    fs::remove_file(workspace.path().join("study/seal.json")).expect("it is there");
    workspace.ok(&["seal", "study/study.toml"]);
    faults.push(void(&workspace.understudy(&["decide", "second"])));
    fs::remove_file(workspace.path().join("register.jsonl")).expect("it is there");
    faults.push(void_without_register(&workspace.understudy(&["decide", "second"])));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(faults.join("\n"), @r#"
BROKEN     register: register.jsonl: the start of this run is not in the register: it was left out, or the register was truncated
BROKEN     register: register.jsonl: the seal is entry 3, and the register ends with entry 2: it was truncated, or the seal was left out
BROKEN     register: cannot use the register register.jsonl:2: it was changed: its hash does not match; run `understudy register verify` for all faults, and restore the file from a copy
BROKEN     register: register.jsonl: entry 3 is not this seal: it was left out or replaced
  register: register.jsonl: the seal names a register whose first entry has the SHA-256 DIGEST..., and this one begins with DIGEST...: the register was replaced or moved; name its new path, or restore it from a copy
  register: second/../register.jsonl does not exist; name its new path with --register if it or the run was moved, or restore it from a copy
"#);
    });
}

#[test]
fn a_register_that_was_truncated_after_the_verdict_is_detected() {
    let workspace = workspace();
    run(&workspace, "first");
    set_bound(&workspace, "at-least = 0.7", "at-least = 0.6");
    run(&workspace, "second");
    workspace.understudy(&["decide", "first"]);
    let whole = lines(&workspace, "register.jsonl");
    workspace.write("register.jsonl", whole[..3].concat());
    let output = workspace.understudy(&["verify", "first"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(
        output.stdout.contains("register: it does not begin with the 5 entries that the verdict covers: it was truncated or rewritten"),
        "{}",
        output.stdout
    );
}

#[test]
fn entries_are_signed_with_the_key_of_seal_or_ledger() {
    let workspace = workspace();
    let key = |name: &str| workspace.ok(&["key", name, "--output", name]).stdout.trim().to_owned();
    let (ana, eve) = (key("ana"), key("eve"));
    workspace.ok(&["run", "study/study.toml", "--run", "run", "--sign-key", "ana"]);
    workspace.ok(&["verify", "run", "--key", &ana]);
    workspace.ok(&["register", "verify", ".", "--key", &ana]);
    let output = workspace.understudy(&["register", "verify", "register.jsonl", "--key", &eve]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(
        output.stdout.contains("BROKEN     entry 1: it is not signed with a given key"),
        "{}",
        output.stdout
    );
    // The same entries, signed again with another key.
    let signer = understudy_run_log::signed_head::Signer::read(&workspace.path().join("eve")).expect("a key");
    let old = read_register(&workspace.path().join("register.jsonl")).expect("whole").expect("there");
    let first = lines(&workspace, "register.jsonl").swap_remove(0);
    workspace.write("register.jsonl", first);
    let path = workspace.path().join("register.jsonl");
    let mut register = understudy_run_log::register::Register::open(&path, None).expect("whole");
    for entry in &old.entries()[1..] {
        register.append(entry.event.event.clone(), Some(&signer)).expect("written");
    }
    drop(register);
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(void(&workspace.understudy(&["decide", "run"])).trim(), @"register: register.jsonl: entry 1 is signed with KEY, and the seal says that it is signed with KEY: it was rewritten");
    });
}

#[test]
fn studies_that_are_sealed_at_once_are_all_registered() {
    let workspace = workspace();
    for number in 0..6 {
        let text = fs::read_to_string(workspace.path().join("study/study.toml")).expect("the study");
        workspace.write(&format!("study/study-{number}.toml"), text.replace("0.7", &format!("0.7{number}")));
    }
    let started: Vec<_> = (0..6)
        .map(|number| {
            let study = format!("study/study-{number}.toml");
            TestProcess::start(workspace.command(&["seal", &study]))
        })
        .collect();
    for process in started {
        let output = process.wait_with_output();
        assert_eq!(output.code, 0, "{}", output.stderr);
    }
    assert_eq!(entries(&workspace, "register.jsonl"), ((1..=6).collect(), Vec::new()));
    workspace.ok(&["register", "verify", "register.jsonl"]);
    workspace.ok(&["run", "study/study-3.toml", "--run", "run"]);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_moved_run_is_decided_with_the_path_of_its_register() {
    let workspace = workspace();
    run(&workspace, "runs/first");
    fs::create_dir_all(workspace.path().join("archive/deep")).expect("created");
    fs::rename(workspace.path().join("runs/first"), workspace.path().join("archive/deep/first"))
        .expect("moved");
    let run = "archive/deep/first";
    let verified = workspace.ok(&["verify", run]);
    assert!(verified.stdout.contains("register   not checked: "), "{}", verified.stdout);
    void_without_register(&workspace.understudy(&["decide", run]));
    let output = workspace.understudy(&["decide", run, "--register", "register.jsonl"]);
    assert!(
        output.stdout.contains("This is the first seal of this study in its register."),
        "{}",
        output.stdout
    );
    let verified = workspace.ok(&["verify", run, "--register", "."]);
    assert!(
        verified.stdout.contains("register   the seal is entry 1, counted from 0, of the 3 entries in "),
        "{}",
        verified.stdout
    );
    // The rest of a verdict can be computed again without the register.
    workspace.ok(&["verify", run]);
}

#[test]
fn without_a_register_earlier_tries_are_not_known() {
    let workspace = workspace();
    set_bound(&workspace, "register = \"../register.jsonl\"\n", "");
    run(&workspace, "run");
    let output = workspace.understudy(&["decide", "run"]);
    insta::assert_snapshot!(tries(&output).trim(), @"The study names no register of seals: earlier tries, if any, are not known.");
    assert_eq!(output.stdout.matches("register").count(), 1, "one sentence names it: {}", output.stdout);
    let seal = fs::read_to_string(workspace.path().join("run/seal.json")).expect("a seal");
    assert!(!seal.contains("\"register\""), "{seal}");
}
