//! What the ledger tells of judgements: who was right where a model and the substrate differ.
//!
//! Always holds: a judgement is in the ledger or it was not given; every other place that has it was made from there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Disagreements of one stratum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampledStratum {
    /// What it is called: the values of its conditions, or `elsewhere`.
    pub name: String,
    /// How many disagreements it has.
    pub disagreements: u64,
    /// How many of them were drawn.
    pub drawn: u64,
}

/// Who was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The model, and the substrate was not.
    ModelRight,
    /// The substrate, and the model was not.
    SubstrateRight,
    /// What either would do is as good.
    BothFine,
    /// It cannot be told.
    Unclear,
}

impl Judgement {
    /// All of them.
    pub const ALL: [Judgement; 4] =
        [Judgement::ModelRight, Judgement::SubstrateRight, Judgement::BothFine, Judgement::Unclear];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Judgement::ModelRight => "model right",
            Judgement::SubstrateRight => "substrate right",
            Judgement::BothFine => "both fine",
            Judgement::Unclear => "unclear",
        }
    }
}

/// How whoever was wrong went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureMode {
    /// What it cannot do was known before.
    KnownGap,
    /// The case lies between two answers.
    Boundary,
    /// Nothing like it had come before.
    Novel,
    /// What it was shown was wrong.
    DataFault,
}

impl FailureMode {
    /// All of them.
    pub const ALL: [FailureMode; 4] =
        [FailureMode::KnownGap, FailureMode::Boundary, FailureMode::Novel, FailureMode::DataFault];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            FailureMode::KnownGap => "known gap",
            FailureMode::Boundary => "boundary",
            FailureMode::Novel => "novel",
            FailureMode::DataFault => "data fault",
        }
    }
}
