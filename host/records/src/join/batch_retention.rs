//! Holds the accepted batches while their rows can still pair or be repeated.
//!
//! Invariants: a batch is closed once, when its last row is settled. Its ids stay until they may be reused.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrow::array::Array as _;
use understudy_study::{Micros, StreamKind};

use super::{IntervalJoin, JoinBatch, RowState, Slot, Versions, hash};
use crate::batch::Records;

impl IntervalJoin {
    /// Marks a row as settled, and closes its batch with the last one.
    pub(super) fn settle_row(&mut self, (slot, row): (Slot, u32)) {
        let batch = self.batches.get_mut(&slot).expect("the table refers to held batches only");
        let state = &mut batch.states[row as usize];
        batch.matched -= usize::from(*state == RowState::Matched);
        *state = RowState::Settled;
        batch.waiting -= 1;
        if batch.waiting == 0 {
            self.close(slot);
        }
    }

    pub(super) fn hold(
        &mut self,
        kind: StreamKind,
        slot: Slot,
        records: &Records,
        accepted: &[u32],
        states: Vec<RowState>,
    ) {
        let number = self.offered;
        self.offered += 1;
        let waiting = states.iter().filter(|state| **state != RowState::Settled).count();
        let matched = states.iter().filter(|state| **state == RowState::Matched).count();
        let Some(latest) = accepted.iter().map(|&record| records.times[record as usize]).max() else {
            return;
        };
        let latest = Micros(latest);
        let ids = match accepted.len() == records.len() {
            true => records.ids.clone(),
            false => accepted.iter().map(|&record| Some(records.ids.value(record as usize))).collect(),
        };
        let digests = accepted.iter().map(|&record| records.digests[record as usize]).collect();
        let times = accepted.iter().map(|&record| records.times[record as usize]).collect();
        let version = self.revisions.version_field().filter(|_| kind == StreamKind::Decisions);
        let version = version.map(|index| records.fields.column(index));
        let versions = Versions::from_column(version, accepted);
        self.batches.insert(
            slot,
            JoinBatch {
                kind,
                ids,
                times,
                digests,
                versions,
                number,
                states,
                waiting,
                matched,
                latest,
                open: true,
            },
        );
        match waiting {
            0 => self.close(slot),
            _ => self.expiring[kind].push(Reverse((latest + self.bounds.horizon, slot))),
        }
    }

    /// Closes batches that have expired and forgets ids that may be reused.
    pub(super) fn expire(&mut self) {
        for kind in StreamKind::ALL {
            let watermark = self.watermark(kind.other());
            while let Some(slot) = pop_before(&mut self.expiring[kind], watermark) {
                let Some(batch) = self.batches.get_mut(&slot).filter(|batch| batch.open) else { continue };
                self.accounts[kind].expired += (batch.waiting - batch.matched) as u64;
                // Candidates of a snapshot that is not settled keep their batch open.
                batch.waiting = batch.matched;
                let unmatched = batch.states.iter_mut().filter(|state| **state == RowState::Waiting);
                unmatched.for_each(|state| *state = RowState::Settled);
                if batch.matched == 0 {
                    self.close(slot);
                }
            }
        }
        for kind in StreamKind::ALL {
            let watermark = self.watermark(kind);
            while let Some(slot) = pop_before(&mut self.forgetting[kind], watermark) {
                self.forget(slot);
            }
        }
    }

    /// Closes a batch whose rows can no longer pair. Its ids stay until they may be reused.
    pub(super) fn close(&mut self, slot: Slot) {
        let batch = self.batches.get_mut(&slot).expect("only held batches are closed");
        batch.open = false;
        let (kind, latest) = (batch.kind, batch.latest);
        let reusable_from = self.reusable_from(latest);
        self.forgetting[kind].push(Reverse((reusable_from, slot)));
        self.closed.push(slot);
    }

    fn forget(&mut self, slot: Slot) {
        let Some(batch) = self.batches.remove(&slot) else { return };
        for row in 0..batch.ids.len() {
            let hash = hash(self.seed, batch.ids.value(row));
            let found = self.table.find_entry(hash, |e| e.slot == slot && e.row == row as u32);
            if let Ok(entry) = found {
                entry.remove();
            }
        }
    }
}

fn pop_before(heap: &mut BinaryHeap<Reverse<(Micros, Slot)>>, time: Micros) -> Option<Slot> {
    let Reverse((due, slot)) = *heap.peek()?;
    (due < time).then(|| {
        heap.pop();
        slot
    })
}
