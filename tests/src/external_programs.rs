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
    /// Python with the packages of `examples/models/requirements.txt`.
    ModelLibraries,
    /// Python with those packages and of `examples/models/requirements-pytorch.txt`. Several gigabytes, so `cargo xtask test` does not
    /// install it.
    PyTorch,
    /// The program `promtool` of Prometheus.
    Promtool,
    /// The program `docker-registry` of the Distribution project.
    Registry,
    /// Node, the packages of `tests/browser/package.json`, and Chromium.
    Browser,
    /// Node and the packages of `tests/javascript/package.json`.
    JavaScript,
    /// Python with the packages of `tests/requirements-c.txt`: a C compiler.
    C,
}

impl Requirement {
    /// The environment variables that locate the programs.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Requirement::Python => &["UNDERSTUDY_PYTHON"],
            Requirement::ModelLibraries => &["UNDERSTUDY_MODELS_PYTHON"],
            Requirement::PyTorch => &["UNDERSTUDY_PYTORCH_PYTHON"],
            Requirement::Promtool => &["UNDERSTUDY_PROMTOOL"],
            Requirement::Registry => &["UNDERSTUDY_DOCKER_REGISTRY"],
            Requirement::Browser => &["UNDERSTUDY_CHROMIUM", "UNDERSTUDY_NODE_MODULES"],
            Requirement::JavaScript => &["UNDERSTUDY_JAVASCRIPT_MODULES"],
            Requirement::C => &["UNDERSTUDY_ZIG_PYTHON"],
        }
    }

    fn description(self) -> &'static str {
        match self {
            Requirement::Python => "Python with the packages of tests/requirements.txt",
            Requirement::ModelLibraries => "Python with scikit-learn, XGBoost, LightGBM, CatBoost and MLflow",
            Requirement::PyTorch => "Python with PyTorch",
            Requirement::Promtool => "promtool",
            Requirement::Registry => "docker-registry",
            Requirement::Browser => "Node and Chromium",
            Requirement::JavaScript => "Node with componentize-js and esbuild",
            Requirement::C => "Python with ziglang",
        }
    }

    /// Whether the test can do without the programs even if [`REQUIRE_ALL`] is set.
    fn is_optional(self) -> bool {
        self == Requirement::PyTorch
    }

    /// Whether the programs are available. If not, this prints the name of the skipped test, or panics if
    /// [`REQUIRE_ALL`] is set. Call it first in a test: `if !Requirement::Browser.is_available() { return;
    /// }`.
    ///
    /// # Panics
    /// If a program that is not optional is missing and [`REQUIRE_ALL`] is set.
    pub fn is_available(self) -> bool {
        let missing = self.variables().iter().find(|variable| std::env::var_os(variable).is_none());
        let Some(variable) = missing else { return true };
        let remedy = if self.is_optional() { "set it" } else { "run `cargo xtask test`" };
        let needs = format!("needs {} ({variable} is not set); {remedy}", self.description());
        assert!(self.is_optional() || std::env::var_os(REQUIRE_ALL).is_none(), "{needs}");
        let thread = std::thread::current();
        // Written directly: the test harness would capture `eprintln!`. A failure to print is no failure of
        // the test.
        let _ = writeln!(std::io::stderr(), "SKIPPED {}: {needs}", thread.name().unwrap_or("test"));
        false
    }
}
