//! Detects records of a file that leap ahead of its order of time.
//!
//! A record leaps if it is ahead of the clock by more than the lateness, and the next records continue from the clock: up
//! to three of them are behind it by more than the lateness, and in order among themselves. A gap is not a leap, because
//! the records after a gap continue from its end.
//!
//! Invariants:
//! - The result depends on the records of the file only, not on batches: it is undecided until enough lines were read.
//! - Records that repeat an id say nothing about the order, so that overlapping exports make no leap.

use understudy_study::Micros;

use crate::batch::Records;

/// The number of lines behind a record that are searched for its followers.
pub const LEAP_WINDOW_LINES: u64 = 64;

/// The largest number of followers that are compared with a record.
const MAX_FOLLOWERS: usize = 3;

/// A record of a file that is out of order by more than the lateness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The line of the record, from 1.
    pub line: u64,
    /// The event time of the record.
    pub time: Micros,
    /// The line of the latest record before it, from 1.
    pub clock_line: u64,
    /// The event time of that record.
    pub clock_time: Micros,
    /// The declared lateness of the stream.
    pub lateness: Micros,
}

/// Whether a record leaps ahead of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leap {
    /// It does not.
    No,
    /// It does; the reason in words.
    Yes(String),
    /// The records that were read do not decide it.
    Undecided,
}

/// The records around one that is out of order.
pub(super) struct FileOrder<'r> {
    /// The records that were read; their lines ascend.
    pub(super) records: &'r Records,
    /// The latest event time before the record; `None` for the first record of the file.
    pub(super) clock: Option<Micros>,
    /// The line of the record that set the clock.
    pub(super) clock_line: Option<u64>,
    /// The declared lateness of the stream.
    pub(super) lateness: Micros,
    /// The last line that was read; `None` at the end of the file.
    pub(super) read_to: Option<u64>,
}

impl FileOrder<'_> {
    /// Classifies record `suspect`, which is ahead of the clock by more than the lateness, or the first of its file.
    /// `is_repeat` says whether a record repeats an id that was accepted before.
    pub(super) fn classify(&self, suspect: usize, is_repeat: impl Fn(usize) -> bool) -> Leap {
        let records = self.records;
        let time = Micros(records.times[suspect]);
        let window_end = records.lines[suspect].saturating_add(LEAP_WINDOW_LINES);
        let is_behind = |earlier: Micros, later: Micros| earlier.saturating_add(self.lateness) < later;
        let mut clock = self.clock;
        let mut followers: Vec<usize> = Vec::new();
        let mut is_complete = self.read_to.is_none_or(|line| line > window_end);
        for row in suspect + 1..records.len() {
            if records.lines[row] > window_end {
                is_complete = true;
                break;
            }
            let id = records.ids.value(row);
            let has_same_id = |other: &usize| records.ids.value(*other) == id;
            if has_same_id(&suspect) || followers.iter().any(has_same_id) || is_repeat(row) {
                continue;
            }
            let follower = Micros(records.times[row]);
            let is_ordered = clock.is_none_or(|clock| !is_behind(follower, clock));
            if !is_behind(follower, time) || !is_ordered {
                return Leap::No;
            }
            clock = clock.max(Some(follower));
            followers.push(row);
            if followers.len() == MAX_FOLLOWERS {
                return Leap::Yes(self.reason(suspect, &followers));
            }
        }
        // Of two records at the beginning of a file, either may be the wrong one.
        let least = if self.clock.is_some() { 1 } else { 2 };
        match (is_complete, followers.len() >= least) {
            (false, _) => Leap::Undecided,
            (true, true) => Leap::Yes(self.reason(suspect, &followers)),
            (true, false) => Leap::No,
        }
    }

    /// The fault of a record that is behind the clock by more than the lateness.
    pub(super) fn out_of_order(&self, record: usize) -> Option<OutOfOrder> {
        Some(OutOfOrder {
            line: self.records.lines[record],
            time: Micros(self.records.times[record]),
            clock_line: self.clock_line?,
            clock_time: self.clock?,
            lateness: self.lateness,
        })
    }

    /// The reason for which a leaping record is rejected.
    fn reason(&self, suspect: usize, followers: &[usize]) -> String {
        let records = self.records;
        let time = Micros(records.times[suspect]);
        let place = |line: u64, time: Micros| format!("line {line} ({})", time.time_text());
        let next: Vec<String> =
            followers.iter().map(|&row| place(records.lines[row], Micros(records.times[row]))).collect();
        let next = next.join(", ");
        match (self.clock, self.clock_line) {
            (Some(clock), Some(line)) => format!(
                "{} leaps {} ahead of {}, and the records behind it do not follow: {next}; correct its time",
                time.time_text(),
                time.saturating_sub(clock).span_text(),
                place(line, clock)
            ),
            _ => format!(
                "{} is the time of the first record, and the records behind it lie before it by more than {}: {next}; \
                 correct its time",
                time.time_text(),
                self.lateness.span_text()
            ),
        }
    }
}

#[cfg(test)]
mod tests;
