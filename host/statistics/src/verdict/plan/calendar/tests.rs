//! The coverage of cycles from the best start, and the lengths of calendar windows.

use super::super::test_support::assert_within;
use super::*;

#[test]
fn calendar_coverage_at_best() {
    use Every::{Day, Hour, Month, Week};
    for (every, windows, split, times, values) in [
        // The end of January, February, the beginning of March.
        (Week, 8, Split::Month, 1, 3),
        // From the last of January to the first of December there are 305 days.
        (Week, 43, Split::Month, 1, 11),
        (Week, 44, Split::Month, 1, 12),
        (Day, 304, Split::Month, 1, 11),
        (Day, 305, Split::Month, 1, 12),
        // From the end of January to January two years later: 25 months.
        (Week, 104, Split::Month, 2, 12),
        (Week, 104, Split::Month, 3, 1),
        (Month, 11, Split::Month, 1, 11),
        (Month, 12, Split::Month, 1, 12),
        (Month, 23, Split::Month, 2, 11),
        (Month, 1, Split::DayOfWeek, 4, 7),
        (Month, 1, Split::DayOfWeek, 5, 3),
        (Month, 1, Split::Hour, 31, 24),
        (Month, 1, Split::Hour, 32, 0),
        (Month, 2, Split::Hour, 62, 24),
        (Day, 3, Split::Weekend, 2, 1),
        (Day, 4, Split::Weekend, 2, 2),
        (Day, 1, Split::Weekend, 1, 1),
        (Day, 5, Split::Weekend, 2, 2),
        (Day, 5, Split::Weekend, 5, 1),
        (Day, 6, Split::Weekend, 6, 0),
        // A week and three days: up to four days of a weekend, or up to eight other days.
        (Day, 10, Split::Weekend, 4, 2),
        (Day, 10, Split::Weekend, 5, 1),
        (Day, 10, Split::Weekend, 8, 1),
        (Day, 10, Split::Weekend, 9, 0),
        (Week, 1, Split::Weekend, 2, 2),
        (Week, 1, Split::DayOfWeek, 1, 7),
        (Hour, 23, Split::Hour, 1, 23),
        (Hour, 24, Split::Hour, 1, 24),
        (Hour, 30, Split::Hour, 2, 6),
        (Hour, 30, Split::Hour, 3, 0),
        (Hour, 0, Split::DayOfWeek, 1, 0),
        (Hour, 1, Split::DayOfWeek, 1, 1),
        // One hour, five days, one hour.
        (Hour, 121, Split::DayOfWeek, 1, 6),
        (Hour, 122, Split::DayOfWeek, 1, 7),
    ] {
        let covered = covered_values(every, windows, &split, times).unwrap().0;
        assert_eq!(covered, values, "{windows} {every:?} by {split:?}, {times} times");
    }
    assert_eq!(covered_values(Week, 8, &Split::Bins { field: "x".to_owned(), edges: vec![1.0] }, 1), None);
    for split in [Split::Weekend, Split::DayOfWeek, Split::Hour, Split::Month] {
        let shares = shares(&split).unwrap();
        assert_eq!(shares.len(), split.values().len());
        assert_within(shares.iter().sum(), 1.0, 1e-12);
    }
}

#[test]
fn months_have_windows() {
    let per_month = [Every::Hour, Every::Day, Every::Week, Every::Month].map(windows_per_month);
    for (windows, expected) in per_month.into_iter().zip([730.5, 30.4375, 4.348214285714286, 1.0]) {
        assert_within(windows, expected, 1e-12);
    }
}
