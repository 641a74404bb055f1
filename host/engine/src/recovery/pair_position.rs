//! Tells which pairs of a replayed log were already emitted at a position of the log.
//!
//! Invariants: whether a position covers a pair depends on the position and the records alone, not on the order in
//! which the log is replayed.
//!
//! Without revisions a pair is emitted with the later one of its two records. With revisions it is emitted once no
//! further candidate can arrive.

use crate::batches::messages::JoinedPair;
use understudy_records::join::JoinBounds;
use understudy_study::{Micros, PerStream, Revisions, StreamKind};

/// A position of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPosition {
    /// The first sequence number of each stream behind the position.
    pub records: PerStream<u64>,
    /// With revisions: the watermark of the decisions at the position, before which snapshots are settled.
    pub settled_before: Option<Micros>,
}

impl PairPosition {
    /// A position behind `records`. `decision_clock` is the latest event time among the decisions before it, and
    /// `ended` says whether the sources have ended there.
    pub fn new(
        records: PerStream<u64>,
        decision_clock: Option<Micros>,
        ended: bool,
        (bounds, revisions): (JoinBounds, Revisions),
    ) -> PairPosition {
        let watermark = match decision_clock {
            _ if ended => Micros(i64::MAX),
            Some(clock) => clock.saturating_sub(bounds.lateness.decisions),
            None => Micros(i64::MIN),
        };
        PairPosition { records, settled_before: revisions.are_accepted().then_some(watermark) }
    }

    /// Whether the pair was emitted before the position.
    pub fn covers(&self, pair: &JoinedPair, horizon: Micros) -> bool {
        let sequences = pair.sequences();
        match self.settled_before {
            None => StreamKind::ALL.into_iter().all(|kind| sequences[kind] < self.records[kind]),
            Some(watermark) => {
                let (snapshots, row) = &pair.snapshot;
                let time = Micros(snapshots.times[*row as usize]);
                sequences.snapshots < self.records.snapshots && time.saturating_add(horizon) < watermark
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};
    use arrow::datatypes::Schema;

    use super::*;
    use crate::batches::messages::{DecisionRows, SnapshotRows};

    const BOUNDS: JoinBounds = JoinBounds {
        horizon: Micros(10),
        lateness: PerStream { snapshots: Micros(6), decisions: Micros(3) },
    };

    /// A pair of records with these sequence numbers. Both are at time 100.
    fn pair(snapshot: u64, decision: u64) -> JoinedPair {
        let fields = RecordBatch::new_empty(Schema::empty().into());
        let snapshots = SnapshotRows {
            sequences: vec![snapshot],
            fields: fields.clone(),
            ids: StringArray::from(vec!["a"]),
            times: vec![100],
            answers: Vec::new(),
            windows: Vec::new(),
            conditions: Vec::new(),
        };
        let decisions = DecisionRows { sequences: vec![decision], fields, times: vec![100] };
        JoinedPair { snapshot: (Arc::new(snapshots), 0), decision: (Arc::new(decisions), 0), revised: None }
    }

    #[test]
    fn without_revisions_both_records_lie_before_the_position() {
        let rule = (BOUNDS, Revisions::Refuse);
        let position = PairPosition::new([5, 7].into(), Some(Micros(100)), false, rule);
        let covers = |snapshot, decision| position.covers(&pair(snapshot, decision), BOUNDS.horizon);
        assert!(covers(4, 6) && !covers(5, 6) && !covers(4, 7));
    }

    #[test]
    fn with_revisions_no_further_candidate_can_arrive_behind_the_position() {
        let covers = |clock: Option<i64>, ended, snapshot| {
            let rule = (BOUNDS, Revisions::First);
            let position = PairPosition::new([5, 7].into(), clock.map(Micros), ended, rule);
            position.covers(&pair(snapshot, 6), BOUNDS.horizon)
        };
        // The last possible candidate lies at 110, and the watermark is the clock less 3.
        assert!(!covers(None, false, 4) && !covers(Some(113), false, 4) && covers(Some(114), false, 4));
        assert!(!covers(Some(114), false, 5), "the snapshot lies behind the position");
        assert!(covers(Some(100), true, 4) && !covers(Some(100), true, 5));
    }
}
