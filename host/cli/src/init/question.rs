//! Questions to the operator about values that the two feeds do not determine.

use std::fmt;

/// A value that cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What cannot be guessed, such as "the time of the snapshots".
    pub what: String,
    /// Why, as a clause.
    pub why: String,
    /// What to do, as a clause.
    pub advice: String,
}

impl Question {
    pub(super) fn new(
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Question {
        Question { what: what.into(), why: why.into(), advice: advice.into() }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot guess {}: {}; {}", self.what, self.why, self.advice)
    }
}
