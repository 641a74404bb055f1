//! Guesses which key of a feed holds the event time, and measures how the feed lies in time.
//!
//! Invariants: pure; a guess holds a time that a run can read in nearly every record.

use understudy_records::batch::{epoch_hint, parse_time};
use understudy_report::{count, counted};
use understudy_study::Micros;

use super::feed_sample::{Sample, SampleColumn, SampleValue};
use super::operator_question::Question;

/// The least share of records with a readable time.
const LEAST_PRESENT: f64 = 0.99;
/// Usual names of the key, the most usual first.
const USUAL: [&str; 12] = [
    "time",
    "timestamp",
    "at",
    "event_time",
    "observed_at",
    "decided_at",
    "occurred_at",
    "created_at",
    "datetime",
    "ts",
    "date",
    "when",
];

/// The key of the time of a feed, and the times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub key: String,
    /// The time of each record, in microseconds since 1970.
    pub values: Vec<Option<i64>>,
    /// The earliest and the latest.
    pub span: (Micros, Micros),
    /// How far a record lies behind an earlier one at most.
    pub most_behind: Micros,
    /// Why this key, as a sentence without its full stop.
    pub reason: String,
}

/// The key that holds times: the named one, the only one, or the one with the most usual name among those in order.
///
/// # Errors
/// What to name or convert instead.
pub(super) fn guess_time(sample: &Sample, named: Option<&str>) -> Result<Times, Question> {
    let what = format!("the time of the {}", sample.stream);
    let option = if sample.stream == "decisions" { "--decision-time" } else { "--time" };
    if let Some(name) = named {
        let column = sample.column(name).ok_or_else(|| {
            let why = format!("no record has the key `{name}`; the keys are {}", sample.names());
            Question::new(&what, why, format!("name one of them with {option}"))
        })?;
        return readable(column, sample.records)
            .map(|times| times.because("it is named on the command line"))
            .ok_or_else(|| {
                unreadable(sample, column, &what).unwrap_or_else(|| not_a_time(column, &what, option))
            });
    }
    let found: Vec<Times> =
        sample.columns.iter().filter_map(|column| readable(column, sample.records)).collect();
    let least = found.iter().map(|times| times.most_behind).min();
    let usual = |times: &Times| USUAL.iter().position(|name| times.key.eq_ignore_ascii_case(name));
    let in_order: Vec<&Times> = found.iter().filter(|times| Some(times.most_behind) == least).collect();
    match (&found[..], &in_order[..]) {
        ([], _) => {
            let likely = sample.columns.iter().find_map(|column| unreadable(sample, column, &what));
            Err(likely.unwrap_or_else(|| no_time(sample, &what)))
        }
        ([only], _) => Ok(only.clone().because("it is the only key with times")),
        (_, [only]) => Ok((*only).clone().because("of the keys with times, only its times are in order")),
        _ => {
            let best = in_order
                .iter()
                .filter_map(|times| Some((usual(times)?, *times)))
                .min_by_key(|(rank, _)| *rank);
            match best {
                Some((_, times)) => Ok(times
                    .clone()
                    .because("of the keys with times, its name is the most common for a time")),
                None => {
                    let keys: Vec<String> = in_order.iter().map(|times| format!("`{}`", times.key)).collect();
                    Err(Question::new(
                        what,
                        format!("several keys hold times in order: {}", keys.join(", ")),
                        format!("name the one at which the record was observed or decided with {option}"),
                    ))
                }
            }
        }
    }
}

impl Times {
    fn because(self, reason: &str) -> Times {
        Times { reason: reason.to_owned(), ..self }
    }
}

/// The times of a column, if nearly every cell is one.
fn readable(column: &SampleColumn, records: usize) -> Option<Times> {
    let values: Vec<Option<i64>> = column.cells.iter().map(SampleValue::time).collect();
    let found = values.iter().flatten().count();
    if found == 0 || (found as f64) < LEAST_PRESENT * records as f64 {
        return None;
    }
    let (mut latest, mut behind) = (i64::MIN, 0);
    for time in values.iter().flatten() {
        behind = behind.max(latest.saturating_sub(*time));
        latest = latest.max(*time);
    }
    let earliest = values.iter().flatten().min().copied()?;
    Some(Times {
        key: column.name.clone(),
        values,
        span: (Micros(earliest), Micros(latest)),
        most_behind: Micros(behind),
        reason: String::new(),
    })
}

/// The question about a column that holds times which a run does not read; `None` if it holds no times at all.
fn unreadable(sample: &Sample, column: &SampleColumn, what: &str) -> Option<Question> {
    let name = &column.name;
    let first = column.present().next()?;
    let has_time_name = {
        let lower = name.to_ascii_lowercase();
        USUAL.contains(&&lower[..]) || ["time", "date", "_at", "_ts"].iter().any(|end| lower.ends_with(end))
    };
    match first {
        SampleValue::Integer(_) | SampleValue::Number(_) => {
            let text = first.text();
            let hint = epoch_hint(&text).filter(|_| has_time_name)?;
            let unit = ["nanoseconds", "microseconds", "milliseconds", "seconds"]
                .into_iter()
                .find(|unit| hint.contains(unit))
                .unwrap_or("seconds");
            let short = match unit {
                "nanoseconds" => "ns",
                "microseconds" => "us",
                "milliseconds" => "ms",
                _ => "s",
            };
            let divisor = match unit {
                "nanoseconds" => " / 1000000000",
                "microseconds" => " / 1000000",
                "milliseconds" => " / 1000",
                _ => "",
            };
            let convert = match sample.is_table {
                true => format!(
                    "`df[\"{name}\"] = pandas.to_datetime(df[\"{name}\"], unit=\"{short}\", utc=True)`"
                ),
                false => format!("`jq -c '.\"{name}\" |= (.{divisor} | todate)'`"),
            };
            Some(Question::new(
                what,
                format!("`{name}` holds numbers such as {text}{hint}, and a time must be a text with a zone"),
                format!("convert them, for instance with {convert}"),
            ))
        }
        SampleValue::Text(text) => {
            let fault = parse_time(text).err()?;
            if !fault.contains("no time zone") {
                return None;
            }
            let convert = match sample.is_table {
                true => {
                    format!("`df[\"{name}\"] = pandas.to_datetime(df[\"{name}\"]).dt.tz_localize(\"UTC\")`")
                }
                false => format!("`jq -c '.\"{name}\" += \"Z\"'`"),
            };
            Some(Question::new(
                what,
                format!("`{name}` holds times without a zone, such as {text:?}"),
                format!("write the zone; if the times are UTC, for instance with {convert}"),
            ))
        }
        _ => None,
    }
}

/// The question about a named key that holds no times.
fn not_a_time(column: &SampleColumn, what: &str, option: &str) -> Question {
    let texts = column.present().map(SampleValue::text);
    let faults =
        texts.filter_map(|text| parse_time(&text).err().map(|fault| format!("{text:?}, which {fault}")));
    let found = faults.into_iter().next().unwrap_or_else(|| "a time in too few of the records".to_owned());
    Question::new(what, format!("`{}` holds {found}", column.name), format!("name another key with {option}"))
}

fn no_time(sample: &Sample, what: &str) -> Question {
    let why = format!(
        "no key holds a time with a zone, such as \"2026-05-01T09:30:00Z\", in each of {}; the keys are {}",
        counted(sample.records as u64, "record", "records"),
        sample.names()
    );
    Question::new(what, why, "write the time of each record beside its id")
}

/// The distances in time between decisions and their snapshots, sorted, in microseconds.
pub(super) fn distances(snapshots: &Times, decisions: &Times, pairs: &[(usize, usize)]) -> Vec<i64> {
    let distance = |(snapshot, decision): &(usize, usize)| {
        let (before, after) = (snapshots.values[*snapshot]?, decisions.values[*decision]?);
        Some(after.saturating_sub(before).saturating_abs())
    };
    let mut distances: Vec<i64> = pairs.iter().filter_map(distance).collect();
    distances.sort_unstable();
    distances
}

/// Durations of a horizon, as a study writes them, in microseconds.
pub(super) const HORIZONS: [(&str, i64); 16] = [
    ("1m", 60),
    ("5m", 300),
    ("15m", 900),
    ("1h", 3600),
    ("3h", 10_800),
    ("6h", 21_600),
    ("12h", 43_200),
    ("1d", 86_400),
    ("2d", 172_800),
    ("7d", 604_800),
    ("14d", 1_209_600),
    ("30d", 2_592_000),
    ("60d", 5_184_000),
    ("90d", 7_776_000),
    ("180d", 15_552_000),
    ("365d", 31_536_000),
];

/// The horizon: a usual duration a quarter above the greatest distance, unless a few pairs are far beyond the others. And
/// why, as a sentence without its full stop.
pub(super) fn guess_horizon(distances: &[i64]) -> (&'static str, String) {
    let greatest = distances.last().copied().unwrap_or_default();
    // The index is below the length.
    let usual = distances.get(distances.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
    let bound = if greatest > usual.saturating_mul(10).max(60_000_000) { usual } else { greatest };
    let wanted = bound.saturating_add(bound / 4);
    let (text, seconds) = HORIZONS
        .into_iter()
        .find(|(_, seconds)| seconds * 1_000_000 >= wanted)
        .unwrap_or(("365d", 31_536_000));
    let within = distances.partition_point(|distance| *distance <= seconds * 1_000_000);
    let reason = format!(
        "{} of {} lie within it; the farthest is {} from its snapshot",
        count(within as u64),
        counted(distances.len() as u64, "decision", "decisions"),
        Micros(greatest).span_text()
    );
    (text, reason)
}
