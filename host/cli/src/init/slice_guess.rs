//! Guesses conditions and windows: how a report divides the pairs.
//!
//! Invariants: pure; every listed value has enough pairs for a figure.

use std::collections::BTreeMap;

use understudy_report::counted;
use understudy_study::{Every, FieldKind, Micros};

use super::feed_sample::{Sample, SampleColumn, SampleValue};

/// The pairs that a value or a window needs, as `least-per-condition` and `least-per-window` have them.
const LEAST_PAIRS: u64 = 100;
/// The most values of a condition.
const MOST_VALUES: usize = 12;
/// The most conditions of fields.
const MOST_CONDITIONS: usize = 5;
/// The least share of pairs with a listed value.
const LEAST_LISTED: f64 = 0.8;
/// The most windows.
const MOST_WINDOWS: i64 = 120;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// A guessed condition: the listed values of one snapshot field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldCondition {
    /// The name in the study.
    pub name: String,
    pub field: String,
    /// The listed values.
    pub values: Vec<SampleValue>,
    /// Pairs of the rarest listed value.
    pub fewest: u64,
}

/// The fields of few values, each with enough pairs.
pub(super) fn guess_conditions(
    snapshots: &Sample,
    without: &[&str],
    pairs: &[(usize, usize)],
) -> Vec<FieldCondition> {
    let mut found: Vec<FieldCondition> = Vec::new();
    for kind in [FieldKind::Text, FieldKind::Boolean, FieldKind::Integer] {
        for column in snapshots.columns.iter().filter(|column| column.kind() == Some(kind)) {
            let name = declared_name(&column.name);
            let is_known = found.iter().any(|condition| condition.name.eq_ignore_ascii_case(&name));
            if found.len() < MOST_CONDITIONS
                && !without.contains(&column.name.as_str())
                && !is_known
                && let Some((values, fewest)) = listed_values(column, pairs)
            {
                found.push(FieldCondition { name, field: column.name.clone(), values, fewest });
            }
        }
    }
    found
}

/// A name as plugins and conditions have it: letters, digits, `-` and `_`.
pub(crate) fn declared_name(text: &str) -> String {
    let plain: String =
        text.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let plain = plain.trim_matches('-').replace('_', "-");
    match &plain.to_ascii_lowercase()[..] {
        "" | "all" => format!("field-{plain}").trim_end_matches('-').to_owned(),
        _ => plain,
    }
}

/// The values with enough pairs and the pairs of the rarest of them, if these are nearly all of the pairs.
fn listed_values(column: &SampleColumn, pairs: &[(usize, usize)]) -> Option<(Vec<SampleValue>, u64)> {
    let mut counts: BTreeMap<String, (SampleValue, u64)> = BTreeMap::new();
    for (row, _) in pairs {
        let cell = &column.cells[*row];
        if !cell.is_missing() {
            counts.entry(cell.text()).or_insert_with(|| (cell.clone(), 0)).1 += 1;
        }
        if counts.len() > 4 * MOST_VALUES {
            return None;
        }
    }
    let is_listed = |(text, (_, pairs)): &(&String, &(SampleValue, u64))| {
        // Every condition has these values.
        !matches!(&text[..], "other" | "missing") && *pairs >= LEAST_PAIRS
    };
    let mut listed: Vec<(SampleValue, u64)> =
        counts.iter().filter(is_listed).map(|(_, value)| value.clone()).collect();
    listed.sort_by(|a, b| match (&a.0, &b.0) {
        (SampleValue::Integer(a), SampleValue::Integer(b)) => a.cmp(b),
        (a, b) => a.text().cmp(&b.text()),
    });
    let total: u64 = listed.iter().map(|(_, pairs)| pairs).sum();
    let is_condition =
        (2..=MOST_VALUES).contains(&listed.len()) && total as f64 >= LEAST_LISTED * pairs.len() as f64;
    let fewest = listed.iter().map(|(_, pairs)| *pairs).min()?;
    is_condition.then(|| (listed.into_iter().map(|(value, _)| value).collect(), fewest))
}

/// Whether the span of the pairs has enough weekends to tell them from weekdays.
pub(super) fn has_weekends(span: Micros, pairs: usize) -> bool {
    span.0 >= 14 * DAY && pairs as u64 >= 4 * LEAST_PAIRS
}

/// The shortest windows that have enough pairs on average, twice as many as they need, and are not too many to read. And
/// why, as a sentence without its full stop.
pub(super) fn guess_windows(span: Micros, pairs: usize) -> (Every, String) {
    const LENGTHS: [(Every, i64); 4] =
        [(Every::Hour, HOUR), (Every::Day, DAY), (Every::Week, 7 * DAY), (Every::Month, 30 * DAY)];
    let windows = |length: i64| (span.0 / length).max(1);
    let fits = |length: i64| {
        windows(length) <= MOST_WINDOWS && pairs as i64 >= windows(length) * 2 * LEAST_PAIRS as i64
    };
    let longest = LENGTHS.into_iter().rev().find(|(_, length)| *length <= span.0).unwrap_or(LENGTHS[0]);
    let (every, length) = LENGTHS.into_iter().find(|(_, length)| fits(*length)).unwrap_or(longest);
    // Rounded to the nearest: 69 days and 23 hours are about 70 days.
    let about = ((span.0 + length / 2) / length).max(1);
    let reason = format!(
        "the snapshots span {}: about {} with {} each",
        span.span_text(),
        counted(about.unsigned_abs(), every.name(), &format!("{}s", every.name())),
        counted((pairs as i64 / about).unsigned_abs(), "pair", "pairs")
    );
    (every, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_fit_the_span_and_the_pairs() {
        let every = |days: i64, pairs: usize| guess_windows(Micros(days * DAY), pairs).0;
        assert_eq!(every(425, 15_402), Every::Week);
        assert_eq!(every(21, 3000), Every::Week);
        assert_eq!(every(21, 5000), Every::Day);
        assert_eq!(every(1, 10_000), Every::Hour);
        assert_eq!(every(300, 1_000_000), Every::Week, "a year has too many days to read");
        assert_eq!(every(60, 300), Every::Month, "a week has too few pairs");
        assert_eq!(every(0, 5), Every::Hour);
    }

    #[test]
    fn names_are_those_of_a_study() {
        let names = ["market_segment", "Room Type", "all", "  ", "é", "a.b"].map(declared_name);
        assert_eq!(names, ["market-segment", "Room-Type", "field-all", "field", "field", "a-b"]);
    }
}
