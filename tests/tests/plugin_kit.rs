//! `understudy plugin new`, `build`, `test`, `check` and `bench`.

use std::fs;
use std::path::Path;

use understudy_tests::{CommandOutput, TestWorkspace, plugin};

/// Runs the program in a workspace, with one target folder for all plugins, so that the SDK is compiled once.
fn understudy(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let mut command = workspace.command(&[&["plugin"], arguments].concat());
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-kit"));
    workspace.redacted(command.output().expect("the program can be started").into())
}

fn ok(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let output = understudy(workspace, arguments);
    assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output
}

fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = understudy(workspace, arguments);
    assert_eq!(output.code, 1, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output.stderr.trim().to_owned()
}

fn evil() -> String {
    plugin("guests/evil").display().to_string()
}

#[test]
fn a_new_plugin_passes_its_tests_and_the_check() {
    for kind in ["model", "comparator", "metric"] {
        let workspace = TestWorkspace::new();
        ok(&workspace, &["new", "first-try", "--kind", kind]);
        let tested = ok(&workspace, &["test", "first-try"]);
        assert!(tested.stdout.ends_with(" tests passed\n"), "{}", tested.stdout);
        let component = "first-try/first_try.wasm";
        let checked = ok(&workspace, &["check", component, "--kind", kind]);
        assert!(checked.stdout.contains("no findings"), "{}", checked.stdout);
        let measured = ok(&workspace, &["bench", component]).stdout;
        assert_eq!(measured.lines().count(), 5, "{measured}");
        // A build of the same source is the same component.
        let built = fs::read(workspace.path().join(component)).expect("it was built");
        ok(&workspace, &["build", "first-try", "--output", "again.wasm"]);
        assert_eq!(fs::read(workspace.path().join("again.wasm")).expect("it was built"), built);
    }
}

#[test]
fn the_unit_tests_of_new_plugins_pass() {
    let workspace = TestWorkspace::new();
    for kind in ["model", "comparator", "metric"] {
        ok(&workspace, &["new", kind, "--kind", kind]);
        let tested = std::process::Command::new("cargo")
            .args(["test", "--quiet", "--lib"])
            .current_dir(workspace.path().join(kind))
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-kit"))
            .output()
            .expect("cargo starts");
        let printed =
            String::from_utf8_lossy(&tested.stdout).into_owned() + &String::from_utf8_lossy(&tested.stderr);
        assert!(tested.status.success() && printed.contains("1 passed"), "{kind}: {printed}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let workspace = TestWorkspace::new();
    workspace.write("taken/file", "");
    workspace.write("empty/file", "");
    let errors = [
        refused(&workspace, &["new", "taken"]),
        refused(&workspace, &["new", "Room"]),
        refused(&workspace, &["build", "empty"]),
        refused(&workspace, &["test", "missing.wasm"]),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    cannot write taken: it exists and is not empty; choose another folder with --output
    the name "Room" has characters that are not allowed; write lower-case letters, digits and single hyphens, a letter first, such as "booked-room"
    cannot build empty: it has no Cargo.toml, package.json, pyproject.toml or plugin.toml; name the folder of a plugin, or write one with `understudy plugin new`
    cannot read missing.wasm: No such file or directory (os error 2); build the plugin, or correct the path
    "#);
}

/// The findings of a check of a guest that misbehaves, as its author sees them.
fn findings(workspace: &TestWorkspace, deed: &str, arguments: &[&str]) -> String {
    let config = format!(r#"{{"on": "bad", "do": "{deed}"}}"#);
    let output = understudy(workspace, &[&["check", &evil(), "--config", &config], arguments].concat());
    assert_eq!(output.code, 1, "{deed}: {}{}", output.stdout, output.stderr);
    let at = output.stdout.find("finding: ").expect("a finding");
    let text = format!("{deed}\n{}", output.stdout[at..].trim_end());
    // The place of a panic in the guest changes with its source.
    match text.split_once("deed.rs:") {
        Some((before, after)) => {
            let message = after.split_once(": ").expect("a message follows the place").1;
            format!("{before}deed.rs:LINE:COLUMN: {message}")
        }
        None => text,
    }
}

#[test]
fn each_violation_of_the_contract_is_found() {
    let workspace = TestWorkspace::new();
    let found = |deed: &str| findings(&workspace, deed, &[]);
    insta::assert_snapshot!(found("stateful"), @r#"
    stateful
    finding: no state between calls, 46 rows
      row    {"text": "bad"}
      first  "asked 0 times before"
      then   "asked 1 times before", after a call with the same row
    
    1 finding
    "#);
    insta::assert_snapshot!(found("batch-rows"), @r#"
    batch-rows
    finding: independence of the batch, 46 rows
      row    {"text": "bad"}
      alone  "a batch of 1"
      batch  "a batch of 2", in a batch with the same row
    
    1 finding
    "#);
    insta::assert_snapshot!(found("nan-answer"), @r#"
    nan-answer
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` answered NaN; a number must be finite
    
    1 finding
    "#);
    insta::assert_snapshot!(found("bad-confidence"), @r#"
    bad-confidence
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` returned the confidence 2; a confidence is from 0 to 1
    
    1 finding
    "#);
    insta::assert_snapshot!(found("placeholder"), @r#"
    placeholder
    finding: missing values, 32 rows
      row    {"text": null}
      once   ""
      other  "placeholder", with another value in the place of a missing one
    
    1 finding
    "#);
    insta::assert_snapshot!(found("key-order"), @r#"
    key-order
    finding: order of keys in JSON fields, 19 rows
      row    {"text": {"a":1,"b":"x"}}
      once   "a"
      other  "b", for {"text": {"b":"x","a":1}}
    
    1 finding
    "#);
    insta::assert_snapshot!(found("panic"), @r#"
    panic
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` panicked at tests/guests/evil/src/deed.rs:LINE:COLUMN: evil panics on `bad`
    
    1 finding
    "#);
    insta::assert_snapshot!(found("allocate"), @r#"
    allocate
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` used up its fuel of 10000000
      help     make a row cheaper, or raise limits.fuel-per-row in study.toml
    
    1 finding
    "#);
    insta::assert_snapshot!(found("reserve"), @r#"
    reserve
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` exceeded its memory limit of 64 MiB
      help     use less memory, or raise limits.memory-mib in study.toml
    
    1 finding
    "#);
    insta::assert_snapshot!(found("loop"), @r#"
    loop
    finding: valid answers, 46 rows
      row      {"text": "bad"}
      failure  `decide` used up its fuel of 10000000
      help     make a row cheaper, or raise limits.fuel-per-row in study.toml
    
    1 finding
    "#);
    // Without its trigger, the guest keeps the contract.
    ok(&workspace, &["check", &evil(), "--config", r#"{"on": "never", "do": "abstain"}"#]);
}

#[test]
fn a_model_must_not_read_the_decision() {
    let workspace = TestWorkspace::new();
    insta::assert_snapshot!(findings(&workspace, "read-decision", &["--kind", "model"]), @"
    read-decision
    finding: no access to the decision, 1 field
      reads   decision.text
      reason  a model must not know the decision that it is compared with; a study refuses it
    
    1 finding
    ");
    let config = r#"{"on": "bad", "do": "read-decision"}"#;
    let output = ok(&workspace, &["check", &evil(), "--config", config]);
    let note = output.stdout.lines().find(|line| line.contains("it reads decision.text")).unwrap_or_default();
    insta::assert_snapshot!(note.trim(), @"decision    it reads decision.text, which a model must not read");
    ok(&workspace, &["check", &evil(), "--config", config, "--kind", "comparator"]);
    insta::assert_snapshot!(refused(&workspace, &["check", "agreement", "--kind", "model"]), @"agreement is a metric; write --kind metric");
}

#[test]
fn the_seed_is_printed_and_repeats_a_check() {
    let workspace = TestWorkspace::new();
    let check = |seed: &str| {
        let config = r#"{"on": "bad", "do": "stateful"}"#;
        understudy(&workspace, &["check", &evil(), "--config", config, "--seed", seed]).stdout
    };
    assert!(check("7").contains(" with --seed 7\n"), "{}", check("7"));
    assert_eq!(check("7"), check("7"));
}

#[test]
fn the_stock_plugins_keep_the_contract() {
    let workspace = TestWorkspace::new();
    let recorded = |field: &str, form: &str| format!(r#"{{"field": "{field}", "form": "{form}"}}"#);
    let configs = |name: &str| -> Vec<String> {
        match name {
            "kappa" => vec![r#"{"labels": ["a", "b"]}"#.to_owned()],
            "ndcg" | "top-k-overlap" => vec![r#"{"k": 3}"#.to_owned()],
            "quantile-loss" => vec![r#"{"quantile": 0.9}"#.to_owned()],
            "rank-biased-overlap" => vec![r#"{"p": 0.9}"#.to_owned()],
            "within-tolerance" => vec![r#"{"absolute": 1.5}"#.to_owned()],
            "recorded" => {
                ["label", "number", "ranking", "label-set", "json"].map(|form| recorded("room", form)).into()
            }
            _ => vec!["{}".to_owned()],
        }
    };
    for name in understudy_engine::stock_names() {
        for config in configs(name) {
            ok(&workspace, &["check", name, "--config", &config]);
        }
    }
}

#[test]
fn rows_without_a_needed_field_are_not_measured() {
    let workspace = TestWorkspace::new();
    workspace.write_lines("rows.jsonl", [r#"{"room": "a"}"#]);
    let config = r#"{"on": "never", "do": "abstain"}"#;
    let error = refused(&workspace, &["bench", &evil(), "--config", config, "--rows", "rows.jsonl"]);
    insta::assert_snapshot!(error, @"cannot measure rows of rows.jsonl: no row has the field `text`, which the plugin needs; write it there");
}

#[test]
fn a_row_that_fails_is_named_by_a_measurement() {
    let workspace = TestWorkspace::new();
    workspace.write_lines("rows.jsonl", [r#"{"text": "good"}"#, r#"{"text": "bad"}"#]);
    let failing = |deed: &str| {
        let config = format!(r#"{{"on": "bad", "do": "{deed}"}}"#);
        let output = ok(&workspace, &["bench", &evil(), "--config", &config, "--rows", "rows.jsonl"]).stdout;
        assert!(output.contains(" calls failed, so the figures are not those of answers\n"), "{output}");
        output.lines().last().unwrap_or_default().trim().to_owned()
    };
    // The function in which it traps changes with the build of the guest.
    let trap = failing("trap-unreachable");
    let begin = r#"row 2 of rows.jsonl fails: {"text": "bad"}: `decide` trapped: wasm `unreachable` instruction executed"#;
    assert!(trap.starts_with(begin), "{trap}");
    insta::assert_snapshot!(failing("reserve"), @r#"row 2 of rows.jsonl fails: {"text": "bad"}: `decide` exceeded its memory limit of 64 MiB; use less memory, or raise limits.memory-mib in study.toml"#);
}

#[test]
fn the_readme_of_a_new_plugin_explains_its_fields() {
    let workspace = TestWorkspace::new();
    for kind in ["model", "comparator", "metric"] {
        ok(&workspace, &["new", kind, "--kind", kind]);
        let readme = fs::read_to_string(workspace.path().join(kind).join("README.md")).expect("a README");
        assert!(!readme.contains("{{"), "{readme}");
        let toml =
            readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let section: toml::Table = toml.parse().expect("it is TOML");
        let table = if kind == "comparator" { kind.to_owned() } else { format!("{kind}s") };
        assert!(section.contains_key(&table), "{toml}");
        let rows = fs::read_to_string(workspace.path().join(kind).join("rows.jsonl")).expect("rows");
        let row: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(rows.lines().next().expect("a row")).expect("it is JSON");
        for field in row.keys() {
            assert!(readme.contains(&format!("`{field}`")), "{kind}: {field}");
        }
    }
}

#[test]
fn unexpected_answers_are_listed_with_their_lines() {
    let workspace = TestWorkspace::new();
    workspace.write_lines(
        "expected.jsonl",
        [
            r#"{"input": {"room": "a"}, "expected": "a"}"#,
            r#"{"input": {"room": "b"}, "expected": "c"}"#,
            "",
            r#"{"input": {}, "unanswered": "abstained: nothing"}"#,
        ],
    );
    workspace.write("none.jsonl", "\n");
    let config = r#"{"field": "room", "form": "label"}"#;
    let arguments = ["test", "recorded", "--config", config];
    let output = understudy(&workspace, &arguments);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!(output.stdout, @r#"
    expected.jsonl:2: expected "c", found "b"
    expected.jsonl:4: expected no answer (abstained: nothing), found no answer (abstained: the snapshot has no `room`)
    2 of 3 tests failed
    "#);
    insta::assert_snapshot!(refused(&workspace, &[&arguments[..], &["--expected", "none.jsonl"]].concat()), @"none.jsonl has no line; write one test a line");
    workspace.write_lines(
        "pairs.jsonl",
        [
            r#"{"input": {"model": "a", "comparator": "a"}, "expected": {"agreements": 1}}"#,
            r#"{"input": {"comparator": "a"}, "expected": {"agreements": 1}}"#,
            r#"{"value": 0.5}"#,
            r#"{"value": 1}"#,
        ],
    );
    let output = understudy(&workspace, &["test", "agreement", "--expected", "pairs.jsonl"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!(output.stdout, @r#"
    pairs.jsonl:2: expected {"agreements":1.0}, found {"agreements":0.0}
    pairs.jsonl:4: expected 1.0, found 0.5
    2 of 4 tests failed
    "#);
}
