//! Groups: the segments of all tables that end together.

use std::path::PathBuf;

use crate::ledger::Event;
use understudy_records::join::ExclusionCounts;
use understudy_study::{Micros, PerStream};

/// The end of a group's records.
#[derive(Debug, Default)]
pub struct GroupBoundary {
    /// Records of each stream in the log at that point.
    pub position: PerStream<u64>,
    /// Excluded records of each stream at that point.
    pub excluded: PerStream<ExclusionCounts>,
    /// Whether the sources have ended and the group has the pairs that this settles.
    pub ended: bool,
    /// Events to record in the ledger before the group.
    pub events: Vec<Event>,
    /// Snapshots before this event time are no longer needed; `None` if all may be.
    pub settled: Option<Micros>,
}

/// A group whose open segments are closed.
#[derive(Default)]
pub(crate) struct ClosedGroup {
    /// The number of the group.
    pub group: u32,
    /// The open segment of each table that has rows, in the order of [`crate::Table::ALL`].
    pub segments: [Option<PathBuf>; 4],
    /// The end of the group's records.
    pub boundary: GroupBoundary,
    /// The checkpoint at the end of the group.
    pub checkpoint: Vec<u8>,
}
