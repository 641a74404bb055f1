//! Ticks of calendar time.
//!
//! Invariants: ticks are at whole hours, days, months or years of local time, labelled in ISO 8601.

use std::ops::Range;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _, Unit};

/// The local time of a zone at an instant, in seconds since 1970.
pub fn wall_seconds(instant: Timestamp, zone: &TimeZone) -> f64 {
    zone.to_datetime(instant).duration_since(epoch()).as_secs_f64()
}

fn epoch() -> DateTime {
    date(1970, 1, 1).at(0, 0, 0, 0)
}

fn seconds(time: DateTime) -> f64 {
    time.duration_since(epoch()).as_secs_f64()
}

/// The possible distances of ticks: a number of units, and roughly the seconds in them.
const STEPS: [(i64, Unit, f64); 18] = [
    (1, Unit::Hour, 3_600.0),
    (3, Unit::Hour, 10_800.0),
    (6, Unit::Hour, 21_600.0),
    (12, Unit::Hour, 43_200.0),
    (1, Unit::Day, 86_400.0),
    (2, Unit::Day, 172_800.0),
    (7, Unit::Day, 604_800.0),
    (1, Unit::Month, 2_629_746.0),
    (2, Unit::Month, 5_259_492.0),
    (3, Unit::Month, 7_889_238.0),
    (6, Unit::Month, 15_778_476.0),
    (1, Unit::Year, 31_556_952.0),
    (2, Unit::Year, 63_113_904.0),
    (5, Unit::Year, 157_784_760.0),
    (10, Unit::Year, 315_569_520.0),
    (50, Unit::Year, 1_577_847_600.0),
    (200, Unit::Year, 6_311_390_400.0),
    (1_000, Unit::Year, 31_556_952_000.0),
];

/// Ticks in a range of seconds with their labels, at most about this many. Empty where the calendar has none.
pub(super) fn ticks(range: &Range<f64>, most: u32) -> Vec<(f64, Vec<String>)> {
    let least = (range.end - range.start) / f64::from(most.max(1));
    let (count, unit, _) = STEPS.into_iter().find(|step| step.2 >= least).unwrap_or(STEPS[STEPS.len() - 1]);
    let Some(first) = (range.start.abs() < 1e12)
        .then(|| epoch().checked_add(SignedDuration::from_secs(range.start.floor() as i64)).ok())
        .flatten()
    else {
        return Vec::new();
    };
    let Some((mut tick, step)) = floor(first, count, unit) else { return Vec::new() };
    let mut ticks = Vec::new();
    while seconds(tick) <= range.end {
        if seconds(tick) >= range.start {
            ticks.push((seconds(tick), vec![name(tick, unit)]));
        }
        let Ok(next) = tick.checked_add(step) else { break };
        tick = next;
    }
    ticks
}

/// The last tick at or before a time, and the distance to the next. Weeks start on Monday.
fn floor(time: DateTime, count: i64, unit: Unit) -> Option<(DateTime, Span)> {
    let (midnight, many) = (time.date().at(0, 0, 0, 0), i8::try_from(count).unwrap_or(1));
    Some(match unit {
        Unit::Hour => (time.date().at(time.hour() / many * many, 0, 0, 0), count.hours()),
        Unit::Day if count == 7 => {
            let since = i64::from(time.weekday().to_monday_zero_offset());
            (midnight.checked_sub(since.days()).ok()?, count.days())
        }
        Unit::Day => {
            let since = midnight.duration_since(epoch()).as_hours().div_euclid(24).rem_euclid(count);
            (midnight.checked_sub(since.days()).ok()?, count.days())
        }
        Unit::Month => {
            let month = (time.month() - 1) / many * many + 1;
            (date(time.year(), month, 1).at(0, 0, 0, 0), count.months())
        }
        _ => {
            let year = i64::from(time.year()).div_euclid(count) * count;
            (date(i16::try_from(year).ok()?, 1, 1).at(0, 0, 0, 0), count.years())
        }
    })
}

/// The label of a tick, as precise as its unit.
fn name(tick: DateTime, unit: Unit) -> String {
    let form = match unit {
        Unit::Hour => "%m-%d %H:%M",
        Unit::Day => "%Y-%m-%d",
        Unit::Month => "%Y-%m",
        _ => "%Y",
    };
    tick.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(from: &str, to: &str) -> Vec<String> {
        let [from, to] = [from, to].map(|text| seconds(text.parse().unwrap()));
        ticks(&(from..to), 8).into_iter().map(|(_, lines)| lines.concat()).collect()
    }

    #[test]
    fn ticks_stand_on_the_calendar() {
        let year = names("2016-06-28T00:00", "2017-09-01T00:00");
        assert_eq!(
            year,
            ["2016-07", "2016-09", "2016-11", "2017-01", "2017-03", "2017-05", "2017-07", "2017-09"]
        );
        let month = names("2026-03-30T00:00", "2026-05-01T00:00");
        assert_eq!(month, ["2026-03-30", "2026-04-06", "2026-04-13", "2026-04-20", "2026-04-27"]);
        let week = names("2026-03-30T12:00", "2026-04-05T12:00");
        assert_eq!(
            week,
            ["2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03", "2026-04-04", "2026-04-05"]
        );
        let day = names("2026-03-30T01:00", "2026-03-30T23:00");
        assert_eq!(
            day.join(", "),
            "03-30 03:00, 03-30 06:00, 03-30 09:00, 03-30 12:00, 03-30 15:00, 03-30 18:00, 03-30 21:00"
        );
        assert_eq!(
            names("0800-01-01T00:00", "2026-01-01T00:00").join(" "),
            "0800 1000 1200 1400 1600 1800 2000"
        );
        assert_eq!(ticks(&(1e15..2e15), 8), []);
        assert_eq!(ticks(&(0.0..1e14), 8).len(), 8, "up to the calendar's end");
    }

    #[test]
    fn the_wall_has_the_time_of_its_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let instant: Timestamp = "2026-07-01T22:00:00Z".parse().unwrap();
        assert_eq!(wall_seconds(instant, &zone), seconds(date(2026, 7, 2).at(0, 0, 0, 0)));
    }
}
