//! Instants and time zones as the report has them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An instant in microseconds since 1970; the end of what can be told beyond it.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(match micros < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}

/// The zone's name, or its offset if it has none.
pub(super) fn zone(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => offset.to_string(),
        (None, Err(_)) => "a zone without a name".to_owned(),
    }
}
