//! Opens pages in Chromium and reports what it shows.
//!
//! Invariants:
//! - Every request and every error of the browser is reported.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::root;

/// Options of a page check.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// CSS selectors of elements whose texts are read.
    pub texts: &'a [&'a str],
    /// Keys to press in turn on a fresh page, by their Playwright names.
    pub keys: &'a [&'a str],
    /// Folder for screenshots and a PDF.
    pub folder: Option<PathBuf>,
}

/// What a browser showed for a file.
#[derive(Clone, Debug, Deserialize)]
pub struct PageCheck {
    /// Requests other than the page itself.
    pub requests: Vec<String>,
    /// Errors of the console and of the page's scripts.
    pub errors: Vec<String>,
    /// The page in light and dark, wide and narrow.
    pub views: Vec<View>,
    /// Per selector: the texts of the matching elements in order, with single spaces.
    pub texts: BTreeMap<String, Vec<String>>,
    /// The text of the printed page, with single spaces.
    pub printed: String,
    /// The focus after each key.
    pub keys: Vec<FocusState>,
}

/// The page in one colour scheme and width.
#[derive(Clone, Debug, Deserialize)]
pub struct View {
    /// `light` or `dark`.
    pub scheme: String,
    /// Width of the window in pixels.
    pub width: u32,
    /// Widths of page and window in pixels, as the page opens.
    pub closed: [u32; 2],
    /// Widths of page and window in pixels, with all details expanded.
    pub open: [u32; 2],
    /// Serious and critical accessibility violations, with all details expanded.
    pub violations: Vec<Violation>,
    /// Chart labels that overlap or are cut off.
    pub crowded: Vec<String>,
}

/// A violated accessibility rule.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    /// Name of the rule in axe-core.
    pub id: String,
    /// Text of the rule.
    pub help: String,
    /// The first elements that violate it.
    pub nodes: Vec<String>,
}

/// The focused element after a key.
#[derive(Clone, Debug, Deserialize)]
pub struct FocusState {
    /// The pressed key.
    pub key: String,
    /// Tag name of the focused element.
    pub tag: String,
    /// Id of the focused element.
    pub id: String,
    /// First characters of its text.
    pub text: String,
    /// Number of expanded details.
    pub open: usize,
    /// Fragment of the URL.
    pub hash: String,
}

/// Opens a file in a browser and checks it.
pub fn check_page(path: &Path, options: &Options) -> PageCheck {
    let arguments = json!({ "texts": options.texts, "keys": options.keys, "folder": options.folder });
    node("report_page.mjs", &[path.to_str().expect("a path in UTF-8"), &arguments.to_string()])
}

/// What a browser showed for the dashboard of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct DashboardCheck {
    /// All requests.
    pub requests: Vec<String>,
    /// Errors of the console and of the page's scripts.
    pub errors: Vec<String>,
    /// The page in light and dark, wide and narrow.
    pub views: Vec<View>,
    /// Observations at each step.
    pub steps: Value,
}

/// Opens the dashboard of a run and performs the steps of `mode`; see `tests/browser/dashboard.mjs`.
pub fn check_dashboard(address: SocketAddr, mode: &str, options: &Value) -> DashboardCheck {
    node("dashboard.mjs", &[&format!("http://{address}/"), mode, &options.to_string()])
}

/// Runs a script of `tests/browser` and parses its output.
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

/// The value of an environment variable. Tests check
/// [`Requirement::Browser`](crate::external_programs::Requirement) first.
fn named(variable: &str, what: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} names {what}: run the tests with `cargo xtask test`, which sets it")
    })
}
