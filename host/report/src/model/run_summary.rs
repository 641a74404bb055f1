//! The parts of a report that describe how the run went: its end, its counts, latencies and failures.
//!
//! Invariants: these types mirror types of the engine field by field. They are separate so that a change of the
//! engine's state cannot change the format of `report.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a run ended, or that it has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// All sources were read to their end.
    Finished,
    /// An operator stopped the run.
    Interrupted,
    /// A source failed; the messages name the sources.
    SourceFailed(Vec<String>),
    /// The run has not ended; this is an interim report.
    Interim {
        /// The label of the last window that the figures cover.
        window: String,
    },
}

impl RunEnd {
    /// Whether no more records can arrive. Until then, facts about single rows are withheld: they could reach a person
    /// who still has to decide.
    pub fn is_final(&self) -> bool {
        matches!(self, RunEnd::Finished)
    }
}

/// Quantiles of a latency distribution, in nanoseconds, to three significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LatencySummary {
    /// Number of measured latencies.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The maximum.
    pub max: u64,
}

/// The latency of the substrate: from the time of a snapshot to the time of its decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubstrateLatencySummary {
    /// Over decisions dated at or after their snapshot.
    pub latency: LatencySummary,
    /// Decisions dated before their snapshot, which have no latency.
    pub dated_before_snapshot: u64,
}

/// Failures of one plugin with the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginFailure {
    /// The plugin's name in the study.
    pub plugin: String,
    /// What happened; with `…` in place of its values if these differ. Before the run has ended this is only the kind of
    /// failure, without the plugin's own message.
    pub message: String,
    /// What happened on the first row, if `message` leaves out values; otherwise null.
    pub example: Option<String>,
    /// Number of failures.
    pub count: u64,
    /// The id of the first row that failed; empty before the run has ended.
    pub first_id: String,
    /// The sequence number of that row among the snapshots; null before the run has ended, and for a failure without a row.
    pub first_sequence: Option<u64>,
}

/// Whether a plugin chose not to answer or could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingKind {
    /// The plugin abstained.
    Abstained,
    /// The plugin reported that it cannot answer, trapped, exceeded a limit or gave an invalid answer.
    Failed,
}

impl MissingKind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            MissingKind::Abstained => "abstained",
            MissingKind::Failed => "failed",
        }
    }
}

/// Missing answers of one plugin with the same reason. The counts of the comparator add up to the incomparable pairs.
/// Those of a model add up to its abstentions and failures, and its missing answers to blinded snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MissingAnswers {
    /// The name of the comparator or model in the study.
    pub plugin: String,
    /// Whether it abstained or failed.
    pub kind: MissingKind,
    /// The reason; with `…` in place of its values if these differ. Null for all reasons that are not listed, and before
    /// the run has ended.
    pub reason: Option<String>,
    /// Number of missing answers.
    pub count: u64,
    /// The id of the first row without an answer; empty if `reason` is null.
    pub first_id: String,
    /// The reason for that row, if `reason` leaves out values; otherwise null.
    pub example: Option<String>,
}

/// A record that the run excluded, as an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ExcludedExample {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Its line in the source, counted from 1.
    pub line: u64,
    /// What `line` counts in its source: `line`, `row` or `record`.
    pub position: String,
    /// Why it was excluded: `rejected`, `duplicate`, `conflict` or `late`.
    pub reason: String,
    /// The cause in words.
    pub detail: String,
}

/// How often the accepted records of a stream have no value of a declared field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MissingValues {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// The name of the field.
    pub field: String,
    /// The accepted records without a value of the field; at least one.
    pub missing: u64,
    /// All accepted records of the stream.
    pub records: u64,
}

/// The result of the determinism check of one model: a sample of snapshots is answered a second time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeterminismSummary {
    /// Snapshots that were answered a second time.
    pub checked: u64,
    /// Those whose second answer differs from the first.
    pub mismatches: u64,
    /// The id of the first mismatch; empty if there is none, and before the run has ended.
    pub first_id: String,
}
