//! Support code of the whole-system tests: the program, temporary studies, and access to their results.

pub mod browser;
pub mod external_programs;
pub mod flights;
pub mod http;
pub mod import_graph;
pub mod messy_streams;
pub mod observability;
pub mod process;
pub mod served_run;
pub mod six_labels;
pub mod soak;
pub mod study_toml;
pub mod synthetic;
pub mod tables;
pub mod tls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use study_toml::StudyToml;

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// The program under test.
pub fn program() -> PathBuf {
    built_program("understudy")
}

/// A program of the workspace that `cargo xtask test` builds, in `target/PROFILE`.
pub fn built_program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let path = test.ancestors().nth(2).expect("tests are in target/PROFILE/deps").join(name);
    assert!(path.exists(), "{} is missing; run the tests with `cargo xtask test`", path.display());
    path
}

/// The folder for caches of the program, which all tests share.
pub fn caches() -> PathBuf {
    program().with_file_name("test-caches")
}

/// A component built by `cargo xtask plugins`, such as `booked_room` or `guests/evil`.
pub fn plugin(name: &str) -> PathBuf {
    let path = root().join("target/plugins").join(name).with_extension("wasm");
    assert!(path.exists(), "{} is missing; run the tests with `cargo xtask test`", path.display());
    path
}

/// The declaration of the hotel study of rooms.
pub fn hotel_rooms_study() -> PathBuf {
    root().join("examples/hotel/rooms.toml")
}

/// Makes a named pipe.
pub fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
    assert!(made.success(), "{} cannot be made", path.display());
}

/// All files below a folder, sorted by path.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Exit code and output of a command.
pub struct CommandOutput {
    /// Exit code; -1 if a signal ended the process.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> CommandOutput {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        CommandOutput {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A temporary folder with a study and its files.
pub struct TestWorkspace {
    folder: TempDir,
}

impl Default for TestWorkspace {
    fn default() -> TestWorkspace {
        TestWorkspace::new()
    }
}

impl TestWorkspace {
    /// Creates an empty folder.
    pub fn new() -> TestWorkspace {
        TestWorkspace { folder: TempDir::new().expect("a temporary folder") }
    }

    /// The study [`StudyToml::small`] with five snapshots and their decisions.
    pub fn small() -> TestWorkspace {
        let workspace = TestWorkspace::new();
        workspace.write("study.toml", StudyToml::small().to_string());
        let line = |at: usize| {
            let (id, room) = (at + 1, ["a", "b", "a", "c", "b"][at]);
            format!(r#"{{"id":"s{id}","at":"2026-03-0{id}T10:00:00Z","booked":"{room}","nights":{id}}}"#)
        };
        workspace.write_lines("snapshots.jsonl", (0..5).map(line));
        let line = |at: usize| {
            let (id, room) = (at + 1, ["a", "a", "a", "c", "b"][at]);
            format!(r#"{{"id":"s{id}","at":"2026-03-0{id}T11:00:00Z","room":"{room}"}}"#)
        };
        workspace.write_lines("decisions.jsonl", (0..5).map(line));
        workspace
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file. In a declaration `PLUGINS` stands for the folder of the components.
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

    /// Writes a file of lines.
    pub fn write_lines(&self, name: &str, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        self.write(name, lines.into_iter().map(|line| line.as_ref().to_owned() + "\n").collect::<String>());
    }

    /// Runs the hotel study of rooms into `run`.
    pub fn hotel() -> TestWorkspace {
        let workspace = TestWorkspace::new();
        let study = hotel_rooms_study();
        workspace.ok(&["run", study.to_str().expect("a path in UTF-8"), "--run", "run"]);
        workspace
    }

    /// Runs the hotel study of rooms into `run`, with other plugins in place of some. Returns the figures of its report: the scores of
    /// the models, the accounting and the windows.
    pub fn hotel_figures(&self, run: &str, replaced: &[(&str, &str)]) -> Value {
        let examples = root().join("examples/hotel");
        let study = fs::read_to_string(hotel_rooms_study()).expect("the study");
        let files = |name: &str| format!("file = \"{}", examples.join(name).display());
        let mut study = study
            .replace("file = \"hotel-bookings", &files("hotel-bookings"))
            .replace("file = \"hotel-assignments", &files("hotel-assignments"))
            .replace("../../target/plugins", "PLUGINS");
        for (old, new) in replaced {
            let old = format!("plugin = \"{old}\"");
            assert!(study.contains(&old), "{study}");
            study = study.replace(&old, &format!("plugin = \"{new}\""));
        }
        self.write("study.toml", study);
        self.ok(&["run", "study.toml", "--run", run]);
        let report = self.report(run);
        let scores: Vec<&Value> =
            report["models"].as_array().expect("models").iter().map(|model| &model["scores"]).collect();
        json!({ "scores": scores, "accounting": report["accounting"], "windows": report["windows"] })
    }

    /// The ledger entries of a run, of one kind or of all.
    pub fn ledger_entries(&self, run: &str, kind: Option<&str>) -> Vec<Value> {
        let text =
            fs::read_to_string(self.path().join(run).join("ledger.jsonl")).expect("a run has a ledger");
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an entry is JSON"));
        entries.filter(|entry| kind.is_none_or(|kind| entry["kind"] == kind)).collect()
    }

    /// Edits `study.toml`. Each pair replaces the first occurrence of its first text, which must exist, by
    /// its second.
    pub fn edit_study(&self, changes: &[(&str, &str)]) {
        let mut text = fs::read_to_string(self.path().join("study.toml")).expect("the study was written");
        for (old, new) in changes {
            let old = with_plugins(old);
            assert!(text.contains(&old), "the study has no {old}");
            text = text.replacen(&old, new, 1);
        }
        self.write("study.toml", text);
    }

    /// A command that runs the program in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.path()).env("XDG_CACHE_HOME", caches());
        command
    }

    /// Runs the program in this folder. Paths in its output are redacted.
    pub fn understudy(&self, arguments: &[&str]) -> CommandOutput {
        self.redacted(self.command(arguments).output().expect("the program can be started").into())
    }

    /// Runs the program in this folder, checks that it succeeds, and returns its output.
    ///
    /// # Panics
    /// If the exit code is not 0.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> CommandOutput {
        let output = self.understudy(arguments);
        assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.stdout, output.stderr);
        output
    }

    /// Replaces the paths of this folder and of the workspace by `FOLDER` and `WORKSPACE`.
    pub fn redacted(&self, mut output: CommandOutput) -> CommandOutput {
        for text in [&mut output.stdout, &mut output.stderr] {
            *text = text.replace(&root().display().to_string(), "WORKSPACE");
            *text = text.replace(&self.path().display().to_string(), "FOLDER");
        }
        output
    }

    /// Runs the study into `run` and returns its report.
    pub fn run(&self, arguments: &[&str]) -> Value {
        self.ok(&[&["run", "study.toml", "--run", "run"], arguments].concat());
        self.report("run")
    }

    /// The report of a run directory.
    pub fn report(&self, run: &str) -> Value {
        let path = self.path().join(run).join("report.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).expect("a report is JSON")
    }
}

fn with_plugins(text: &str) -> String {
    text.replace("PLUGINS", root().join("target/plugins").to_str().expect("a path in UTF-8"))
}

/// The overall result of one model and metric in a report.
pub fn overall(report: &Value, model: usize, metric: usize) -> &Value {
    &report["models"][model]["scores"][metric]["overall"]
}

/// The nonzero terms of a stream's accounting equation: records received, then the terms that add up to them.
pub fn account(report: &Value, stream: &str) -> Vec<(&'static str, u64)> {
    let count = |name| (name, report["accounting"][stream][name].as_u64().expect("a count"));
    let names =
        ["received", "rejected", "duplicate", "conflict", "late", "paired", "revised", "waiting", "expired"];
    let counts = names.map(count);
    let sum: u64 = counts[1..].iter().map(|(_, count)| count).sum();
    assert_eq!(counts[0].1, sum, "the account of {stream} does not balance: {counts:?}");
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The part of a report that must not depend on scheduling or interruptions: metrics, counts and accounting.
/// The number of determinism checks depends on them: a check that is not in the ledger at a crash is not
/// repeated.
pub fn deterministic_part(report: &Value) -> Value {
    let mut report = report.clone();
    for key in ["started-at", "ended-at"] {
        report.as_object_mut().expect("a report is an object").remove(key);
    }
    for model in report["models"].as_array_mut().expect("a report has models") {
        let model = model.as_object_mut().expect("a model is an object");
        model.remove("latency");
        model.remove("latency-quantiles");
        model.remove("determinism-check");
    }
    report
}
