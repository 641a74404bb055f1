//! A comparison of models: the figures of each over the same pairs, and their differences.
//!
//! Invariants: every figure is computed over pairs that all compared models have.

use serde::Serialize;

use crate::model::report::PluginInfo;
use understudy_sandbox::Better;
use understudy_statistics::scoring::Interval;

/// Models compared with a reference model. Printed by `understudy compare --format json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ModelComparison {
    /// The version of the format: 2.
    pub format: u32,
    /// The confidence of each bound by itself.
    pub confidence: f64,
    /// The run directories, one or two.
    pub runs: Vec<ComparedRun>,
    /// Pairs that all models have; the figures are computed over these.
    pub pairs: u64,
    /// Whether the same comparator turned the decisions into answers in both runs.
    pub same_comparator: bool,
    /// The model that the others are compared with.
    pub reference: RunModel,
    /// The other models.
    pub others: Vec<ComparedModel>,
}

/// One of the compared runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComparedRun {
    /// Its directory, as given on the command line.
    pub run: String,
    /// The name of its study.
    pub study: String,
    /// Its compared pairs.
    pub pairs: u64,
    /// Those that the other run does not have; 0 if there is no other run.
    pub unmatched_pairs: u64,
}

/// A model of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunModel {
    /// The directory of the run, as given on the command line.
    pub run: String,
    /// The model.
    #[serde(flatten)]
    pub plugin: PluginInfo,
}

/// A model compared with the reference model.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComparedModel {
    /// The model.
    pub model: RunModel,
    /// First all pairs, then each value of each condition that has at least five pairs.
    pub slices: Vec<ComparisonSlice>,
}

/// The comparison over some of the pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComparisonSlice {
    /// The condition; null for all pairs.
    pub condition: Option<String>,
    /// The value of the condition; null for all pairs.
    pub value: Option<String>,
    /// Number of pairs.
    pub pairs: u64,
    /// How often each model agrees with the substrate; null for numeric answers.
    pub agreement: Option<AgreementCounts>,
    /// The two figures and their difference for each metric.
    pub metrics: Vec<MetricDifference>,
}

/// How often two models agree with the substrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AgreementCounts {
    /// Pairs in which both models agree.
    pub both: u64,
    /// Pairs in which only the reference model agrees.
    pub only_reference: u64,
    /// Pairs in which only the other model agrees.
    pub only_other: u64,
    /// Pairs in which neither model agrees.
    pub neither: u64,
}

/// The values of one metric for two models.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MetricDifference {
    /// The name of the metric.
    pub metric: String,
    /// Whether higher or lower values mean closer agreement.
    pub better: Better,
    /// Pairs that the metric scored for both models.
    pub pairs: u64,
    /// The value for the reference model; null where it is undefined.
    pub reference: Option<f64>,
    /// The value for the other model; null where it is undefined.
    pub other: Option<f64>,
    /// `other` minus `reference`.
    pub difference: Option<f64>,
    /// The confidence interval of the difference; null where its variance cannot be estimated.
    pub interval: Option<Interval>,
    /// The two-sided p-value of the hypothesis that there is no difference.
    pub p_value: Option<f64>,
}

impl ModelComparison {
    /// The text that `understudy compare --format json` prints.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("figures are plain data");
        json + "\n"
    }
}
