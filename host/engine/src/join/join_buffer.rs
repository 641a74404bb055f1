//! The buffer of the interval join: rows that are not settled, each with the columns that its pair will need.
//!
//! Invariants:
//! - Each pair is emitted exactly once, after inference on its snapshot.
//! - A batch is evicted once every row is matched or expired.
//! - A pair has the same content whether its rows were in memory or on disk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::batches::messages::{DecisionRows, InferredBatch, JoinedPair, RevisedDecisions, SnapshotRows};
use crate::join::spill_store::{SpillError, SpillStore};
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::Records;
use understudy_records::join::{IntervalJoin, JoinBounds, JoinedRows, Slot};
use understudy_study::{Micros, PerStream, StreamKind, Study};

/// The share of the memory budget that stays in use after a spill. Below 1, so that not every batch causes a
/// spill.
const SPILL_TARGET: f64 = 0.75;

/// A batch and the index of a row in it.
type RowOf<T> = (Arc<T>, u32);

/// The decisions of a pair.
struct PairDecisions {
    counts: RowOf<DecisionRows>,
    revised: Option<RevisedDecisions>,
}

impl PairDecisions {
    fn with(self, snapshot: RowOf<SnapshotRows>) -> JoinedPair {
        JoinedPair { snapshot, decision: self.counts, revised: self.revised }
    }
}

/// The join with the content of its rows that are not settled.
pub struct JoinBuffer {
    /// Decides which rows form pairs.
    pub join: IntervalJoin,
    /// For each stream the declared fields that pairs need, by index.
    fields: PerStream<Vec<usize>>,
    snapshots: StreamBuffer<SnapshotRows>,
    decisions: StreamBuffer<DecisionRows>,
    /// Pairs whose snapshot batch is still at a worker: the snapshot's row, and the decisions.
    awaiting_inference: HashMap<Slot, Vec<(u32, PairDecisions)>>,
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
        JoinBuffer {
            join: IntervalJoin::new(join_bounds(study), seed())
                .with_position_names(PerStream::from_fn(|kind| study.source(kind).position_name()))
                .with_revisions(study.revisions),
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
        let decisions = self.find_decisions(&pairs)?;
        let waiting = self.awaiting_inference.entry(slot).or_default();
        waiting.extend(pairs.iter().map(|pair| pair.snapshot.1).zip(decisions));
        Ok(())
    }

    /// Buffers a batch of decisions. Returns the pairs that it completes or settles with inferred snapshots.
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
        if !decisions.times.is_empty() {
            let bytes = decisions.bytes();
            self.decisions.insert(slot, decisions, bytes);
        }
        let pairs = self.pairs_of_inferred(joined)?;
        self.evict()?;
        Ok(pairs)
    }

    /// With revisions: settles every matched snapshot, because the decisions have ended. Returns the pairs.
    ///
    /// # Errors
    /// When the spill store cannot be read or written.
    pub fn finish(&mut self) -> Result<Vec<JoinedPair>, SpillError> {
        let joined = self.join.finish();
        self.settled(joined)
    }

    /// With revisions: settles the snapshots whose last possible candidate lies before `time`. Returns the pairs.
    ///
    /// # Errors
    /// When the spill store cannot be read or written.
    pub fn settle_before(&mut self, time: Micros) -> Result<Vec<JoinedPair>, SpillError> {
        let joined = self.join.settle_before(time);
        self.settled(joined)
    }

    fn settled(&mut self, joined: Vec<JoinedRows>) -> Result<Vec<JoinedPair>, SpillError> {
        let pairs = self.pairs_of_inferred(joined)?;
        self.evict()?;
        Ok(pairs)
    }

    /// Returns the pairs of inferred snapshots. The others wait for the inference.
    fn pairs_of_inferred(&mut self, joined: Vec<JoinedRows>) -> Result<Vec<JoinedPair>, SpillError> {
        let wanted: Vec<_> = joined.iter().map(|pair| pair.snapshot).collect();
        let snapshots = self.snapshots.find(&wanted, |rows| self.spill_store.read_snapshots(rows))?;
        let decisions = self.find_decisions(&joined)?;
        let mut pairs = Vec::with_capacity(joined.len());
        for ((pair, snapshot), decisions) in joined.into_iter().zip(snapshots).zip(decisions) {
            match snapshot {
                Some(snapshot) => pairs.push(decisions.with(snapshot)),
                None => {
                    let waiting = self.awaiting_inference.entry(pair.snapshot.0).or_default();
                    waiting.push((pair.snapshot.1, decisions));
                }
            }
        }
        Ok(pairs)
    }

    /// The decisions of pairs.
    fn find_decisions(&self, joined: &[JoinedRows]) -> Result<Vec<PairDecisions>, SpillError> {
        let revised = joined.iter().filter_map(|pair| pair.revised.as_ref()).map(|revised| revised.decision);
        let wanted: Vec<_> = joined.iter().map(|pair| pair.decision).chain(revised).collect();
        let found = self.decisions.find(&wanted, |rows| self.spill_store.read_decisions(rows))?;
        let mut counting =
            found.into_iter().map(|row| row.expect("a decision is buffered until its batch is evicted"));
        let counts: Vec<_> = counting.by_ref().take(joined.len()).collect();
        let mut others = counting;
        let decisions = joined.iter().zip(counts).map(|(pair, counts)| {
            let revised = pair.revised.as_ref().and_then(|revised| {
                others.next().map(|decision| RevisedDecisions { decision, times: revised.times.clone() })
            });
            PairDecisions { counts, revised }
        });
        Ok(decisions.collect())
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
        let pairs =
            waiting.into_iter().map(|(row, decisions)| decisions.with((snapshots.clone(), row))).collect();
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
                    transaction.write_snapshots(slot, snapshots, join.row_states(slot))
                })?,
                false => self.decisions.spill(|slot, decisions| {
                    transaction.write_decisions(slot, decisions, join.row_states(slot))
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

/// The spans of event time that bound the join of a study.
pub fn join_bounds(study: &Study) -> JoinBounds {
    JoinBounds {
        horizon: Micros::from_duration(study.horizon),
        lateness: PerStream::from_fn(|kind| Micros::from_duration(study.stream(kind).lateness)),
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
        // Neighbouring rows are mostly of one batch.
        let mut last: Option<(Slot, Option<&BufferedBatch<T>>)> = None;
        for (at, (slot, row)) in wanted.iter().enumerate() {
            let batch = match last {
                Some((known, batch)) if known == *slot => batch,
                _ => self.batches.get(slot),
            };
            last = Some((*slot, batch));
            found.push(match batch {
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
