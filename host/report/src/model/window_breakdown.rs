//! The values of metrics in each window by condition and by scope.
//!
//! Invariant: a window without pairs of a condition value has no entry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::divergence::SubgroupTerm;
use understudy_statistics::scoring::Interval;

/// The extent of the values by window and condition. The values themselves are in the scores of each model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WindowBreakdown {
    /// The index in `windows` of the first window that is broken down. It is above 0 only if all windows together had too
    /// many values.
    pub first_window: u64,
    /// The number of pairs below which a value is marked.
    pub min_pairs: u64,
    /// The name of the threshold's metric, which has values by scope; null without a threshold.
    pub threshold_metric: Option<String>,
    /// The declared scopes, in order; empty without a threshold.
    pub scopes: Vec<ScopeInfo>,
}

/// A scope: a part of the input that has a verdict of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScopeInfo {
    /// The name in `study.toml`.
    pub name: String,
    /// The condition values that belong to it. A pair is in the scope if it has one of the values of each condition.
    pub values: Vec<SubgroupTerm>,
}

/// The value of a metric over some pairs of one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WindowValue {
    /// The index of the window in `windows`.
    pub window: u64,
    /// The value; null where it is undefined. An interim report also withholds values of fewer than five pairs, and
    /// those from which such a value would follow; they have no `sums`.
    pub value: Option<f64>,
    /// The 95 % confidence interval, for this value alone. Only for the metrics of the divergence search and of the
    /// threshold, and null where it cannot be computed.
    pub interval: Option<Interval>,
    /// The number of compared pairs.
    pub pairs: u64,
    /// Pairs that the model did not answer; they are included in `pairs`.
    pub unanswered: u64,
    /// Pairs on which the metric failed; the value is computed over the others.
    pub unscored: u64,
    /// The sum of each component, in the order of the metric's `components`; empty where the value is withheld.
    pub sums: Vec<f64>,
}

impl WindowValue {
    /// Whether the value is withheld, as in an interim report where it would reveal single rows.
    pub fn is_withheld(&self) -> bool {
        self.pairs > 0 && self.sums.is_empty()
    }
}
