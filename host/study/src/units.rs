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
