//! What a clock in the study's zone shows at an instant, without a time-zone look-up for every row.
//!
//! Between two transitions of a zone its clock is the instant plus one offset, so the span and the offset that were
//! looked up last are kept: exact, also for offsets of odd seconds, and where transitions fall within an hour.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A clock in a zone. Instants are microseconds since 1970-01-01T00:00:00Z; those beyond jiff's range of about the
/// years -9999 to 9999 count as having the offset of its nearest end.
#[derive(Clone, Debug)]
pub struct LocalClock {
    zone: TimeZone,
    /// The instants at which `offset` holds. Empty at first.
    span: Range<i64>,
    /// Microseconds that the clock is ahead of UTC.
    offset: i64,
}

impl LocalClock {
    /// A clock in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, span: 0..0, offset: 0 }
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What the clock shows at an instant, as microseconds since it would have shown 1970-01-01T00:00.
    #[inline]
    pub fn shows(&mut self, micros: i64) -> i64 {
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

/// The instant, or the nearest that jiff can express.
pub fn nearest(micros: i64) -> Timestamp {
    let end = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

/// An instant so little later that no transition lies between.
pub fn just_after(instant: Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(instant.as_nanosecond() + 1).unwrap_or(instant)
}

#[cfg(test)]
pub(super) mod tests;
