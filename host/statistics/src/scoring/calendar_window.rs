//! Calendar windows in the study's time zone: the window of an instant, its bounds and its label.
//!
//! Invariants:
//! - The windows partition time, in order. Each begins where the one before it ends: at the first instant at
//!   which the local clock reads its civil start, or has jumped past it.
//! - A day has 23 or 25 hours where the clock is put forward or back.
//! - An hour that the local clock repeats is one window of two hours, so every window has its own label, and
//!   a day has at most 24 windows that agree with the condition `hour`.
//! - An hour or a day that the local clock skips contains no instant, so no window is returned for it.

use std::ops::Range;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use super::local_time::{LocalClock, just_after, nearest};
use understudy_study::{Every, Windows};

/// The local time at instant 0 in UTC.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A window of a study, identified by its civil start in the study's time zone. It has a meaning only
/// together with the [`WindowClock`] of the same study.
///
/// Serialized as the civil start, `2016-06-27T00:00:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window(DateTime);

/// Finds the window of an instant.
///
/// Instants are microseconds since 1970-01-01T00:00:00Z. The host accepts event times of the years 1 to 9999
/// only. Outside of jiff's range, -9999-01-02T01:59:59Z to 9999-12-30T22:00:00Z, an instant belongs to the
/// first or the last window.
#[derive(Clone, Debug)]
pub struct WindowClock {
    windows: Windows,
    local: LocalClock,
    /// The window of the last look-up and its instants, as a cache for rows in order; empty at first.
    current: Window,
    span: Range<i64>,
}

impl WindowClock {
    /// A clock for the windows of a study in its time zone.
    pub fn new(windows: Windows, zone: TimeZone) -> Self {
        Self { windows, local: LocalClock::new(zone), current: Window(EPOCH), span: 0..0 }
    }

    /// The window of an instant.
    #[inline]
    pub fn window(&mut self, micros: i64) -> Window {
        if !self.span.contains(&micros) {
            self.look_up(nearest(micros).as_microsecond());
        }
        self.current
    }

    /// The instants of a window, in microseconds since 1970-01-01T00:00:00Z. A bound that jiff cannot express
    /// is `i64::MIN` or `i64::MAX`.
    pub fn bounds(&self, window: Window) -> Range<i64> {
        self.first_instant(window.0)..self.first_instant(self.next(window).0)
    }

    /// The last civil day that overlaps the window.
    pub fn last_day(&self, window: Window) -> Date {
        let first = window.0.date();
        match self.windows.every {
            Every::Hour | Every::Day => first,
            Every::Week => first.saturating_add(6.days()),
            Every::Month => first.last_of_month(),
        }
    }

    /// The label of the window: `2016-07-03 14:00`, `2016-07-03`, `week ending 2016-07-03` or `2016-07`.
    pub fn label(&self, window: Window) -> String {
        match self.windows.every {
            Every::Hour => window.0.strftime("%Y-%m-%d %H:00").to_string(),
            Every::Day => window.0.date().to_string(),
            Every::Week => format!("week ending {}", self.last_day(window)),
            Every::Month => window.0.strftime("%Y-%m").to_string(),
        }
    }

    fn look_up(&mut self, micros: i64) {
        let civil = EPOCH.saturating_add(SignedDuration::from_micros(self.local.local_micros(micros)));
        self.current = self.enclosing(civil);
        self.span = self.bounds(self.current);
        // A clock that is put back across the start of a window reads times of the previous window once more.
        while micros >= self.span.end {
            self.current = self.next(self.current);
            self.span = self.bounds(self.current);
        }
    }

    /// The window that contains a civil time.
    fn enclosing(&self, civil: DateTime) -> Window {
        let date = civil.date();
        Window(match self.windows.every {
            Every::Hour => date.at(civil.hour(), 0, 0, 0),
            Every::Day => date.at(0, 0, 0, 0),
            Every::Week => {
                let days = self.windows.week_ends.next().until(date.weekday());
                date.saturating_sub(days.days()).at(0, 0, 0, 0)
            }
            Every::Month => date.first_of_month().at(0, 0, 0, 0),
        })
    }

    /// The next civil window.
    pub fn next(&self, window: Window) -> Window {
        let length = match self.windows.every {
            Every::Hour => 1.hour(),
            Every::Day => 1.day(),
            Every::Week => 1.week(),
            Every::Month => 1.month(),
        };
        Window(window.0.saturating_add(length))
    }

    /// The windows from `first` on, in order, with their instants. An hour or a day that the local clock skips
    /// is not a window.
    pub fn windows_from(&self, first: Window) -> impl Iterator<Item = (Window, Range<i64>)> + '_ {
        let after = |window: &Window| Some(self.next(*window)).filter(|next| next > window);
        let windows = std::iter::successors(Some(first), after);
        windows.map(|window| (window, self.bounds(window))).filter(|(_, bounds)| !bounds.is_empty())
    }

    /// The first instant at which the local clock reads `civil`, or has jumped past it.
    fn first_instant(&self, civil: DateTime) -> i64 {
        let zone = self.local.zone();
        let ambiguous = zone.to_ambiguous_timestamp(civil);
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        match ambiguous.compatible() {
            // For a time within a gap, jiff continues from the start of the gap, and so ends as far after its
            // end.
            Ok(instant) if skipped => {
                let jump = zone.preceding(just_after(instant)).next();
                jump.map_or(instant, |jump| jump.timestamp()).as_microsecond()
            }
            Ok(instant) => instant.as_microsecond(),
            Err(_) if civil.year() < 0 => i64::MIN,
            Err(_) => i64::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
