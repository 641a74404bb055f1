//! Where pairs come from: the batches of their snapshots and decisions.
//!
//! Always holds: each batch is there once, and a pair knows its row in either.

use std::collections::HashMap;
use std::sync::Arc;

use crate::batches::messages::{DecisionRows, JoinedPair, SnapshotRows};

/// The batches that a run of pairs comes from, each once, and where in them each pair stands.
pub struct PairBatch {
    /// Batches of snapshots.
    pub all_shown: Vec<Arc<SnapshotRows>>,
    /// Batches of decisions.
    pub taken: Vec<Arc<DecisionRows>>,
    /// For each pair the batch and row of its snapshot.
    pub snapshots: Vec<(usize, usize)>,
    /// For each pair the batch and row of its decision.
    pub decisions: Vec<(usize, usize)>,
}

impl PairBatch {
    pub(crate) fn of(pairs: &[JoinedPair]) -> PairBatch {
        let (mut all_shown, mut taken) = (Vec::new(), Vec::new());
        let (mut shown_at, mut taken_at) = (HashMap::new(), HashMap::new());
        let (mut snapshots, mut decisions) =
            (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        for JoinedPair { snapshot: (batch, row), decision: (other, other_row) } in pairs {
            snapshots.push((place(&mut all_shown, &mut shown_at, batch), *row as usize));
            decisions.push((place(&mut taken, &mut taken_at, other), *other_row as usize));
        }
        PairBatch { all_shown, taken, snapshots, decisions }
    }

    /// Something of the snapshot of pair `row`.
    pub fn shown<T>(&self, row: usize, of: impl FnOnce(&SnapshotRows, usize) -> T) -> T {
        let (batch, within) = self.snapshots[row];
        of(&self.all_shown[batch], within)
    }

    /// The sequence number of the snapshot of pair `row`.
    pub fn sequence(&self, row: usize) -> u64 {
        self.shown(row, |shown, within| shown.sequences[within])
    }

    /// The id of pair `row`.
    pub fn id(&self, row: usize) -> &str {
        let (batch, within) = self.snapshots[row];
        self.all_shown[batch].ids.value(within)
    }
}

/// The index of a batch among those seen.
fn place<T>(all: &mut Vec<Arc<T>>, at: &mut HashMap<*const T, usize>, batch: &Arc<T>) -> usize {
    // Pairs of one batch come together, so the last one is mostly the one.
    if all.last().is_some_and(|last| Arc::ptr_eq(last, batch)) {
        return all.len() - 1;
    }
    *at.entry(Arc::as_ptr(batch)).or_insert_with(|| {
        all.push(batch.clone());
        all.len() - 1
    })
}
