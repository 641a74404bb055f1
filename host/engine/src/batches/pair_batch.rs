//! The batches that joined pairs come from.
//!
//! Invariants: each batch appears once; each pair has its row in both of its batches.

use std::collections::HashMap;
use std::sync::Arc;

use crate::batches::messages::{DecisionRows, JoinedPair, SnapshotRows};

/// The record batches behind some pairs, each once, and the rows of each pair in them.
pub struct PairBatch {
    /// The snapshot batches.
    pub snapshot_batches: Vec<Arc<SnapshotRows>>,
    /// The decision batches.
    pub decision_batches: Vec<Arc<DecisionRows>>,
    /// Per pair: index into the snapshot batches, and row.
    pub snapshots: Vec<(usize, usize)>,
    /// Per pair: index into the decision batches, and row, of the decision that counts.
    pub decisions: Vec<(usize, usize)>,
    /// The pairs that have more than one decision, by ascending index.
    pub revised: Vec<RevisedPair>,
}

/// A pair that has more than one decision.
pub struct RevisedPair {
    /// The index of the pair.
    pub row: usize,
    /// Index into the decision batches, and row, of the decision at the other end of the order of revisions.
    pub decision: (usize, usize),
    /// The number of decisions that do not count.
    pub count: u32,
}

impl PairBatch {
    pub(crate) fn from_pairs(pairs: &[JoinedPair]) -> PairBatch {
        let (mut snapshot_batches, mut decision_batches) = (Vec::new(), Vec::new());
        let (mut snapshot_index, mut decision_index) = (HashMap::new(), HashMap::new());
        let (mut snapshots, mut decisions) =
            (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        let mut revised = Vec::new();
        for (index, pair) in pairs.iter().enumerate() {
            let JoinedPair { snapshot: (batch, row), decision, revised: other } = pair;
            snapshots.push((place(&mut snapshot_batches, &mut snapshot_index, batch), *row as usize));
            let mut decision_place = |(batch, row): &(Arc<DecisionRows>, u32)| {
                (place(&mut decision_batches, &mut decision_index, batch), *row as usize)
            };
            decisions.push(decision_place(decision));
            if let Some(other) = other {
                let decision = decision_place(&other.decision);
                revised.push(RevisedPair { row: index, decision, count: other.times.len() as u32 });
            }
        }
        PairBatch { snapshot_batches, decision_batches, snapshots, decisions, revised }
    }

    /// Reads a value of the snapshot of pair `row`.
    pub fn snapshot_value<T>(&self, row: usize, of: impl FnOnce(&SnapshotRows, usize) -> T) -> T {
        let (batch, within) = self.snapshots[row];
        of(&self.snapshot_batches[batch], within)
    }

    /// The sequence number of the snapshot of pair `row`.
    pub fn sequence(&self, row: usize) -> u64 {
        self.snapshot_value(row, |rows, within| rows.sequences[within])
    }

    /// The id of pair `row`.
    pub fn id(&self, row: usize) -> &str {
        let (batch, within) = self.snapshots[row];
        self.snapshot_batches[batch].ids.value(within)
    }
}

/// The index of a batch in `all`, which it is added to if it is new.
fn place<T>(all: &mut Vec<Arc<T>>, at: &mut HashMap<*const T, usize>, batch: &Arc<T>) -> usize {
    // Pairs of one batch come together, so the last batch is usually the right one.
    if all.last().is_some_and(|last| Arc::ptr_eq(last, batch)) {
        return all.len() - 1;
    }
    *at.entry(Arc::as_ptr(batch)).or_insert_with(|| {
        all.push(batch.clone());
        all.len() - 1
    })
}
