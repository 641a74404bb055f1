//! `understudy plugin watch`: builds, tests and swaps a plugin when its files change.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use understudy_tests::external_programs::Requirement;
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::{TestWorkspace, plugin};

/// In place of the SDK: a build that copies the component which the source names, and writes a log beside it.
const BUILD: &str = r#"
const { appendFileSync, copyFileSync, readFileSync } = require('node:fs');
const [, , folder, , component] = process.argv;
appendFileSync(`${folder}/build.log`, 'built\n');
const source = readFileSync(`${folder}/src/plugin.js`, 'utf8').trim();
if (source === 'faulty') {
  console.error('src/plugin.js:1: it is faulty');
  process.exit(1);
}
copyFileSync(`${folder}/${source}`, component);
console.error(`${component}: built`);
"#;

/// A watch whose output is read while it runs. It is killed when dropped.
struct Watching {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Watching {
    fn start(mut command: Command) -> Watching {
        // One pipe for both, so that lines stay in their order.
        let (reader, writer) = io::pipe().expect("a pipe");
        let child = command
            .stdin(Stdio::null())
            .stdout(writer.try_clone().expect("a pipe"))
            .stderr(writer)
            .spawn()
            .expect("it starts");
        let output = Arc::default();
        read_in_background(reader, &output);
        Watching { child, output }
    }

    /// Waits until the next cycle has ended. Returns what was printed since the previous one.
    fn cycle(&self) -> String {
        let ended = "; Ctrl-C ends\n";
        wait_until("the watch waits for a change", || {
            self.output.lock().expect("not poisoned").contains(ended)
        });
        let mut output = self.output.lock().expect("not poisoned");
        let end = output.find(ended).expect("it was found") + ended.len();
        output.drain(..end).collect()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_in_background(pipe: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = output.clone();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            output.lock().expect("not poisoned").push_str(&(line + "\n"));
        }
    });
}

/// The folder of a plugin with two components that answer the same.
fn rule(workspace: &TestWorkspace) {
    let bytes = fs::read(plugin("recorded")).expect("the component is there");
    let at = bytes.windows(12).position(|window| window == b"processed-by").expect("an unused part");
    let other = [&bytes[..at], b"processed-bz", &bytes[at + 12..]].concat();
    workspace.write("rule/package.json", r#"{ "name": "rule" }"#);
    workspace.write("rule/node_modules/@understudy/sdk/build.js", BUILD);
    workspace.write("rule/first.wasm", bytes);
    workspace.write("rule/second.wasm", other);
    workspace.write("rule/src/plugin.js", "first.wasm");
    workspace.write("rule/expected.jsonl", "{\"input\": {\"booked\": \"a\"}, \"expected\": \"a\"}\n");
}

const CONFIG: [&str; 2] = ["--config", r#"{"field":"booked","form":"label"}"#];

#[test]
fn a_change_is_built_tested_and_swapped_into_a_served_run() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::served();
    let serving = ServedRun::start(&workspace, &[]);
    rule(&workspace);
    let target = ["--run", "run", "--slot", "echo", "--force"];
    let watching = Watching::start(
        workspace.command(&[&["plugin", "watch", "rule"], &CONFIG[..], &target[..]].concat()),
    );
    let swaps = || {
        let swaps = serving.client().get("/v1/swaps").json();
        swaps.as_array().expect("a list").iter().map(|swap| swap["reason"].clone()).collect::<Vec<_>>()
    };
    let printed = watching.cycle();
    assert!(printed.contains("1 test passed\n"), "{printed}");
    // It is the component that the run has already.
    assert!(swaps().is_empty(), "{printed}");

    workspace.write("rule/src/plugin.js", "second.wasm");
    let mut printed = watching.cycle();
    // The first build wrote a file, which may be a change of its author.
    if !printed.contains("generation 1") {
        printed += &watching.cycle();
    }
    assert!(printed.contains("rule/src/plugin.js") && printed.contains("1 test passed\n"), "{printed}");
    assert!(printed.contains("generation 1: \"echo\" is "), "{printed}");
    assert_eq!(swaps(), ["rebuilt by `understudy plugin watch`"]);

    // What fails is not swapped, and the watch goes on.
    workspace.write("rule/expected.jsonl", "{\"input\": {\"booked\": \"a\"}, \"expected\": \"b\"}\n");
    workspace.write("rule/src/plugin.js", "first.wasm");
    let printed = watching.cycle();
    assert!(printed.contains("1 of 1 test failed\n"), "{printed}");
    workspace.write("rule/src/plugin.js", "faulty");
    let printed = watching.cycle();
    assert!(printed.contains("cannot build rule: src/plugin.js:1: it is faulty\n"), "{printed}");
    assert_eq!(swaps().len(), 1);
    workspace.write("rule/expected.jsonl", "{\"input\": {\"booked\": \"a\"}, \"expected\": \"a\"}\n");
    workspace.write("rule/src/plugin.js", "first.wasm");
    let printed = watching.cycle();
    assert!(printed.contains("generation 2: \"echo\" is "), "{printed}");
    assert_eq!(swaps().len(), 2);

    interrupt(watching);
    assert_eq!(serving.stop().code, 130);
    workspace.ok(&["verify", "run"]);
}

/// Ends a watch as Ctrl-C does.
fn interrupt(mut watching: Watching) {
    let kill = ["-c", "kill -INT $0", &watching.child.id().to_string()].map(str::to_owned);
    assert!(Command::new("sh").args(kill).status().expect("there is a shell").success());
    assert_eq!(watching.child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_plugin_in_javascript_is_rebuilt() {
    if !Requirement::JavaScript.is_available() {
        return;
    }
    let workspace = TestWorkspace::new();
    let folder = crate::javascript_plugins::new_plugin(&workspace, "first-try", "model");
    let watching = Watching::start(workspace.command(&["plugin", "watch", "first-try"]));
    let printed = watching.cycle();
    assert!(printed.contains("3 tests passed\n"), "{printed}");
    let source = fs::read_to_string(folder.join("src/plugin.js")).expect("the source");
    workspace.write("first-try/src/plugin.js", source.replace("'apartment'", "'suite'"));
    let printed = watching.cycle();
    assert!(printed.contains("changed: first-try/src/plugin.js\n"), "{printed}");
    assert!(printed.contains(" of 3 tests failed\n"), "{printed}");
    interrupt(watching);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let workspace = TestWorkspace::new();
    workspace.write("empty/file", "");
    let refused = |arguments: &[&str], code| {
        let output = workspace.understudy(&[&["plugin", "watch"], arguments].concat());
        assert_eq!((output.code, output.stdout.as_str()), (code, ""), "{}", output.stderr);
        output.stderr.lines().next().unwrap_or_default().to_owned()
    };
    let errors = [refused(&["recorded"], 1), refused(&["empty"], 1), refused(&["empty", "--run", "run"], 2)];
    insta::assert_snapshot!(errors.join("\n"), @"
    cannot watch recorded: it is not a folder; name the folder of a plugin
    cannot build empty: it has no Cargo.toml, package.json, pyproject.toml or plugin.toml; name the folder of a plugin, or write one with `understudy plugin new`
    error: the following required arguments were not provided:
    ");
}
