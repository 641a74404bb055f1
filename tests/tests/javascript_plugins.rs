//! Plugins in JavaScript and TypeScript: `@understudy/sdk`, new plugins, and the rules of the hotel beside those in Rust.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use understudy_tests::external_programs::Requirement;
use understudy_tests::{CommandOutput, TestWorkspace, root};

/// The folder with componentize-js, esbuild and the compiler of TypeScript.
fn modules() -> PathBuf {
    std::env::var_os("UNDERSTUDY_JAVASCRIPT_MODULES").expect("the requirement is checked").into()
}

/// Installs a new plugin as `npm install` does, from packages that are on this machine.
fn install(plugin: &Path) {
    let installed = plugin.join("node_modules");
    fs::create_dir_all(installed.join("@understudy")).expect("a folder can be made");
    symlink("../../sdk", installed.join("@understudy/sdk")).expect("a link can be made");
    for tool in ["@bytecodealliance", "esbuild"] {
        symlink(modules().join(tool), installed.join(tool)).expect("a link can be made");
    }
}

/// Writes the folder of a new plugin and installs it.
pub(crate) fn new_plugin(workspace: &TestWorkspace, name: &str, kind: &str) -> PathBuf {
    workspace.ok(&["plugin", "new", name, "--lang", "javascript", "--kind", kind]);
    let folder = workspace.path().join(name);
    install(&folder);
    folder
}

/// Builds a plugin of `tests/javascript/plugins`. Returns the path of its component.
fn built_plugin(workspace: &TestWorkspace, file: &str) -> String {
    let (name, extension) = file.split_once('.').expect("a file of source");
    let folder = new_plugin(workspace, &name.replace('_', "-"), "model");
    let source = root().join("tests/javascript/plugins").join(file);
    fs::copy(source, folder.join("src/plugin").with_extension(extension)).expect("the source can be copied");
    // They are rows of another plugin.
    fs::remove_file(folder.join("rows.jsonl")).expect("a new plugin has rows");
    let manifest = fs::read_to_string(folder.join("package.json")).expect("the manifest");
    let manifest = manifest.replace("src/plugin.js", &format!("src/plugin.{extension}"));
    fs::write(folder.join("package.json"), manifest).expect("the manifest can be written");
    let built = workspace.ok(&["plugin", "build", &name.replace('_', "-")]);
    let kind = if name == "agreement" { "a metric" } else { "a model or a comparator" };
    assert!(built.stderr.ends_with(&format!("{name}.wasm: {kind}\n")), "{}", built.stderr);
    folder.join(name).with_extension("wasm").display().to_string()
}

/// Runs a program and checks that it succeeds.
fn run(program: impl AsRef<std::ffi::OsStr>, folder: &Path, arguments: &[&str]) -> String {
    let output: CommandOutput = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
        .into();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    output.stdout
}

#[test]
fn the_sdk_passes_its_own_tests() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let printed = run("node", &root().join("guest-sdk/javascript"), &["--test"]);
    assert!(printed.contains("fail 0") && !printed.contains("pass 0"), "{printed}");
}

#[test]
fn a_new_plugin_in_javascript_passes_its_tests_and_the_check() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    for kind in ["model", "comparator", "metric"] {
        let folder = new_plugin(&workspace, kind, kind);
        let printed = run("node", &folder, &["--test"]);
        assert!(printed.contains("pass 1") && printed.contains("fail 0"), "{printed}");
        workspace.ok(&["plugin", "build", kind]);
        let component = format!("{kind}/{kind}.wasm");
        let expected = format!("{kind}/expected.jsonl");
        let tested = workspace.ok(&["plugin", "test", &component, "--expected", &expected]);
        assert!(tested.stdout.ends_with(" tests passed\n"), "{}", tested.stdout);
        let checked = workspace.ok(&["plugin", "check", &component, "--kind", kind]);
        assert!(checked.stdout.contains("no findings"), "{}", checked.stdout);
    }
}

/// The errors of the compiler of TypeScript in some files.
fn type_errors(folder: &Path, files: &[String]) -> Vec<String> {
    let output = Command::new(modules().join(".bin/tsc"))
        .args(["--noEmit", "--checkJs", "--strict", "--target", "es2022", "--module", "nodenext"])
        .args(files)
        .current_dir(folder)
        .output()
        .expect("the compiler starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.lines().filter(|line| line.contains("error TS")).map(str::to_owned).collect()
}

#[test]
fn the_declaration_of_a_plugin_gives_its_types() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let mut files: Vec<String> = Vec::new();
    for kind in ["model", "comparator", "metric"] {
        new_plugin(&workspace, kind, kind);
        files.push(format!("{kind}/src/plugin.js"));
    }
    // So do the examples of the book, which node loads, too.
    let page = root().join("docs/src/plugins-in-javascript.md");
    let page = fs::read_to_string(page).expect("the page");
    let examples = page.split("```js\n").skip(1).filter_map(|rest| rest.split_once("```"));
    for (index, (example, _)) in
        examples.enumerate().filter(|(_, (example, _))| !example.contains("node:test"))
    {
        let file = format!("model/src/example{index}.js");
        workspace.write(&file, example);
        run("node", workspace.path(), &[&file]);
        files.push(file);
    }
    assert!(files.len() >= 7, "{files:?}");
    assert_eq!(type_errors(workspace.path(), &files), [""; 0]);
    for (fault, place) in [
        ("reads: { room: 'string' }, answers: 'label', decide: () => 'a'", "'\"string\"'"),
        (
            "reads: { nights: 'integer?' }, answers: 'label', decide: ({ nights }) => nights.toFixed()",
            "possibly",
        ),
        ("reads: { nights: 'integer' }, answers: 'label', decide: ({ nights }) => nights", "'number'"),
        ("reads: { nights: 'integer' }, answers: 'label', decide: ({ night }) => 'a'", "'night'"),
        (
            "reads: {}, answers: 'number', config: { rate: 'number?' }, decide: (row, { rate }) => rate * 2",
            "possibly",
        ),
    ] {
        let source =
            format!("import {{ model }} from '@understudy/sdk';\nexport default model({{ {fault} }});\n");
        workspace.write("model/src/wrong.js", source);
        let errors = type_errors(workspace.path(), &["model/src/wrong.js".to_owned()]);
        assert!(errors.iter().any(|error| error.contains(place)), "{fault}: {errors:?}");
    }
}

#[test]
fn rules_in_javascript_answer_the_hotel_as_those_in_rust() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let model = built_plugin(&workspace, "booked_room.ts");
    let comparator = built_plugin(&workspace, "recorded.js");
    let metric = built_plugin(&workspace, "agreement.js");
    let stock = workspace.hotel_figures("stock", &[]);
    let javascript = workspace.hotel_figures(
        "javascript",
        &[("PLUGINS/booked_room.wasm", &model), ("recorded", &comparator), ("agreement", &metric)],
    );
    assert_eq!(stock.to_string(), javascript.to_string());
    assert_eq!(stock["scores"][0][0]["overall"]["pairs"], 15_402);
    // Each row of the run has the same answer.
    workspace.ok(&["replay", "javascript"]);
    // The comparator has the other forms of the stock one, and the metric scores them.
    let configuration = |form: &str| format!(r#"{{"field": "room", "form": "{form}"}}"#);
    for form in ["number", "ranking", "label-set", "json"] {
        let config = configuration(form);
        let checked = workspace.ok(&["plugin", "check", &comparator, "--config", &config]);
        assert!(checked.stdout.contains("no findings"), "{}", checked.stdout);
    }
    workspace.ok(&["plugin", "check", &metric, "--kind", "metric"]);
    // A batch of 1,024 pairs needs more fuel than a call has. It is halved, and every pair is scored.
    workspace.write_lines("rows.jsonl", [r#"{"model": "a", "comparator": "b"}"#]);
    let measured = workspace.ok(&["plugin", "bench", &metric, "--rows", "rows.jsonl"]).stdout;
    assert!(
        measured.contains(" of several rows failed and were halved; the time includes them\n"),
        "{measured}"
    );
    let refused = workspace.understudy(&["plugin", "show", &comparator, "--config", &configuration("class")]);
    let error = refused.stderr.trim().rsplit_once("recorded.wasm: ").expect("the name of the component").1;
    insta::assert_snapshot!(error, @r#"config: `form` is "class", expected one of "label", "number", "ranking", "label-set", "json"; give another configuration with --config"#);
    // The contract has no error for `reduce`, so the component traps, and the host finds the message in its memory.
    workspace.write_lines(
        "pairs.jsonl",
        [r#"{"input": {"model": "a", "comparator": "a"}, "expected": {"agreements": 1}}"#, r#"{"value": 1}"#],
    );
    let arguments =
        ["plugin", "test", &metric, "--expected", "pairs.jsonl", "--config", r#"{"fault": true}"#];
    let failed = workspace.understudy(&arguments);
    insta::assert_snapshot!(failed.stdout, @"
    pairs.jsonl:2: expected 1.0, found `reduce` panicked at src/plugin.js:14: Error: 1 pairs have no value
    1 of 2 tests failed
    ");
}

/// What a row of the plugin `faults.js` results in, as `plugin test` prints it.
fn fault(workspace: &TestWorkspace, component: &str, row: &str) -> String {
    workspace.write_lines("one.jsonl", [format!(r#"{{"input": {row}, "expected": "?"}}"#)]);
    let output = workspace.understudy(&["plugin", "test", component, "--expected", "one.jsonl"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let line = output.stdout.lines().next().unwrap_or_default();
    line.strip_prefix("one.jsonl:1: expected \"?\", found ").unwrap_or(line).to_owned()
}

#[test]
fn an_error_reaches_its_author_with_message_and_line() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let component = built_plugin(&workspace, "faults.js");
    let found = |text: &str| fault(&workspace, &component, &json!({ "text": text }).to_string());
    insta::assert_snapshot!(found("throw"), @r#"a failure (`decide` returned an error: src/plugin.js:8: TypeError: can't access property "price", rooms.single is undefined)"#);
    insta::assert_snapshot!(found("throw text"), @r#"a failure (`decide` returned an error: threw "no room")"#);
    insta::assert_snapshot!(found("random"), @"a failure (`decide` returned an error: src/plugin.js:12: Error: Math.random is not available in a plugin; an answer depends on the row and the configuration alone, so compute a pseudorandom number from the row)");
    insta::assert_snapshot!(found("now"), @"a failure (`decide` returned an error: src/plugin.js:13: Error: the current time is not available in a plugin; an answer depends on the row and the configuration alone, so read a timestamp of the row)");
    insta::assert_snapshot!(found("date"), @"a failure (`decide` returned an error: src/plugin.js:14: Error: the current time is not available in a plugin; an answer depends on the row and the configuration alone, so read a timestamp of the row)");
    insta::assert_snapshot!(found("timer"), @"a failure (`decide` returned an error: src/plugin.js:19: Error: setTimeout is not available in a plugin; a call ends when its function returns)");
    insta::assert_snapshot!(found("performance"), @"a failure (`decide` returned an error: src/plugin.js:20: Error: the current time is not available in a plugin; an answer depends on the row and the configuration alone, so read a timestamp of the row)");
    insta::assert_snapshot!(found("crypto"), @"a failure (`decide` returned an error: src/plugin.js:21: Error: crypto.randomUUID is not available in a plugin; an answer depends on the row and the configuration alone, so compute a pseudorandom number from the row)");
    insta::assert_snapshot!(found("normalize"), @"a failure (`decide` returned an error: src/plugin.js:22: Error: String.prototype.normalize is not available in a plugin; the engine has no tables of Unicode, so bundle a library)");
    insta::assert_snapshot!(found("promise"), @"no answer (failed: the answer is a promise, expected a string)");
    insta::assert_snapshot!(found("lower"), @r#""i̇ä""#);
    insta::assert_snapshot!(found("stack"), @r#"a failure (`decide` returned an error: src/plugin.js:26: TypeError: can't access property "price", rooms.double is undefined)"#);
    insta::assert_snapshot!(found("loop"), @"a failure (`decide` used up its fuel of 10000000)");
    insta::assert_snapshot!(found("recursion"), @"a failure (`decide` used up its fuel of 10000000)");
    insta::assert_snapshot!(found("nothing"), @"no answer (abstained: there is nothing)");
    let row = r#"{"text": "é", "integer": -7, "number": 0.5, "boolean": true, "timestamp": "2026-03-01T10:00:00Z", "json": {"a": [1]}}"#;
    insta::assert_snapshot!(fault(&workspace, &component, row), @r#""{\"integer\":-7,\"number\":0.5,\"boolean\":true,\"timestamp\":1772359200000000,\"json\":{\"a\":[1]}}""#);
    let row = r#"{"text": "time", "timestamp": "2026-03-01T10:00:00.25Z"}"#;
    insta::assert_snapshot!(fault(&workspace, &component, row), @r#""2026-03-01T10:00:00.250Z""#);
    // In a run, a fault is isolated: the other rows are answered.
    workspace.write_lines(
        "batch.jsonl",
        ["a", "throw", "b"].map(|text| {
            let expected = if text == "throw" { json!(null) } else { json!("{}") };
            json!({ "input": { "text": text }, "expected": expected }).to_string()
        }),
    );
    let output = workspace.understudy(&["plugin", "test", &component, "--expected", "batch.jsonl"]);
    assert!(output.stdout.ends_with("1 of 3 tests failed\n"), "{}", output.stdout);
}

#[test]
fn a_plugin_that_cannot_be_built_says_why() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    workspace.ok(&["plugin", "new", "broken", "--lang", "javascript"]);
    let refused = |program: &str| {
        let mut command = workspace.command(&["plugin", "build", "broken"]);
        if !program.is_empty() {
            command.env("PATH", program);
        }
        let output = workspace.redacted(command.output().expect("the program starts").into());
        assert_eq!(output.code, 1, "{}", output.stdout);
        output.stderr.trim().to_owned()
    };
    insta::assert_snapshot!(refused(""), @"cannot build broken: @understudy/sdk is not installed in broken/node_modules; run `npm install` there");
    install(&workspace.path().join("broken"));
    insta::assert_snapshot!(refused("/nowhere"), @"cannot start `node`; install Node.js, 20 or newer, from https://nodejs.org: No such file or directory (os error 2)");
    workspace.write("broken/src/plugin.js", "export default model(");
    insta::assert_snapshot!(refused(""), @"cannot build broken: src/plugin.js:1:22: Unexpected end of file");
    workspace.write("broken/src/plugin.js", "import { model } from '@understudy/sdk';\nexport default {};\n");
    insta::assert_snapshot!(refused(""), @"cannot build broken: src/plugin.js has no plugin as its default export; write export default model({ ... }), comparator or metric");
    workspace.write(
        "broken/src/plugin.js",
        "import { model } from '@understudy/sdk';\nexport default model({ reads: {} });\n",
    );
    insta::assert_snapshot!(refused(""), @"cannot build broken: src/plugin.js:2: TypeError: `decide` of the model is undefined, expected a function");
    fs::remove_file(workspace.path().join("broken/node_modules/esbuild")).expect("the link");
    insta::assert_snapshot!(refused(""), @"cannot build broken: esbuild is not installed in FOLDER/broken/node_modules; run `npm install` there");
    workspace.write("broken/package.json", "{}");
    insta::assert_snapshot!(refused(""), @r#"broken/package.json has no name; write one, such as "booked-room""#);
}
