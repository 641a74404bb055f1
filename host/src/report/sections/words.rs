//! Words and pieces that several sections use.
//!
//! Always holds: GO is said to permit a canary and nothing more.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::report::measure::Measure;
use crate::report::number::{UNDEFINED, significant};
use crate::report::page::{Block, Cell, Column, Table, Tone, wall_seconds};
use crate::report::{Report, Window};
use crate::scoring::Interval;
use crate::verdict::Word;

/// What a verdict means.
pub fn meaning(word: Word) -> &'static str {
    match word {
        Word::Go => "safe to try on canary",
        Word::NoGo => "not to be tried",
        Word::Inconclusive => "the study cannot say yet",
        Word::Void => "the study can say nothing",
    }
}

/// How a verdict is shown.
pub fn tone(word: Word) -> Tone {
    match word {
        Word::Go => Tone::Good,
        Word::NoGo => Tone::Bad,
        Word::Inconclusive => Tone::Unsure,
        Word::Void => Tone::Void,
    }
}

/// A probability: four decimals, or its size where that is too few.
pub fn probability(p: f64) -> String {
    if p >= 0.0001 {
        format!("{p:.4}")
    } else if p > 0.0 {
        format!("{p:.1e}")
    } else {
        "< 1e-300".to_owned()
    }
}

/// A difference, with its sign.
pub fn signed(value: f64) -> String {
    let text = if value.abs() < 10.0 { format!("{value:+.4}") } else { significant(value, 5) };
    if value > 0.0 && !text.starts_with('+') { format!("+{text}") } else { text }
}

/// The bounds of a difference.
pub fn signed_bounds(Interval { lower, upper }: Interval) -> String {
    format!("{} to {}", signed(lower), signed(upper))
}

/// A share as per cent.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { UNDEFINED.to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// When a window begins, where charts have it.
pub fn beginning(report: &Report, window: &Window) -> f64 {
    at(report, window.start)
}

/// Where charts have an instant.
pub fn at(report: &Report, instant: Timestamp) -> f64 {
    wall_seconds(instant, &zone(report))
}

/// The day of an instant where the study is.
pub fn day(report: &Report, instant: Timestamp) -> String {
    instant.to_zoned(zone(report)).strftime("%Y-%m-%d").to_string()
}

fn zone(report: &Report) -> TimeZone {
    // What has no name has no clock on the wall either.
    DateTimeParser::new().parse_time_zone(&report.time_zone).unwrap_or(TimeZone::UTC)
}

/// A table of text.
pub fn table(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { caption: Some(caption.to_owned()), head, rows, folded: false }
}

/// The same, closed.
pub fn folded(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { folded: true, ..table(caption, head, rows) }
}

/// A paragraph.
pub fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

/// The metric that was searched, and so has intervals.
pub fn searched<'m, 'r>(report: &Report, measures: &'m [Measure<'r>]) -> Option<&'m Measure<'r>> {
    measures.iter().find(|measure| measure.name() == report.divergence.metric)
}
