//! What a run leaves behind: the sums and counts that every figure is made from.
//!
//! Always holds: nothing here is a figure yet, so a report can be made again, and from it alone and the plugins.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plugins::stored_files::StoredPlugin;
use crate::stats::determinism::DeterminismStats;
use crate::stats::latency::LatencyHistogram;
use crate::stats::latency::LatencyPercentiles;
use understudy_records::join::Accounting;
use understudy_statistics::scoring::{Cells, DistributionsBySlice, SliceSums};

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub end: EndReason,
    /// SHA-256 of the canonical form of the declaration, as the seal has it, in hexadecimal.
    pub declaration: String,
    /// The plugins that ran.
    pub kept: Vec<StoredPlugin>,
    /// Where every record has got to.
    pub accounting: Accounting,
    /// What became of the pairs.
    pub comparison: Comparison,
    /// The sums of the components. The last component of each metric is the host's count of pairs that it scored.
    pub cells: Cells,
    /// What it takes to say where they part.
    pub profiles: SliceSums,
    /// How answers lie to each other.
    pub spreads: DistributionsBySlice,
    /// For each model what it did.
    pub models: Vec<ModelCounts>,
    /// For each model the nanoseconds that its answers took.
    pub times: Vec<LatencyHistogram>,
    /// For each model what came of asking it again.
    pub again: Vec<DeterminismStats>,
    /// SHA-256 of the seal of the run whose log was replayed, if this is an offline evaluation.
    pub replay_of: Option<String>,
    /// How long the substrate took.
    pub substrate_latency: SubstrateLatency,
    /// The nanoseconds that it took, of decisions at or after their snapshot.
    pub substrate_times: LatencyHistogram,
    /// What broke, the most frequent first.
    pub incidents: Vec<FailureGroup>,
    /// The first records that were refused, at most ten of each stream and class.
    pub refused: Vec<ListedExclusion>,
}

/// What one model did with the snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCounts {
    /// Snapshots that it answered.
    pub answered: u64,
    /// Snapshots that it chose not to answer.
    pub abstained: u64,
    /// Snapshots that it failed on.
    pub failed: u64,
    /// Snapshots that it was not asked about before their decision had come.
    pub blinded: u64,
    /// The time until the batch of a snapshot was answered; its rows share it.
    pub latency: LatencyPercentiles,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// All sources came to their end.
    Finished,
    /// Somebody stopped it.
    Interrupted,
    /// A source broke off: what it said.
    SourceBroke(Vec<String>),
    /// It has not: it was looked at.
    Interim {
        /// The last window that is covered.
        window: String,
    },
}

impl EndReason {
    /// Whether nothing more can come. Before that, what tells of single rows could reach whoever has still to decide on them.
    pub fn is_final(&self) -> bool {
        matches!(self, EndReason::Finished)
    }
}

/// What became of the pairs: `paired` of the accounting is `compared + incomparable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// Pairs in which the comparator answered. Every figure is taken over these. In a report before the end those of the windows
    /// that are covered only.
    pub compared: u64,
    /// Pairs in which it did not, so there is nothing to compare with.
    pub incomparable: u64,
}

/// How long the substrate took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubstrateLatency {
    /// Decisions at or after their snapshot.
    pub after: LatencyPercentiles,
    /// Decisions dated before their snapshot, of which no latency can be told.
    pub before: u64,
}

/// Something that broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FailureGroup {
    /// The plugin's name in the study.
    pub plugin: String,
    /// What happened; before the run has ended without what the plugin said.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The id of the first row that it happened on; empty before the run has ended.
    pub first_id: String,
}

/// A record that takes no part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ListedExclusion {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Its line in the source, counted from 1.
    pub line: u64,
    /// `rejected`, `duplicate`, `conflict` or `late`.
    pub class: String,
    /// Why.
    pub reason: String,
}
