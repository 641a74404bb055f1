//! Damaged and malicious model files through the program: each is refused by name, with the reason and what to do. Nothing panics, and
//! memory is bounded.
//!
//! The sound files are those of `trained_models.rs`.

mod booster_files;
mod external_files;
mod onnx_graphs;
mod protocol_buffer;
mod truncation;

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use understudy_tests::process::peak_kib;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{CommandOutput, TestWorkspace, root};

/// The most memory of a process that refuses a small file, in MiB.
const MODEST: u64 = 192;
/// The most memory of a process whose import uses up its own limit of 2 GiB.
const LARGEST: u64 = 2560;

/// A sound file.
fn sound_file(name: &str) -> Vec<u8> {
    let path = root().join("tests/oracles/tabular/study").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A sound file of text.
fn sound_text(name: &str) -> String {
    String::from_utf8(sound_file(name)).expect("a text")
}

/// Runs a command. Returns its output and the peak of its resident memory in MiB.
fn watched(mut command: Command) -> (CommandOutput, u64) {
    let child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started");
    let process = format!("/proc/{}", child.id());
    let watcher = thread::spawn(move || {
        let mut peak = 0;
        while let Some(kib) = peak_kib(&process) {
            peak = peak.max(kib >> 10);
            thread::sleep(Duration::from_millis(2));
        }
        peak
    });
    let output = child.wait_with_output().expect("the child can be waited for");
    (output.into(), watcher.join().expect("the watcher ends"))
}

/// What `model show` says of a file of the workspace, which it must refuse, and `check` of a study with it, too. `most` is the most
/// memory in MiB.
fn refusal(workspace: &TestWorkspace, plugin: &str, file: &str, most: u64) -> String {
    let (shown, peak) = watched(workspace.command(&["model", "show", file]));
    assert_eq!((shown.code, shown.stdout.as_str()), (1, ""), "{file}: {}", shown.stderr);
    assert!(peak <= most, "{file}: {peak} MiB");
    let text = shown.stderr.trim_end();
    let reason =
        text.strip_prefix(&format!("cannot import {file}: ")).unwrap_or_else(|| panic!("{file}: {text}"));
    assert!(reason.contains("; ") && !reason.contains("panicked"), "{file}: {reason}");

    let keys = format!("plugin = \"{plugin}\"\nfile = \"{file}\"");
    workspace
        .write("study.toml", StudyToml::small().trained_model("hostile", &keys, &["nights"]).to_string());
    let (checked, peak) = watched(workspace.command(&["check", "study.toml"]));
    assert_eq!(checked.code, 1, "{file}: {}", checked.stderr);
    assert!(checked.stderr.contains(reason), "{file}: {} has not {reason}", checked.stderr);
    assert!(peak <= most, "{file}: {peak} MiB in a study");
    format!("{file}: {reason}")
}

/// What is said of files, one line each.
fn refusals(plugin: &str, most: u64, files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> String {
    let workspace = TestWorkspace::small();
    let line = |(name, bytes): (&str, Vec<u8>)| {
        workspace.write(name, bytes);
        refusal(&workspace, plugin, name, most) + "\n"
    };
    files.into_iter().map(line).collect()
}
