//! Revised decisions in a report: how many there are, and the agreement before and after the revision.
//!
//! Invariants: the metric values for the first and for the last decision are over the same pairs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::metric_value::MetricValue;

/// The pairs with more than one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisionReport {
    /// Which decision of a pair counts.
    pub counts: CountingDecision,
    /// The field that orders the decisions of a pair; null if their event times do.
    pub version: Option<String>,
    /// Over all pairs.
    pub overall: RevisionNumbers,
    /// For each condition, for each of its values, in the order of `conditions`.
    pub conditions: Vec<Vec<RevisionNumbers>>,
    /// For each model, in the order of `models`.
    pub models: Vec<ModelRevisions>,
}

/// The decision of a pair that all other figures of the report are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountingDecision {
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// The numbers of revisions in some pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisionNumbers {
    /// Pairs with more than one decision.
    pub pairs: u64,
    /// The decisions of these pairs that do not count.
    pub decisions: u64,
    /// Of these pairs, those whose first and last decision the comparator answered.
    pub known: u64,
    /// Of the known pairs, those whose two answers differ; null in an interim report where fewer than five are known.
    pub changed: Option<u64>,
}

/// The agreement of a model before and after the revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelRevisions {
    /// For each metric, in the order of `metrics`.
    pub scores: Vec<RevisionScores>,
}

/// The values of a metric over the known pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisionScores {
    /// Against the first decision of each pair.
    pub first: SlicedValues,
    /// Against the last decision of each pair.
    pub last: SlicedValues,
}

/// The values of a metric over all pairs and by condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SlicedValues {
    /// Over all pairs.
    pub overall: MetricValue,
    /// For each condition, for each of its values, in the order of `conditions`.
    pub conditions: Vec<Vec<MetricValue>>,
}
