//! Where a snapshot meets its decision: by id, in event time.
//!
//! # Semantics
//! Each stream has a clock: the latest event time among its accepted records. Its *watermark* is that time less the
//! stream's `lateness`. With the horizon `h`:
//! - a snapshot at `s` and a decision at `d` with the same id are a pair if `|s - d| <= h`, whichever came first;
//! - a record is a *duplicate* (same bytes) or a *conflict* (other bytes) if its own stream holds that id with a time
//!   `t` and its watermark has not passed `t + 2h`; the first one stands. Later the id may be used again;
//! - a record behind its own stream's watermark is *late*;
//! - a record that is not paired is *waiting* until the other stream's watermark passes `t + h`, and then *expired*.
//!
//! # What always holds
//! - Whether a record is accepted depends on its own stream alone, and whether two accepted records pair on their times
//!   alone. So the pairs are the same however the two streams are interleaved and cut into batches.
//! - No record is in two pairs: two decisions that suit one snapshot lie within `2h` of each other, so the second is a
//!   duplicate or a conflict.
//! - What is held is bounded by what arrives within twice the horizon and the lateness.

mod accounting;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrow::array::{Array, StringArray};
use hashbrown::HashTable;
use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use accounting::{Account, Accounting};

use crate::batch::{Class, Records};
use understudy_study::StreamKind;

/// Names a batch of accepted records for as long as the pairing holds it.
pub type Slot = u32;

/// A snapshot and its decision: slot and row of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The snapshot.
    pub snapshot: (Slot, u32),
    /// The decision.
    pub decision: (Slot, u32),
}

/// The spans of time that decide who meets whom, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    /// How far a decision may lie from its snapshot, either way.
    pub horizon: i64,
    /// How far a record may lag behind its own stream: snapshots, decisions.
    pub lateness: [i64; 2],
}

/// What became of a batch of records.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The name of the batch. Its rows are the accepted ones, in order.
    pub slot: Slot,
    /// For each record: `None` if it was accepted, else why not.
    pub refused: Vec<Option<(Class, String)>>,
    /// The pairs that it completed.
    pub pairs: Vec<Pair>,
}

/// The records that may still meet.
pub struct Pairing {
    horizon: Horizon,
    seed: u64,
    table: HashTable<Entry>,
    batches: FxHashMap<Slot, Batch>,
    next: Slot,
    /// The latest accepted time of each side.
    clocks: [i64; 2],
    /// Batches by the time after which no partner can come.
    expiring: [BinaryHeap<Reverse<(i64, Slot)>>; 2],
    /// Closed batches by the time after which their ids may be used again.
    forgetting: [BinaryHeap<Reverse<(i64, Slot)>>; 2],
    retired: Vec<Slot>,
    accounts: [Account; 2],
}

#[derive(Clone, Copy)]
struct Entry {
    slot: Slot,
    row: u32,
    time: i64,
}

struct Batch {
    side: StreamKind,
    ids: StringArray,
    times: Vec<i64>,
    digests: Vec<u64>,
    paired: Vec<bool>,
    waiting: usize,
    /// The latest of the times.
    latest: i64,
    /// Whether rows may still be paired; afterwards only the ids are held.
    open: bool,
}

/// Before any record has come.
const DAWN: i64 = i64::MIN / 4;

impl Pairing {
    /// An empty pairing. `seed` makes the table's layout unpredictable for senders; it changes no result.
    pub fn new(horizon: Horizon, seed: u64) -> Pairing {
        Pairing {
            horizon,
            seed,
            table: HashTable::new(),
            batches: FxHashMap::default(),
            next: 0,
            clocks: [DAWN; 2],
            expiring: Default::default(),
            forgetting: Default::default(),
            retired: Vec::new(),
            accounts: Default::default(),
        }
    }

    /// Takes decoded records of one side. Counts them; `refused` are the classes of those that came with them and take no
    /// part.
    pub fn take(
        &mut self,
        side: StreamKind,
        records: &Records,
        refused: impl IntoIterator<Item = Class>,
    ) -> Taken {
        let rows = records.len();
        let slot = self.next;
        self.next = self.next.wrapping_add(1);
        let account = &mut self.accounts[side as usize];
        account.received += rows as u64;
        for class in refused {
            account.received += 1;
            *account.refused(class) += 1;
        }
        self.table.reserve(rows, |entry| hash(self.seed, id(&self.batches, entry)));

        let mut refused = Vec::with_capacity(rows);
        let mut pairs = Vec::new();
        // The record of each accepted row.
        let mut accepted: Vec<u32> = Vec::with_capacity(rows);
        let mut paired = Vec::with_capacity(rows);
        for record in 0..rows {
            let own = |entry: &Entry| match entry.slot == slot {
                true => records.ids.value(accepted[entry.row as usize] as usize),
                false => id(&self.batches, entry),
            };
            let (time, name) = (records.times[record], records.ids.value(record));
            let hash = hash(self.seed, name);
            let mut before = None;
            let mut partner = None;
            for entry in self.table.iter_hash(hash).filter(|entry| own(entry) == name) {
                let entry_side = if entry.slot == slot { side } else { self.batches[&entry.slot].side };
                if entry_side == side && self.watermark(side) <= entry.time + 2 * self.horizon.horizon {
                    before = Some(*entry);
                } else if entry_side != side && (entry.time - time).abs() <= self.horizon.horizon {
                    partner = Some(*entry);
                }
            }
            if let Some(before) = before {
                let digest = match before.slot == slot {
                    true => records.digests[accepted[before.row as usize] as usize],
                    false => self.batches[&before.slot].digests[before.row as usize],
                };
                refused.push(Some(self.repeated(side, digest == records.digests[record], name)));
                continue;
            }
            if time < self.watermark(side) {
                refused.push(Some(self.late(side, time)));
                continue;
            }
            refused.push(None);
            let row = accepted.len() as u32;
            accepted.push(record as u32);
            paired.push(partner.is_some());
            if let Some(partner) = partner {
                pairs.push(self.pair(side, (slot, row), (partner.slot, partner.row)));
            }
            self.clocks[side as usize] = self.clocks[side as usize].max(time);
            // Room was reserved above, so the table never has to look at the rows of this unfinished batch.
            self.table.insert_unique(hash, Entry { slot, row, time }, |entry| {
                hash_of(self.seed, &self.batches, entry)
            });
        }
        self.hold(side, slot, records, &accepted, paired);
        self.expire();
        Taken { slot, refused, pairs }
    }

    /// The batches whose rows can no longer be paired, named once each. A batch without an accepted row is not named.
    pub fn retired(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.retired)
    }

    /// The latest accepted time of a side; `None` before its first record.
    pub fn clock(&self, side: StreamKind) -> Option<i64> {
        Some(self.clocks[side as usize]).filter(|clock| *clock > DAWN)
    }

    /// Where every record received has got to. Exact at any moment: what has expired is told row by row.
    pub fn accounting(&self) -> Accounting {
        let mut accounts = self.accounts;
        for batch in self.batches.values().filter(|batch| batch.open) {
            let account = &mut accounts[batch.side as usize];
            let over = self.watermark(batch.side.other());
            for (time, _) in batch.times.iter().zip(&batch.paired).filter(|(_, paired)| !**paired) {
                match time + self.horizon.horizon < over {
                    true => account.expired += 1,
                    false => account.waiting += 1,
                }
            }
        }
        Accounting { snapshots: accounts[0], decisions: accounts[1] }
    }

    /// Where every record received has got to, at no cost: a record that has expired is called waiting until all of its batch
    /// have.
    pub fn standing(&self) -> Accounting {
        let [snapshots, decisions] = self.accounts.map(|account| {
            let Account { received, rejected, duplicate, conflict, late, paired, expired, .. } = account;
            let settled = rejected + duplicate + conflict + late + paired + expired;
            Account { waiting: received - settled, ..account }
        });
        Accounting { snapshots, decisions }
    }

    /// For each row of a batch that may still be paired, whether it has been; nothing of any other batch.
    pub fn paired(&self, slot: Slot) -> &[bool] {
        self.batches.get(&slot).filter(|batch| batch.open).map_or(&[], |batch| &batch.paired)
    }

    /// How many accepted records of a side are in batches that may still be paired, and are not.
    pub fn open_rows(&self, side: StreamKind) -> u64 {
        let open = self.batches.values().filter(|batch| batch.side == side && batch.open);
        open.map(|batch| batch.waiting as u64).sum()
    }

    /// Sets what is counted, after logged records were taken again: `expired` without those in [`Pairing::open_rows`].
    pub fn set_accounts(&mut self, accounts: [Account; 2]) {
        self.accounts = accounts;
    }

    /// The spans of time.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    fn watermark(&self, side: StreamKind) -> i64 {
        self.clocks[side as usize] - self.horizon.lateness[side as usize]
    }

    fn repeated(&mut self, side: StreamKind, same: bool, id: &str) -> (Class, String) {
        let (class, how) = match same {
            true => (Class::Duplicate, ", the same to the byte"),
            false => (Class::Conflict, " with other content; the first one stands"),
        };
        *self.accounts[side as usize].refused(class) += 1;
        (class, format!("id \"{id}\" came before{how}"))
    }

    fn late(&mut self, side: StreamKind, time: i64) -> (Class, String) {
        self.accounts[side as usize].late += 1;
        let clock = self.clocks[side as usize];
        let allowed = SignedDuration::from_micros(self.horizon.lateness[side as usize]);
        let at = |micros| Timestamp::from_microsecond(micros).map(|at| at.to_string()).unwrap_or_default();
        (
            Class::Late,
            format!("{} is more than {allowed:#} behind its stream, which is at {}", at(time), at(clock)),
        )
    }

    /// Marks the partner's row as paired; that of the new row is marked by the caller.
    fn pair(&mut self, side: StreamKind, new: (Slot, u32), old: (Slot, u32)) -> Pair {
        let batch = self.batches.get_mut(&old.0).expect("the table names only batches that are held");
        batch.paired[old.1 as usize] = true;
        batch.waiting -= 1;
        if batch.waiting == 0 {
            self.close(old.0);
        }
        self.accounts[0].paired += 1;
        self.accounts[1].paired += 1;
        match side {
            StreamKind::Snapshots => Pair { snapshot: new, decision: old },
            StreamKind::Decisions => Pair { snapshot: old, decision: new },
        }
    }

    fn hold(&mut self, side: StreamKind, slot: Slot, records: &Records, accepted: &[u32], paired: Vec<bool>) {
        let waiting = paired.iter().filter(|paired| !**paired).count();
        let Some(latest) = accepted.iter().map(|&record| records.times[record as usize]).max() else {
            return;
        };
        let all = accepted.len() == records.len();
        let ids = match all {
            true => records.ids.clone(),
            false => accepted.iter().map(|&record| Some(records.ids.value(record as usize))).collect(),
        };
        let of = |values: &[i64]| accepted.iter().map(|&record| values[record as usize]).collect();
        let digests = accepted.iter().map(|&record| records.digests[record as usize]).collect();
        let times = of(&records.times);
        self.batches.insert(slot, Batch { side, ids, times, digests, paired, waiting, latest, open: true });
        match waiting {
            0 => self.close(slot),
            _ => self.expiring[side as usize].push(Reverse((latest + self.horizon.horizon, slot))),
        }
    }

    /// Lets go of what can no longer matter.
    fn expire(&mut self) {
        for side in StreamKind::ALL {
            let over = self.watermark(side.other());
            while let Some(slot) = pop_before(&mut self.expiring[side as usize], over) {
                let Some(batch) = self.batches.get_mut(&slot).filter(|batch| batch.open) else { continue };
                self.accounts[side as usize].expired += batch.waiting as u64;
                self.close(slot);
            }
        }
        for side in StreamKind::ALL {
            let over = self.watermark(side);
            while let Some(slot) = pop_before(&mut self.forgetting[side as usize], over) {
                self.forget(slot);
            }
        }
    }

    /// No row of the batch can be paired any more: its columns may go, its ids stay until they may be used again.
    fn close(&mut self, slot: Slot) {
        let batch = self.batches.get_mut(&slot).expect("only batches that are held are closed");
        batch.open = false;
        self.forgetting[batch.side as usize].push(Reverse((batch.latest + 2 * self.horizon.horizon, slot)));
        self.retired.push(slot);
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

fn pop_before(heap: &mut BinaryHeap<Reverse<(i64, Slot)>>, time: i64) -> Option<Slot> {
    let Reverse((due, slot)) = *heap.peek()?;
    (due < time).then(|| {
        heap.pop();
        slot
    })
}

fn hash(seed: u64, id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), seed)
}

fn id<'a>(batches: &'a FxHashMap<Slot, Batch>, entry: &Entry) -> &'a str {
    batches[&entry.slot].ids.value(entry.row as usize)
}

fn hash_of(seed: u64, batches: &FxHashMap<Slot, Batch>, entry: &Entry) -> u64 {
    hash(seed, id(batches, entry))
}

#[cfg(test)]
mod tests;
