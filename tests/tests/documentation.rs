//! Checks the documents: links, the table of contents, and that their examples work.
//!
//! A fenced block is an example if its info string says so: `toml,study` is a whole study that `understudy check` accepts,
//! `toml,fragment` are tables that a study accepts, `sh,run` are commands that are run as one script, in the order of the page, in a
//! clone whose `first/study.toml` is the page's study.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};
use tempfile::TempDir;
use understudy_tests::{caches, program, root};

/// What the tests need of one document.
#[derive(Default)]
struct Document {
    links: Vec<String>,
    anchors: BTreeSet<String>,
    /// Fenced blocks: info string and text.
    blocks: Vec<(String, String)>,
    headings: usize,
}

impl Document {
    fn read(path: &Path) -> Document {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut document = Document::default();
        let (mut heading, mut block): (Option<String>, Option<(String, String)>) = (None, None);
        for event in Parser::new_ext(&text, pulldown_cmark::Options::all()) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some(String::new());
                    document.headings += usize::from(level == HeadingLevel::H1);
                }
                Event::End(TagEnd::Heading(_)) => {
                    document.anchors.insert(anchor(&heading.take().unwrap_or_default()));
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    block = Some((info.into_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(block.take()),
                Event::Text(text) | Event::Code(text) => {
                    for open in heading.iter_mut().chain(block.iter_mut().map(|(_, text)| text)) {
                        open.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        document
    }

    /// The blocks of one kind.
    fn examples(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |(info, _)| info == kind).map(|(_, text)| text.as_str())
    }
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// All documents of the workspace for people, by path below the root.
fn documents() -> BTreeMap<PathBuf, Document> {
    let listed = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "*.md"])
        .current_dir(root())
        .output();
    let listed = String::from_utf8(listed.expect("git lists the documents").stdout).expect("paths in UTF-8");
    let documents: BTreeMap<_, _> = listed
        .lines()
        .filter(|path| !path.starts_with(".github/"))
        .map(|path| (PathBuf::from(path), Document::read(&root().join(path))))
        .collect();
    assert!(documents.contains_key(Path::new("README.md")), "the documents: {:?}", documents.keys());
    documents
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let mut broken = Vec::new();
    for (path, document) in &documents {
        for link in document.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
        {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => normalised(&path.parent().expect("a folder").join(file)),
            };
            let exists = root().join(&target).exists();
            let anchored = anchor.is_empty()
                || documents.get(&target).is_none_or(|document| document.anchors.contains(anchor));
            if !exists || !anchored {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

/// A relative path without `..`.
fn normalised(path: &Path) -> PathBuf {
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    for part in path {
        match part.to_str() {
            Some("..") => drop(parts.pop()),
            Some(".") => {}
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[test]
fn the_table_of_contents_has_every_page_once() {
    let documents = documents();
    let book = Path::new("docs/src");
    let summary = &documents[&book.join("SUMMARY.md")];
    let mut listed: Vec<PathBuf> = summary.links.iter().map(|link| book.join(link)).collect();
    listed.sort();
    let pages = documents.keys().filter(|path| path.starts_with(book) && !path.ends_with("SUMMARY.md"));
    assert_eq!(listed, pages.cloned().collect::<Vec<_>>());
    for path in &listed {
        assert_eq!(documents[path].headings, 1, "{} has one title", path.display());
    }
}

/// A directory with the workspace's examples and plugins beside a directory `first`, as the documents assume.
fn workspace(study: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(folder.path().join("first")).expect("a directory");
    fs::write(folder.path().join("first/study.toml"), study).expect("a file");
    for name in ["examples", "target"] {
        symlink(root().join(name), folder.path().join(name)).expect("a link");
    }
    folder
}

/// Runs a block of shell commands; gives what it printed.
fn run(commands: &str, folder: &Path) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ours = program().parent().expect("a folder").to_owned();
    let path =
        std::env::join_paths(std::iter::once(ours).chain(std::env::split_paths(&path))).expect("a path");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("PATH", path)
        .env("XDG_CACHE_HOME", caches())
        .output()
        .expect("bash starts");
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}\nended with {}:\n{printed}", output.status);
    printed
}

#[test]
fn first_studies_run_as_their_pages_say() {
    let documents = documents();
    for (path, gos) in [("README.md", 1), ("docs/src/first-study.md", 1)] {
        let document = &documents[Path::new(path)];
        let studies: Vec<&str> = document.examples("toml,study").collect();
        assert_eq!(studies.len(), 1, "{path} declares one study");
        let folder = workspace(studies[0]);
        let blocks: Vec<&str> = document.examples("sh,run").collect();
        assert!(!blocks.is_empty(), "{path} has commands");
        let printed = run(&blocks.concat(), folder.path());
        assert_eq!(printed.matches("GO: safe to try on canary").count(), gos, "{path}:\n{printed}");
        assert!(folder.path().join("first/run/report.html").is_file(), "{path} writes a report");
    }
}

#[test]
fn commands_of_the_page_about_plugins_run() {
    let documents = documents();
    let document = &documents[Path::new("docs/src/write-a-plugin.md")];
    let blocks: Vec<&str> = document.examples("sh,run").collect();
    let printed = run(&blocks.concat(), tempfile::tempdir().expect("a temporary directory").path());
    assert!(printed.contains("3 tests passed") && printed.contains("no findings"), "{printed}");
}

#[test]
fn studies_take_the_fragments_of_the_documents() {
    let documents = documents();
    let base = documents[Path::new("docs/src/first-study.md")]
        .examples("toml,study")
        .next()
        .expect("a study")
        .to_owned();
    let mut tried = 0;
    for (path, document) in &documents {
        for fragment in document.examples("toml,fragment") {
            let mut study: toml::Table = base.parse().expect("the base study is TOML");
            let fragment: toml::Table =
                fragment.parse().unwrap_or_else(|error| panic!("{}: {error}\n{fragment}", path.display()));
            study.extend(fragment.clone());
            let text = toml::to_string(&study).expect("tables of TOML");
            if let Err(invalid) = understudy_study::parse(&text) {
                panic!("{}:\n{fragment}\n{}", path.display(), invalid.faults);
            }
            tried += 1;
        }
    }
    assert!(tried >= 10, "the documents have fragments, not {tried}");
}

#[test]
fn blocks_of_toml_and_shell_are_examples_or_plain() {
    let known = [
        "toml",
        "toml,study",
        "toml,fragment",
        "sh",
        "sh,run",
        "rust",
        "python",
        "js",
        "c",
        "json",
        "sql",
        "nginx",
        "text",
        "",
    ];
    for (path, document) in documents() {
        for (info, text) in &document.blocks {
            assert!(known.contains(&info.as_str()), "{}: a block of `{info}`:\n{text}", path.display());
        }
    }
}
