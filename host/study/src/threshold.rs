//! What would permit the next stage, declared before the first snapshot.
//!
//! Always holds: nothing that decides has a hidden default: metric and bound, quantifier, windows and evidence are written.
//! What has a default are guards, each of which can only keep a study from saying GO.

mod read;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use read::{Known, blinding, chosen, scopes, threshold};

/// What would permit the next stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The index of the metric.
    pub metric: usize,
    /// On which side of the bound the figure has to lie.
    pub direction: Direction,
    /// The bound, in units of the metric; meeting it is enough.
    pub bound: f64,
    /// How the windows have to pass.
    pub quantifier: Quantifier,
    /// Which windows count.
    pub windows: Counted,
    /// What has to lie on the right side of the bound.
    pub evidence: Evidence,
    /// The least compared pairs of each window that counts; with [`Counted::All`], of everything together.
    pub least_per_window: u64,
    /// The least compared pairs of each value of `conditions`, and of each value of the cycle.
    pub least_per_condition: u64,
    /// The indices of the conditions each of whose values needs as many, but for `other` and `missing`.
    pub conditions: Vec<usize>,
    /// The least share, from 0 to 1, of accepted snapshots that have been compared.
    pub least_coverage: f64,
    /// The greatest share, from 0 to 1, of the records of either stream that could not be read.
    pub most_rejected: f64,
    /// The greatest share, from 0 to 1, of the compared pairs that a model left unanswered or a metric could not score.
    pub most_unanswered: f64,
    /// The snapshots' field by which pairs hang together; the id unless declared.
    pub cluster: Option<String>,
    /// What agreement has to be worth beyond chance.
    pub chance: Option<Chance>,
    /// What has to have come round.
    pub cycle: Option<Cycle>,
    /// What the inputs have to look like.
    pub references: Vec<Reference>,
    /// What it does that somebody was shown answers during the study.
    pub on_exposure: Interference,
    /// What it does that the substrate or its comparator changed during the study.
    pub on_comparator_change: Interference,
    /// The line where it is declared, counted from 1.
    pub line: usize,
}

/// On which side of the bound the figure has to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// At the bound or above it.
    AtLeast,
    /// At the bound or below it.
    AtMost,
}

/// How the windows have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantifier {
    /// Each of them.
    EveryWindow,
    /// Taken together.
    Pooled,
}

/// Which windows count. A window counts only if it is complete: see [`crate::verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// The first so many complete ones; at least 1.
    First(u64),
    /// The latest so many complete ones; at least 1.
    Latest(u64),
    /// Everything, parts of windows too. Only with [`Quantifier::Pooled`].
    All,
}

/// What has to lie on the right side of the bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The figure itself.
    Point,
    /// The one-sided bound of its interval at this confidence, above 0.5 and below 1.
    Bound(f64),
}

/// What agreement of labels has to be worth beyond chance, over the windows that count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chance {
    /// The least Cohen's kappa.
    Kappa(f64),
    /// The least agreement above the share of the substrate's commonest label.
    Gain(f64),
}

/// A condition of the calendar all of whose values have to have come round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The index of the condition.
    pub condition: usize,
    /// How often each of its values has to have occurred; at least 1.
    pub times: u64,
}

/// What the inputs have to look like by one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The index of the condition.
    pub condition: usize,
    /// The share of each of its values.
    pub shares: Shares,
    /// How far a share may lie from its reference, from 0 to 1.
    pub tolerance: f64,
    /// The line where it is declared, counted from 1.
    pub line: usize,
}

/// The shares of a condition's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Shares {
    /// By the index of the value; their sum is 1.
    Listed(Vec<f64>),
    /// In a file: a JSON object of shares or counts by value. Relative to the study's folder.
    File(PathBuf),
}

/// What something that came between does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interference {
    /// The study says nothing any more.
    Void,
    /// What came after it does not count.
    Split,
}

/// What may come between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InterferenceKind {
    /// Somebody was shown answers of a model.
    Exposure,
    /// The substrate or its comparator changed.
    ComparatorChange,
}

/// A part of the input that may be promoted by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its name: letters, digits, `-` and `_`; not `all`.
    pub name: String,
    /// For each condition that matters its index, and the indices of the values that belong to the scope.
    pub values: Vec<(usize, Vec<usize>)>,
}

impl Scope {
    /// Whether a snapshot belongs to it; `value` gives the index of its value of a condition.
    pub fn holds(&self, value: impl Fn(usize) -> usize) -> bool {
        self.values.iter().all(|(condition, values)| values.contains(&value(*condition)))
    }
}

/// For which ids no model is asked before the decision has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blinding {
    /// The share of the ids, from 0 to 0.5; 0 for none.
    pub share: f64,
}
