//! The local clock against jiff's own conversion, mostly near transitions.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::LocalClock;

/// Zones with whole, half and quarter hours; clocks put back across midnight one minute after it (St.
/// John's), or by half an hour (Lord Howe); a skipped day (Apia); gaps at and near midnight (São Paulo,
/// Toronto); odd seconds.
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

/// A zone and an instant between the years 1880 and 2100: any instant, or one within hours of a transition,
/// or exactly at it.
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
    fn local_times_match_jiff((zone, instant) in instants(), before in -100_000_000_000..100_000_000_000i64) {
        let mut clock = LocalClock::new(zone.clone());
        // The cache from another instant must not matter.
        clock.local_micros(instant + before);
        let local = DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
            + SignedDuration::from_micros(clock.local_micros(instant));
        prop_assert_eq!(local, zone.to_datetime(Timestamp::from_microsecond(instant).unwrap()));
    }
}

#[test]
fn instants_beyond_jiffs_range_have_the_offset_of_its_end() {
    for (name, first) in [("UTC", 0), ("Asia/Kathmandu", 20_476_000_000)] {
        let mut clock = LocalClock::new(zone(name));
        assert_eq!(clock.local_micros(i64::MIN), i64::MIN + first);
        assert_eq!(clock.local_micros(i64::MAX), i64::MAX);
    }
}
