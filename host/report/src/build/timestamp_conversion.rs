//! Timestamps and time zones in the form that the report uses.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The timestamp of an instant in microseconds since 1970, clamped to the range of [`Timestamp`].
pub(super) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(match micros < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}

/// The IANA name of a zone, or its offset if it has no name.
pub(super) fn zone_name(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => offset.to_string(),
        (None, Err(_)) => "unnamed time zone".to_owned(),
    }
}
