//! Counts the records of both streams by the window in which they were received or excluded, so that a verdict
//! can judge the windows that count by themselves.
//!
//! Invariants:
//! - The counts of a stream depend on the order of its own records alone, not on batches or the other stream.
//! - Identical copies are not counted.
//! - Memory is bounded by the windows between the first record of a stream, less its lateness, and its
//!   clock. A record before them cannot be in a window with accepted records.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::calendar_window::{Window, WindowClock};
use understudy_records::batch::ExclusionReason;
use understudy_study::{Micros, PerStream, StreamKind};

/// The counts of received records by window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// The event time of each stream's first accepted record; `None` before it.
    first: PerStream<Option<Micros>>,
    /// The counts of each window with records.
    windows: BTreeMap<Window, PerStream<WindowRecordCounts>>,
}

/// The counts of one stream in one window, or in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecordCounts {
    /// Records that were accepted.
    pub accepted: u64,
    /// Records that could not be decoded, by the clock of their stream on arrival.
    pub rejected: u64,
    /// Records that repeat an earlier id with different content.
    pub conflict: u64,
    /// Records behind the watermark of their stream.
    pub late: u64,
}

impl WindowRecordCounts {
    /// All counted records.
    pub fn total(self) -> u64 {
        let WindowRecordCounts { accepted, rejected, conflict, late } = self;
        accepted + rejected + conflict + late
    }

    fn add(&mut self, other: WindowRecordCounts) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.conflict += other.conflict;
        self.late += other.late;
    }
}

impl RecordCounts {
    /// Counts accepted records of a stream by their event times (µs), in the order of arrival.
    pub fn add_accepted(&mut self, clock: &mut WindowClock, kind: StreamKind, times: &[i64]) {
        let Some(first) = times.first() else { return };
        self.first[kind].get_or_insert(Micros(*first));
        for time in times {
            self.windows.entry(clock.window(*time)).or_default()[kind].accepted += 1;
        }
    }

    /// Counts an excluded record of a stream at the time `at`, after the accepted records before it. `lateness`
    /// is that of the stream. A record without a time, or too early for a window with accepted records, is not
    /// counted, and neither is a duplicate.
    pub fn add_excluded(
        &mut self,
        clock: &mut WindowClock,
        kind: StreamKind,
        reason: ExclusionReason,
        at: Option<Micros>,
        lateness: Micros,
    ) {
        let (Some(at), Some(first)) = (at, self.first[kind]) else { return };
        let window = clock.window(at.0);
        if window < clock.window(first.saturating_sub(lateness).0) {
            return;
        }
        let count = match reason {
            ExclusionReason::Duplicate => return,
            ExclusionReason::Rejected => WindowRecordCounts { rejected: 1, ..Default::default() },
            ExclusionReason::Conflict => WindowRecordCounts { conflict: 1, ..Default::default() },
            ExclusionReason::Late => WindowRecordCounts { late: 1, ..Default::default() },
        };
        self.windows.entry(window).or_default()[kind].add(count);
    }

    /// The counts of a stream over a range of windows.
    pub fn total(&self, windows: RangeInclusive<Window>, kind: StreamKind) -> WindowRecordCounts {
        let mut all = WindowRecordCounts::default();
        self.windows.range(windows).for_each(|(_, counts)| all.add(counts[kind]));
        all
    }

    /// The counts up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> RecordCounts {
        let windows = self.windows.range(..=last).map(|(window, counts)| (*window, *counts));
        RecordCounts { first: self.first, windows: windows.collect() }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use understudy_study::{Every, Windows};

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const LATENESS: Micros = Micros(2 * HOUR);

    fn hourly_clock() -> WindowClock {
        let windows = Windows { every: Every::Hour, week_ends: jiff::civil::Weekday::Sunday };
        WindowClock::new(windows, TimeZone::UTC)
    }

    #[test]
    fn records_are_counted_in_their_window() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        let kind = StreamKind::Decisions;
        counts.add_accepted(&mut clock, kind, &[5 * HOUR, 5 * HOUR + 1, 6 * HOUR]);
        for (reason, hour) in [
            (ExclusionReason::Late, 3),
            (ExclusionReason::Conflict, 5),
            (ExclusionReason::Duplicate, 5),
            (ExclusionReason::Rejected, 6),
        ] {
            counts.add_excluded(&mut clock, kind, reason, Some(Micros(hour * HOUR)), LATENESS);
        }
        counts.add_excluded(&mut clock, kind, ExclusionReason::Rejected, None, LATENESS);
        let total = |from: i64, to: i64, kind| {
            let mut clock = hourly_clock();
            counts.total(clock.window(from * HOUR)..=clock.window(to * HOUR), kind)
        };
        let all = WindowRecordCounts { accepted: 3, rejected: 1, conflict: 1, late: 1 };
        assert_eq!((total(0, 9, kind), all.total()), (all, 6));
        assert_eq!(total(5, 5, kind), WindowRecordCounts { accepted: 2, conflict: 1, ..Default::default() });
        assert_eq!(total(0, 9, StreamKind::Snapshots), WindowRecordCounts::default());
        let early = counts.through(clock.window(3 * HOUR));
        assert_eq!((early.windows.len(), early.first), (1, counts.first));
    }

    #[test]
    fn records_of_any_past_need_no_memory() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        let kind = StreamKind::Snapshots;
        counts.add_excluded(&mut clock, kind, ExclusionReason::Late, Some(Micros(0)), LATENESS);
        counts.add_accepted(&mut clock, kind, &[1_000_000 * HOUR]);
        for hour in 0..1_000 {
            counts.add_excluded(&mut clock, kind, ExclusionReason::Late, Some(Micros(hour * HOUR)), LATENESS);
        }
        assert_eq!(counts.windows.len(), 1);
        let edge = Micros(1_000_000 * HOUR - LATENESS.0);
        counts.add_excluded(&mut clock, kind, ExclusionReason::Late, Some(edge), LATENESS);
        counts.add_excluded(&mut clock, kind, ExclusionReason::Late, Some(Micros(edge.0 - 1)), LATENESS);
        assert_eq!(counts.windows.len(), 2);
    }
}
