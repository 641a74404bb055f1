//! The threshold: what a model must achieve for a GO, declared before the first snapshot.
//!
//! Invariants: what decides has no default, so bound, quantifier, windows and evidence are always written; only guards
//! have defaults, and a guard can prevent a GO but never cause one.

mod ceiling_share;
mod chance;
mod family;
mod read;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AnswerForm;

pub use chance::{ChanceRequirement, chance_forms};
pub use family::Family;
pub(super) use family::VerdictCount;
pub(super) use read::{Declarations, blinding, chosen, scopes, threshold};

/// What a model must achieve for a GO.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The index of the metric in the study.
    pub metric: usize,
    /// The side of the bound on which the metric must be.
    pub direction: Direction,
    /// The bound in units of the metric. Equality meets it.
    pub bound: f64,
    /// Whether the windows pass one by one or together.
    pub quantifier: Quantifier,
    /// Which windows are evaluated.
    pub windows: WindowChoice,
    /// What is compared with the bound.
    pub evidence: Evidence,
    /// The minimum of compared pairs in each evaluated window; with [`WindowChoice::All`], in all windows together.
    pub least_per_window: u64,
    /// The minimum of compared pairs for each value of `conditions` and of the cycle.
    pub least_per_condition: u64,
    /// The indices of the conditions whose values need that many pairs; `other` and `missing` do not.
    pub conditions: Vec<usize>,
    /// The minimum share, from 0 to 1, of accepted snapshots that are compared.
    pub least_coverage: f64,
    /// The maximum share, from 0 to 1, of rejected records in either stream.
    pub most_rejected: f64,
    /// The maximum share, from 0 to 1, of late records in either stream.
    pub most_late: f64,
    /// The maximum share, from 0 to 1, of conflicting records in either stream.
    pub most_conflict: f64,
    /// The maximum share, from 0 to 1, of decisions without a snapshot.
    pub most_orphaned: f64,
    /// The maximum share, from 0 to 1, of mirrored requests that never became a record.
    pub most_shed: f64,
    /// The maximum share, from 0 to 1, of compared pairs without an answer or without a score.
    pub most_unanswered: f64,
    /// The snapshot field that groups dependent pairs into clusters; the id by default.
    pub cluster: Option<String>,
    /// What is required beyond chance; `None` if not declared. A threshold that can be sealed declares it.
    pub chance: Option<ChanceRequirement>,
    /// The form of the answers, which the comparator's plugin determines; labels until the plugin is loaded.
    pub form: AnswerForm,
    /// The share of the substrate's ceiling that the agreement must reach, above 0 and up to 1.
    pub of_ceiling: Option<f64>,
    /// How several verdicts share the confidence; `None` if not declared. If bounds decide several verdicts, it is declared.
    pub family: Option<Family>,
    /// The calendar condition whose values must all have occurred.
    pub cycle: Option<Cycle>,
    /// The expected distributions of the inputs.
    pub references: Vec<Reference>,
    /// The effect of showing answers to somebody during the study.
    pub on_exposure: InterferenceEffect,
    /// The effect of a change of the substrate or the comparator during the study.
    pub on_comparator_change: InterferenceEffect,
    /// The line of the declaration, from 1.
    pub line: usize,
}

impl Threshold {
    /// Whether anything is required beyond chance.
    fn asks_chance(&self) -> bool {
        self.chance.is_some_and(|chance| chance != ChanceRequirement::NotAsked)
    }

    /// Whether agreement beyond chance is required, which is computed from the labels.
    pub fn needs_labels(&self) -> bool {
        self.asks_chance() && self.form == AnswerForm::Label
    }

    /// Whether a gain over baselines is required, which is computed from the baselines' scores.
    pub fn needs_baselines(&self) -> bool {
        self.asks_chance() && self.form != AnswerForm::Label
    }

    /// Whether the bounds of agreement beyond chance come from a jackknife, which needs the labels by group.
    pub fn needs_label_groups(&self) -> bool {
        let is_kappa = matches!(self.chance, Some(ChanceRequirement::Kappa(_)));
        self.needs_labels() && self.evidence != Evidence::Point && (is_kappa || self.cluster.is_some())
    }
}

/// The side of the bound on which the metric must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The metric must be at least the bound.
    AtLeast,
    /// The metric must be at most the bound.
    AtMost,
}

/// Whether the windows pass one by one or together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantifier {
    /// Each window must pass.
    EveryWindow,
    /// The windows must pass taken together.
    Pooled,
}

/// Which windows are evaluated. Except for [`WindowChoice::All`], a window must be complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowChoice {
    /// The first complete windows, this many; at least 1.
    First(u64),
    /// The latest complete windows, this many; at least 1.
    Latest(u64),
    /// All pairs, including those of incomplete windows. Only with [`Quantifier::Pooled`].
    All,
}

/// What is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The point estimate.
    Point,
    /// The one-sided confidence bound at this level, above 0.5 and below 1.
    Bound(f64),
}

/// A calendar condition whose values must all have occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The index of the condition in the study.
    pub condition: usize,
    /// How often each value must have occurred; at least 1.
    pub times: u64,
}

/// The expected distribution of the inputs over one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The index of the condition in the study.
    pub condition: usize,
    /// The expected share of each value.
    pub shares: Shares,
    /// The largest allowed difference between a share and its expected share, from 0 to 1.
    pub tolerance: f64,
    /// The line of the declaration, from 1.
    pub line: usize,
}

/// The expected shares of a condition's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Shares {
    /// Indexed by value; the sum is 1.
    Listed(Vec<f64>),
    /// The path of a JSON object of shares or counts by value, relative to the directory of `study.toml`.
    File(PathBuf),
}

/// The effect of an interference on the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterferenceEffect {
    /// The verdict is VOID.
    Void,
    /// Pairs after the interference are not evaluated.
    Split,
}

/// An event that may influence decisions during the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InterferenceKind {
    /// Answers of a model were shown to somebody.
    Exposure,
    /// The substrate or its comparator changed.
    ComparatorChange,
}

/// A part of the input that has a verdict of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The name: letters, digits, `-` and `_`; not `all`.
    pub name: String,
    /// The index of each restricted condition, with the indices of the values that belong to the scope.
    pub values: Vec<(usize, Vec<usize>)>,
}

impl Scope {
    /// Whether a snapshot belongs to the scope. `value` returns the snapshot's value index of a condition.
    pub fn holds(&self, value: impl Fn(usize) -> usize) -> bool {
        self.values.iter().all(|(condition, values)| values.contains(&value(*condition)))
    }
}

/// The ids for which no model is called before the decision is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blinding {
    /// The share of blinded ids, from 0 to 0.5.
    pub share: f64,
}
