//! Pages as a browser shows them.
//!
//! Always holds: everything that the browser asked for and everything that went wrong in it is told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::root;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// CSS selectors whose texts are read.
    pub texts: &'a [&'a str],
    /// Keys that are pressed one after the other on a fresh page, by their names in playwright.
    pub keys: &'a [&'a str],
    /// Where screenshots and a PDF go.
    pub folder: Option<PathBuf>,
}

/// What a browser saw.
#[derive(Clone, Debug, Deserialize)]
pub struct Look {
    /// What it asked for besides the page.
    pub requests: Vec<String>,
    /// What it complained about, in its console or about the page's own code.
    pub errors: Vec<String>,
    /// The page in light and dark, wide and narrow.
    pub views: Vec<View>,
    /// For each selector the texts of what it found, in order, with single spaces.
    pub texts: BTreeMap<String, Vec<String>>,
    /// The text of the page as it is printed, with single spaces.
    pub printed: String,
    /// What was there after each key.
    pub keys: Vec<Pressed>,
}

/// The page in one way.
#[derive(Clone, Debug, Deserialize)]
pub struct View {
    /// `light` or `dark`.
    pub scheme: String,
    /// The width of the window in pixels.
    pub width: u32,
    /// The width of the page and that of the window, as it is opened.
    pub closed: [u32; 2],
    /// The same with everything unfolded.
    pub open: [u32; 2],
    /// Which rules of accessibility it breaks, seriously or worse, with everything unfolded.
    pub violations: Vec<Violation>,
    /// Which labels of charts stand on each other or beyond the edge.
    pub crowded: Vec<String>,
}

/// A rule of accessibility that is broken.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    /// The rule's name in axe-core.
    pub id: String,
    /// What it says.
    pub help: String,
    /// The first elements that break it.
    pub nodes: Vec<String>,
}

/// Where the focus is after a key.
#[derive(Clone, Debug, Deserialize)]
pub struct Pressed {
    /// The key.
    pub key: String,
    /// The element's name.
    pub tag: String,
    /// Its id.
    pub id: String,
    /// The beginning of its text.
    pub text: String,
    /// How many parts of the page are unfolded.
    pub open: usize,
    /// The part of the page that was gone to.
    pub hash: String,
}

/// Opens a file in a browser and looks at it.
pub fn look(path: &Path, options: &Options) -> Look {
    let given = json!({ "texts": options.texts, "keys": options.keys, "folder": options.folder });
    node("look.mjs", &[path.to_str().expect("a path in UTF-8"), &given.to_string()])
}

/// What a browser saw of a served run.
#[derive(Clone, Debug, Deserialize)]
pub struct Watched {
    /// What it asked for.
    pub requests: Vec<String>,
    /// What it complained about.
    pub errors: Vec<String>,
    /// The page in light and dark, wide and narrow.
    pub views: Vec<View>,
    /// What was found at each step.
    pub steps: Value,
}

/// Opens the page of a served run, does what `mode` says, and looks at it; see `tests/browser/watch.mjs`.
pub fn watch(address: SocketAddr, mode: &str, options: &Value) -> Watched {
    node("watch.mjs", &[&format!("http://{address}/"), mode, &options.to_string()])
}

/// Runs a script and reads what it found.
fn node<T: DeserializeOwned>(script: &str, arguments: &[&str]) -> T {
    let output = Command::new("node")
        .arg(root().join("tests/browser").join(script))
        .args(arguments)
        .env("UNDERSTUDY_CHROMIUM", named("UNDERSTUDY_CHROMIUM", "a Chromium"))
        .env("UNDERSTUDY_NODE_MODULES", named("UNDERSTUDY_NODE_MODULES", "the modules of tests/browser"))
        .output()
        .expect("`node` starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

/// What an environment variable names.
fn named(variable: &str, what: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} names {what}: run the tests with `cargo xtask test`, which sets it")
    })
}
