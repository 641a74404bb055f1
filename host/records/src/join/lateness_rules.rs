//! Decides on records that are out of order of time: late records, and leaps and disorder in files.
//!
//! Invariants: a record that is excluded here moves no clock and reserves no id.

use understudy_study::{Micros, StreamKind};

use super::leap_detection::{FileOrder, Leap, OutOfOrder};
use super::{IntervalJoin, Slot, hash};
use crate::batch::{ExclusionReason, Records};

/// What becomes of a record that is behind the watermark or ahead of the clock.
pub(super) enum OrderOutcome {
    /// It is accepted.
    Accept,
    /// It is excluded, for this reason.
    Exclude(ExclusionReason, String),
    /// It is not processed: the file is out of order, or more records decide.
    Stop(Option<OutOfOrder>),
}

/// The last line that was read of a file; `None` at its end.
#[derive(Clone, Copy)]
pub(super) struct FileReadPosition(pub(super) Option<u64>);

impl IntervalJoin {
    /// Whether a record at `time` is ahead of its stream's clock by more than the lateness, or is the first record.
    pub(super) fn is_ahead(&self, kind: StreamKind, time: Micros) -> bool {
        self.clock(kind).is_none_or(|clock| time > clock + self.bounds.lateness[kind])
    }

    /// Classifies a record that is behind the watermark, or a record of a file that is ahead of the clock, and counts it if
    /// it is excluded. `open` is the slot of the batch that is being joined, with the record of each accepted row.
    pub(super) fn classify_order(
        &mut self,
        kind: StreamKind,
        open: (Slot, &[u32]),
        records: &Records,
        record: usize,
        file: Option<FileReadPosition>,
    ) -> OrderOutcome {
        let time = Micros(records.times[record]);
        let is_late = time < self.watermark(kind);
        let order = match file {
            None => {
                let (reason, detail) = self.exclude_late(kind, time);
                return OrderOutcome::Exclude(reason, detail);
            }
            Some(FileReadPosition(read_to)) => FileOrder {
                records,
                clock: self.clock(kind),
                clock_line: self.clock_records[kind].as_ref().map(|clock| clock.position),
                lateness: self.bounds.lateness[kind],
                read_to,
            },
        };
        if is_late {
            return OrderOutcome::Stop(order.out_of_order(record));
        }
        match order.classify(record, |follower| self.is_repeat(kind, open, records, follower)) {
            Leap::No => OrderOutcome::Accept,
            Leap::Undecided => OrderOutcome::Stop(None),
            Leap::Yes(detail) => {
                self.accounts[kind].rejected += 1;
                OrderOutcome::Exclude(ExclusionReason::Rejected, detail)
            }
        }
    }

    /// Whether a record is excluded because it repeats an id that its stream reserves. `open` is that of
    /// [`IntervalJoin::classify_order`].
    fn is_repeat(&self, kind: StreamKind, open: (Slot, &[u32]), records: &Records, record: usize) -> bool {
        let (slot, accepted) = open;
        let (name, time) = (records.ids.value(record), Micros(records.times[record]));
        self.table.iter_hash(hash(self.seed, name)).any(|entry| {
            let row = entry.row as usize;
            let (entry_kind, entry_name, digest) = match entry.slot == slot {
                true => {
                    let earlier = accepted[row] as usize;
                    (kind, records.ids.value(earlier), records.digests[earlier])
                }
                false => {
                    let batch = &self.batches[&entry.slot];
                    (batch.kind, batch.ids.value(row), batch.digests[row])
                }
            };
            let is_excluded = || digest == records.digests[record] || !self.accepts_revisions(kind);
            entry_kind == kind
                && entry_name == name
                && self.is_reserved(kind, entry.time, time)
                && is_excluded()
        })
    }

    /// Remembers the record that set the clock of a stream.
    pub(super) fn record_clock(&mut self, kind: StreamKind, records: &Records, latest: Option<usize>) {
        if let Some(row) = latest {
            let clock = self.clock_records[kind].get_or_insert_default();
            clock.set(records.lines[row], records.ids.value(row));
        }
    }

    /// Counts a late record, and says why it is late.
    fn exclude_late(&mut self, kind: StreamKind, time: Micros) -> (ExclusionReason, String) {
        self.accounts[kind].late += 1;
        let clock = self.clock_records[kind].as_ref().map(|clock| {
            format!(", {} ({})", clock.describe(self.position_names[kind]), self.clocks[kind].time_text())
        });
        let detail = format!(
            "{} is more than {} behind the latest record of its stream{}",
            time.time_text(),
            self.bounds.lateness[kind].span_text(),
            clock.unwrap_or_default()
        );
        (ExclusionReason::Late, detail)
    }
}
