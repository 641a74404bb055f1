//! Joins snapshots with decisions: an interval join on id and event time, with watermarks.
//!
//! # Semantics
//! The *clock* of a stream is the latest event time among its accepted records. Its *watermark* is the clock less the
//! stream's `lateness`. With the horizon `h`:
//! - A snapshot at `s` and a decision at `d` with the same id form a pair if `|s - d| <= h`, whichever arrived first.
//! - A record is a *duplicate* (same bytes) or a *conflict* (different bytes) if its own stream holds the id with a time
//!   `t` and the stream's watermark has not passed `t + 2h`. The first record counts. Afterwards the id may be reused.
//! - A record behind the watermark of its own stream is *late*, unless it is a duplicate or a conflict. A file has to be
//!   in order of time up to the lateness, so a late record of a file ends its reading instead: see [`FileJoinResult`].
//! - A record of a file that alone leaps ahead of its neighbours is *rejected* and does not move the clock.
//! - An accepted record without a pair is *waiting* until the other stream's watermark passes `t + h`, then *expired*.
//!
//! With [`Revisions::First`] or [`Revisions::Last`] several decisions may have one id:
//! - A decision that repeats an id with different bytes is accepted, unless it is late. It is a *conflict* only if its
//!   stream holds [`MAX_REVISIONS`] decisions with the id.
//! - The accepted decisions within `h` of a snapshot that have its id are its *candidates*. They are ordered by version,
//!   then event time, then arrival. The first or the last one forms the pair; the others are *revised*.
//! - A pair is emitted once the watermark of the decisions has passed `s + h`, because no candidate can arrive
//!   afterwards, or by [`IntervalJoin::finish`]. Until then snapshot and candidates are waiting.
//!
//! # Invariants
//! - Whether a record is accepted depends on its own stream only. Whether two accepted records pair depends on their ids
//!   and times only. So the pairs do not depend on how the streams are interleaved or cut into batches.
//! - No record is in two pairs: two decisions that fit one snapshot lie within `2h` of each other, so the second one is
//!   a duplicate, a conflict or a candidate. Two accepted snapshots with one id lie more than `2h` apart, so no decision
//!   fits both.
//! - Memory is bounded by the records of twice the horizon plus the lateness; with revisions, of three times.

mod accounting;
mod batch_retention;
mod clock_record;
mod lateness_rules;
mod leap_detection;
mod repeated_ids;
mod revision_order;
mod settlement;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrow::array::StringArray;
use hashbrown::HashTable;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use understudy_study::{Micros, PerStream, Revisions, StreamKind};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use accounting::{Account, AccountTerm, Accounting, ExclusionCounts};
pub use leap_detection::{LEAP_WINDOW_LINES, OutOfOrder};

use crate::batch::{Exclusion, ExclusionReason, Records};
use clock_record::ClockRecord;
use lateness_rules::{FileReadPosition, OrderOutcome};
use revision_order::Versions;

/// Identifies a batch of accepted records while the join holds it.
pub type Slot = u32;

/// A pair: the slot and row of its snapshot and of its decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinedRows {
    /// Slot and row of the snapshot.
    pub snapshot: (Slot, u32),
    /// Slot and row of the decision that counts.
    pub decision: (Slot, u32),
    /// The decisions that this one supersedes, or that it precedes; `None` if it is the only one.
    pub revised: Option<RevisedRows>,
}

/// The candidates of a pair that do not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RevisedRows {
    /// Slot and row of the candidate at the other end of their order: the first one if the last one counts, and the last
    /// one if the first one counts.
    pub decision: (Slot, u32),
    /// The event times of the candidates that do not count, in µs; at least one.
    pub times: Vec<i64>,
}

/// The spans of event time that bound the join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinBounds {
    /// The largest distance between a snapshot and its decision, in either direction.
    pub horizon: Micros,
    /// How far a record may lag behind the clock of its own stream.
    pub lateness: PerStream<Micros>,
}

/// Result of offering a batch of records to the join.
#[derive(Clone, Debug)]
pub struct JoinResult {
    /// The slot of the batch. Its rows are the accepted records, in order.
    pub slot: Slot,
    /// The excluded records, by ascending row.
    pub excluded: Vec<Exclusion>,
    /// The pairs that the batch completes. With revisions, the pairs that it settles.
    pub pairs: Vec<JoinedRows>,
}

impl JoinResult {
    /// For each of `rows` offered records whether it was accepted.
    pub fn accepted(&self, rows: usize) -> Vec<bool> {
        let mut accepted = vec![true; rows];
        self.excluded.iter().for_each(|exclusion| accepted[exclusion.row as usize] = false);
        accepted
    }
}

/// Result of offering records of a file to the join.
#[derive(Clone, Debug)]
pub struct FileJoinResult {
    /// The result for the processed records.
    pub joined: JoinResult,
    /// The number of processed records. Those behind them have to be offered again, with more records of the file.
    pub rows: usize,
    /// Why the first unprocessed record ends the reading of the file, if it does.
    pub out_of_order: Option<OutOfOrder>,
}

/// The join, with the records that can still pair or be repeated.
pub struct IntervalJoin {
    bounds: JoinBounds,
    revisions: Revisions,
    seed: u64,
    table: HashTable<JoinEntry>,
    batches: FxHashMap<Slot, JoinBatch>,
    next: Slot,
    /// The latest accepted event time of each stream; [`NO_CLOCK`] before the first record.
    clocks: PerStream<Micros>,
    /// The record that set the clock of each stream; `None` before the first record.
    clock_records: PerStream<Option<ClockRecord>>,
    /// What a record's position in its source is called, in messages.
    position_names: PerStream<&'static str>,
    /// Open batches by the time from which no partner can arrive.
    expiring: PerStream<BinaryHeap<Reverse<(Micros, Slot)>>>,
    /// Closed batches by the time from which their ids may be reused.
    forgetting: PerStream<BinaryHeap<Reverse<(Micros, Slot)>>>,
    /// With revisions: the matched snapshots, by the time from which no further candidate can arrive.
    unsettled: BinaryHeap<Reverse<(Micros, Slot, u32)>>,
    closed: Vec<Slot>,
    accounts: PerStream<Account>,
    /// The number of batches that were offered.
    offered: u64,
    /// Whether the records are a selection of accepted ones, so that clocks say nothing about the streams.
    selection: bool,
}

#[derive(Clone, Copy)]
struct JoinEntry {
    slot: Slot,
    row: u32,
    time: Micros,
}

struct JoinBatch {
    kind: StreamKind,
    ids: StringArray,
    times: Vec<i64>,
    digests: Vec<u64>,
    /// The versions of decisions.
    versions: Versions,
    /// The number of batches that were offered before.
    number: u64,
    states: Vec<RowState>,
    /// The number of rows that are not settled.
    waiting: usize,
    /// The number of rows that are matched.
    matched: usize,
    /// The latest of the times.
    latest: Micros,
    /// Whether rows can still pair. Of a closed batch only the ids matter.
    open: bool,
}

/// How far the join is with an accepted row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// The row has no counterpart yet.
    Waiting,
    /// With revisions: the row is a snapshot with a candidate, or a candidate, and the pair is not settled.
    Matched,
    /// The row is in a pair or revised, or can no longer be.
    Settled,
}

/// The most decisions with one id that the join holds. Each new one is compared with all of them.
pub const MAX_REVISIONS: usize = 1000;

/// The clock of a stream without records: far in the past, and far enough from `i64::MIN` to subtract spans from.
const NO_CLOCK: Micros = Micros(i64::MIN / 4);

impl IntervalJoin {
    /// A join without records. `seed` keeps senders from predicting hash collisions; it does not affect results.
    pub fn new(bounds: JoinBounds, seed: u64) -> IntervalJoin {
        IntervalJoin {
            bounds,
            revisions: Revisions::Refuse,
            seed,
            table: HashTable::new(),
            batches: FxHashMap::default(),
            next: 0,
            clocks: PerStream::splat(NO_CLOCK),
            clock_records: PerStream::default(),
            position_names: PerStream::splat("line"),
            expiring: PerStream::default(),
            forgetting: PerStream::default(),
            unsettled: BinaryHeap::new(),
            closed: Vec::new(),
            accounts: PerStream::default(),
            offered: 0,
            selection: false,
        }
    }

    /// The same join, which treats repeated ids of decisions as `revisions` says. To be called before the first batch.
    pub fn with_revisions(self, revisions: Revisions) -> IntervalJoin {
        IntervalJoin { revisions, ..self }
    }

    /// A join of records that were selected, by id, from those that a join of the whole streams accepted. It finds the
    /// same pairs among them. No record is late and none expires, since the clocks of a selection say nothing about
    /// the streams. With revisions, pairs are settled only by [`IntervalJoin::settle_before`] and
    /// [`IntervalJoin::finish`]. Memory grows with the selection.
    pub fn for_selected_ids(bounds: JoinBounds, seed: u64) -> IntervalJoin {
        IntervalJoin { selection: true, ..IntervalJoin::new(bounds, seed) }
    }

    /// Sets what a record's position in its source is called in messages: "line" by default.
    #[must_use]
    pub fn with_position_names(self, position_names: PerStream<&'static str>) -> IntervalJoin {
        IntervalJoin { position_names, ..self }
    }

    /// Joins decoded records of one stream. `rejected` are the reasons for which the decoder excluded others of the
    /// batch; these records are only counted.
    pub fn offer(
        &mut self,
        kind: StreamKind,
        records: &Records,
        rejected: impl IntoIterator<Item = ExclusionReason>,
    ) -> JoinResult {
        self.count_rejected(kind, rejected);
        self.offer_rows(kind, records, records.len(), None).joined
    }

    /// Joins decoded records of a file, up to the first one that is out of order or that needs a look at more records.
    /// At most `max_rows` are processed; the others may still say whether one of them leaps ahead. `read_to` is the
    /// last line that was read; `None` at the end of the file.
    pub fn offer_file(
        &mut self,
        kind: StreamKind,
        records: &Records,
        max_rows: usize,
        read_to: Option<u64>,
    ) -> FileJoinResult {
        self.offer_rows(kind, records, max_rows, Some(FileReadPosition(read_to)))
    }

    /// Joins at most `max_rows` records. `file` says how far the file was read; `None` if the records do not come from
    /// a file.
    fn offer_rows(
        &mut self,
        kind: StreamKind,
        records: &Records,
        max_rows: usize,
        file: Option<FileReadPosition>,
    ) -> FileJoinResult {
        let slot = self.next;
        self.next = self.next.wrapping_add(1);
        let rows = max_rows.min(records.len());
        self.table.reserve(rows, |entry| hash(self.seed, id(&self.batches, entry)));

        let mut excluded = Vec::new();
        let mut pairs = Vec::new();
        // The record of each accepted row.
        let mut accepted: Vec<u32> = Vec::with_capacity(rows);
        let mut states = Vec::with_capacity(rows);
        let mut partners: Vec<JoinEntry> = Vec::new();
        // The record that set the clock, if it is in this batch and not recorded yet.
        let mut latest = None;
        let mut out_of_order = None;
        let mut joined_rows = rows;
        for record in 0..rows {
            let own = |entry: &JoinEntry| match entry.slot == slot {
                true => records.ids.value(accepted[entry.row as usize] as usize),
                false => id(&self.batches, entry),
            };
            let (time, name) = (Micros(records.times[record]), records.ids.value(record));
            let hash = hash(self.seed, name);
            // Whether the record has the bytes of an earlier one with its id; `None` if it does not repeat one.
            let mut repeated: Option<bool> = None;
            let mut revisions = 0;
            partners.clear();
            for entry in self.table.iter_hash(hash).filter(|entry| own(entry) == name) {
                let entry_kind = if entry.slot == slot { kind } else { self.batches[&entry.slot].kind };
                if entry_kind == kind && self.is_reserved(kind, entry.time, time) {
                    let digest = match entry.slot == slot {
                        true => records.digests[accepted[entry.row as usize] as usize],
                        false => self.batches[&entry.slot].digests[entry.row as usize],
                    };
                    let is_same = digest == records.digests[record];
                    revisions += 1;
                    if is_same || !self.accepts_revisions(kind) || revisions == MAX_REVISIONS {
                        repeated = Some(repeated == Some(true) || is_same);
                    }
                } else if entry_kind != kind && (entry.time - time).abs() <= self.bounds.horizon {
                    partners.push(*entry);
                }
            }
            let mut exclude = |(reason, detail)| {
                excluded.push(Exclusion { row: record as u32, reason, detail });
            };
            if let Some(is_same) = repeated {
                exclude(self.exclude_repeated(kind, is_same, name));
                continue;
            }
            if time < self.watermark(kind) || (file.is_some() && self.is_ahead(kind, time)) {
                self.record_clock(kind, records, latest.take());
                match self.classify_order(kind, (slot, &accepted), records, record, file) {
                    OrderOutcome::Accept => {}
                    OrderOutcome::Exclude(reason, detail) => {
                        exclude((reason, detail));
                        continue;
                    }
                    OrderOutcome::Stop(fault) => {
                        (joined_rows, out_of_order) = (record, fault);
                        break;
                    }
                }
            }
            let row = accepted.len() as u32;
            accepted.push(record as u32);
            states.push(match partners[..] {
                [] => RowState::Waiting,
                _ if self.revisions.are_accepted() => {
                    self.match_row(kind, JoinEntry { slot, row, time }, &partners);
                    RowState::Matched
                }
                [partner, ..] => {
                    pairs.push(self.pair(kind, (slot, row), (partner.slot, partner.row)));
                    RowState::Settled
                }
            });
            if time > self.clocks[kind] {
                self.clocks[kind] = time;
                latest = Some(record);
            }
            // Capacity is reserved above, so the table never rehashes the rows of this unfinished batch.
            self.table.insert_unique(hash, JoinEntry { slot, row, time }, |entry| {
                entry_hash(self.seed, &self.batches, entry)
            });
        }
        self.record_clock(kind, records, latest);
        self.accounts[kind].received += joined_rows as u64;
        self.hold(kind, slot, records, &accepted, states);
        pairs.extend(self.settle_before(self.watermark(StreamKind::Decisions)));
        self.expire();
        FileJoinResult { joined: JoinResult { slot, excluded, pairs }, rows: joined_rows, out_of_order }
    }

    /// The batches whose rows can no longer pair, each returned once. A batch without accepted rows is never returned.
    pub fn take_closed_batches(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.closed)
    }

    /// The latest accepted event time of a stream; `None` before its first record.
    pub fn clock(&self, kind: StreamKind) -> Option<Micros> {
        Some(self.clocks[kind]).filter(|clock| *clock > NO_CLOCK)
    }

    /// The state of each row of an open batch; empty for any other batch.
    pub fn row_states(&self, slot: Slot) -> &[RowState] {
        self.batches.get(&slot).filter(|batch| batch.open).map_or(&[], |batch| &batch.states)
    }

    /// The number of accepted records of a stream in open batches that are not settled.
    pub fn open_rows(&self, kind: StreamKind) -> u64 {
        let open = self.batches.values().filter(|batch| batch.kind == kind && batch.open);
        open.map(|batch| batch.waiting as u64).sum()
    }

    /// The spans of event time that bound the join.
    pub fn bounds(&self) -> JoinBounds {
        self.bounds
    }

    /// How repeated ids of decisions are treated.
    pub fn revisions(&self) -> Revisions {
        self.revisions
    }

    /// [`NO_CLOCK`] for a selection.
    fn watermark(&self, kind: StreamKind) -> Micros {
        match self.selection {
            true => NO_CLOCK,
            false => self.clocks[kind] - self.bounds.lateness[kind],
        }
    }

    /// Marks the earlier row of a pair as paired. The caller marks the later one.
    fn pair(&mut self, kind: StreamKind, later: (Slot, u32), earlier: (Slot, u32)) -> JoinedRows {
        self.settle_row(earlier);
        self.accounts.snapshots.paired += 1;
        self.accounts.decisions.paired += 1;
        match kind {
            StreamKind::Snapshots => JoinedRows { snapshot: later, decision: earlier, revised: None },
            StreamKind::Decisions => JoinedRows { snapshot: earlier, decision: later, revised: None },
        }
    }
}

fn hash(seed: u64, id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), seed)
}

fn id<'a>(batches: &'a FxHashMap<Slot, JoinBatch>, entry: &JoinEntry) -> &'a str {
    batches[&entry.slot].ids.value(entry.row as usize)
}

fn entry_hash(seed: u64, batches: &FxHashMap<Slot, JoinBatch>, entry: &JoinEntry) -> u64 {
    hash(seed, id(batches, entry))
}

#[cfg(test)]
mod tests;
