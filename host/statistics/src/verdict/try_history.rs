//! The other tries of a study that its register of seals has, as a verdict lists them.
//!
//! Invariants: a history depends on the entries of the register alone. It changes no verdict.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether other tries of a study are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum KnownTries {
    /// The study names no register, so other tries are not known.
    #[default]
    NoRegister,
    /// The study names a register, but an interim report does not read it.
    NotRead,
    /// The register was read.
    Read(TryHistory),
}

/// The other tries of a study in its register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TryHistory {
    /// The identity of the register: SHA-256 of its first line, in hexadecimal.
    pub register: String,
    /// The time at which the register was opened.
    pub opened_at: Timestamp,
    /// The number of the entry of this study's seal.
    pub entry: u64,
    /// The number of entries when the verdict was given.
    pub entries: u64,
    /// SHA-256 of the last line when the verdict was given, in hexadecimal.
    pub head: String,
    /// The seals before this one that have the study's name, its feed or its fields, in order of time.
    pub earlier: Vec<OtherTry>,
    /// Such seals after this one and before the verdict, in order of time.
    pub later: Vec<OtherTry>,
    /// The number of runs under this seal that began before this run.
    pub earlier_runs: u64,
    /// The number of runs under this seal that began after this run and before the verdict.
    pub later_runs: u64,
}

/// Another seal of the same study, over the same feed, or of the same fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OtherTry {
    /// The number of its entry.
    pub entry: u64,
    /// The time of its entry.
    pub at: Timestamp,
    /// The name of its study.
    pub study: String,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal: String,
    /// Its threshold in words; `None` if it has none.
    pub threshold: Option<String>,
    /// Whether the study has the same name.
    pub same_study: bool,
    /// Whether the sources are the same.
    pub same_feed: bool,
    /// Whether the models may read the same fields.
    pub same_fields: bool,
    /// The number of runs under it that began before the verdict.
    pub runs: u64,
}

impl TryHistory {
    /// The number of this seal among those whose study has the same name, from 1.
    pub fn try_number(&self) -> usize {
        self.earlier.iter().filter(|seal| seal.same_study).count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_is_numbered_among_the_seals_with_the_name_of_the_study() {
        let seal = |same_study| OtherTry {
            entry: 1,
            at: Timestamp::UNIX_EPOCH,
            study: "yard".to_owned(),
            seal: "5ea1".to_owned(),
            threshold: None,
            same_study,
            same_feed: true,
            same_fields: true,
            runs: 1,
        };
        let number = |earlier: &[bool]| {
            let history = TryHistory {
                register: "4e61".to_owned(),
                opened_at: Timestamp::UNIX_EPOCH,
                entry: 9,
                entries: 12,
                head: "4ead".to_owned(),
                earlier: earlier.iter().map(|same| seal(*same)).collect(),
                later: vec![seal(true)],
                earlier_runs: 0,
                later_runs: 0,
            };
            history.try_number()
        };
        assert_eq!([number(&[]), number(&[false]), number(&[true, false, true])], [1, 1, 3]);
    }
}
