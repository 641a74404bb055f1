//! The report of a verification: passed checks, skipped checks and issues.

use std::fmt::{self, Display};

use understudy_run_log::register::RegisterContent;

/// The location of an issue that a model gave other answers when they were computed again.
pub(crate) const DETERMINISM: &str = "determinism";

/// A fault of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The file relative to the run directory, perhaps with a line, or the part of the log.
    pub location: String,
    /// The fault.
    pub what: String,
}

impl Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.what)
    }
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerifyReport {
    /// Passed checks with details, such as "ledger", "18 entries, each chained to the one before".
    pub passed: Vec<(&'static str, String)>,
    /// Skipped checks, each with the reason.
    pub skipped: Vec<(&'static str, String)>,
    /// The faults.
    pub issues: Vec<Issue>,
    /// The register of seals; `None` if the study names none, or the run is not in it.
    pub register: Option<RegisterContent>,
}

impl VerifyReport {
    /// Adds an issue.
    pub fn issue(&mut self, location: impl Display, what: impl Display) {
        self.issues.push(Issue { location: location.to_string(), what: what.to_string() });
    }

    /// Runs a check, which returns its details. It passes if it adds no issue.
    pub fn check(&mut self, name: &'static str, check: impl FnOnce(&mut VerifyReport) -> String) {
        let before = self.issues.len();
        let details = check(self);
        if self.issues.len() == before {
            self.passed.push((name, details));
        }
    }
}
