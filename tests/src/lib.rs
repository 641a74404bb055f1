//! What the whole-system tests share: the program, studies made on the spot, and what they left behind.

pub mod browser;
pub mod flights;
pub mod http;
pub mod import_graph;
pub mod process;
pub mod rough;
pub mod serving;
pub mod soak;
pub mod synthetic;
pub mod tables;
pub mod tls;
pub mod watched;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace").to_owned()
}

/// The program under test.
pub fn program() -> PathBuf {
    built("understudy")
}

/// A program of the workspace, as `cargo xtask test` builds it: beside the folder of this test.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let path = test.ancestors().nth(2).expect("tests stand in target/PROFILE/deps").join(name);
    assert!(path.exists(), "{} is missing; run the tests with `cargo xtask test`", path.display());
    path
}

/// A component that `cargo xtask plugins` made, such as `booked_room` or `guests/evil`.
pub fn plugin(name: &str) -> PathBuf {
    let path = root().join("target/plugins").join(name).with_extension("wasm");
    assert!(path.exists(), "{} is missing; run the tests with `cargo xtask test`", path.display());
    path
}

/// The hotel's study of rooms.
pub fn hotel_rooms() -> PathBuf {
    root().join("examples/hotel/rooms.toml")
}

/// Every file below a folder, in the order of their paths.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// What a command said.
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// A folder with a study and what it needs.
pub struct Bench {
    folder: TempDir,
}

impl Default for Bench {
    fn default() -> Bench {
        Bench::new()
    }
}

impl Bench {
    /// An empty folder.
    pub fn new() -> Bench {
        Bench { folder: TempDir::new().expect("a temporary folder") }
    }

    /// A small sound study of labels, with five snapshots and their decisions: `room` against `booked`.
    pub fn small() -> Bench {
        let bench = Bench::new();
        bench.write("study.toml", SMALL);
        let line = |at: usize| {
            let (id, room) = (at + 1, ["a", "b", "a", "c", "b"][at]);
            format!(r#"{{"id":"s{id}","at":"2026-03-0{id}T10:00:00Z","booked":"{room}","nights":{id}}}"#)
        };
        bench.lines("snapshots.jsonl", (0..5).map(line));
        let line = |at: usize| {
            let (id, room) = (at + 1, ["a", "a", "a", "c", "b"][at]);
            format!(r#"{{"id":"s{id}","at":"2026-03-0{id}T11:00:00Z","room":"{room}"}}"#)
        };
        bench.lines("decisions.jsonl", (0..5).map(line));
        bench
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder. `PLUGINS` in a declaration becomes the folder of the components.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let content = content.as_ref();
        let content = match std::str::from_utf8(content) {
            Ok(text) if name.ends_with(".toml") => with_plugins(text).into_bytes(),
            _ => content.to_vec(),
        };
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, content).expect("a file can be written");
    }

    /// Writes lines.
    pub fn lines(&self, name: &str, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        self.write(name, lines.into_iter().map(|line| line.as_ref().to_owned() + "\n").collect::<String>());
    }

    /// A run of the hotel's study of rooms, in `run`.
    pub fn hotel() -> Bench {
        let bench = Bench::new();
        let study = hotel_rooms();
        let said = bench.understudy(&["run", study.to_str().expect("a path in UTF-8"), "--run", "run"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        bench
    }

    /// The entries of a run's ledger of a kind, or all of them.
    pub fn ledger(&self, run: &str, kind: Option<&str>) -> Vec<Value> {
        let text =
            fs::read_to_string(self.path().join(run).join("ledger.jsonl")).expect("a run has a ledger");
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an entry is JSON"));
        entries.filter(|entry| kind.is_none_or(|kind| entry["kind"] == kind)).collect()
    }

    /// Changes the study: each pair replaces its first by its second, which must be found.
    pub fn change(&self, changes: &[(&str, &str)]) {
        let mut text = fs::read_to_string(self.path().join("study.toml")).expect("the study was written");
        for (old, new) in changes {
            let old = with_plugins(old);
            assert!(text.contains(&old), "the study has no {old}");
            text = text.replacen(&old, new, 1);
        }
        self.write("study.toml", text);
    }

    /// The program, in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.path());
        command
    }

    /// Runs the program in this folder. What it says is free of this folder's and the workspace's names.
    pub fn understudy(&self, arguments: &[&str]) -> Said {
        self.nameless(self.command(arguments).output().expect("the program can be started").into())
    }

    /// What was said, free of this folder's and the workspace's names.
    pub fn nameless(&self, mut said: Said) -> Said {
        for text in [&mut said.out, &mut said.err] {
            *text = text.replace(&root().display().to_string(), "WORKSPACE");
            *text = text.replace(&self.path().display().to_string(), "FOLDER");
        }
        said
    }

    /// Runs the study into `run` and gives its report.
    pub fn run(&self, arguments: &[&str]) -> Value {
        let said = self.understudy(&[&["run", "study.toml", "--run", "run"], arguments].concat());
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        self.report("run")
    }

    /// The report in a run directory.
    pub fn report(&self, run: &str) -> Value {
        let path = self.path().join(run).join("report.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).expect("a report is JSON")
    }
}

fn with_plugins(text: &str) -> String {
    text.replace("PLUGINS", root().join("target/plugins").to_str().expect("a path in UTF-8"))
}

const SMALL: &str = r#"study = "small"
time-zone = "UTC"

[inputs]
id = "id"
time = "at"

[inputs.fields]
booked = "text"
nights = "integer"

[decisions]
id = "id"
time = "at"
horizon = "1d"

[decisions.fields]
room = "text"

[sources]
snapshots = { file = "snapshots.jsonl" }
decisions = { file = "decisions.jsonl" }

[[models]]
name = "echo"
plugin = "PLUGINS/recorded.wasm"
grant = ["booked"]
config = { field = "booked", form = "label" }

[comparator]
name = "recorded"
plugin = "PLUGINS/recorded.wasm"
grant = ["decision.room"]
config = { field = "decision.room", form = "label" }

[[metrics]]
name = "agreement"
plugin = "PLUGINS/agreement.wasm"

[[conditions]]
name = "room"
field = "booked"
values = ["a", "b"]

[windows]
every = "day"
"#;

/// The pairs of a figure and its sums, out of a report: overall of one model and metric.
pub fn overall(report: &Value, model: usize, metric: usize) -> &Value {
    &report["models"][model]["scores"][metric]["overall"]
}

/// Where the records of a stream have got to, without the zeros: first those received, then what they add up to.
pub fn account(report: &Value, stream: &str) -> Vec<(&'static str, u64)> {
    let count = |name| (name, report["accounting"][stream][name].as_u64().expect("a count"));
    let names = ["received", "rejected", "duplicate", "conflict", "late", "paired", "waiting", "expired"];
    let counts = names.map(count);
    let sum: u64 = counts[1..].iter().map(|(_, count)| count).sum();
    assert_eq!(counts[0].1, sum, "the account of {stream} does not balance: {counts:?}");
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Figures, counts and accounting of a report: all that may not depend on how it came about. How many snapshots a model was
/// asked about again does: what is asked and not yet in the ledger is not asked once more after a crash.
pub fn essence(report: &Value) -> Value {
    let mut report = report.clone();
    for key in ["began", "ended"] {
        report.as_object_mut().expect("a report is an object").remove(key);
    }
    for model in report["models"].as_array_mut().expect("a report has models") {
        let model = model.as_object_mut().expect("a model is an object");
        model.remove("latency");
        model.remove("times");
        model.remove("again");
    }
    report
}
