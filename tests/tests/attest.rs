//! `understudy attest`: statements about verdicts that in-toto's own library reads.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use understudy_sandbox::sha256_hex;
use understudy_tests::external_programs::Requirement;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, root};

/// A run of twelve pairs with its verdict still to come, and a key. Of the six that booked room `b`, `agreeing` agree, and so do
/// all others.
fn finished(agreeing: usize) -> (TestWorkspace, String) {
    let workspace = TestWorkspace::new();
    let study =
        StudyToml::small().section("[scopes]", "name = \"booked-b\"\nwhere = { room = \"b\" }").threshold(
            "at-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\n\
         least-per-window = 1\nchance = \"not-asked\"",
        );
    workspace.write("study.toml", study.to_string());
    let row = |number: usize| {
        let day = number / 4 + 1;
        let booked = if number.is_multiple_of(2) { "a" } else { "b" };
        let decided = if number % 2 == 1 && number / 2 >= agreeing { "c" } else { booked };
        (
            format!(r#"{{"id":"s{number}","at":"2026-03-0{day}T10:00:00Z","booked":"{booked}","nights":1}}"#),
            format!(r#"{{"id":"s{number}","at":"2026-03-0{day}T11:00:00Z","room":"{decided}"}}"#),
        )
    };
    let (snapshots, decisions): (Vec<_>, Vec<_>) = (0..12).map(row).unzip();
    workspace.write_lines("snapshots.jsonl", &snapshots);
    workspace.write_lines("decisions.jsonl", &decisions);
    workspace.run(&[]);
    let key = workspace.ok(&["key", "release", "--output", "release.key"]).stdout.trim().to_owned();
    (workspace, key)
}

fn statement(workspace: &TestWorkspace, file: &str) -> Value {
    let envelope = fs::read(workspace.path().join(file)).expect("an envelope");
    let envelope: Value = serde_json::from_slice(&envelope).expect("JSON");
    let payload = BASE64.decode(envelope["payload"].as_str().expect("a payload")).expect("base64");
    serde_json::from_slice(&payload).expect("JSON")
}

const SIGN: [&str; 7] = ["attest", "sign", "run", "--sign-key", "release.key", "--output", "go.json"];

#[test]
fn a_statement_has_the_verdict_and_the_digests_of_the_model() {
    let (workspace, key) = finished(6);
    let missing = workspace.understudy(&SIGN);
    assert_eq!(
        (missing.code, missing.stderr.trim()),
        (
            1,
            "run has no recorded verdict; run `understudy decide` first. It records none without a threshold, or if the run fails verification"
        )
    );
    workspace.ok(&["decide", "run"]);
    workspace.ok(&SIGN);
    let found = statement(&workspace, "go.json");
    let digest = |file: &str| {
        let bytes = fs::read(workspace.path().join("run").join(file)).expect("a file of the run");
        sha256_hex(&bytes)
    };
    let configuration = &found["predicate"]["configuration"][0];
    assert_eq!(configuration["digest"]["sha256"], digest("seal.json"));
    assert_eq!(configuration["annotations"]["verdict-sha256"], digest("verdict.json"));
    assert_eq!(configuration["annotations"]["run-closed"], "true");
    assert_eq!(found["predicate"]["result"], "PASSED");
    let seal: Value =
        serde_json::from_slice(&fs::read(workspace.path().join("run/seal.json")).unwrap()).unwrap();
    let component = seal["plugins"][0]["sha256"].as_str().expect("a digest");
    assert_eq!(found["subject"], json!([{ "name": "echo: component", "digest": { "sha256": component } }]));

    let verified = workspace.ok(&["attest", "verify", "go.json", "--key", &key, "--subject", component]);
    let lines: Vec<&str> = verified.stdout.lines().take(3).collect();
    assert_eq!(lines[0], format!("PASSED, signed by {key}"));
    insta::assert_snapshot!(lines[1..].join("\n"), @"
      passed: echo, scope all: GO: 12 of 12 (1.000000); at least 0.5 is required
      passed: echo, scope booked-b: GO: 6 of 6 (1.000000); at least 0.5 is required
    ");
    let path = workspace.understudy(&["attest", "verify", "go.json", "--key", &key, "--subject", "a.wasm"]);
    assert_eq!(path.code, 2);
    assert!(
        path.stderr.contains("it is not a SHA-256 of 64 hexadecimal digits, as `sha256sum FILE` prints it"),
        "{}",
        path.stderr
    );
    let other = "0".repeat(64);
    let output = workspace.understudy(&["attest", "verify", "go.json", "--key", &key, "--subject", &other]);
    assert_eq!(output.code, 4);
    assert!(output.stderr.contains("it is about echo: component"), "{}", output.stderr);
}

#[test]
fn a_result_is_warned_by_another_scope_and_failed_by_its_own() {
    let (workspace, key) = finished(1);
    workspace.ok(&["decide", "run"]);
    workspace.ok(&SIGN);
    let verify = ["attest", "verify", "go.json", "--key", &key];
    let warned = workspace.understudy(&verify);
    assert_eq!(warned.code, 0);
    assert!(warned.stdout.starts_with("WARNED, signed by "), "{}", warned.stdout);
    let lines: Vec<&str> = warned.stdout.lines().skip(1).take(2).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
      passed: echo, scope all: GO: 7 of 12 (0.583333); at least 0.5 is required
      failed: echo, scope booked-b: NO-GO: pooled: 1 of 6 (0.166667); at least 0.5 is required
    ");
    workspace.ok(&[&SIGN[..], &["--scope", "booked-b"]].concat());
    let failed = workspace.understudy(&verify);
    assert_eq!(failed.code, 1);
    assert!(failed.stdout.starts_with("FAILED, signed by "), "{}", failed.stdout);
    for (arguments, fault) in [
        (["--scope", "x"], "the verdict has no scope \"x\"; it has \"all\", \"booked-b\""),
        (["--model", "x"], "the verdict has no model \"x\"; it has echo"),
    ] {
        let output = workspace.understudy(&[&SIGN[..], &arguments].concat());
        assert_eq!((output.code, output.stderr.trim()), (1, fault));
    }
}

#[test]
fn changed_files_other_keys_and_later_events_are_refused() {
    let (workspace, key) = finished(6);
    workspace.ok(&["decide", "run"]);
    workspace.ok(&SIGN);
    let other = workspace.ok(&["key", "other", "--output", "other.key"]).stdout.trim().to_owned();
    let refused = |file: &str, key: &str| {
        let output = workspace.understudy(&["attest", "verify", file, "--key", key]);
        assert_eq!((output.code, output.stdout.as_str()), (4, ""));
        output.stderr.trim().to_owned()
    };
    let unsigned =
        |file: &str| format!("cannot verify {file}: none of its signatures is valid for a given key");
    assert_eq!(refused("go.json", &other), unsigned("go.json"));
    let text = fs::read_to_string(workspace.path().join("go.json")).expect("an envelope");
    let mut envelope: Value = serde_json::from_str(&text).expect("JSON");
    let mut payload = statement(&workspace, "go.json");
    payload["subject"][0]["digest"]["sha256"] = json!("0".repeat(64));
    envelope["payload"] = json!(BASE64.encode(payload.to_string()));
    workspace.write("changed.json", envelope.to_string());
    assert_eq!(refused("changed.json", &key), unsigned("changed.json"));
    workspace.write("empty.json", "{}");
    insta::assert_snapshot!(refused("empty.json", &key), @"cannot verify empty.json: it is not a DSSE envelope: missing field `payload` at line 1 column 2");
    insta::assert_snapshot!(refused("absent.json", &key), @"cannot read absent.json: No such file or directory (os error 2); correct the path");

    let verdict = workspace.path().join("run/verdict.json");
    let good = fs::read_to_string(&verdict).expect("a verdict");
    fs::write(&verdict, good.replace("GO", "NO-GO")).expect("it can be written");
    let output = workspace.understudy(&SIGN);
    insta::assert_snapshot!(output.stderr.trim(), @"run/verdict.json was changed: its SHA-256 is not the one in the ledger; run `understudy decide` again");
    fs::write(&verdict, good).expect("it can be written");
    let disclosed = ["--since", "2026-03-01T00:00:00Z", "--who", "shift lead", "--text", "saw a page"];
    workspace.ok(&[&["disclose", "run", "exposure"][..], &disclosed].concat());
    let output = workspace.understudy(&SIGN);
    assert!(output.code == 1 && output.stderr.contains("run `understudy decide` again"), "{}", output.stderr);
}

#[test]
fn in_totos_library_reads_and_verifies_the_statement() {
    if !Requirement::Python.is_available() {
        return;
    }
    let (workspace, key) = finished(6);
    workspace.ok(&["decide", "run"]);
    workspace.ok(&SIGN);
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect("checked above");
    let output = Command::new(python)
        .arg(root().join("tests/in_toto.py"))
        .arg(workspace.path().join("go.json"))
        .arg(&key)
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(found["result"], "PASSED");
    assert_eq!(found["passed"], statement(&workspace, "go.json")["predicate"]["passedTests"]);
    assert_eq!(found["changed"], "refused");
}
