//! Settles the pairs of decisions that may be revised: chooses the decision that counts once no other can arrive.
//!
//! Invariants: a snapshot is settled once, with all its candidates. Whether it is settled depends on its own time and on
//! the clock of the decisions only.

use std::cmp::{Ordering, Reverse};

use understudy_study::{Micros, Revisions, StreamKind};

use super::{IntervalJoin, JoinBatch, JoinEntry, JoinedRows, RevisedRows, RowState, Slot, hash, id};

impl IntervalJoin {
    /// With revisions: settles the snapshots whose last possible candidate lies before `time`, and returns their pairs.
    pub fn settle_before(&mut self, time: Micros) -> Vec<JoinedRows> {
        let mut pairs = Vec::new();
        while let Some(&Reverse((due, slot, row))) = self.unsettled.peek()
            && due < time
        {
            self.unsettled.pop();
            pairs.push(self.settle(slot, row));
        }
        pairs
    }

    /// With revisions: settles every matched snapshot, because the stream of decisions has ended, and returns their
    /// pairs. No record may be offered afterwards.
    pub fn finish(&mut self) -> Vec<JoinedRows> {
        self.settle_before(Micros(i64::MAX))
    }

    /// Matches a new row with the rows of the other stream that fit it. The caller sets the state of the new row.
    pub(super) fn match_row(&mut self, kind: StreamKind, new: JoinEntry, partners: &[JoinEntry]) {
        let horizon = self.bounds.horizon;
        if kind == StreamKind::Snapshots {
            self.unsettled.push(Reverse((new.time + horizon, new.slot, new.row)));
        }
        for partner in partners {
            let batch = self.batches.get_mut(&partner.slot).expect("the table refers to held batches only");
            let state = &mut batch.states[partner.row as usize];
            debug_assert_ne!(*state, RowState::Settled, "a settled row fits no later record");
            if *state != RowState::Waiting {
                continue;
            }
            *state = RowState::Matched;
            batch.matched += 1;
            if kind == StreamKind::Decisions {
                self.unsettled.push(Reverse((partner.time + horizon, partner.slot, partner.row)));
            }
        }
    }

    /// Chooses the decision of a matched snapshot.
    fn settle(&mut self, slot: Slot, row: u32) -> JoinedRows {
        let snapshots = &self.batches[&slot];
        let (name, time) = (snapshots.ids.value(row as usize), Micros(snapshots.times[row as usize]));
        let fits = |entry: &&JoinEntry| {
            self.batches[&entry.slot].kind == StreamKind::Decisions
                && (entry.time - time).abs() <= self.bounds.horizon
                && id(&self.batches, entry) == name
        };
        let mut candidates: Vec<JoinEntry> =
            self.table.iter_hash(hash(self.seed, name)).filter(fits).copied().collect();
        candidates.sort_unstable_by(|one, other| self.compare_revisions(one, other));
        self.settle_row((slot, row));
        candidates.iter().for_each(|entry| self.settle_row((entry.slot, entry.row)));
        let [first, .., last] = candidates[..] else {
            let [only] = candidates[..] else { unreachable!("a matched snapshot has a candidate") };
            return self.count_pair((slot, row), only, None);
        };
        let (counts, other) = match self.revisions {
            Revisions::Last { .. } => (last, first),
            Revisions::First | Revisions::Refuse => (first, last),
        };
        let revised = candidates.iter().filter(|entry| (entry.slot, entry.row) != (counts.slot, counts.row));
        let times = revised.map(|entry| entry.time.0).collect();
        self.count_pair((slot, row), counts, Some(RevisedRows { decision: (other.slot, other.row), times }))
    }

    fn count_pair(
        &mut self,
        snapshot: (Slot, u32),
        decision: JoinEntry,
        revised: Option<RevisedRows>,
    ) -> JoinedRows {
        self.accounts.snapshots.paired += 1;
        self.accounts.decisions.paired += 1;
        self.accounts.decisions.revised += revised.as_ref().map_or(0, |revised| revised.times.len() as u64);
        JoinedRows { snapshot, decision: (decision.slot, decision.row), revised }
    }

    /// The order of two candidates: version, event time, arrival.
    fn compare_revisions(&self, one: &JoinEntry, other: &JoinEntry) -> Ordering {
        let (batch, other_batch) = (&self.batches[&one.slot], &self.batches[&other.slot]);
        let by_version = batch.versions.compare(one.row, &other_batch.versions, other.row);
        let arrival = |batch: &JoinBatch, entry: &JoinEntry| (entry.time, batch.number, entry.row);
        by_version.then_with(|| arrival(batch, one).cmp(&arrival(other_batch, other)))
    }

    /// Settles the rows whose counterpart can no longer arrive, without counting them as expired. To be called after
    /// logged records were replayed: counterparts that were left out are then no reason to count a row as waiting.
    pub fn settle_expired_rows(&mut self) {
        let slots: Vec<Slot> =
            self.batches.iter().filter(|(_, batch)| batch.open).map(|(slot, _)| *slot).collect();
        for slot in slots {
            let watermark = self.watermark(self.batches[&slot].kind.other());
            let batch = self.batches.get_mut(&slot).expect("only held batches are listed");
            for (time, state) in batch.times.iter().zip(&mut batch.states) {
                if *state == RowState::Waiting && Micros(*time) + self.bounds.horizon < watermark {
                    *state = RowState::Settled;
                    batch.waiting -= 1;
                }
            }
            if batch.waiting == 0 {
                self.close(slot);
            }
        }
    }
}
