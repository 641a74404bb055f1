//! Plugins in Python: the SDK, new plugins, exceptions as their authors see them, and the answers of the plugins in Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use understudy_tests::external_programs::Requirement;
use understudy_tests::{CommandOutput, TestWorkspace, hotel_rooms_study, root};

/// Python with `componentize-py`, `mypy` and `pytest`.
fn python() -> PathBuf {
    std::env::var_os("UNDERSTUDY_PYTHON").expect("the requirement is available").into()
}

/// Runs a module of Python in a folder.
fn run_module(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> CommandOutput {
    let mut command = Command::new(python());
    command.arg("-m").args(arguments).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
    command.envs(variables.iter().copied()).output().expect("Python starts").into()
}

/// Runs `understudy plugin` with that Python. The components differ from build to build, so their compiled code is kept in the
/// workspace.
fn plugin(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let environment =
        python().parent().and_then(Path::parent).expect("it is a virtual environment").to_owned();
    let mut command = workspace.command(&[&["plugin"], arguments].concat());
    command.env("VIRTUAL_ENV", environment).env("XDG_CACHE_HOME", workspace.path().join("caches"));
    workspace.redacted(command.output().expect("the program can be started").into())
}

#[track_caller]
fn ok(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = plugin(workspace, arguments);
    assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output.stdout
}

#[track_caller]
fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = plugin(workspace, arguments);
    assert_eq!(output.code, 1, "{arguments:?}: {}{}", output.stdout, output.stderr);
    output.stderr.trim().to_owned()
}

#[test]
fn the_sdk_passes_its_tests() {
    if !Requirement::Python.is_available() {
        return;
    }
    let tested = run_module(&root().join("guest-sdk/python"), &["pytest", "--quiet"], &[]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains(" passed"), "{}", tested.stdout);
}

#[test]
fn the_sdk_is_typed() {
    if !Requirement::Python.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let bindings = workspace.path().join("bindings");
    let bound = Command::new(python().with_file_name("componentize-py"))
        .args(["--quiet", "--world", "model", "--world", "metric", "--wit-path"])
        .arg(root().join("wit"))
        .arg("bindings")
        .arg(&bindings)
        .output()
        .expect("componentize-py starts");
    assert!(bound.status.success(), "{}", String::from_utf8_lossy(&bound.stderr));
    let (cache, path) = (workspace.path().join("cache"), bindings.display().to_string());
    let arguments = ["mypy", "--cache-dir", cache.to_str().expect("a path in UTF-8")];
    let checked = run_module(&root().join("guest-sdk/python"), &arguments, &[("MYPYPATH", &path)]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
}

#[test]
fn a_new_plugin_passes_its_tests_and_the_check() {
    if !Requirement::Python.is_available() {
        return;
    }
    for kind in ["model", "comparator", "metric"] {
        let workspace = TestWorkspace::new();
        ok(&workspace, &["new", "first-try", "--lang", "python", "--kind", kind]);
        let folder = workspace.path().join("first-try");
        let natively = run_module(&folder, &["pytest", "--quiet", "-p", "no:cacheprovider"], &[]);
        assert_eq!(natively.code, 0, "{kind}: {}{}", natively.stdout, natively.stderr);
        let typed = run_module(&folder, &["mypy", "--cache-dir", "../mypy"], &[]);
        assert_eq!(typed.code, 0, "{kind}: {}{}", typed.stdout, typed.stderr);
        let tested = ok(&workspace, &["test", "first-try"]);
        assert!(tested.ends_with(" tests passed\n"), "{tested}");
        let component = "first-try/first_try.wasm";
        let checked = ok(&workspace, &["check", component, "--kind", kind]);
        assert!(checked.contains("no findings"), "{checked}");
        let measured = ok(&workspace, &["bench", component]);
        assert!(measured.lines().count() >= 5, "{measured}");
        let shown = ok(&workspace, &["show", &format!("./{component}")]);
        assert!(shown.contains("first-try 0.1.0, a "), "{shown}");
    }
}

/// A new plugin with a source of this repository in place of the example's. Gives the path of its component.
fn built_plugin(workspace: &TestWorkspace, name: &str, kind: &str, source: &str) -> String {
    ok(workspace, &["new", name, "--lang", "python", "--kind", kind]);
    let module = name.replace('-', "_");
    workspace.write(&format!("{name}/{module}.py"), source);
    ok(workspace, &["build", name]);
    format!("{name}/{module}.wasm")
}

fn repository_source(name: &str) -> String {
    let path = root().join("guest-sdk/python/tests/plugins").join(name).with_extension("py");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a hotel study and exports its rows: fields, answers, decisions and scores.
fn exported_rows(workspace: &TestWorkspace, study: &str, name: &str) -> String {
    workspace.write(&format!("{name}.toml"), study);
    let understudy = |arguments: &[&str]| {
        let mut command = workspace.command(arguments);
        command.env("XDG_CACHE_HOME", workspace.path().join("caches"));
        let output = CommandOutput::from(command.output().expect("the program can be started"));
        assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
    };
    understudy(&["run", &format!("{name}.toml"), "--run", name]);
    let rows = format!("{name}.csv");
    understudy(&["export", name, "--output", &rows, "--who", "Ana"]);
    fs::read_to_string(workspace.path().join(rows)).expect("the rows were exported")
}

#[test]
fn the_hotel_has_the_answers_of_the_plugins_in_rust() {
    if !Requirement::Python.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let plugins = [("booked-room", "model"), ("recorded-room", "comparator"), ("agreement", "metric")];
    let [model, comparator, metric] = plugins.map(|(name, kind)| {
        built_plugin(&workspace, name, kind, &repository_source(&name.replace('-', "_")))
    });
    let examples = root().join("examples/hotel");
    let study = fs::read_to_string(hotel_rooms_study()).expect("the study of the hotel");
    let study = study.replace("file = \"", &format!("file = \"{}/", examples.display()));
    let (before, rest) = study.split_once("[[models]]").expect("it has models");
    let rest = &rest[rest.find("[[conditions]]").expect("it has conditions")..];
    let with_plugins = |model: &str, comparator: &str, metric: &str| {
        format!(
            r#"{before}[[models]]
name = "booked-room"
plugin = "{model}"
grant = ["reserved_room_type"]

[comparator]
name = "recorded"
grant = ["decision.room"]
plugin = {comparator}

[[metrics]]
name = "agreement"
plugin = "{metric}"
primary = true

{rest}"#
        )
    };
    let recorded = "\"recorded\"\nconfig = { field = \"decision.room\", form = \"label\" }";
    let rust = with_plugins("PLUGINS/booked_room.wasm", recorded, "agreement");
    let python = with_plugins(&model, &format!("\"{comparator}\""), &metric);
    let rows = exported_rows(&workspace, &rust, "rust");
    assert!(rows.lines().count() > 15_000, "{} rows", rows.lines().count());
    assert!(rows == exported_rows(&workspace, &python, "python"), "the rows differ");
    let scores = |run: &str| workspace.report(run)["models"][0]["scores"].clone();
    assert_eq!(scores("python"), scores("rust"));
}

/// A model that does what a row says.
const DEEDS: &str = r#"
from __future__ import annotations

import datetime
import random
import time
from dataclasses import dataclass

from understudy_sdk import Failed, model


@dataclass
class Row:
    room: str
    nights: int = 0


def price(room: str) -> float:
    return {"a": 1.0}[room]


@model
def first_try(row: Row) -> str:
    match row.room:
        case "exception":
            return str(price(row.room))
        case "failed":
            raise Failed("no such room")
        case "clock":
            return str(time.time())
        case "calendar":
            return datetime.datetime.strptime("2026", "%Y").isoformat()
        case "random":
            return random.choice(["a", "b"])
        case "seeded":
            return str(random.Random(7).random())
        case "file":
            return open("/etc/passwd").read()
        case "import":
            return str(__import__("sqlite3"))
        case "print":
            print("seen by nobody")
        case "recursion":
            return first_try(row)
        case "memory":
            return str(len(bytes(80_000_000)))
        case "exit":
            raise SystemExit(3)
    return row.room
"#;

#[test]
fn exceptions_reach_their_rows_with_their_places() {
    if !Requirement::Python.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let component = built_plugin(&workspace, "first-try", "model", DEEDS);
    let answer = |deed: &str| {
        workspace.write(
            "expected.jsonl",
            format!("{{\"input\": {{\"room\": \"{deed}\"}}, \"expected\": \"-\"}}\n"),
        );
        let output = plugin(&workspace, &["test", &component, "--expected", "expected.jsonl"]).stdout;
        let found = output
            .lines()
            .next()
            .and_then(|line| line.split_once("found "))
            .map(|(_, found)| found.to_owned());
        format!("{deed}: {}", found.unwrap_or(output))
    };
    let deeds = [
        "exception",
        "failed",
        "clock",
        "calendar",
        "random",
        "seeded",
        "file",
        "import",
        "print",
        "memory",
        "exit",
    ];
    insta::assert_snapshot!(deeds.map(answer).join("\n"), @r#"
    exception: a failure (`decide` returned an error: first_try.py:19 in price, called by first_try.py:26 in first_try: KeyError: 'exception')
    failed: no answer (failed: no such room)
    clock: a failure (`decide` returned an error: first_try.py:30 in first_try: SandboxError: a plugin has no clock; read a timestamp of the row)
    calendar: "2026-01-01T00:00:00"
    random: a failure (`decide` returned an error: first_try.py:34 in first_try: SandboxError: a plugin has no randomness, since its answers are replayed; use random.Random(seed) with a seed from the row)
    seeded: "0.32383276483316237"
    file: a failure (`decide` returned an error: first_try.py:38 in first_try: SandboxError: a plugin has no files; pass the file as an asset of the study and read it from `assets`)
    import: a failure (`decide` returned an error: first_try.py:40 in first_try: ModuleNotFoundError: the module `sqlite3` was not imported when the component was built; import it at the top of a module)
    print: "print"
    memory: a failure (`decide` exceeded its memory limit of 64 MiB)
    exit: a failure (`decide` returned an error: first_try.py:48 in first_try: SystemExit: 3)
    "#);
    let recursion = answer("recursion");
    assert!(recursion.contains("RecursionError") || recursion.contains("fuel"), "{recursion}");
}

#[test]
fn faults_of_a_source_are_found_when_it_is_built() {
    if !Requirement::Python.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    ok(&workspace, &["new", "first-try", "--lang", "python"]);
    let failure = |source: &str| {
        workspace.write("first-try/first_try.py", source);
        refused(&workspace, &["build", "first-try"])
    };
    let head = "from dataclasses import dataclass\nfrom understudy_sdk import model\n@dataclass\nclass Row:\n    room: str\n";
    let errors = [
        failure("def ("),
        failure("import misspelt_module"),
        failure("x = {}['a']"),
        failure("x = 1"),
        failure(&format!("{head}@model\ndef m(row: Row) -> bytes:\n    return b''\n")),
        failure(&format!(
            "{head}import datetime\n@model\ndef m(row: Row) -> str:\n    return str(datetime.datetime.now())\n"
        )),
    ];
    insta::assert_snapshot!(errors.join("\n\n"), @"
    cannot build first-try: first_try.py:1: invalid syntax; correct it

    cannot build first-try: first_try.py:1: import misspelt_module
    ModuleNotFoundError: No module named 'misspelt_module'

    cannot build first-try: first_try.py:1: x = {}['a']
    KeyError: 'a'

    cannot build first-try: `first_try` has no plugin; write @model, @comparator or @metric above its class or function

    cannot build first-try: first_try.py:6: @model
    TypeError: the model `m` returns <class 'bytes'>, which is no answer; write str for a label, float for a number, list[str] for a ranking, set[str] for a set of labels, Json or a dataclass for a JSON value

    cannot build first-try: first_try.py:9: a plugin has no clock, so `datetime.now` fails; read a timestamp of the row
    ");
    // `ctypes` is in CPython, but needs compiled parts that the sandbox does not have.
    let lazy =
        failure(&format!("{head}@model\ndef m(row: Row) -> str:\n    import ctypes\n    return row.room\n"));
    assert!(lazy.contains("first_try.py:8 imports `ctypes`, which fails in the sandbox"), "{lazy}");
}

#[test]
fn a_missing_tool_is_named() {
    if !Requirement::Python.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    ok(&workspace, &["new", "first-try", "--lang", "python"]);
    let empty = workspace.path().join("empty");
    let made = Command::new(python()).args(["-m", "venv", "--without-pip"]).arg(&empty).status();
    assert!(made.expect("Python starts").success());
    let mut command = workspace.command(&["plugin", "build", "first-try"]);
    // On this path there is no other Python.
    let output = command.env("VIRTUAL_ENV", &empty).env("PATH", empty.join("bin")).output();
    let error = workspace.redacted(output.expect("the program can be started").into()).stderr;
    insta::assert_snapshot!(error.trim(), @"cannot build first-try: FOLDER/empty/bin/python has no componentize-py; run `FOLDER/empty/bin/python -m pip install componentize-py==0.25.1` in the folder of the plugin");
    workspace.write("nameless/pyproject.toml", "[project]\nversion = \"1\"\n");
    insta::assert_snapshot!(refused(&workspace, &["build", "nameless"]), @"cannot build nameless: nameless/pyproject.toml has no `name` under [project]; write one");
    insta::assert_snapshot!(refused(&workspace, &["new", "json", "--lang", "python"]), @r#"the name "json" is a word of Python, or the name of a module that it would hide; write lower-case letters, digits and single hyphens, a letter first, such as "booked-room""#);
}
