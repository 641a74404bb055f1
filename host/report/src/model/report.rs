//! The report of a run: the content of `report.json`.
//!
//! Invariants: a figure is stored here once, and every rendering shows that one. The order of models, metrics,
//! conditions and windows is the same in every list.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ceiling::CeilingReport;
use crate::model::divergence::{AnswerDistributions, DivergenceReport, ReliabilityBin};
use crate::model::revisions::RevisionReport;
use crate::model::run_summary::{
    DeterminismSummary, ExcludedExample, LatencySummary, MissingAnswers, MissingValues, PluginFailure,
    RunEnd, SubstrateLatencySummary,
};
use crate::model::window_breakdown::{WindowBreakdown, WindowValue};
use understudy_records::diagnosis::InputDiagnosis;
use understudy_records::join::Accounting;
use understudy_sandbox::Better;
use understudy_statistics::verdict::PairCounts;
use understudy_study::{AnswerForm, FollowUp, Metadata, TrainingPeriod};

pub use crate::model::metric_value::MetricValue;

/// The version of the format. It changes when a reader of the previous version would misread a report.
pub const FORMAT: u32 = 3;

/// The report of a run. Written as `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The version of the format.
    pub format: u32,
    /// The name of the study.
    pub study: String,
    /// Owners, protocol and notes of the study, as declared.
    #[serde(default)]
    pub metadata: Metadata,
    /// The verdict of an earlier study that asked for this one; null if none did.
    pub follow_up: Option<FollowUp>,
    /// SHA-256 of the canonical form of the declaration, as in the seal, in hexadecimal.
    pub declaration_digest: String,
    /// The IANA time zone, or the UTC offset, of windows and calendar conditions.
    pub time_zone: String,
    /// When the run started.
    pub started_at: Timestamp,
    /// When the run ended; of an interim report, when it was made.
    pub ended_at: Timestamp,
    /// How the run ended.
    pub end: RunEnd,
    /// What happened to every record of both streams.
    pub accounting: Accounting,
    /// The diagnosis of a run that read or joined fewer than a tenth of its records; null for any other.
    pub input_diagnosis: Option<InputDiagnosis>,
    /// How many pairs were compared.
    pub comparison: PairCounts,
    /// The pairs with more than one decision; null if the study refuses revisions.
    pub revisions: Option<RevisionReport>,
    /// The substrate's agreement with itself, and the ceiling that follows; null if the study declares none.
    pub ceiling: Option<CeilingReport>,
    /// The models, in the order declared.
    pub models: Vec<ModelReport>,
    /// The comparator.
    pub comparator: PluginInfo,
    /// The metrics, in the order declared.
    pub metrics: Vec<MetricInfo>,
    /// The conditions with their values, in the order declared.
    pub conditions: Vec<ConditionInfo>,
    /// The windows that have pairs, in order of time.
    pub windows: Vec<WindowInfo>,
    /// The extent of the values by window and condition.
    pub window_breakdown: WindowBreakdown,
    /// The latency of the substrate, from the times that the records carry.
    pub substrate_latency: SubstrateLatencySummary,
    /// Its distribution, over decisions dated at or after their snapshot.
    pub substrate_latency_quantiles: Vec<LatencyQuantile>,
    /// Where models and substrate differ: the search for divergent subgroups, and change points.
    pub divergence: DivergenceReport,
    /// SHA-256 of the seal of the replayed run, if this is an offline evaluation of its log; null for a shadow run.
    pub replay_of: Option<String>,
    /// Why answers are missing: the comparator first, then the models in the order declared; for each of them
    /// abstentions and failures, at most twenty reasons of each, the most frequent first, and the rest as one.
    pub missing_answers: Vec<MissingAnswers>,
    /// Failures of plugins, grouped by plugin and cause, the most frequent first.
    pub failures: Vec<PluginFailure>,
    /// The declared fields that some accepted record has no value of: those of the snapshots first, in the order declared.
    pub missing_values: Vec<MissingValues>,
    /// Examples of excluded records: at most the first ten for each stream and reason, in order of arrival.
    pub excluded: Vec<ExcludedExample>,
}

impl Report {
    /// Whether the values of a metric by window and condition have intervals: the metric is that of the divergence
    /// search or of the threshold.
    pub fn has_breakdown_intervals(&self, metric: &str) -> bool {
        metric == self.divergence.metric || self.window_breakdown.threshold_metric.as_deref() == Some(metric)
    }

    /// The content of `report.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }
}

/// A plugin of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginInfo {
    /// Its name in the study.
    pub name: String,
    /// The title and version that the plugin reports.
    pub title: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// The results of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelReport {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginInfo,
    /// The period of its training data, if it is declared.
    pub training_period: Option<TrainingPeriod>,
    /// The form of its answers.
    pub form: AnswerForm,
    /// Snapshots that it answered.
    pub answered: u64,
    /// Snapshots on which it abstained.
    pub abstained: u64,
    /// Snapshots on which it failed.
    pub failed: u64,
    /// Blinded snapshots, about which it is asked only once their decision is known.
    pub blinded: u64,
    /// Its latency: the time to answer a batch of snapshots, counted once for each row of the batch.
    pub latency: LatencySummary,
    /// The distribution of its latency.
    pub latency_quantiles: Vec<LatencyQuantile>,
    /// The result of the determinism check.
    pub determinism_check: DeterminismSummary,
    /// Its figures for each metric, in the order of `metrics`.
    pub scores: Vec<MetricScores>,
    /// The joint distribution of its answers and the substrate's.
    pub answer_distributions: AnswerDistributions,
    /// Its agreement by confidence: bins with pairs, in order. Empty in an interim report, for numbers, and if it reports
    /// neither confidences nor class probabilities.
    pub reliability: Vec<ReliabilityBin>,
}

/// A point of a latency distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LatencyQuantile {
    /// The share of the latencies, from 0 to 1, that are no longer than `nanos`.
    pub share: f64,
    /// The latency in nanoseconds, to three significant digits.
    pub nanos: u64,
}

/// A metric of the study: its plugin, its range and its components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MetricInfo {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginInfo,
    /// Whether it is the primary metric of the study.
    pub primary: bool,
    /// Whether higher or lower values mean closer agreement.
    pub better: Better,
    /// The lower end of its range; null if it has none.
    pub minimum: Option<f64>,
    /// The upper end of its range; null if it has none.
    pub maximum: Option<f64>,
    /// The names of its components: the sums that it is computed from.
    pub components: Vec<String>,
}

/// A condition: a variable by which figures are broken down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConditionInfo {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// A window of event time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WindowInfo {
    /// Its label, such as `week ending 2016-07-03`.
    pub label: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// The figures of one model for one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MetricScores {
    /// Over all compared pairs.
    pub overall: MetricValue,
    /// For each condition, for each of its values, in the order of `conditions`.
    pub conditions: Vec<Vec<MetricValue>>,
    /// For each window, in the order of `windows`.
    pub windows: Vec<MetricValue>,
    /// For each condition, for each of its values, the windows that have such pairs, in order of time.
    pub conditions_by_window: Vec<Vec<Vec<WindowValue>>>,
    /// For each declared scope the windows that have such pairs; empty unless this is the metric of the threshold.
    pub scopes_by_window: Vec<Vec<WindowValue>>,
    /// A remark on these figures, such as that they are the best possible by construction; null if there is none.
    pub remark: Option<String>,
}
