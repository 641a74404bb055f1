//! `understudy plugin new`, `build`, `test`, `check` and `bench`.

use std::fs;
use std::path::Path;

use understudy_tests::{CommandOutput, TestWorkspace, plugin, root};

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

/// The rules of all findings of a check.
fn findings(output: &CommandOutput) -> Vec<&str> {
    output.stdout.lines().filter_map(|line| line.strip_prefix("finding: ")).collect()
}

fn evil() -> String {
    plugin("guests/evil").display().to_string()
}

#[test]
fn a_new_plugin_passes_its_tests_and_the_check() {
    let clone = root().display().to_string();
    for kind in ["model", "comparator", "metric"] {
        let workspace = TestWorkspace::new();
        ok(&workspace, &["new", "first-try", "--kind", kind, "--sdk", &clone]);
        let tested = ok(&workspace, &["test", "first-try"]);
        assert!(tested.stdout.ends_with(" tests passed\n"), "{}", tested.stdout);
        let component = "first-try/first_try.wasm";
        let checked = ok(&workspace, &["check", component]);
        assert!(checked.stdout.contains("no findings"), "{}", checked.stdout);
        let measured = ok(&workspace, &["bench", component, "--rows", "first-try/rows.jsonl"]).stdout;
        assert_eq!(measured.lines().count(), 5, "{measured}");
        // A build of the same source is the same component.
        let built = fs::read(workspace.path().join(component)).expect("it was built");
        ok(&workspace, &["build", "first-try", "--output", "again.wasm"]);
        assert_eq!(fs::read(workspace.path().join("again.wasm")).expect("it was built"), built);
    }
}

#[test]
fn the_unit_tests_of_new_plugins_pass() {
    let clone = root().display().to_string();
    let workspace = TestWorkspace::new();
    for kind in ["model", "comparator", "metric"] {
        ok(&workspace, &["new", kind, "--kind", kind, "--sdk", &clone]);
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
        refused(&workspace, &["new", "taken", "--sdk", "empty"]),
        refused(&workspace, &["new", "Room"]),
        refused(&workspace, &["new", "room", "--sdk", "empty"]),
        refused(&workspace, &["build", "empty"]),
        refused(&workspace, &["test", "missing.wasm"]),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"");
}

#[test]
fn each_violation_of_the_contract_is_found() {
    let workspace = TestWorkspace::new();
    let found = |deed: &str| {
        let config = format!(r#"{{"on": "bad", "do": "{deed}"}}"#);
        let output = understudy(&workspace, &["check", &evil(), "--config", &config]);
        assert_eq!(output.code, 1, "{deed}: {}{}", output.stdout, output.stderr);
        let rules: Vec<String> = findings(&output)
            .iter()
            .map(|finding| finding.split(", ").next().unwrap_or_default().to_owned())
            .collect();
        format!("{deed}: {}", rules.join("; "))
    };
    let deeds = [
        found("stateful"),
        found("batch-rows"),
        found("nan-answer"),
        found("placeholder"),
        found("key-order"),
        found("panic"),
        found("loop"),
        found("allocate"),
        found("bad-confidence"),
    ];
    insta::assert_snapshot!(deeds.join("\n"), @"");
    // Without its trigger, the guest keeps the contract.
    ok(&workspace, &["check", &evil(), "--config", r#"{"on": "never", "do": "abstain"}"#]);
}

#[test]
fn a_finding_has_the_shortest_example_and_the_seed() {
    let workspace = TestWorkspace::new();
    let config = r#"{"on": "bad", "do": "stateful"}"#;
    let output = understudy(&workspace, &["check", &evil(), "--config", config, "--seed", "7"]);
    let is_stable =
        |line: &&str| !line.contains("evil.wasm") && !line.contains("fuel/row") && !line.contains("memory");
    let text: Vec<&str> = output.stdout.lines().filter(is_stable).collect();
    insta::assert_snapshot!(text.join("\n"), @"");
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
    insta::assert_snapshot!(output.stdout, @"");
    insta::assert_snapshot!(refused(&workspace, &[&arguments[..], &["--expected", "none.jsonl"]].concat()), @"");
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
    insta::assert_snapshot!(output.stdout, @"");
}
