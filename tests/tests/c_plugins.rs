//! Plugins in C: new plugins, faults as their authors see them, and the rules of the hotel beside those in Rust.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use understudy_tests::external_programs::Requirement;
use understudy_tests::{CommandOutput, TestWorkspace, root};

/// Runs `understudy plugin` with the compiler of the requirement.
fn plugin(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let python: PathBuf = std::env::var_os("UNDERSTUDY_ZIG_PYTHON").expect("it is available").into();
    let environment = python.ancestors().nth(2).expect("it is a virtual environment");
    let mut command = workspace.command(&[&["plugin"], arguments].concat());
    let output = command.env("VIRTUAL_ENV", environment).output();
    workspace.redacted(output.expect("the program can be started").into())
}

#[track_caller]
fn ok(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let output = plugin(workspace, arguments);
    assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output
}

#[track_caller]
fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = plugin(workspace, arguments);
    assert_eq!(output.code, 1, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output.stderr.trim().to_owned()
}

/// A new plugin with another source. Gives the path of its component.
fn built_plugin(workspace: &TestWorkspace, name: &str, kind: &str, source: &str) -> String {
    ok(workspace, &["new", name, "--lang", "c", "--kind", kind]);
    workspace.write(&format!("{name}/src/plugin.c"), source);
    let built = ok(workspace, &["build", name]);
    let title = if kind == "metric" { "a metric" } else { "a model or a comparator" };
    let component = format!("{name}/{}.wasm", name.replace('-', "_"));
    // The compiler has no warning.
    assert_eq!(built.stderr, format!("written to {component}: {title}\n"));
    component
}

fn repository_source(name: &str) -> String {
    let path = root().join("guest-sdk/c/tests/plugins").join(name).with_extension("c");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_new_plugin_in_c_passes_its_tests_and_the_check() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    for kind in ["model", "comparator", "metric"] {
        ok(&workspace, &["new", kind, "--lang", "c", "--kind", kind]);
        let tested = ok(&workspace, &["test", kind]);
        assert!(tested.stdout.ends_with(" tests passed\n"), "{}", tested.stdout);
        let component = format!("{kind}/{kind}.wasm");
        let checked = ok(&workspace, &["check", &component, "--kind", kind]).stdout;
        assert!(checked.contains("no findings"), "{checked}");
        let shown = ok(&workspace, &["show", &format!("./{component}")]).stdout;
        assert!(shown.contains(&format!("{kind} 0.1.0, a ")), "{shown}");
        let left: Vec<String> = fs::read_dir(workspace.path().join(kind))
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".build"))
            .collect();
        assert_eq!(left, [""; 0]);
    }
}

#[test]
fn two_builds_of_a_source_are_the_same_component() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    ok(&workspace, &["new", "model", "--lang", "c"]);
    let [first, second] = ["first.wasm", "second.wasm"].map(|output| {
        ok(&workspace, &["build", "model", "--output", output]);
        fs::read(workspace.path().join(output)).expect("the component")
    });
    assert!(first == second, "the components differ");
}

#[test]
fn the_examples_of_the_book_are_plugins() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let page = fs::read_to_string(root().join("docs/src/plugins-in-c.md")).expect("the page");
    let examples: Vec<&str> = page
        .split("```c\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
        .collect();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for (index, example) in examples.iter().enumerate() {
        let kind = if example.contains("us_metric us_plugin") { "metric" } else { "model" };
        built_plugin(&workspace, &format!("example-{index}"), kind, example);
    }
}

/// The figures of the hotel study of rooms with some plugins, and its rows.
fn hotel_figures(workspace: &TestWorkspace, run: &str, replaced: &[(&str, &str)]) -> Value {
    let mut figures = workspace.hotel_figures(run, replaced);
    let rows = format!("{run}.csv");
    workspace.ok(&["export", run, "--output", &rows, "--who", "Ana"]);
    let rows = fs::read_to_string(workspace.path().join(rows)).expect("the rows were exported");
    figures["rows"] = rows.into();
    figures
}

#[test]
fn rules_in_c_answer_the_hotel_as_those_in_rust() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let model = built_plugin(&workspace, "booked-room", "model", &repository_source("booked_room"));
    let comparator = built_plugin(&workspace, "recorded", "comparator", &repository_source("recorded"));
    let metric = built_plugin(&workspace, "agreement", "metric", &repository_source("agreement"));
    let stock = hotel_figures(&workspace, "stock", &[]);
    let plugins = [
        ("PLUGINS/booked_room.wasm", model.as_str()),
        ("recorded", comparator.as_str()),
        ("agreement", metric.as_str()),
    ];
    let c = hotel_figures(&workspace, "c", &plugins);
    assert!(stock["rows"].as_str().is_some_and(|rows| rows.lines().count() > 15_000));
    assert!(stock == c, "the figures differ");
    assert_eq!(stock["scores"][0][0]["overall"]["pairs"], 15_402);
    // Each row of the run has the same answer.
    workspace.ok(&["replay", "c"]);
    // The comparator has the other forms, and their answers keep the contract.
    let configuration = |form: &str| format!(r#"{{"field": "room", "form": "{form}"}}"#);
    for form in ["number", "ranking", "label-set", "json"] {
        let checked = ok(&workspace, &["check", &comparator, "--config", &configuration(form)]).stdout;
        assert!(checked.contains("no findings"), "{form}: {checked}");
    }
    let refusals = [
        refused(&workspace, &["show", &comparator, "--config", &configuration("class")]),
        refused(&workspace, &["show", &comparator, "--config", r#"{"field": "room", "forms": "label"}"#]),
        refused(&workspace, &["show", &comparator, "--config", r#"{"field": 7, "form": "label"}"#]),
        refused(&workspace, &["show", &model, "--config", r#"{"field": 7}"#]),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    cannot configure recorded/recorded.wasm: config: `form` is "class", expected label, number, ranking, label-set or json; give another configuration with --config
    cannot configure recorded/recorded.wasm: config: unknown field `forms`, expected `field` or `form`; give another configuration with --config
    cannot configure recorded/recorded.wasm: config: `field` is 7, expected a text; give another configuration with --config
    cannot configure booked-room/booked_room.wasm: config: unknown field `field`, there are no fields; give another configuration with --config
    "#);
}

/// What a row of the plugin `faults.c` results in, as `plugin test` prints it.
fn fault(workspace: &TestWorkspace, component: &str, row: &Value) -> String {
    workspace.write_lines("one.jsonl", [json!({ "input": row, "expected": "?" }).to_string()]);
    let output = plugin(workspace, &["test", component, "--expected", "one.jsonl"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let line = output.stdout.lines().next().unwrap_or_default();
    line.strip_prefix("one.jsonl:1: expected \"?\", found ").unwrap_or(line).to_owned()
}

#[test]
fn a_fault_reaches_its_row_with_message_and_place() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let component = built_plugin(&workspace, "faults", "model", &repository_source("faults"));
    let deeds = [
        "panic",
        "assert",
        "abort",
        "trap",
        "division",
        "pointer",
        "memory",
        "recursion",
        "loop",
        "kind",
        "missing",
        "twice",
        "form",
        "error",
        "abstain",
        "fail",
        "power",
        "nothing",
    ];
    let found =
        deeds.map(|deed| format!("{deed}: {}", fault(&workspace, &component, &json!({ "text": deed }))));
    insta::assert_snapshot!(found.join("\n"), @r#"
    panic: a failure (`decide` panicked at src/plugin.c:26: no room 7)
    assert: a failure (`decide` panicked at src/plugin.c:28: assertion failed in decide: deed.length == 0)
    abort: a failure (`decide` panicked at abort: the plugin called abort)
    trap: a failure (`decide` trapped: wasm `unreachable` instruction executed in decide)
    division: a failure (`decide` trapped: integer divide by zero in decide)
    pointer: a failure (`decide` trapped: out of bounds memory access in decide)
    memory: a failure (`decide` exceeded its memory limit of 64 MiB)
    recursion: a failure (`decide` overflowed its stack)
    loop: a failure (`decide` used up its fuel of 10000000)
    kind: a failure (`decide` panicked at src/plugin.c:31: field `integer` is an integer, and is read as a number)
    missing: a failure (`decide` panicked at src/plugin.c:30: field `integer` has no value in row 0; ask us_is_missing first)
    twice: a failure (`decide` panicked at the plugin: row 0 has two answers or reasons, or comes after a later row)
    form: a failure (`decide` panicked at the plugin: an answer of the form number, but `us_plugin.form` is label)
    error: a failure (`decide` returned an error: the table has no error)
    abstain: no answer (abstained: there is nothing)
    fail: no answer (failed: there is nothing)
    power: "1.9952623149688795"
    nothing: no answer (failed: the plugin gave neither an answer nor a reason)
    "#);
    let row = json!({
        "text": "values", "integer": i64::MIN, "number": 0.1, "boolean": true, "timestamp": "2026-03-01T10:00:00Z",
        "json": { "b": [1, { "a": 2 }, "]"], "a": "\"é\n\u{1f600}" },
    });
    insta::assert_snapshot!(fault(&workspace, &component, &row), @r#""-9223372036854775808 0.10000000000000001 1 1772359200000000 \"é\n😀""#);
    // In a run, a fault is isolated: the other rows are answered.
    workspace.write_lines(
        "batch.jsonl",
        ["abstain", "panic", "error", "power"].map(|text| {
            json!({ "input": { "text": text }, "unanswered": "abstained: there is nothing" }).to_string()
        }),
    );
    let output = plugin(&workspace, &["test", &component, "--expected", "batch.jsonl"]);
    assert!(output.stdout.ends_with("3 of 4 tests failed\n"), "{}", output.stdout);
}

#[test]
fn a_panic_in_a_metric_names_its_place() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let metric = built_plugin(&workspace, "agreement", "metric", &repository_source("agreement"));
    workspace.write_lines(
        "pairs.jsonl",
        [r#"{"input": {"model": "a", "comparator": "a"}, "expected": {"agreements": 1}}"#, r#"{"value": 1}"#],
    );
    let arguments = ["test", &metric, "--expected", "pairs.jsonl", "--config", r#"{"fault": true}"#];
    insta::assert_snapshot!(plugin(&workspace, &arguments).stdout, @"
    pairs.jsonl:2: expected 1.0, found `reduce` panicked at src/plugin.c:18: 1 pairs have no value
    1 of 2 tests failed
    ");
}

#[test]
fn what_cannot_be_built_says_why() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    ok(&workspace, &["new", "broken", "--lang", "c"]);
    let manifest = fs::read_to_string(workspace.path().join("broken/plugin.toml")).expect("the manifest");
    let source = |text: &str| {
        workspace.write("broken/src/plugin.c", text);
        refused(&workspace, &["build", "broken"])
    };
    let head =
        "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <understudy/decider.h>\n";
    let using = |statement: &str| {
        source(&format!(
            "{head}static void decide(us_answers *answers, uint32_t row) {{\n    {statement};\n    us_abstain(answers, row, \"x\");\n}}\n\
             us_decider us_plugin = {{.decide = decide}};\n"
        ))
    };
    let imports = ["printf(\"%u\", row)", "srand((unsigned)time(NULL))", "exit(1)"].map(using);
    insta::assert_snapshot!(imports.join("\n"), @"
    cannot build broken: the sources use fd_close, fd_fdstat_get, fd_seek, fd_write of WASI, which a plugin does not have; leave out printf, files and other input and output; a reason, us_panic or assert shows a text, and a file is an asset of the study
    cannot build broken: the sources use clock_time_get of WASI, which a plugin does not have; read a timestamp of the row instead of the clock
    cannot build broken: the sources use proc_exit of WASI, which a plugin does not have; call us_panic instead of exit
    ");
    let syntax = source("#include <understudy/decider.h>\nus_decider us_plugin = {.decide = answer};\n");
    assert!(syntax.starts_with("cannot build broken: src/plugin.c:2:"), "{syntax}");
    let undefined = source("int x;\n");
    assert!(undefined.contains("undefined symbol: us_plugin"), "{undefined}");
    let manifests =
        [("kind = \"model\"", ""), ("language = \"c\"", "language = \"rust\""), ("sources", "source")].map(
            |(old, new)| {
                workspace.write("broken/plugin.toml", manifest.replace(old, new));
                refused(&workspace, &["build", "broken"])
            },
        );
    insta::assert_snapshot!(manifests.join("\n"), @"
    cannot read broken/plugin.toml:1: missing field `kind`; correct it
    cannot read broken/plugin.toml:3: unknown variant `rust`, expected `c`; correct it
    cannot read broken/plugin.toml:5: unknown field `source`, expected one of `name`, `version`, `language`, `kind`, `sources`, `flags`, `config-schema`; correct it
    ");
}

#[test]
fn a_missing_compiler_is_named() {
    let workspace = TestWorkspace::new();
    workspace.ok(&["plugin", "new", "first-try", "--lang", "c"]);
    let mut command = workspace.command(&["plugin", "build", "first-try"]);
    let output = command.env_remove("VIRTUAL_ENV").env("PATH", "/nowhere").output();
    let error = workspace.redacted(output.expect("the program can be started").into()).stderr;
    insta::assert_snapshot!(error.trim(), @"cannot build first-try: cannot start `zig`: No such file or directory (os error 2); run `python3 -m venv .venv && .venv/bin/pip install ziglang` in the folder of the plugin");
}

#[test]
fn a_schema_beside_the_manifest_is_declared() {
    if !Requirement::C.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    ok(&workspace, &["new", "first-try", "--lang", "c"]);
    let manifest = fs::read_to_string(workspace.path().join("first-try/plugin.toml")).expect("the manifest");
    workspace.write("first-try/plugin.toml", format!("{manifest}config-schema = \"config.schema.json\"\n"));
    let schema = json!({
        "type": "object",
        "properties": { "long_stay_nights": { "type": "integer", "minimum": 1 } },
        "additionalProperties": false,
    });
    workspace.write("first-try/config.schema.json", schema.to_string());
    ok(&workspace, &["build", "first-try"]);
    let refused = refused(
        &workspace,
        &["show", "./first-try/first_try.wasm", "--config", r#"{"long_stay_nights": 0}"#],
    );
    insta::assert_snapshot!(refused, @"cannot configure ./first-try/first_try.wasm: `config.long_stay_nights` is 0; write a whole number of at least 1; give another configuration with --config");
}
