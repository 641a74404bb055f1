//! `checkpoint.bin`: where a run stood at the end of a sealed group, or at its own end.
//!
//! Always holds: what it says was taken over the records that the log holds up to `counted.position`, and over nothing
//! else; so it can be checked against the log, and the run can go on from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::seal::manifest::Seal;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use crate::stats::latency::LatencyPercentiles;
use crate::stats::run_result::{EndReason, RunResult, SubstrateLatency};
use understudy_records::join::Accounting;

/// Where a run stood.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// SHA-256 of `seal.json`, in hexadecimal: whose checkpoint it is.
    pub seal: String,
    /// How many groups are sealed with it.
    pub groups: u32,
    /// When the run began.
    pub began: Timestamp,
    /// What was counted of the records.
    pub counted: RunCounters,
    /// What the comparing came to.
    pub judged: Option<Aggregates>,
    /// How the run ended, if it has.
    pub ended: Option<EndState>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndState {
    /// When.
    pub at: Timestamp,
    /// How.
    pub end: EndReason,
    /// Where every record had got to.
    pub accounting: Accounting,
    /// For each model what came of asking it again.
    pub again: Vec<DeterminismStats>,
}

impl Checkpoint {
    /// What an ended run leaves behind; `None` if it has not ended.
    pub fn result(&self, seal: &Seal) -> Option<RunResult> {
        let (Some(judged), Some(ended)) = (&self.judged, &self.ended) else { return None };
        let mut incidents = self.counted.incidents.clone();
        incidents.merge(judged.incidents.clone());
        Some(RunResult {
            began: self.began,
            ended: ended.at,
            end: ended.end.clone(),
            declaration: seal.declaration.clone(),
            kept: seal.kept(),
            accounting: ended.accounting,
            comparison: judged.comparison,
            cells: judged.cells.clone(),
            profiles: judged.profiles.clone(),
            spreads: judged.spreads.clone(),
            times: self.counted.latency.clone(),
            models: self.counted.models(),
            again: ended.again.clone(),
            replay_of: seal.replay_of.clone(),
            substrate_latency: SubstrateLatency {
                after: LatencyPercentiles::of(judged.substrate.histogram()),
                before: judged.before,
            },
            substrate_times: judged.substrate.clone(),
            incidents: incidents.list(),
            refused: self.counted.refused(),
        })
    }
}
