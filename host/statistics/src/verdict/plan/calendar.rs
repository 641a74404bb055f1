//! What the calendar holds: the shares of its values, and how much of a cycle so many windows can show.
//!
//! Always holds: a count of what windows can show is that of the best beginning that there is, so a cycle that is said
//! to be beyond them is beyond them whenever the study begins.

use jiff::ToSpan as _;
use jiff::civil::{self, Date};

use understudy_study::{Every, Split};

/// The days of the months, in a year of 365.25 days.
const MONTHS: [f64; 12] = [31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0];

/// The days after which leap years come again, but for the turn of most centuries.
const FOUR_YEARS: u64 = 1461;

/// The share of time of each value of a condition, in the order of its values; `None` if it is no condition of the
/// calendar.
pub(super) fn shares(split: &Split) -> Option<Vec<f64>> {
    match split {
        Split::Values { .. } | Split::Bins { .. } => None,
        Split::Weekend => Some(vec![5.0 / 7.0, 2.0 / 7.0]),
        Split::DayOfWeek => Some(vec![1.0 / 7.0; 7]),
        Split::Hour => Some(vec![1.0 / 24.0; 24]),
        Split::Month => Some(MONTHS.iter().map(|days| days / 365.25).collect()),
    }
}

/// How many windows there are in a month of a twelfth of 365.25 days.
pub(super) fn windows_per_month(every: Every) -> f64 {
    let days = 365.25 / 12.0;
    match every {
        Every::Hour => days * 24.0,
        Every::Day => days,
        Every::Week => days / 7.0,
        Every::Month => 1.0,
    }
}

/// How many values of a condition of the calendar, at best, occur `times` in so many windows in a row, and how many it
/// has. A value of the hour occurs once an hour of its name, a value of the month once a month, others once a day.
pub(super) fn covered_values(every: Every, windows: u64, split: &Split, times: u64) -> Option<(u64, u64)> {
    let of = shares(split)?.len() as u64;
    let covered = match split {
        Split::Values { .. } | Split::Bins { .. } => return None,
        Split::Hour => cyclic_coverage(hours(every, windows), of, times),
        Split::DayOfWeek => cyclic_coverage(days(every, windows), of, times),
        Split::Month => cyclic_coverage(months(every, windows), of, times),
        Split::Weekend => {
            let days = days(every, windows);
            let of_week = |first: u64| {
                let weekend = (0..7).filter(|day| (first + day) % 7 >= 5 && *day < days % 7).count() as u64;
                let weekend = days / 7 * 2 + weekend;
                [days - weekend, weekend].into_iter().filter(|&count| count >= times).count() as u64
            };
            (0..7).map(of_week).max().unwrap_or(0)
        }
    };
    Some((covered, of))
}

/// Of `of` values that take turns, how many come at least `times` in a row of `length`.
fn cyclic_coverage(length: u64, of: u64, times: u64) -> u64 {
    match (length / of, length % of) {
        (whole, _) if whole >= times => of,
        (whole, more) if whole + 1 >= times => more,
        _ => 0,
    }
}

fn hours(every: Every, windows: u64) -> u64 {
    match every {
        Every::Hour => windows,
        Every::Day | Every::Week | Every::Month => days(every, windows) * 24,
    }
}

/// The days that so many windows in a row have a part in, at most.
fn days(every: Every, windows: u64) -> u64 {
    match every {
        // The first hour may be the last of a day.
        Every::Hour => (windows + 22) / 24 + u64::from(windows > 0),
        Every::Day => windows,
        Every::Week => windows * 7,
        Every::Month => {
            let span = |month: i64| {
                let first = in_days(0).first_of_month().saturating_add(month.months());
                let last = first
                    .saturating_add(i64::try_from(windows).unwrap_or(i64::MAX).clamp(0, 90_000).months());
                first.duration_until(last).as_hours().unsigned_abs() / 24
            };
            (0..48).map(span).max().unwrap_or(0)
        }
    }
}

/// The months that so many windows in a row have a part in, at most.
fn months(every: Every, windows: u64) -> u64 {
    let days = match every {
        Every::Month => return windows,
        Every::Hour | Every::Day | Every::Week => days(every, windows),
    };
    let touched = |first: u64| match days.checked_sub(1) {
        None => 0,
        Some(more) => month(in_days(first + more)) - month(in_days(first)) + 1,
    };
    (0..FOUR_YEARS).map(touched).max().unwrap_or(0).unsigned_abs()
}

/// The date so many days after the beginning of 2001, in which four years begin that end with a leap year.
fn in_days(days: u64) -> Date {
    civil::date(2001, 1, 1).saturating_add(i64::try_from(days).unwrap_or(i64::MAX).clamp(0, 2_900_000).days())
}

/// Months since January of the year 0.
fn month(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}
