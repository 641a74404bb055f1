//! `checkpoint.bin`: the state of a run at the end of a sealed group, or at its own end.
//!
//! Invariants: a checkpoint covers exactly the records of the log up to `counters.position`; so it can be
//! verified against the log, and the run can resume from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::seal::manifest::Seal;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use crate::stats::latency::LatencyPercentiles;
use crate::stats::run_result::{EndReason, RunResult, SubstrateLatency};
use understudy_records::diagnosis::InputDiagnosis;
use understudy_records::join::Accounting;

/// Maximum number of reasons for missing answers that a result lists for each plugin and kind.
const LISTED_REASONS: usize = 20;

/// The state of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// SHA-256 of the run's `seal.json`, in hexadecimal.
    pub seal: String,
    /// Number of sealed groups, including the one that this checkpoint is sealed with.
    pub groups: u32,
    /// When the run started.
    pub began: Timestamp,
    /// Counters of records.
    pub counters: RunCounters,
    /// Sums of the evaluation; filled in by the evaluation thread.
    pub aggregates: Option<Aggregates>,
    /// The end of the run, if it has ended.
    pub end: Option<EndState>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndState {
    /// When the run ended.
    pub at: Timestamp,
    /// Why the run ended.
    pub end: EndReason,
    /// The final accounting of all records.
    pub accounting: Accounting,
    /// Per model: result of the determinism check.
    pub determinism: Vec<DeterminismStats>,
    /// The diagnosis of a run that read or joined fewer than a tenth of its records; `None` for any other.
    pub diagnosis: Option<InputDiagnosis>,
}

impl Checkpoint {
    /// The result of an ended run; `None` if the run has not ended.
    pub fn result(&self, seal: &Seal) -> Option<RunResult> {
        let (Some(aggregates), Some(ended)) = (&self.aggregates, &self.end) else { return None };
        let mut failures = self.counters.failures.clone();
        failures.merge(aggregates.failures.clone());
        let mut unanswered = self.counters.unanswered.clone();
        unanswered.merge(aggregates.unanswered.clone());
        Some(RunResult {
            began: self.began,
            ended: ended.at,
            end: ended.end.clone(),
            declaration: seal.declaration.clone(),
            plugins: seal.stored_plugins(),
            clocks: self.counters.clocks,
            accounting: ended.accounting,
            comparison: aggregates.comparison,
            cells: aggregates.cells.clone(),
            evidence: aggregates.evidence.clone(),
            self_agreement: aggregates.self_agreement.clone(),
            profiles: aggregates.profiles.clone(),
            answer_distributions: aggregates.answer_distributions.clone(),
            revisions: aggregates.revisions.clone(),
            times: self.counters.latency.clone(),
            models: self.counters.models(),
            determinism: ended.determinism.clone(),
            diagnosis: ended.diagnosis.clone(),
            replay_of: seal.replay_of.clone(),
            substrate_latency: SubstrateLatency {
                after: LatencyPercentiles::from_histogram(aggregates.substrate.histogram()),
                before: aggregates.decided_before,
            },
            substrate_times: aggregates.substrate.clone(),
            failures: failures.list(),
            unanswered: unanswered.most_frequent(LISTED_REASONS),
            missing_values: self.counters.missing_values.clone(),
            exclusions: self.counters.sorted_exclusions(),
        })
    }
}
