//! Converts instants to local clock time without a time-zone look-up for every row.
//!
//! Between two transitions of a zone, its local time is the instant plus a fixed offset. The clock caches the
//! span and the offset of the last look-up. The result is exact, also for offsets with odd seconds and for
//! transitions within an hour.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A clock in a time zone. Instants are microseconds since 1970-01-01T00:00:00Z. Instants outside of jiff's
/// range, about the years -9999 to 9999, get the offset of the nearest end of the range.
#[derive(Clone, Debug)]
pub struct LocalClock {
    zone: TimeZone,
    /// The instants for which `offset` holds; empty at first.
    span: Range<i64>,
    /// The microseconds by which the local clock is ahead of UTC.
    offset: i64,
}

impl LocalClock {
    /// A clock in `zone`, with an empty cache.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, span: 0..0, offset: 0 }
    }

    /// The time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The local time at an instant, in microseconds since 1970-01-01T00:00 on the local clock.
    #[inline]
    pub fn local_micros(&mut self, micros: i64) -> i64 {
        if !self.span.contains(&micros) {
            self.look_up(nearest(micros));
        }
        micros.saturating_add(self.offset)
    }

    fn look_up(&mut self, instant: Timestamp) {
        // `preceding` excludes the instant itself.
        let before = self.zone.preceding(just_after(instant)).next();
        let after = self.zone.following(instant).next();
        let from = before.map_or(i64::MIN, |transition| transition.timestamp().as_microsecond());
        let until = after.map_or(i64::MAX, |transition| transition.timestamp().as_microsecond());
        self.span = from..until;
        self.offset = i64::from(self.zone.to_offset(instant).seconds()) * 1_000_000;
    }
}

/// The instant, clamped to the range that jiff can express.
pub fn nearest(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

/// One nanosecond later: no transition lies in between.
pub fn just_after(instant: Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(instant.as_nanosecond() + 1).unwrap_or(instant)
}

#[cfg(test)]
pub(super) mod tests;
