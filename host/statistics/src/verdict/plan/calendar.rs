//! Calendar arithmetic for plans: the shares of calendar values, and how much of a cycle a number of windows
//! can cover.
//!
//! Invariant: coverage assumes the best possible start. So a cycle that is reported as impossible is
//! impossible whenever the study begins.

use jiff::ToSpan as _;
use jiff::civil::{self, Date};

use understudy_study::{Every, Split};

/// The average number of days of each month, in a year of 365.25 days.
const MONTHS: [f64; 12] = [31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0];

/// The days after which leap years repeat, except at the turn of most centuries.
const FOUR_YEARS: u64 = 1461;

/// The share of time of each value of a calendar condition, in the order of its values; `None` for other
/// conditions.
pub(super) fn shares(split: &Split) -> Option<Vec<f64>> {
    match split {
        Split::Values { .. } | Split::Bins { .. } => None,
        Split::Weekend => Some(vec![5.0 / 7.0, 2.0 / 7.0]),
        Split::DayOfWeek => Some(vec![1.0 / 7.0; 7]),
        Split::Hour => Some(vec![1.0 / 24.0; 24]),
        Split::Month => Some(MONTHS.iter().map(|days| days / 365.25).collect()),
    }
}

/// The number of windows in a month, as a twelfth of 365.25 days.
pub(super) fn windows_per_month(every: Every) -> f64 {
    let days = 365.25 / 12.0;
    match every {
        Every::Hour => days * 24.0,
        Every::Day => days,
        Every::Week => days / 7.0,
        Every::Month => 1.0,
    }
}

/// The greatest number of values of a calendar condition that can occur `times` in this number of consecutive
/// windows, and the number of its values. A value of the hour occurs once per such hour, a value of the month
/// once per month, other values once per day. `None` for other conditions.
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

/// The number of values that occur at least `times` in a sequence of `length` items, if `of` values take
/// turns.
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

/// The maximum number of days that overlap this number of consecutive windows.
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

/// The maximum number of months that overlap this number of consecutive windows.
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

/// The date `days` days after the beginning of 2001, which begins four years that end with a leap year.
fn in_days(days: u64) -> Date {
    civil::date(2001, 1, 1).saturating_add(i64::try_from(days).unwrap_or(i64::MAX).clamp(0, 2_900_000).days())
}

/// The number of months since January of the year 0.
fn month(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month())
}

#[cfg(test)]
mod tests;
