//! Reviews in the ledger: judgements of who is right where a model and the substrate disagree.
//!
//! Invariant: the ledger is the only source of judgements; every other file that has them is derived from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stratum of a review sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampledStratum {
    /// The name: the values of its conditions, or `elsewhere`.
    pub name: String,
    /// The number of disagreements in the stratum.
    pub disagreements: u64,
    /// The number of rows drawn from it.
    pub drawn: u64,
}

/// A reviewer's judgement of a disagreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The model is right and the substrate is wrong.
    ModelRight,
    /// The substrate is right and the model is wrong.
    SubstrateRight,
    /// Both answers are acceptable.
    BothFine,
    /// The reviewer cannot tell.
    Unclear,
}

impl Judgement {
    /// All values.
    pub const ALL: [Judgement; 4] =
        [Judgement::ModelRight, Judgement::SubstrateRight, Judgement::BothFine, Judgement::Unclear];

    /// The text for reports.
    pub fn text(self) -> &'static str {
        match self {
            Judgement::ModelRight => "model right",
            Judgement::SubstrateRight => "substrate right",
            Judgement::BothFine => "both fine",
            Judgement::Unclear => "unclear",
        }
    }
}

/// Why the wrong side was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureMode {
    /// A known limitation.
    KnownGap,
    /// A borderline case between two answers.
    Boundary,
    /// A case unlike any before.
    Novel,
    /// Its input data was wrong.
    DataFault,
}

impl FailureMode {
    /// All values.
    pub const ALL: [FailureMode; 4] =
        [FailureMode::KnownGap, FailureMode::Boundary, FailureMode::Novel, FailureMode::DataFault];

    /// The text for reports.
    pub fn text(self) -> &'static str {
        match self {
            FailureMode::KnownGap => "known gap",
            FailureMode::Boundary => "boundary",
            FailureMode::Novel => "novel",
            FailureMode::DataFault => "data fault",
        }
    }
}
