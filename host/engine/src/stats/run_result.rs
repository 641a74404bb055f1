//! The result of a run: the sums and counts that the report is computed from.
//!
//! Invariants: nothing here is a statistic yet, so the report can be computed again from the result and the
//! plugins alone.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plugins::stored_files::StoredPlugin;
use crate::stats::determinism::DeterminismStats;
use crate::stats::latency::LatencyHistogram;
use crate::stats::latency::LatencyPercentiles;
use understudy_records::diagnosis::InputDiagnosis;
use understudy_records::join::Accounting;
use understudy_statistics::scoring::{
    Cells, DistributionsBySlice, RevisionSums, SelfAgreementSums, SliceSums, VerdictEvidence, Window,
    WindowClock, last_covered_window,
};
use understudy_statistics::verdict::PairCounts;
use understudy_study::{Micros, PerStream, Study};

/// Everything that an ended run hands to the report.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// When the run started.
    pub began: Timestamp,
    /// When the run ended.
    pub ended: Timestamp,
    /// Why the run ended.
    pub end: EndReason,
    /// SHA-256 of the canonical declaration, as in the seal, in hexadecimal.
    pub declaration: String,
    /// The sealed plugins.
    pub plugins: Vec<StoredPlugin>,
    /// Per stream: the latest event time; `None` without records.
    pub clocks: PerStream<Option<Micros>>,
    /// The accounting of all records.
    pub accounting: Accounting,
    /// How many pairs could be compared.
    pub comparison: PairCounts,
    /// Sums of the metric components. The last component of each metric is the host's count of scored pairs.
    pub cells: Cells,
    /// Sums of the threshold's metric per window and scope; empty without a threshold.
    pub evidence: VerdictEvidence,
    /// How often the substrate decides the same for the same input class; empty without `[ceiling]`.
    pub self_agreement: SelfAgreementSums,
    /// Sums per subgroup, for the divergence search.
    pub profiles: SliceSums,
    /// Distributions of the models' answers against the comparator's.
    pub answer_distributions: DistributionsBySlice,
    /// Counts and scores of the pairs with more than one decision.
    pub revisions: RevisionSums,
    /// Per model: its answer counts.
    pub models: Vec<ModelCounts>,
    /// Per model: latency of its answers.
    pub times: Vec<LatencyHistogram>,
    /// Per model: result of the determinism check.
    pub determinism: Vec<DeterminismStats>,
    /// The diagnosis of a run that read or joined fewer than a tenth of its records; `None` for any other.
    pub diagnosis: Option<InputDiagnosis>,
    /// SHA-256 of the seal of the replayed run, in hexadecimal, if this is an offline evaluation.
    pub replay_of: Option<String>,
    /// Latency of the substrate.
    pub substrate_latency: SubstrateLatency,
    /// Histogram of the substrate's latency, over decisions at or after their snapshot.
    pub substrate_times: LatencyHistogram,
    /// Failures, most frequent first.
    pub failures: Vec<FailureGroup>,
    /// Why answers are missing, by plugin and kind, the most frequent reasons first.
    pub unanswered: Vec<UnansweredGroup>,
    /// Per stream and declared field: the accepted records without a value. Empty without records.
    pub missing_values: PerStream<Vec<u64>>,
    /// The first excluded records, at most ten per stream and reason.
    pub exclusions: Vec<ListedExclusion>,
}

impl RunResult {
    /// The result with the sums of those windows only that no pair can join any more, as in an interim report. If a run is
    /// stopped and resumed again and again, other figures would change with single pairs. Counts of records remain.
    pub fn through_complete_windows(&self, study: &Study) -> RunResult {
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let before = study.complete_before(self.clocks);
        let windows: Vec<Window> = self.cells.iter().map(|(window, _)| window).collect();
        let Some(first) = windows.first() else { return self.clone() };
        let is_complete =
            |window: &Window| before.is_some_and(|before| Micros(clock.bounds(*window).end) <= before);
        let complete = windows.iter().copied().take_while(is_complete).last();
        // The window before the first one has no sums.
        let last = complete.and_then(|last| last_covered_window(&self.cells, last));
        let last = last.unwrap_or_else(|| clock.window(clock.bounds(*first).start - 1));
        RunResult {
            cells: self.cells.through(last),
            evidence: self.evidence.through(last),
            self_agreement: self.self_agreement.through(last),
            profiles: self.profiles.through(last),
            answer_distributions: self.answer_distributions.through(last),
            revisions: self.revisions.through(last),
            ..self.clone()
        }
    }
}

/// Answer counts of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCounts {
    /// Answered snapshots.
    pub answered: u64,
    /// Snapshots that the model abstained from.
    pub abstained: u64,
    /// Snapshots that the model failed on.
    pub failed: u64,
    /// Blinded snapshots: the model was only called after their decision.
    pub blinded: u64,
    /// Latency of the batch that contains the snapshot; all rows of a batch have the same.
    pub latency: LatencyPercentiles,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// All sources reached their end.
    Finished,
    /// A signal or command stopped the run.
    Interrupted,
    /// A source failed; its errors.
    SourceBroke(Vec<String>),
    /// The run goes on: this is an interim report.
    Interim {
        /// The last window that the report covers.
        window: String,
    },
}

impl EndReason {
    /// Whether no more records can arrive. Before that, details of single rows could reach people who still
    /// decide about them.
    pub fn is_final(&self) -> bool {
        matches!(self, EndReason::Finished)
    }
}

/// How long the substrate took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubstrateLatency {
    /// Latency of decisions dated at or after their snapshot.
    pub after: LatencyPercentiles,
    /// Number of decisions dated before their snapshot, which have no latency.
    pub before: u64,
}

/// Failures of one plugin that differ only in values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FailureGroup {
    /// The plugin's name in the study.
    pub plugin: String,
    /// The failure, with `…` in place of its values if these differ.
    pub what: String,
    /// The failure on the first row, if `what` leaves out values.
    pub example: Option<String>,
    /// Number of occurrences.
    pub count: u64,
    /// Sequence number of the first failed row.
    pub first: u64,
    /// Id of the first failed row; empty in an interim report.
    pub first_id: String,
}

/// Whether a plugin chose not to answer or could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnansweredKind {
    /// The plugin abstained.
    Abstained,
    /// The plugin reported that it cannot answer, or broke.
    Failed,
}

/// Missing answers of one plugin with the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnansweredGroup {
    /// The plugin's name in the study.
    pub plugin: String,
    /// Whether it abstained or failed.
    pub kind: UnansweredKind,
    /// The reason; with `…` in place of its values if these differ. `None` for all reasons that are not listed.
    pub reason: Option<String>,
    /// Number of missing answers.
    pub count: u64,
    /// Id of the first row without an answer.
    pub first_id: String,
    /// The reason for the first row, if `reason` leaves out values.
    pub example: Option<String>,
}

/// An excluded record, as the report lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ListedExclusion {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// Line in the source, from 1.
    pub line: u64,
    /// `rejected`, `duplicate`, `conflict` or `late`.
    pub class: String,
    /// Why.
    pub reason: String,
}
