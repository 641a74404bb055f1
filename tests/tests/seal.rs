//! The seal: sealed content cannot change before or during a run, and every change is named. The layout of
//! the declaration can change. The signer is known, and a tampered seal is rejected.

use std::fs;

use understudy_run_log::ledger::{self, Event, Ledger};
use understudy_sandbox::sha256_hex;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::open_rows;
use understudy_tests::{CommandOutput, TestWorkspace, plugin};

const RUN: [&str; 4] = ["run", "study.toml", "--run", "run"];

/// Replaces digests, keys and times, which differ between seals.
const FILTERS: [(&str, &str); 4] = [
    (r"[0-9a-f]{64}|[0-9a-f]{12}\.\.\.", "SHA-256"),
    (r"[a-z]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "KEY"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r#""ed25519": "[A-Za-z0-9+/=]{88}""#, r#""ed25519": "SIGNATURE""#),
];

/// The small study with its own plugin, an asset and a fractional number.
fn workspace() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("nights = \"integer\"", "nights = \"integer\"\nbooker = \"text\""),
        (
            "plugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"booked\"]",
            "plugin = \"echo.wasm\"\nassets = { notes = \"notes.txt\" }\ngrant = [\"booked\", \"booker\"]",
        ),
        ("every = \"day\"\n", "every = \"day\"\n\n[log]\nreplay-share = 0.85\n"),
    ]);
    workspace.write("echo.wasm", fs::read(plugin("recorded")).expect("the component is there"));
    workspace.write("notes.txt", "remember");
    workspace
}

fn seal(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = workspace.understudy(&[&["seal", "study.toml"], arguments].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    output.stdout
}

fn key(workspace: &TestWorkspace, name: &str) -> String {
    let output = workspace.understudy(&["key", name, "--output", name]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    output.stdout.trim().to_owned()
}

fn refused(output: &CommandOutput) -> String {
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    output.stderr.clone()
}

/// The output of a command while `old` is replaced by `new` in a file.
fn with(workspace: &TestWorkspace, file: &str, old: &str, new: &str, command: &[&str]) -> CommandOutput {
    let path = workspace.path().join(file);
    let before = fs::read(&path).expect("the file is there");
    let at = before.windows(old.len()).position(|window| window == old.as_bytes());
    let at = at.unwrap_or_else(|| panic!("{file} has no {old}"));
    let after = [&before[..at], new.as_bytes(), &before[at + old.len()..]].concat();
    fs::write(&path, after).expect("written");
    let output = workspace.understudy(command);
    fs::write(&path, before).expect("written back");
    output
}

/// The errors for single changes of sealed content, each of one character or byte.
fn each_change(workspace: &TestWorkspace) -> String {
    let changes = [
        ("study.toml", "0.85", "0.84"),
        ("study.toml", "field = \"booked\", form", "field = \"booker\", form"),
        // In an unused part of the component.
        ("echo.wasm", "processed-by", "processed-bz"),
        ("notes.txt", "remember", "remembor"),
    ];
    let output = changes.map(|(file, old, new)| refused(&with(workspace, file, old, new, &RUN)));
    output.concat()
}

/// The study with the same values in a very different layout.
fn lay_out_otherwise(workspace: &TestWorkspace) {
    workspace.edit_study(&[
        (
            "study = \"small\"\n",
            "# What was promised.\nwindows = { every = 'day' } # each day\nstudy = \"\"\"small\"\"\"\n",
        ),
        ("\n[windows]\nevery = \"day\"\n", "\n"),
        ("booked = \"text\"\nnights = \"integer\"\n", "nights = 'integer'\n\"booked\" = \"text\"\n"),
        ("replay-share = 0.85", "replay-share = 85.0e-2"),
        (
            "config = { field = \"booked\", form = \"label\" }",
            "config.form = \"label\"\nconfig.field = \"booked\"",
        ),
    ]);
}

#[test]
fn a_run_uses_the_seal_of_its_study() {
    let workspace = workspace();
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(seal(&workspace, &[]), @r#"
        study.toml is sealed in seal.json: study "small"
          seal                                 SHA-256
          declaration                          SHA-256
          model       echo                     SHA-256
            asset     notes                    SHA-256
          comparator  recorded                 SHA-256
          metric      agreement                SHA-256
        sealed on TIME, not signed
        "#);
    });
    let sealed = fs::read(workspace.path().join("seal.json")).expect("it was sealed");
    assert!(!workspace.path().join("run").exists());
    lay_out_otherwise(&workspace);
    let report = workspace.run(&[]);
    assert_eq!(fs::read(workspace.path().join("run/seal.json")).expect("a run has a seal"), sealed);
    let seal: serde_json::Value = serde_json::from_slice(&sealed).expect("a seal is JSON");
    assert_eq!(report["declaration-digest"], seal["declaration"]);
    let declared = seal["declared"].to_string();
    assert_eq!(seal["declaration"], sha256_hex(declared.as_bytes()), "{declared}");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn changes_after_sealing_prevent_the_start() {
    let workspace = workspace();
    seal(&workspace, &[]);
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(each_change(&workspace), @r#"
        study.toml was sealed in seal.json on TIME and has changed since: `log.replay-share` was 0.85 and is 0.84; revert the changes, or move the seal away and seal the study again with `understudy seal`
        study.toml was sealed in seal.json on TIME and has changed since: `models[echo].config.field` was "booked" and is "booker"; revert the changes, or move the seal away and seal the study again with `understudy seal`
        study.toml was sealed in seal.json on TIME and has changed since: the component of model "echo" was SHA-256 and is SHA-256; revert the changes, or move the seal away and seal the study again with `understudy seal`
        study.toml was sealed in seal.json on TIME and has changed since: the asset `notes` of model "echo" was SHA-256 and is SHA-256; revert the changes, or move the seal away and seal the study again with `understudy seal`
        "#);
    });
    workspace.edit_study(&[
        ("0.85", "0.84"),
        ("every = \"day\"", "every = \"hour\""),
        ("values = [\"a\", \"b\"]", "values = [\"b\", \"a\"]"),
    ]);
    workspace.write("notes.txt", "forget");
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(refused(&workspace.understudy(&RUN)), @r#"study.toml was sealed in seal.json on TIME and has changed since: `conditions[room].values[0]` was "a" and is "b", `conditions[room].values[1]` was "b" and is "a", `log.replay-share` was 0.85 and is 0.84, `windows.every` was "day" and is "hour", the asset `notes` of model "echo" was SHA-256 and is SHA-256; revert the changes, or move the seal away and seal the study again with `understudy seal`"#);
        insta::assert_snapshot!(refused(&workspace.understudy(&["seal", "study.toml"])), @r#"study.toml was sealed in seal.json on TIME and has changed since: `conditions[room].values[0]` was "a" and is "b", `conditions[room].values[1]` was "b" and is "a", `log.replay-share` was 0.85 and is 0.84, `windows.every` was "day" and is "hour", the asset `notes` of model "echo" was SHA-256 and is SHA-256; revert the changes, or move the seal away and seal the study again with `understudy seal`"#);
    });
    assert!(!workspace.path().join("run").exists(), "nothing was begun");
    let checked = workspace.ok(&["check", "study.toml"]);
    assert!(checked.stderr.contains("warning: study.toml was sealed in seal.json on "), "{}", checked.stderr);
    fs::remove_file(workspace.path().join("seal.json")).expect("it was sealed");
    seal(&workspace, &[]);
    workspace.run(&[]);
}

#[test]
fn changes_since_the_start_prevent_resuming() {
    let workspace = workspace();
    workspace.edit_study(&[("file = \"snapshots.jsonl\"", "stdin = true")]);
    let text = fs::read(workspace.path().join("study.toml")).expect("the study");
    let mut running = TestProcess::start(workspace.command(&RUN));
    running.feed(fs::read(workspace.path().join("snapshots.jsonl")).expect("snapshots"));
    wait_until("five snapshots are in the log", || {
        open_rows(&workspace.path().join("run"), "snapshots") == 5
    });
    running.signal("TERM");
    assert_eq!(running.wait_with_output().code, 130);
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(each_change(&workspace), @r#"
        run contains a run of this study that has not ended, and its sealed content has changed: `log.replay-share` was 0.85 and is 0.84; undo the change to resume the run, or choose another directory with --run
        run contains a run of this study that has not ended, and its sealed content has changed: `models[echo].config.field` was "booked" and is "booker"; undo the change to resume the run, or choose another directory with --run
        run contains a run of this study that has not ended, and its sealed content has changed: the component of model "echo" was SHA-256 and is SHA-256; undo the change to resume the run, or choose another directory with --run
        run contains a run of this study that has not ended, and its sealed content has changed: the asset `notes` of model "echo" was SHA-256 and is SHA-256; undo the change to resume the run, or choose another directory with --run
        "#);
    });
    lay_out_otherwise(&workspace);
    let damaged = with(&workspace, "run/study.toml", "small", "large", &RUN);
    insta::assert_snapshot!(refused(&damaged), @"run/study.toml is not the file that the run started with, and study.toml differs from that in comments or layout; restore it from a copy to resume the run");
    // A seal created meanwhile has the same content.
    seal(&workspace, &[]);
    workspace.ok(&RUN);
    assert_eq!(fs::read(workspace.path().join("run/study.toml")).expect("the run's own"), text);
    workspace.ok(&["verify", "run"]);
    workspace.ok(&["replay", "run"]);
}

#[test]
fn an_existing_seal_is_not_changed() {
    let workspace = workspace();
    let (first, _) = (key(&workspace, "ana"), key(&workspace, "eve"));
    let path = workspace.path().join("seal.json");
    seal(&workspace, &[]);
    let plain = fs::read(&path).expect("a seal");
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(seal(&workspace, &[]), @"
        study.toml is already sealed in seal.json and unchanged
          seal                                 SHA-256
          declaration                          SHA-256
          model       echo                     SHA-256
            asset     notes                    SHA-256
          comparator  recorded                 SHA-256
          metric      agreement                SHA-256
        sealed on TIME, not signed
        ");
        insta::assert_snapshot!(refused(&workspace.understudy(&["seal", "study.toml", "--sign-key", "ana"])), @"seal.json already exists, and is not signed; omit --sign-key, or move the seal away to seal the study again");
    });
    assert_eq!(fs::read(&path).expect("a seal"), plain);
    fs::remove_file(&path).expect("it is there");
    assert!(seal(&workspace, &["--sign-key", "ana"]).ends_with(&format!(", signed by {first}\n")));
    let signed = fs::read(&path).expect("a seal");
    for arguments in [&[][..], &["--sign-key", "ana"]] {
        assert!(seal(&workspace, arguments).starts_with("study.toml is already sealed in seal.json"));
    }
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(refused(&workspace.understudy(&["seal", "study.toml", "--sign-key", "eve"])), @"seal.json already exists, signed by another key, KEY; omit --sign-key, or move the seal away to seal the study again");
    });
    assert_eq!(fs::read(&path).expect("a seal"), signed);
    // Two studies in one folder have separate seals.
    fs::copy(workspace.path().join("study.toml"), workspace.path().join("other.toml")).expect("copied");
    let output = workspace.ok(&["seal", "other.toml"]);
    insta::assert_snapshot!(output.stdout.lines().next().expect("a line"), @r#"other.toml is sealed in other.seal.json: study "small""#);
    assert!(workspace.path().join("other.seal.json").is_file());
    // The folder of a sealed study is still not a run.
    insta::assert_snapshot!(refused(&workspace.understudy(&["run", "study.toml", "--run", "."])), @". is not empty and holds no run; choose another directory with --run");
    fs::remove_file(workspace.path().join("notes.txt")).expect("it is there");
    insta::assert_snapshot!(refused(&workspace.understudy(&["seal", "study.toml"])), @r#"study.toml:25: model "echo": cannot read its asset `notes`, notes.txt: No such file or directory (os error 2); correct the path"#);
}

#[test]
fn a_changed_seal_is_rejected() {
    let workspace = workspace();
    seal(&workspace, &[]);
    let tampered = |old: &str, new: &str| refused(&with(&workspace, "seal.json", old, new, &RUN));
    let component = sha256_hex(&fs::read(workspace.path().join("echo.wasm")).expect("a component"));
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(tampered("-share\":0.85", "-share\":0.84"), @"seal.json is damaged: its declaration does not match its digest; restore it from a copy, or move it away and seal the study again with `understudy seal`");
        insta::assert_snapshot!(tampered(&format!("\"{component}"), &format!("\"{}", sha256_hex(b""))), @r#"study.toml was sealed in seal.json on TIME and has changed since: the component of model "echo" was SHA-256 and is SHA-256; revert the changes, or move the seal away and seal the study again with `understudy seal`"#);
        insta::assert_snapshot!(tampered("\"name\": \"echo\"", "\"name\": \"ohce\""), @"study.toml was sealed in seal.json on TIME and has changed since: the seal itself: its plugins contradict its declaration; revert the changes, or move the seal away and seal the study again with `understudy seal`");
        insta::assert_snapshot!(tampered("  \"study\"", "   \"study\""), @"seal.json is damaged: it does not have the layout that understudy writes; restore it from a copy, or move it away and seal the study again with `understudy seal`");
        insta::assert_snapshot!(tampered("\"format\": 2", "\"format\": 3"), @"seal.json is damaged: its format is 3, and this version of understudy reads 2; restore it from a copy, or move it away and seal the study again with `understudy seal`");
    });
    fs::remove_file(workspace.path().join("seal.json")).expect("it is there");
    key(&workspace, "ana");
    seal(&workspace, &["--sign-key", "ana"]);
    insta::with_settings!({ filters => FILTERS }, {
        let text = fs::read_to_string(workspace.path().join("seal.json")).expect("a seal");
        let at = text.split("\"sealed-at\": \"20").nth(1).expect("a time");
        let year = &at[..2];
        insta::assert_snapshot!(tampered(&format!("\"20{year}-"), &format!("\"20{}-", if year == "25" { "26" } else { "25" })), @"seal.json is damaged: its signature is not valid for KEY and this text; restore it from a copy, or move it away and seal the study again with `understudy seal`");
        let signature = text.split("\"ed25519\": \"").nth(1).and_then(|text| text.split('"').next()).expect("a signature");
        let first = if signature.starts_with('A') { "B" } else { "A" };
        insta::assert_snapshot!(tampered(signature, &format!("{first}{}", &signature[1..])), @"seal.json is damaged: its signature is not valid for KEY and this text; restore it from a copy, or move it away and seal the study again with `understudy seal`");
        insta::assert_snapshot!(tampered(signature, &signature[4..]), @"seal.json is damaged: its signature has the wrong length; restore it from a copy, or move it away and seal the study again with `understudy seal`");
    });
    assert!(!workspace.path().join("run").exists(), "nothing was begun");
    workspace.run(&[]);
}

#[test]
fn the_signer_of_the_seal_is_reported() {
    let workspace = workspace();
    let (ana, eve) = (key(&workspace, "ana"), key(&workspace, "eve"));
    seal(&workspace, &["--sign-key", "ana"]);
    workspace.run(&["--sign-key", "eve"]);
    let verified = |keys: &[&str], code: i32| {
        let output = workspace.understudy(&[&["verify", "run"], keys].concat());
        assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{}", output.stdout);
        let shown = |line: &&str| ["signature", "seal", "BROKEN"].iter().any(|word| line.starts_with(word));
        output
            .stdout
            .lines()
            .filter(shown)
            .collect::<Vec<_>>()
            .join("\n")
            .replace(&ana, "ANA")
            .replace(&eve, "EVE")
    };
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(verified(&[], 0), @"
        signature  the first 7 entries, signed with the key that the ledger names; check the owner with --key: EVE
        seal       the declaration and 3 plugins are as sealed on TIME; signed with the key that it names, check the owner with --key: ANA
        ");
        insta::assert_snapshot!(verified(&["--key", &ana, "--key", &eve], 0), @"
        signature  the first 7 entries, signed with a given key: EVE
        seal       the declaration and 3 plugins are as sealed on TIME; signed with a given key: ANA
        ");
        insta::assert_snapshot!(verified(&["--key", &eve], 1), @"
        signature  the first 7 entries, signed with a given key: EVE
        BROKEN     seal.json: it is signed with ANA, which is not among the given keys
        ");
        insta::assert_snapshot!(verified(&["--key", &ana], 1), @"
        seal       the declaration and 3 plugins are as sealed on TIME; signed with a given key: ANA
        BROKEN     ledger.note: it is not signed by ana
        ");
    });
    fs::remove_file(workspace.path().join("seal.json")).expect("it is there");
    fs::remove_dir_all(workspace.path().join("run")).expect("it is there");
    workspace.run(&["--sign-key", "eve"]);
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(verified(&["--key", &eve], 0), @"
        signature  the first 7 entries, signed with a given key: EVE
        seal       the declaration and 3 plugins are as sealed on TIME; the seal itself is not signed, the ledger has its digest
        ");
    });
}

/// A rewritten ledger can claim anything, except content that contradicts a signed seal.
#[test]
fn a_rewritten_ledger_cannot_change_the_seal() {
    let workspace = workspace();
    key(&workspace, "ana");
    seal(&workspace, &["--sign-key", "ana"]);
    workspace.run(&[]);
    let run = workspace.path().join("run");
    let path = run.join("ledger.jsonl");
    let bytes = fs::read(&path).expect("a ledger");
    let forge = |change: &dyn Fn(&mut Event)| {
        let (entries, _) = ledger::check(&bytes);
        let forged = Ledger::create(&run, None).expect("it can be written anew");
        for mut entry in entries {
            change(&mut entry.event);
            forged.append(entry.event).expect("it is whole");
        }
        let output = workspace.understudy(&["verify", "run"]);
        assert_eq!((output.code, output.stderr.as_str()), (1, ""), "{}", output.stdout);
        output.stdout.lines().filter(|line| line.starts_with("BROKEN")).collect::<Vec<_>>().join("\n")
    };
    workspace.edit_study(&[("0.85", "0.84")]);
    let text = fs::read(workspace.path().join("study.toml")).expect("the study");
    fs::write(run.join("study.toml"), &text).expect("written");
    insta::assert_snapshot!(forge(&|event| {
        if let Event::RunStarted { study_toml, .. } = event {
            *study_toml = sha256_hex(&text);
        }
    }), @"BROKEN     study.toml: it is not the declaration that was sealed: `log.replay-share` was 0.85 and is 0.84");
    let sealed = fs::read_to_string(run.join("seal.json")).expect("a seal");
    let sealed = sealed.replace("\"study\": \"small\"", "\"study\": \"large\"");
    fs::write(run.join("seal.json"), &sealed).expect("written");
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(forge(&|event| {
            if let Event::RunStarted { study_toml, seal, .. } = event {
                *study_toml = sha256_hex(&text);
                *seal = sha256_hex(sealed.as_bytes());
            }
        }), @"
        BROKEN     study.toml: it is not the declaration that was sealed: `log.replay-share` was 0.85 and is 0.84
        BROKEN     seal.json: its signature is not valid for KEY and this text
        ");
    });
}
