//! Counts the records of both streams by the window in which they were received or excluded, so that a verdict
//! can judge the windows that count, and each scope, by themselves.
//!
//! Invariants:
//! - The counts of a stream depend on the order of its own records alone, not on batches. Only the count of joined
//!   decisions depends on the other stream.
//! - Identical copies are not counted.
//! - A record whose scope is not known is in the counts of every scope.
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
    /// The excluded snapshots whose scopes are known, by window and scope; the scope 0 has all of them.
    scopes: BTreeMap<(Window, u16), WindowRecordCounts>,
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
    /// Accepted decisions that are paired or revised. The others are waiting or orphaned. 0 for snapshots.
    pub joined: u64,
}

/// An excluded record, as it is counted.
#[derive(Clone, Copy, Debug)]
pub struct CountedExclusion<'a> {
    /// Why the record is excluded.
    pub reason: ExclusionReason,
    /// The time whose window counts the record; `None` before the first accepted record of its stream.
    pub at: Option<Micros>,
    /// The scopes to which the record belongs, 0 among them; `None` if they are not known.
    pub scopes: Option<&'a [u16]>,
}

/// The excluded records that belong to a scope, and those that may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopeExclusions {
    /// The records that belong to the scope.
    pub known: WindowRecordCounts,
    /// The records whose scopes are not known.
    pub unknown: WindowRecordCounts,
}

impl WindowRecordCounts {
    /// All counted records.
    pub fn total(self) -> u64 {
        let WindowRecordCounts { accepted, rejected, conflict, late, joined: _ } = self;
        accepted + rejected + conflict + late
    }

    fn add(&mut self, other: WindowRecordCounts) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.conflict += other.conflict;
        self.late += other.late;
        self.joined += other.joined;
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

    /// Counts decisions that are paired or revised by their event times (µs).
    pub fn add_joined(&mut self, clock: &mut WindowClock, times: impl IntoIterator<Item = i64>) {
        for time in times {
            self.windows.entry(clock.window(time)).or_default().decisions.joined += 1;
        }
    }

    /// Counts an excluded record of a stream, after the accepted records before it. `lateness` is that of the
    /// stream. A record without a time, or too early for a window with accepted records, is not counted, and
    /// neither is a duplicate.
    pub fn add_excluded(
        &mut self,
        clock: &mut WindowClock,
        kind: StreamKind,
        record: CountedExclusion<'_>,
        lateness: Micros,
    ) {
        let (Some(at), Some(first)) = (record.at, self.first[kind]) else { return };
        let window = clock.window(at.0);
        if window < clock.window(first.saturating_sub(lateness).0) {
            return;
        }
        let count = match record.reason {
            ExclusionReason::Duplicate => return,
            ExclusionReason::Rejected => WindowRecordCounts { rejected: 1, ..Default::default() },
            ExclusionReason::Conflict => WindowRecordCounts { conflict: 1, ..Default::default() },
            ExclusionReason::Late => WindowRecordCounts { late: 1, ..Default::default() },
        };
        self.windows.entry(window).or_default()[kind].add(count);
        if kind == StreamKind::Snapshots {
            for scope in record.scopes.unwrap_or_default() {
                self.scopes.entry((window, *scope)).or_default().add(count);
            }
        }
    }

    /// The counts of a stream over a range of windows.
    pub fn total(&self, windows: RangeInclusive<Window>, kind: StreamKind) -> WindowRecordCounts {
        let mut all = WindowRecordCounts::default();
        self.windows.range(windows).for_each(|(_, counts)| all.add(counts[kind]));
        all
    }

    /// The excluded snapshots over a range of windows that belong to a scope, and those that may.
    pub fn excluded_snapshots(&self, windows: RangeInclusive<Window>, scope: u16) -> ScopeExclusions {
        let known = |scope| {
            let mut all = WindowRecordCounts::default();
            let counts = self.scopes.range((*windows.start(), 0)..=(*windows.end(), u16::MAX));
            counts.filter(|((_, own), _)| *own == scope).for_each(|(_, counts)| all.add(*counts));
            all
        };
        let (all, with_scopes) = (self.total(windows.clone(), StreamKind::Snapshots), known(0));
        let unknown = WindowRecordCounts {
            rejected: all.rejected - with_scopes.rejected,
            conflict: all.conflict - with_scopes.conflict,
            late: all.late - with_scopes.late,
            ..Default::default()
        };
        ScopeExclusions { known: known(scope), unknown }
    }

    /// The accepted decisions over a range of windows that are in no pair and not revised, without the windows for
    /// which `is_settled` is false: the snapshots of their decisions can still arrive.
    pub fn orphaned(&self, windows: RangeInclusive<Window>, is_settled: impl Fn(Window) -> bool) -> u64 {
        let settled = self.windows.range(windows).filter(|(window, _)| is_settled(**window));
        settled.map(|(_, counts)| counts.decisions.accepted.saturating_sub(counts.decisions.joined)).sum()
    }

    /// The counts up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> RecordCounts {
        let windows = self.windows.range(..=last).map(|(window, counts)| (*window, *counts));
        let scopes = self.scopes.range(..=(last, u16::MAX)).map(|(key, counts)| (*key, *counts));
        RecordCounts { first: self.first, windows: windows.collect(), scopes: scopes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use understudy_study::{Every, Windows};

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const LATENESS: Micros = Micros(2 * HOUR);

    fn exclusion(reason: ExclusionReason, at: i64) -> CountedExclusion<'static> {
        CountedExclusion { reason, at: Some(Micros(at)), scopes: None }
    }

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
            counts.add_excluded(&mut clock, kind, exclusion(reason, hour * HOUR), LATENESS);
        }
        let undated = CountedExclusion { reason: ExclusionReason::Rejected, at: None, scopes: None };
        counts.add_excluded(&mut clock, kind, undated, LATENESS);
        let total = |from: i64, to: i64, kind| {
            let mut clock = hourly_clock();
            counts.total(clock.window(from * HOUR)..=clock.window(to * HOUR), kind)
        };
        let all = WindowRecordCounts { accepted: 3, rejected: 1, conflict: 1, late: 1, joined: 0 };
        assert_eq!((total(0, 9, kind), all.total()), (all, 6));
        assert_eq!(total(5, 5, kind), WindowRecordCounts { accepted: 2, conflict: 1, ..Default::default() });
        assert_eq!(total(0, 9, StreamKind::Snapshots), WindowRecordCounts::default());
        let early = counts.through(clock.window(3 * HOUR));
        assert_eq!((early.windows.len(), early.first), (1, counts.first));
    }

    #[test]
    fn a_record_of_unknown_scope_counts_in_every_scope() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        let kind = StreamKind::Snapshots;
        counts.add_accepted(&mut clock, kind, &[5 * HOUR, 7 * HOUR]);
        for (reason, hour, scopes) in [
            (ExclusionReason::Late, 5, Some(&[0, 1][..])),
            (ExclusionReason::Late, 6, Some(&[0][..])),
            (ExclusionReason::Conflict, 7, Some(&[0, 1, 2][..])),
            (ExclusionReason::Rejected, 6, None),
            (ExclusionReason::Duplicate, 6, Some(&[0, 1][..])),
        ] {
            let record = CountedExclusion { scopes, ..exclusion(reason, hour * HOUR) };
            counts.add_excluded(&mut clock, kind, record, LATENESS);
        }
        let found = |from: i64, to: i64, scope| {
            let mut clock = hourly_clock();
            let windows = clock.window(from * HOUR)..=clock.window(to * HOUR);
            let ScopeExclusions { known, unknown } = counts.excluded_snapshots(windows, scope);
            assert_eq!((unknown.conflict, unknown.late, known.rejected), (0, 0, 0));
            (known.late, known.conflict, unknown.rejected)
        };
        assert_eq!([1, 2, 3].map(|scope| found(5, 7, scope)), [(1, 1, 1), (0, 1, 1), (0, 0, 1)]);
        assert_eq!([1, 2, 3].map(|scope| found(5, 5, scope)), [(1, 0, 0), (0, 0, 0), (0, 0, 0)]);
        let early = counts.through(clock.window(6 * HOUR));
        assert_eq!((early.scopes.len(), early.windows.len()), (3, 2));
    }

    #[test]
    fn the_scopes_of_an_excluded_record_are_known_or_unknown_for_any_reason() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        let kind = StreamKind::Snapshots;
        counts.add_accepted(&mut clock, kind, &[5 * HOUR]);
        let (rejected, conflict, late) =
            (ExclusionReason::Rejected, ExclusionReason::Conflict, ExclusionReason::Late);
        // How often each reason is excluded with the scope 1, and without known scopes.
        for (reason, with_scope, without) in [(rejected, 1, 2), (conflict, 3, 4), (late, 5, 6)] {
            let scopes = [(Some(&[0, 1][..]), with_scope), (None, without)];
            for (scopes, records) in scopes {
                for _ in 0..records {
                    let record = CountedExclusion { scopes, ..exclusion(reason, 5 * HOUR) };
                    counts.add_excluded(&mut clock, kind, record, LATENESS);
                }
            }
        }
        let window = clock.window(5 * HOUR);
        let found = counts.excluded_snapshots(window..=window, 1);
        let excluded = |rejected, conflict, late| WindowRecordCounts {
            rejected,
            conflict,
            late,
            ..WindowRecordCounts::default()
        };
        assert_eq!((found.known, found.unknown), (excluded(1, 3, 5), excluded(2, 4, 6)));
        assert_eq!(counts.excluded_snapshots(window..=window, 2).known, excluded(0, 0, 0));
    }

    #[test]
    fn decisions_that_are_not_joined_are_orphaned_in_settled_windows() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        counts.add_accepted(
            &mut clock,
            StreamKind::Decisions,
            &[HOUR, HOUR + 1, HOUR + 2, 3 * HOUR, 3 * HOUR],
        );
        counts.add_joined(&mut clock, [HOUR, HOUR + 2, 3 * HOUR]);
        let late = clock.window(3 * HOUR);
        let all = clock.window(0)..=clock.window(9 * HOUR);
        assert_eq!(counts.orphaned(all.clone(), |_| true), 2);
        assert_eq!(counts.orphaned(all, |window| window < late), 1);
        assert_eq!(counts.orphaned(late..=late, |_| true), 1);
    }

    #[test]
    fn records_of_any_past_need_no_memory() {
        let (mut clock, mut counts) = (hourly_clock(), RecordCounts::default());
        let kind = StreamKind::Snapshots;
        counts.add_excluded(&mut clock, kind, exclusion(ExclusionReason::Late, 0), LATENESS);
        counts.add_accepted(&mut clock, kind, &[1_000_000 * HOUR]);
        for hour in 0..1_000 {
            counts.add_excluded(&mut clock, kind, exclusion(ExclusionReason::Late, hour * HOUR), LATENESS);
        }
        assert_eq!(counts.windows.len(), 1);
        let edge = Micros(1_000_000 * HOUR - LATENESS.0);
        counts.add_excluded(&mut clock, kind, exclusion(ExclusionReason::Late, edge.0), LATENESS);
        counts.add_excluded(&mut clock, kind, exclusion(ExclusionReason::Late, edge.0 - 1), LATENESS);
        assert_eq!(counts.windows.len(), 2);
    }
}
