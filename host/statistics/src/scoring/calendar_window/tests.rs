//! Windows near the changes of calendars and clocks.

use jiff::civil::{Weekday, date};
use proptest::prelude::*;

use super::{Window, WindowClock};
use crate::scoring::local_time::tests::{instants, micros, zone};
use understudy_study::{Every, Windows};

const HOUR: i64 = 3_600_000_000;

fn clock(every: Every, name: &str) -> WindowClock {
    WindowClock::new(Windows { every, week_ends: Weekday::Sunday }, zone(name))
}

/// The window's label and its length in hours.
fn label_and_hours(clock: &mut WindowClock, instant: &str) -> String {
    let window = clock.window(micros(instant));
    let bounds = clock.bounds(window);
    assert!(bounds.contains(&micros(instant)), "{instant} lies outside its window");
    format!("{}, {} h", clock.label(window), (bounds.end - bounds.start) as f64 / HOUR as f64)
}

#[test]
fn hotel_weeks_end_on_sunday() {
    let clock = &mut clock(Every::Week, "UTC");
    assert_eq!(label_and_hours(clock, "2016-07-02T12:00:00Z"), "week ending 2016-07-03, 168 h");
    assert_eq!(label_and_hours(clock, "2016-07-03T23:59:59.999999Z"), "week ending 2016-07-03, 168 h");
    assert_eq!(label_and_hours(clock, "2016-07-04T00:00:00Z"), "week ending 2016-07-10, 168 h");
    assert_eq!(label_and_hours(clock, "2016-06-27T00:00:00Z"), "week ending 2016-07-03, 168 h");
    assert_eq!(label_and_hours(clock, "2016-06-26T23:59:59.999999Z"), "week ending 2016-06-26, 168 h");
}

#[test]
fn weeks_end_on_the_day_declared() {
    let week_ends = Weekday::Friday;
    let mut clock = WindowClock::new(Windows { every: Every::Week, week_ends }, zone("UTC"));
    for (instant, last) in [
        ("2016-07-01T23:00:00Z", date(2016, 7, 1)),
        ("2016-07-02T00:00:00Z", date(2016, 7, 8)),
        ("2016-07-08T00:00:00Z", date(2016, 7, 8)),
    ] {
        let window = clock.window(micros(instant));
        assert_eq!(clock.last_day(window), last);
        assert_eq!(last.weekday(), week_ends);
    }
}

#[test]
fn windows_have_labels_and_last_days() {
    let windows = [Every::Hour, Every::Day, Every::Week, Every::Month].map(|every| {
        let mut clock = clock(every, "Europe/Lisbon");
        let window = clock.window(micros("2016-07-03T13:30:00Z"));
        format!("{}; last day {}", clock.label(window), clock.last_day(window))
    });
    insta::assert_snapshot!(windows.join("\n"), @"
    2016-07-03 14:00; last day 2016-07-03
    2016-07-03; last day 2016-07-03
    week ending 2016-07-03; last day 2016-07-03
    2016-07; last day 2016-07-31
    ");
}

#[test]
fn days_and_hours_at_lisbons_clock_changes() {
    let days = &mut clock(Every::Day, "Europe/Lisbon");
    assert_eq!(label_and_hours(days, "2016-03-27T12:00:00Z"), "2016-03-27, 23 h");
    assert_eq!(label_and_hours(days, "2016-10-29T23:00:00Z"), "2016-10-30, 25 h");
    assert_eq!(label_and_hours(days, "2016-10-30T23:59:59Z"), "2016-10-30, 25 h");
    let hours = &mut clock(Every::Hour, "Europe/Lisbon");
    // 01:00 is skipped in March and repeated in October.
    assert_eq!(label_and_hours(hours, "2016-03-27T00:59:59Z"), "2016-03-27 00:00, 1 h");
    assert_eq!(label_and_hours(hours, "2016-03-27T01:00:00Z"), "2016-03-27 02:00, 1 h");
    assert_eq!(label_and_hours(hours, "2016-10-30T00:00:00Z"), "2016-10-30 01:00, 2 h");
    assert_eq!(label_and_hours(hours, "2016-10-30T01:59:59Z"), "2016-10-30 01:00, 2 h");
    assert_eq!(label_and_hours(hours, "2016-10-30T02:00:00Z"), "2016-10-30 02:00, 1 h");
}

#[test]
fn a_day_may_begin_at_one_oclock() {
    // São Paulo put its clock forward at midnight, and back at midnight to 23:00 of the day before.
    let days = &mut clock(Every::Day, "America/Sao_Paulo");
    assert_eq!(label_and_hours(days, "2016-10-16T02:59:59Z"), "2016-10-15, 24 h");
    assert_eq!(label_and_hours(days, "2016-10-16T03:00:00Z"), "2016-10-16, 23 h");
    assert_eq!(label_and_hours(days, "2016-02-21T02:59:59Z"), "2016-02-20, 25 h");
    assert_eq!(label_and_hours(days, "2016-02-21T03:00:00Z"), "2016-02-21, 24 h");
}

#[test]
fn a_gap_across_midnight_ends_the_day_where_it_begins() {
    // Toronto went from 23:30 to 00:30.
    let days = &mut clock(Every::Day, "America/Toronto");
    assert_eq!(label_and_hours(days, "1919-03-31T04:29:59Z"), "1919-03-30, 23.5 h");
    assert_eq!(label_and_hours(days, "1919-03-31T04:30:00Z"), "1919-03-31, 23.5 h");
}

#[test]
fn a_clock_put_back_across_midnight_does_not_reopen_the_day_before() {
    // St. John's went from 00:01 back to 23:01.
    let days = &mut clock(Every::Day, "America/St_Johns");
    assert_eq!(label_and_hours(days, "2005-10-30T02:29:59Z"), "2005-10-29, 24 h");
    assert_eq!(label_and_hours(days, "2005-10-30T02:30:00Z"), "2005-10-30, 25 h");
    assert_eq!(label_and_hours(days, "2005-10-30T02:31:00Z"), "2005-10-30, 25 h");
}

#[test]
fn a_skipped_day_has_no_window() {
    let days = &mut clock(Every::Day, "Pacific/Apia");
    assert_eq!(label_and_hours(days, "2011-12-30T09:59:59Z"), "2011-12-29, 24 h");
    assert_eq!(label_and_hours(days, "2011-12-30T10:00:00Z"), "2011-12-31, 24 h");
}

#[test]
fn hours_follow_a_zone_with_a_quarter_hour_offset() {
    let hours = &mut clock(Every::Hour, "Asia/Kathmandu");
    assert_eq!(label_and_hours(hours, "2016-07-03T12:14:59Z"), "2016-07-03 17:00, 1 h");
    assert_eq!(label_and_hours(hours, "2016-07-03T12:15:00Z"), "2016-07-03 18:00, 1 h");
}

#[test]
fn instants_out_of_range_belong_to_the_first_or_last_window() {
    for every in [Every::Hour, Every::Day, Every::Week, Every::Month] {
        let mut clock = clock(every, "Asia/Kathmandu");
        let (first, last) = (clock.window(i64::MIN), clock.window(i64::MAX));
        assert!(first < last);
        assert_eq!(clock.bounds(first).start, i64::MIN);
        assert_eq!(clock.bounds(last).end, i64::MAX);
    }
}

#[test]
fn a_window_is_serialized_as_its_civil_start() {
    let window = clock(Every::Week, "Europe/Lisbon").window(micros("2016-07-02T12:00:00Z"));
    let json = serde_json::to_string(&window).unwrap();
    assert_eq!(json, r#""2016-06-27T00:00:00""#);
    assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn windows_are_a_partition_in_order(
        (zone, instant) in instants(),
        every in prop::sample::select(&[Every::Hour, Every::Day, Every::Week, Every::Month][..]),
        within in 0.0..1.0f64,
    ) {
        let windows = Windows { every, week_ends: Weekday::Sunday };
        let fresh = WindowClock::new(windows, zone);
        let window_of = |micros| fresh.clone().window(micros);
        let window = window_of(instant);
        let bounds = fresh.bounds(window);
        prop_assert!(bounds.contains(&instant));
        let inside = bounds.start + ((bounds.end - bounds.start) as f64 * within) as i64;
        for micros in [bounds.start, inside, bounds.end - 1] {
            prop_assert_eq!(window_of(micros), window);
        }
        let (before, after) = (window_of(bounds.start - 1), window_of(bounds.end));
        prop_assert!(before < window && window < after);
        prop_assert_eq!(fresh.bounds(before).end, bounds.start);
        prop_assert_eq!(fresh.bounds(after).start, bounds.end);
        // Earlier look-ups of the clock do not matter.
        let mut used = fresh.clone();
        for micros in [bounds.end, instant, bounds.start - 1, instant] {
            prop_assert_eq!(used.window(micros), window_of(micros));
        }
    }
}

#[test]
fn the_last_window_of_the_calendar_has_none_after_it() {
    let clock = clock(Every::Hour, "UTC");
    let last = Window(date(9999, 12, 31).at(21, 0, 0, 0));
    assert!(clock.windows_from(last).count() < 10);
}
