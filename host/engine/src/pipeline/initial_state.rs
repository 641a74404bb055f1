//! The state that a coordinator starts or resumes with.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::recovery::pair_position::PairPosition;
use crate::stats::aggregates::Aggregates;
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;

/// How far the pairs of a resumed run were processed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayPositions {
    /// The checkpoint has the evaluation of the pairs before this position.
    pub evaluated: PairPosition,
    /// The log has the pairs before this position.
    pub logged: PairPosition,
}

/// The state that a run starts or resumes with.
pub struct InitialState {
    /// SHA-256 of `seal.json`, in hexadecimal.
    pub seal: String,
    /// The time when the run began.
    pub started_at: Timestamp,
    /// The number of sealed segment groups.
    pub groups: u32,
    /// Rows of the open group in the tables of snapshots, decisions and excluded records.
    pub rows: [usize; 3],
    /// The counters as of the last checkpoint.
    pub counters: RunCounters,
    /// The aggregates as of the last checkpoint.
    pub aggregates: Aggregates,
    /// For each model the results of the determinism check so far.
    pub determinism: Vec<DeterminismStats>,
    /// The last windows of the interim reports that are already written.
    pub interim_reports: BTreeSet<String>,
}
