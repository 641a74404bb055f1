//! The records that wait for their partner, each with what its pair will need.
//!
//! Always holds: a pair comes out once, after its snapshot has been answered; a batch is let go when its last row is
//! paired or expired. What a pair holds is the same whether it waited in memory or on disk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::inference::worker_pool::{Answered, Met, Shown, Taken};
use crate::join::spill_store::{Overflow, OverflowError};
use crate::plugins::load::Prepared;
use understudy_records::batch::{Records, Side};
use understudy_records::pairing::{Horizon, Pair, Pairing, Slot};

/// How much of the budget is left in memory when some of it goes to disk, so that it does not go batch by batch.
const KEPT: f64 = 0.75;

/// A batch, and a row of it.
type RowOf<T> = (Arc<T>, u32);

/// What waits.
pub struct Holding {
    /// Who waits for whom.
    pub pairing: Pairing,
    /// For each side the declared fields that are held, by their places.
    fields: [Vec<usize>; 2],
    shown: Waiting<Shown>,
    taken: Waiting<Taken>,
    /// Pairs whose snapshot is still being answered: its row, and the decision.
    unanswered: HashMap<Slot, Vec<(u32, RowOf<Taken>)>>,
    /// Batches that the pairing has let go before they were answered.
    gone: HashSet<Slot>,
    /// Bytes that may be held in memory.
    budget: usize,
    overflow: Overflow,
}

impl Holding {
    /// Nothing yet. `fields` are the places of the declared fields that are held of each side. What is too much for
    /// `limits.waiting-mib` goes into a file of this process's own in `folder`.
    pub fn new(prepared: &Prepared, fields: [Vec<usize>; 2], folder: &Path) -> Holding {
        let study = &prepared.study;
        let horizon = Horizon {
            horizon: study.horizon.as_micros() as i64,
            lateness: [study.inputs.lateness.as_micros() as i64, study.decisions.lateness.as_micros() as i64],
        };
        Holding {
            pairing: Pairing::new(horizon, seed()),
            overflow: Overflow::new(prepared, &fields, folder),
            fields,
            shown: Waiting::default(),
            taken: Waiting::default(),
            unanswered: HashMap::new(),
            gone: HashSet::new(),
            budget: study.limits.waiting_mib << 20,
        }
    }

    /// Notes the pairs that snapshots have made on their arrival: they come out once the snapshots are answered.
    ///
    /// # Errors
    /// When what waits on disk cannot be read.
    pub fn arrived(&mut self, slot: Slot, pairs: Vec<Pair>) -> Result<(), OverflowError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = pairs.iter().map(|pair| pair.decision).collect();
        let decisions = self.taken.find(&wanted, |rows| self.overflow.taken(rows))?;
        let waiting = self.unanswered.entry(slot).or_default();
        for (pair, decision) in pairs.into_iter().zip(decisions) {
            waiting.push((pair.snapshot.1, decision.expect("a decision is held until its batch is let go")));
        }
        Ok(())
    }

    /// Holds decisions, and gives those pairs whose snapshot has been answered.
    ///
    /// # Errors
    /// When what waits on disk cannot be read or written.
    pub fn decided(
        &mut self,
        slot: Slot,
        sequences: Vec<u64>,
        records: &Records,
        pairs: Vec<Pair>,
    ) -> Result<Vec<Met>, OverflowError> {
        let fields = self.held(Side::Decision, &records.fields);
        let ours = Arc::new(Taken { sequences, fields, times: records.times.clone() });
        let wanted: Vec<_> = pairs.iter().map(|pair| pair.snapshot).collect();
        let snapshots = self.shown.find(&wanted, |rows| self.overflow.shown(rows))?;
        let mut met = Vec::with_capacity(pairs.len());
        for (pair, snapshot) in pairs.into_iter().zip(snapshots) {
            let decision = (ours.clone(), pair.decision.1);
            match snapshot {
                Some(snapshot) => met.push(Met { snapshot, decision }),
                None => {
                    let waiting = self.unanswered.entry(pair.snapshot.0).or_default();
                    waiting.push((pair.snapshot.1, decision));
                }
            }
        }
        if !ours.times.is_empty() {
            let bytes = ours.bytes();
            self.taken.hold(slot, ours, bytes);
        }
        self.let_go()?;
        Ok(met)
    }

    /// Holds answered snapshots, and gives the pairs that they were awaited for.
    ///
    /// # Errors
    /// When what waits on disk cannot be written.
    pub fn answered(&mut self, answered: Answered) -> Result<Vec<Met>, OverflowError> {
        let Answered { job, models, windows, conditions } = answered;
        let shown = Arc::new(Shown {
            fields: self.held(Side::Snapshot, &job.records.fields),
            sequences: job.sequences,
            ids: job.records.ids,
            times: job.records.times,
            answers: models.into_iter().map(|model| model.decided.answers).collect(),
            windows,
            conditions,
        });
        let waiting = self.unanswered.remove(&job.slot).unwrap_or_default();
        let met = waiting.into_iter().map(|(row, decision)| Met { snapshot: (shown.clone(), row), decision });
        let met = met.collect();
        if !self.gone.remove(&job.slot) && !shown.times.is_empty() {
            let bytes = shown.bytes();
            self.shown.hold(job.slot, shown, bytes);
        }
        self.let_go()?;
        Ok(met)
    }

    /// Lets go of the batches that no pair can come from any more, and of memory beyond the budget.
    fn let_go(&mut self) -> Result<(), OverflowError> {
        for slot in self.pairing.retired() {
            match self.taken.remove(slot).or_else(|| self.shown.remove(slot)) {
                Some(Place::Memory) => {}
                Some(Place::Disk) => self.overflow.remove(slot),
                None => {
                    self.gone.insert(slot);
                }
            }
        }
        if self.shown.bytes + self.taken.bytes <= self.budget {
            return Ok(());
        }
        let most = (self.budget as f64 * KEPT) as usize;
        let (pairing, overflow) = (&self.pairing, &mut self.overflow);
        let mut filling = overflow.fill()?;
        while self.shown.bytes + self.taken.bytes > most {
            // The larger side gives its oldest batch.
            let spilt = match self.shown.bytes >= self.taken.bytes {
                true => self.shown.spill(|slot, shown| filling.shown(slot, shown, pairing.paired(slot)))?,
                false => self.taken.spill(|slot, taken| filling.taken(slot, taken, pairing.paired(slot)))?,
            };
            if !spilt {
                break;
            }
        }
        filling.finish()
    }

    /// The columns of a side that its pairs need; the others are let go.
    fn held(&self, side: Side, fields: &RecordBatch) -> RecordBatch {
        fields.project(&self.fields[side as usize]).expect("the columns were found when prepared")
    }
}

/// Batches of one side.
struct Waiting<T> {
    batches: BTreeMap<Slot, Held<T>>,
    /// From here on batches are in memory.
    spilt: Slot,
    /// What is held in memory.
    bytes: usize,
}

enum Held<T> {
    Memory(Arc<T>, usize),
    Disk,
}

/// Where a batch is held.
enum Place {
    Memory,
    Disk,
}

impl<T> Default for Waiting<T> {
    fn default() -> Waiting<T> {
        Waiting { batches: BTreeMap::new(), spilt: 0, bytes: 0 }
    }
}

impl<T> Waiting<T> {
    fn hold(&mut self, slot: Slot, batch: Arc<T>, bytes: usize) {
        self.bytes += bytes;
        self.batches.insert(slot, Held::Memory(batch, bytes));
    }

    /// Lets go of a batch, and says where it was.
    fn remove(&mut self, slot: Slot) -> Option<Place> {
        match self.batches.remove(&slot)? {
            Held::Memory(_, bytes) => {
                self.bytes -= bytes;
                Some(Place::Memory)
            }
            Held::Disk => Some(Place::Disk),
        }
    }

    /// Each of some rows, wherever its batch is held; `None` where it is not. `load` reads rows from disk.
    fn find(
        &self,
        wanted: &[(Slot, u32)],
        load: impl FnOnce(&[(Slot, u32)]) -> Result<T, OverflowError>,
    ) -> Result<Vec<Option<RowOf<T>>>, OverflowError> {
        let mut found = Vec::with_capacity(wanted.len());
        let mut on_disk = Vec::new();
        for (at, (slot, row)) in wanted.iter().enumerate() {
            found.push(match self.batches.get(slot) {
                Some(Held::Memory(batch, _)) => Some((batch.clone(), *row)),
                Some(Held::Disk) => {
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

    /// Gives the oldest batch in memory to `write`; false if there is none.
    fn spill(
        &mut self,
        write: impl FnOnce(Slot, &T) -> Result<(), OverflowError>,
    ) -> Result<bool, OverflowError> {
        for (&slot, held) in self.batches.range_mut(self.spilt..) {
            if let Held::Memory(batch, bytes) = held {
                write(slot, batch)?;
                self.bytes -= *bytes;
                *held = Held::Disk;
                self.spilt = slot + 1;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Something that senders of records cannot foresee.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}
