//! External programs that some tests need. A plain `cargo test` skips those tests loudly; `cargo xtask test`
//! provides the programs and fails if one is missing.

use std::io::Write as _;

/// If this environment variable is set, a missing program fails the test.
pub const REQUIRE_ALL: &str = "UNDERSTUDY_REQUIRE_ALL";

/// A set of external programs. Environment variables say where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Python with the packages of `tests/requirements.txt`.
    Python,
    /// The program `promtool` of Prometheus.
    Promtool,
    /// Node, the packages of `tests/browser/package.json`, and Chromium.
    Browser,
}

impl Requirement {
    /// The environment variables that locate the programs.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Requirement::Python => &["UNDERSTUDY_PYTHON"],
            Requirement::Promtool => &["UNDERSTUDY_PROMTOOL"],
            Requirement::Browser => &["UNDERSTUDY_CHROMIUM", "UNDERSTUDY_NODE_MODULES"],
        }
    }

    fn description(self) -> &'static str {
        match self {
            Requirement::Python => "Python with DuckDB, pandas, pyarrow and schemathesis",
            Requirement::Promtool => "promtool",
            Requirement::Browser => "Node and Chromium",
        }
    }

    /// Whether the programs are available. If not, this prints the name of the skipped test, or panics if
    /// [`REQUIRE_ALL`] is set. Call it first in a test: `if !Requirement::Browser.is_available() { return;
    /// }`.
    ///
    /// # Panics
    /// If a program is missing and [`REQUIRE_ALL`] is set.
    pub fn is_available(self) -> bool {
        let missing = self.variables().iter().find(|variable| std::env::var_os(variable).is_none());
        let Some(variable) = missing else { return true };
        let needs = format!("needs {} ({variable} is not set); run `cargo xtask test`", self.description());
        assert!(std::env::var_os(REQUIRE_ALL).is_none(), "{needs}");
        let thread = std::thread::current();
        // Written directly: the test harness would capture `eprintln!`. A failure to print is no failure of
        // the test.
        let _ = writeln!(std::io::stderr(), "SKIPPED {}: {needs}", thread.name().unwrap_or("test"));
        false
    }
}
