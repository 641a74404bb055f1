//! Checks that the code is as ARCHITECTURE.md says: crates, layers, imports, and the tests that hold invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use understudy_tests::import_graph::{ImportGraph, circles, rust_files};
use understudy_tests::root;

/// Dependencies that no pure crate has: engines, runtimes, servers, stores and the operating system.
const IMPURE: [&str; 13] = [
    "wasmtime",
    "tokio",
    "tokio-rustls",
    "axum",
    "hyper",
    "hyper-util",
    "tower",
    "redb",
    "rustix",
    "tempfile",
    "getrandom",
    "indicatif",
    "tracing",
];

/// What the `clippy.toml` of a pure crate has to disallow at least.
const DISALLOWED: [&str; 6] = [
    "std::fs::File",
    "std::fs::read",
    "std::net::TcpStream",
    "std::process::Command",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
];

fn page() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md")
}

/// The rows of the table below a heading row that begins with `head`: the name in backticks, and the last cell.
fn table(page: &str, head: &str) -> Vec<(String, String)> {
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].trim_matches('`').to_owned(), cells.last().expect("a cell").to_string())
    })
    .collect()
}

/// The crates from the bottom up, each with whether it is pure.
fn crates() -> Vec<(String, bool)> {
    table(&page(), "| crate |").into_iter().map(|(name, pure)| (name, pure == "yes")).collect()
}

/// The dependencies of a crate of the host, without those of its tests.
fn dependencies(name: &str) -> BTreeSet<String> {
    let path = root().join("host").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let section = text.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    section.lines().skip(1).filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

fn graph(name: &str) -> ImportGraph {
    ImportGraph::read(&root().join("host").join(name).join("src"))
}

#[test]
fn the_page_lists_every_crate() {
    let folders = fs::read_dir(root().join("host")).expect("the folder host");
    let folders: BTreeSet<String> =
        folders.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(folders, crates().into_iter().map(|(name, _)| name).collect());
}

#[test]
fn crates_depend_only_on_crates_above_them() {
    let mut above = BTreeSet::new();
    for (name, _) in crates() {
        let ours = dependencies(&name)
            .into_iter()
            .filter_map(|name| Some(name.strip_prefix("understudy-")?.to_owned()));
        let below: Vec<String> = ours.filter(|dependency| !above.contains(dependency)).collect();
        assert!(below.is_empty(), "{name} depends on {below:?}, which the page does not list above it");
        above.insert(name);
    }
}

#[test]
fn pure_crates_have_no_impure_dependency() {
    let pure: Vec<String> = crates().into_iter().filter(|(_, pure)| *pure).map(|(name, _)| name).collect();
    assert_eq!(pure, ["study", "records", "statistics"]);
    for name in pure {
        let dependencies = dependencies(&name);
        let impure: Vec<&&str> = IMPURE.iter().filter(|word| dependencies.contains(**word)).collect();
        assert!(impure.is_empty(), "{name} is pure and depends on {impure:?}");
        let path = root().join("host").join(&name).join("clippy.toml");
        let lints = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for method in DISALLOWED {
            assert!(
                lints.contains(&format!("\"{method}\"")),
                "{} does not disallow {method}",
                path.display()
            );
        }
    }
}

#[test]
fn no_crate_of_the_host_reads_model_files() {
    for (name, _) in crates() {
        let reads_models =
            |name: &String| ["tabular", "neural", "rten"].iter().any(|prefix| name.starts_with(prefix));
        let readers: Vec<String> = dependencies(&name).into_iter().filter(reads_models).collect();
        assert!(readers.is_empty(), "{name} depends on {readers:?}, which belong in the sandbox");
    }
}

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    for (name, _) in crates() {
        let graph = graph(&name);
        // This crate only includes components.
        assert!(name == "components" || graph.modules().count() > 1, "{name} has modules");
        assert_eq!(graph.circles(), Vec::<Vec<String>>::new(), "modules of {name} import each other");
        assert_eq!(
            circles(&graph.room_edges()),
            Vec::<Vec<String>>::new(),
            "layers of {name} import each other"
        );
    }
}

#[test]
fn layers_import_only_from_layers_above_them() {
    for name in ["engine", "service"] {
        let layers = table(&page(), &format!("| layer of `{name}` |"));
        let order: BTreeMap<&str, usize> =
            layers.iter().enumerate().map(|(at, (layer, _))| (layer.as_str(), at)).collect();
        let edges = graph(name).room_edges();
        let found: BTreeSet<&str> = edges.keys().map(String::as_str).collect();
        assert_eq!(found, order.keys().copied().collect(), "the page lists the layers of {name}");
        for (from, targets) in &edges {
            let upward: Vec<&String> =
                targets.iter().filter(|to| order[to.as_str()] > order[from.as_str()]).collect();
            assert!(
                upward.is_empty(),
                "{name}: {from} imports from {upward:?}, which the page lists below it"
            );
        }
    }
}

#[test]
fn every_test_that_the_page_names_exists_and_runs() {
    let page = page();
    let names: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|word| word.split_once(".rs::")).collect();
    assert_eq!(names.len(), page.matches(".rs::").count(), "each test is named in backticks");
    for (path, test) in names {
        let path = root().join(path).with_extension("rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let head = text.split(&format!("    fn {test}(")).next().expect("a first part");
        let head = head.split(&format!("\nfn {test}(")).next().expect("a first part");
        assert!(head.len() < text.len(), "{} has no test {test}", path.display());
        let attributes: Vec<&str> = head
            .lines()
            .rev()
            .skip_while(|line| line.trim().is_empty())
            .take_while(|line| !line.trim().is_empty())
            .collect();
        let has = |attribute: &str| attributes.iter().any(|line| line.trim().starts_with(attribute));
        assert!(has("#[test]") && !has("#[ignore"), "{test} of {} does not run", path.display());
    }
}

#[test]
fn every_invariant_names_the_test_that_holds_it() {
    let page = page();
    let section = page.split("\n## ").find(|section| section.starts_with("Invariants")).expect("the section");
    let invariants: Vec<&str> =
        section.split("\n\n").filter(|paragraph| paragraph.starts_with("**")).collect();
    for (index, invariant) in invariants.iter().enumerate() {
        assert!(invariant.starts_with(&format!("**{}. ", index + 1)), "numbered in order: {invariant}");
        assert!(invariant.contains("\nHeld by `"), "an invariant without a test: {invariant}");
    }
    assert_eq!(invariants.len(), 23);
}

#[test]
fn every_file_of_the_host_has_a_header() {
    for path in rust_files(&root().join("host")) {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}

#[test]
fn no_function_is_named_by_a_preposition_or_a_participle_alone() {
    for folder in ["host", "guest-sdk", "plugins", "tests", "xtask"] {
        for path in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("a source file");
            for name in ["of", "told", "said", "given"] {
                // This file contains no definition, because the name is put together here.
                let is_defined = ["(", "<"].iter().any(|end| text.contains(&format!("fn {name}{end}")));
                assert!(!is_defined, "{} has a function `{name}`: name what it returns", path.display());
            }
        }
    }
}

/// Source files that open files by the standard library, each with the reason. All others use `regular_file`, which
/// opens only regular files.
const OPENING_FILES: [&str; 9] = [
    // Directories, to lock or to sync them.
    "run-log/src/directory.rs",
    "run-log/src/durable_file.rs",
    "run-log/src/ledger.rs",
    "service/src/transport/control_client.rs",
    "service/src/transport/listener.rs",
    // A source may be a named pipe.
    "sources/src/decompression.rs",
    // The kind of the file is checked before.
    "sources/src/parquet_reader.rs",
    "sandbox/src/compile_cache.rs",
    "sandbox/src/component_file.rs",
];

#[test]
fn only_regular_files_are_opened_for_reading() {
    let host = root().join("host");
    let mut opening = BTreeSet::new();
    for path in rust_files(&host) {
        let name = path.strip_prefix(&host).expect("it is in the host").display().to_string();
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // The files in `/proc` that the host reads are not named pipes.
        let opens = |line: &str| {
            let calls = ["fs::read(", "fs::read_to_string(", "File::open("];
            calls.iter().any(|call| line.contains(call)) && !line.contains("\"/proc/")
        };
        if !name.contains("tests") && name.contains("/src/") && code.lines().any(opens) {
            opening.insert(name);
        }
    }
    assert_eq!(opening, OPENING_FILES.map(str::to_owned).into());
}

#[test]
fn the_page_has_at_most_300_lines_and_the_readme_150() {
    for (name, most) in [("ARCHITECTURE.md", 300), ("README.md", 150)] {
        let lines = fs::read_to_string(root().join(name)).expect("a document").lines().count();
        assert!(
            lines <= most,
            "{name} has {lines} lines: move what is beside the point into docs/ or beside the code"
        );
    }
}
