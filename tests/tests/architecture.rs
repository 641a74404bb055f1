//! What ARCHITECTURE.md says is so: the tests that it names exist, and rooms import only what they may.

use std::fs;
use std::path::{Path, PathBuf};

use understudy_tests::root;

/// The rooms from the floor up: each with the rooms below it that it may use, and whether it is pure.
const ROOMS: [(&str, &[&str], bool); 14] = [
    ("study", &[], true),
    ("batch", &["study"], true),
    ("sandbox", &["batch", "study"], false),
    ("source", &["batch", "study"], false),
    ("runlog", &["sandbox", "batch", "study"], false),
    ("pairing", &["batch", "study"], true),
    ("scoring", &["batch", "study"], true),
    ("divergence", &["scoring", "batch", "study"], true),
    ("verdict", &["divergence", "scoring", "pairing", "batch", "study"], true),
    (
        "run",
        &["verdict", "divergence", "scoring", "pairing", "runlog", "source", "sandbox", "batch", "study"],
        false,
    ),
    (
        "report",
        &["run", "verdict", "divergence", "scoring", "pairing", "runlog", "sandbox", "batch", "study"],
        false,
    ),
    (
        "audit",
        &[
            "report",
            "run",
            "verdict",
            "divergence",
            "scoring",
            "pairing",
            "runlog",
            "sandbox",
            "batch",
            "study",
        ],
        false,
    ),
    (
        "service",
        &[
            "audit",
            "report",
            "run",
            "verdict",
            "divergence",
            "scoring",
            "pairing",
            "runlog",
            "source",
            "sandbox",
            "batch",
            "study",
        ],
        false,
    ),
    (
        "cli",
        &[
            "service",
            "audit",
            "report",
            "run",
            "verdict",
            "divergence",
            "scoring",
            "pairing",
            "runlog",
            "source",
            "sandbox",
            "batch",
            "study",
        ],
        false,
    ),
];

/// What a pure room knows nothing of.
const IMPURE: [&str; 7] =
    ["wasmtime", "tokio", "std::fs", "std::net", "std::process", "Timestamp::now", "Instant::now"];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines of a file that are code, without comments.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a source file");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

#[test]
fn rooms_use_only_what_they_may() {
    let source = root().join("host/src");
    let mut found = Vec::new();
    for (room, may, pure) in ROOMS {
        for path in rust_files(&source.join(room)) {
            let shown = path.strip_prefix(&source).expect("below host/src").display().to_string();
            // A page is a function of its document, in a room that is not pure as a whole.
            let pure = pure || shown.starts_with("report/page");
            let test = shown.contains("tests") || shown.contains("fixture");
            for line in code(&path) {
                for (other, ..) in ROOMS {
                    let uses = line.contains(&format!("crate::{other}::"))
                        || line.contains(&format!("crate::{other};"));
                    if uses && other != room && !may.contains(&other) {
                        found.push(format!("{shown} uses {other}: {}", line.trim()));
                    }
                }
                if pure && !test {
                    found.extend(
                        IMPURE.iter().filter(|word| line.contains(*word)).map(|w| format!("{shown}: {w}")),
                    );
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_room_is_listed() {
    let mut rooms: Vec<String> = fs::read_dir(root().join("host/src"))
        .expect("the host's source")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    rooms.sort();
    let mut listed: Vec<&str> = ROOMS.iter().map(|(room, ..)| *room).collect();
    listed.sort_unstable();
    assert_eq!(rooms, listed);
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    for (room, _, pure) in ROOMS {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{room}/` |"))).unwrap_or_default();
        assert_eq!(row.ends_with("| yes |"), pure, "the row of {room}: {row}");
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    let names: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|word| word.split_once(".rs::")).collect();
    assert!(names.len() > 8, "the page names its tests as `path.rs::test`");
    for (path, test) in names {
        let path = root().join(path).with_extension("rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(&format!("fn {test}(")), "{} has no test {test}", path.display());
    }
}

#[test]
fn every_file_of_the_host_says_what_it_is_for() {
    for path in rust_files(&root().join("host/src")) {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}
