//! Numbers with a unit, so that microseconds and nanoseconds cannot be mistaken for each other.
//!
//! Invariants: both types serialise as bare numbers; event times count from 1970-01-01T00:00:00Z and may be negative.

use std::ops::{Add, Sub};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of microseconds: an event time since 1970-01-01T00:00:00Z, or a span between two event times.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// The span in whole microseconds, rounded towards zero; the nearest value where it does not fit 64 bits.
    pub fn from_duration(span: SignedDuration) -> Micros {
        let nearest = if span.is_negative() { i64::MIN } else { i64::MAX };
        Micros(i64::try_from(span.as_micros()).unwrap_or(nearest))
    }

    /// The event time as a timestamp; `None` outside the years -9999 to 9999.
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.0).ok()
    }

    /// The event time in RFC 3339, for messages; the number of microseconds outside the years -9999 to 9999.
    pub fn time_text(self) -> String {
        self.timestamp().map_or_else(|| format!("{} µs", self.0), |time| time.to_string())
    }

    /// The span as durations are written in `study.toml`, cut to its two largest units, such as `3d` or `1h30m`; shorter
    /// than a millisecond in microseconds; with the number of years of 365.25 days from 1,000 days on. A negative span has
    /// the text of its absolute value.
    pub fn span_text(self) -> String {
        const DAY: u64 = 86_400_000_000;
        const UNITS: [(u64, &str); 5] =
            [(DAY, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        let mut rest = self.0.unsigned_abs();
        let days = rest / DAY;
        if days >= 1_000 {
            return format!("{days}d ({:.1} years)", days as f64 / 365.25);
        }
        let Some(largest) = UNITS.iter().position(|(unit, _)| rest >= *unit) else {
            return if rest == 0 { "0s".to_owned() } else { format!("{rest}µs") };
        };
        let mut text = String::new();
        for (unit, name) in UNITS.iter().skip(largest).take(2) {
            let count = rest / unit;
            rest %= unit;
            if count > 0 {
                text.push_str(&format!("{count}{name}"));
            }
        }
        text
    }

    /// The sum, at the numeric bounds instead of overflowing.
    #[must_use]
    pub const fn saturating_add(self, other: Micros) -> Micros {
        Micros(self.0.saturating_add(other.0))
    }

    /// The difference, at the numeric bounds instead of overflowing.
    #[must_use]
    pub const fn saturating_sub(self, other: Micros) -> Micros {
        Micros(self.0.saturating_sub(other.0))
    }

    /// The absolute value.
    #[must_use]
    pub const fn abs(self) -> Micros {
        Micros(self.0.abs())
    }
}

impl Add for Micros {
    type Output = Micros;

    fn add(self, other: Micros) -> Micros {
        Micros(self.0 + other.0)
    }
}

impl Sub for Micros {
    type Output = Micros;

    fn sub(self, other: Micros) -> Micros {
        Micros(self.0 - other.0)
    }
}

/// A duration in nanoseconds, as measured by a monotonic clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl From<std::time::Duration> for Nanos {
    /// The largest value where the duration does not fit 64 bits (584 years).
    fn from(duration: std::time::Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds() {
        let time = Micros(1_773_144_000_000_007);
        assert_eq!(time.timestamp(), Some("2026-03-10T12:00:00.000007Z".parse().unwrap()));
        assert_eq!(time.time_text(), "2026-03-10T12:00:00.000007Z");
        assert_eq!(Micros(i64::MAX).timestamp(), None);
        assert_eq!(Micros(i64::MAX).time_text(), "9223372036854775807 µs");
        assert_eq!((time + Micros(5) - Micros(2)).0, time.0 + 3);
    }

    #[test]
    fn durations_are_limited_to_64_bits() {
        assert_eq!(Micros::from_duration(SignedDuration::from_nanos(-1_999)), Micros(-1));
        assert_eq!(Micros::from_duration(SignedDuration::MAX), Micros(i64::MAX));
        assert_eq!(Micros::from_duration(SignedDuration::MIN), Micros(i64::MIN));
        assert_eq!(Nanos::from(std::time::Duration::from_micros(3)), Nanos(3_000));
        assert_eq!(Nanos::from(std::time::Duration::MAX), Nanos(u64::MAX));
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        let texts =
            [0, 7, 3_000, 1_500_000, 90 * 60_000_000, 86_400_000_000, 93_784_000_000, -259_200_000_000]
                .map(|micros| Micros(micros).span_text());
        assert_eq!(texts, ["0s", "7µs", "3ms", "1s500ms", "1h30m", "1d", "1d2h", "3d"]);
        let days = [999, 1_000, 12_876].map(|days| Micros(days * 86_400_000_000 + 1).span_text());
        assert_eq!(days, ["999d", "1000d (2.7 years)", "12876d (35.3 years)"]);
    }
}
