//! The buffer of the interval join: unmatched rows, each with the columns that its pair will need.
//!
//! Invariants:
//! - Each pair is emitted exactly once, after inference on its snapshot.
//! - A batch is evicted once every row is matched or expired.
//! - A pair has the same content whether its rows were in memory or on disk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::batches::messages::{DecisionRows, InferredBatch, JoinedPair, SnapshotRows};
use crate::join::spill_store::{SpillError, SpillStore};
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::Records;
use understudy_records::join::{IntervalJoin, JoinBounds, JoinedRows, Slot};
use understudy_study::{Micros, PerStream, StreamKind};

/// The share of the memory budget that stays in use after a spill. Below 1, so that not every batch causes a
/// spill.
const SPILL_TARGET: f64 = 0.75;

/// A batch and the index of a row in it.
type RowOf<T> = (Arc<T>, u32);

/// The join with the content of its unmatched rows.
pub struct JoinBuffer {
    /// Decides which rows form pairs.
    pub join: IntervalJoin,
    /// For each stream the declared fields that pairs need, by index.
    fields: PerStream<Vec<usize>>,
    snapshots: StreamBuffer<SnapshotRows>,
    decisions: StreamBuffer<DecisionRows>,
    /// Pairs whose snapshot batch is still at a worker: the snapshot's row, and the decision.
    awaiting_inference: HashMap<Slot, Vec<(u32, RowOf<DecisionRows>)>>,
    /// Snapshot batches that were closed before they came back from a worker.
    evicted_before_inference: HashSet<Slot>,
    /// Bytes that the buffered batches may use in memory.
    budget: usize,
    spill_store: SpillStore,
}

impl JoinBuffer {
    /// An empty buffer. `fields` are the indices of the declared fields that pairs need of each stream. Rows
    /// beyond `limits.join-buffer-mib` spill to a temporary file in `folder`.
    pub fn new(sealed_study: &SealedStudy, fields: PerStream<Vec<usize>>, folder: &Path) -> JoinBuffer {
        let study = &sealed_study.study;
        let horizon = JoinBounds {
            horizon: Micros::from_duration(study.horizon),
            lateness: PerStream::from_fn(|kind| Micros::from_duration(study.stream(kind).lateness)),
        };
        JoinBuffer {
            join: IntervalJoin::new(horizon, seed())
                .with_position_names(PerStream::from_fn(|kind| study.source(kind).position_name())),
            spill_store: SpillStore::new(sealed_study, &fields, folder),
            fields,
            snapshots: StreamBuffer::default(),
            decisions: StreamBuffer::default(),
            awaiting_inference: HashMap::new(),
            evicted_before_inference: HashSet::new(),
            budget: study.limits.join_buffer_mib << 20,
        }
    }

    /// Keeps the pairs that a new snapshot batch completes until the batch comes back from a worker.
    ///
    /// # Errors
    /// When the spill store cannot be read.
    pub fn on_snapshots(&mut self, slot: Slot, pairs: Vec<JoinedRows>) -> Result<(), SpillError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = pairs.iter().map(|pair| pair.decision).collect();
        let decisions = self.decisions.find(&wanted, |rows| self.spill_store.read_decisions(rows))?;
        let waiting = self.awaiting_inference.entry(slot).or_default();
        for (pair, decision) in pairs.into_iter().zip(decisions) {
            waiting.push((
                pair.snapshot.1,
                decision.expect("a decision is buffered until its batch is evicted"),
            ));
        }
        Ok(())
    }

    /// Buffers a batch of decisions. Returns the pairs that it completes with inferred snapshots.
    ///
    /// # Errors
    /// When the spill store cannot be read or written.
    pub fn on_decisions(
        &mut self,
        slot: Slot,
        sequences: Vec<u64>,
        records: &Records,
        joined: Vec<JoinedRows>,
    ) -> Result<Vec<JoinedPair>, SpillError> {
        let fields = self.buffered_columns(StreamKind::Decisions, &records.fields);
        let decisions = Arc::new(DecisionRows { sequences, fields, times: records.times.clone() });
        let wanted: Vec<_> = joined.iter().map(|pair| pair.snapshot).collect();
        let snapshots = self.snapshots.find(&wanted, |rows| self.spill_store.read_snapshots(rows))?;
        let mut pairs = Vec::with_capacity(joined.len());
        for (pair, snapshot) in joined.into_iter().zip(snapshots) {
            let decision = (decisions.clone(), pair.decision.1);
            match snapshot {
                Some(snapshot) => pairs.push(JoinedPair { snapshot, decision }),
                None => {
                    let waiting = self.awaiting_inference.entry(pair.snapshot.0).or_default();
                    waiting.push((pair.snapshot.1, decision));
                }
            }
        }
        if !decisions.times.is_empty() {
            let bytes = decisions.bytes();
            self.decisions.insert(slot, decisions, bytes);
        }
        self.evict()?;
        Ok(pairs)
    }

    /// Buffers a batch of inferred snapshots. Returns the pairs that were waiting for it.
    ///
    /// # Errors
    /// When the spill store cannot be written.
    pub fn on_inferred(&mut self, inferred: InferredBatch) -> Result<Vec<JoinedPair>, SpillError> {
        let InferredBatch { batch: job, models, windows, conditions } = inferred;
        let snapshots = Arc::new(SnapshotRows {
            fields: self.buffered_columns(StreamKind::Snapshots, &job.records.fields),
            sequences: job.sequences,
            ids: job.records.ids,
            times: job.records.times,
            answers: models.into_iter().map(|model| model.output.answers).collect(),
            windows,
            conditions,
        });
        let waiting = self.awaiting_inference.remove(&job.slot).unwrap_or_default();
        let pairs = waiting
            .into_iter()
            .map(|(row, decision)| JoinedPair { snapshot: (snapshots.clone(), row), decision })
            .collect();
        if !self.evicted_before_inference.remove(&job.slot) && !snapshots.times.is_empty() {
            let bytes = snapshots.bytes();
            self.snapshots.insert(job.slot, snapshots, bytes);
        }
        self.evict()?;
        Ok(pairs)
    }

    /// Evicts the batches whose rows can no longer pair, and spills batches beyond the memory budget to disk.
    fn evict(&mut self) -> Result<(), SpillError> {
        for slot in self.join.take_closed_batches() {
            match self.decisions.remove(slot).or_else(|| self.snapshots.remove(slot)) {
                Some(Location::Memory) => {}
                Some(Location::Disk) => self.spill_store.remove(slot),
                None => {
                    self.evicted_before_inference.insert(slot);
                }
            }
        }
        if self.snapshots.bytes + self.decisions.bytes <= self.budget {
            return Ok(());
        }
        let target = (self.budget as f64 * SPILL_TARGET) as usize;
        let (join, spill_store) = (&self.join, &mut self.spill_store);
        let mut transaction = spill_store.begin()?;
        while self.snapshots.bytes + self.decisions.bytes > target {
            // The oldest batch of the stream that uses more memory.
            let is_spilled = match self.snapshots.bytes >= self.decisions.bytes {
                true => self.snapshots.spill(|slot, snapshots| {
                    transaction.write_snapshots(slot, snapshots, join.paired_rows(slot))
                })?,
                false => self.decisions.spill(|slot, decisions| {
                    transaction.write_decisions(slot, decisions, join.paired_rows(slot))
                })?,
            };
            if !is_spilled {
                break;
            }
        }
        transaction.commit()
    }

    /// The columns of a stream that pairs need.
    fn buffered_columns(&self, kind: StreamKind, fields: &RecordBatch) -> RecordBatch {
        fields.project(&self.fields[kind]).expect("the columns are those of the study")
    }
}

/// The buffered batches of one stream.
struct StreamBuffer<T> {
    batches: BTreeMap<Slot, BufferedBatch<T>>,
    /// All batches before this one are on disk.
    first_in_memory: Slot,
    /// Bytes of the batches in memory.
    bytes: usize,
}

enum BufferedBatch<T> {
    /// The batch and its size in bytes.
    Memory(Arc<T>, usize),
    Disk,
}

/// Where a batch is buffered.
enum Location {
    Memory,
    Disk,
}

impl<T> Default for StreamBuffer<T> {
    fn default() -> StreamBuffer<T> {
        StreamBuffer { batches: BTreeMap::new(), first_in_memory: 0, bytes: 0 }
    }
}

impl<T> StreamBuffer<T> {
    fn insert(&mut self, slot: Slot, batch: Arc<T>, bytes: usize) {
        self.bytes += bytes;
        self.batches.insert(slot, BufferedBatch::Memory(batch, bytes));
    }

    /// Removes a batch, and returns where it was.
    fn remove(&mut self, slot: Slot) -> Option<Location> {
        match self.batches.remove(&slot)? {
            BufferedBatch::Memory(_, bytes) => {
                self.bytes -= bytes;
                Some(Location::Memory)
            }
            BufferedBatch::Disk => Some(Location::Disk),
        }
    }

    /// Finds rows in memory and on disk; `None` for a row whose batch is not buffered. `load` reads rows from
    /// disk.
    fn find(
        &self,
        wanted: &[(Slot, u32)],
        load: impl FnOnce(&[(Slot, u32)]) -> Result<T, SpillError>,
    ) -> Result<Vec<Option<RowOf<T>>>, SpillError> {
        let mut found = Vec::with_capacity(wanted.len());
        let mut on_disk = Vec::new();
        for (at, (slot, row)) in wanted.iter().enumerate() {
            found.push(match self.batches.get(slot) {
                Some(BufferedBatch::Memory(batch, _)) => Some((batch.clone(), *row)),
                Some(BufferedBatch::Disk) => {
                    on_disk.push(at);
                    None
                }
                None => None,
            });
        }
        if !on_disk.is_empty() {
            let rows: Vec<_> = on_disk.iter().map(|&at| wanted[at]).collect();
            let loaded = Arc::new(load(&rows)?);
            for (row, at) in on_disk.into_iter().enumerate() {
                found[at] = Some((loaded.clone(), row as u32));
            }
        }
        Ok(found)
    }

    /// Spills the oldest batch in memory with `write`. Returns false if there is none.
    fn spill(&mut self, write: impl FnOnce(Slot, &T) -> Result<(), SpillError>) -> Result<bool, SpillError> {
        for (&slot, entry) in self.batches.range_mut(self.first_in_memory..) {
            if let BufferedBatch::Memory(batch, bytes) = entry {
                write(slot, batch)?;
                self.bytes -= *bytes;
                *entry = BufferedBatch::Disk;
                self.first_in_memory = slot + 1;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A random seed, so that senders of records cannot predict hash collisions.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}
