//! The clock against jiff's own conversion, above all about transitions.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::LocalClock;

/// Zones of whole, half and quarter hours; clocks put back across midnight by a minute past it (St. John's), by half an
/// hour (Lord Howe); a day that was skipped (Apia); gaps at and about midnight (São Paulo, Toronto); odd seconds.
pub const ZONES: [&str; 10] = [
    "UTC",
    "Africa/Monrovia",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Lisbon",
    "Pacific/Apia",
];

pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub fn micros(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

/// A zone and an instant in it between the years 1880 and 2100: any, or within hours of a transition, or right at it.
pub fn instants() -> impl Strategy<Value = (TimeZone, i64)> {
    const YEAR: i64 = 31_556_952_000_000;
    const HOUR: i64 = 3_600_000_000;
    let near = prop_oneof![-50 * HOUR..50 * HOUR, -2 * HOUR..2 * HOUR, -2..2i64];
    (prop::sample::select(&ZONES[..]), -90 * YEAR..130 * YEAR, prop::option::weighted(0.8, near)).prop_map(
        |(name, any, near)| {
            let zone = zone(name);
            let from = Timestamp::from_microsecond(any).unwrap();
            let transition = zone.following(from).next().map(|t| t.timestamp().as_microsecond());
            let instant = near.zip(transition).map_or(any, |(near, transition)| transition + near);
            (zone, instant)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn shows_what_jiff_shows((zone, instant) in instants(), before in -100_000_000_000..100_000_000_000i64) {
        let mut clock = LocalClock::new(zone.clone());
        // Whatever it has kept from another instant must not matter.
        clock.shows(instant + before);
        let shown = DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
            + SignedDuration::from_micros(clock.shows(instant));
        prop_assert_eq!(shown, zone.to_datetime(Timestamp::from_microsecond(instant).unwrap()));
    }
}

#[test]
fn instants_beyond_jiffs_range_have_the_offset_of_its_end() {
    for (name, first) in [("UTC", 0), ("Asia/Kathmandu", 20_476_000_000)] {
        let mut clock = LocalClock::new(zone(name));
        assert_eq!(clock.shows(i64::MIN), i64::MIN + first);
        assert_eq!(clock.shows(i64::MAX), i64::MAX);
    }
}
