//! Words and pieces that several sections use.
//!
//! Always holds: GO is said to permit a canary and nothing more.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::format::{UNDEFINED, bound, count, grouped, significant};
use crate::metric_format::Measure;
use crate::model::bundle::Asked;
use crate::model::report::{Report, Window};
use crate::page::{Block, Cell, Column, Table, Tone, wall_seconds};
use understudy_statistics::scoring::Interval;
use understudy_statistics::verdict::{ScopeVerdict, VerdictKind};
use understudy_study::{Direction, WHOLE};

/// What a verdict means.
pub fn meaning(word: VerdictKind) -> &'static str {
    match word {
        VerdictKind::Go => "safe to try on canary",
        VerdictKind::NoGo => "not to be tried",
        VerdictKind::Inconclusive => "the study cannot say",
        VerdictKind::Void => "the study can say nothing",
    }
}

/// How a verdict is shown.
pub fn tone(word: VerdictKind) -> Tone {
    match word {
        VerdictKind::Go => Tone::Good,
        VerdictKind::NoGo => Tone::Bad,
        VerdictKind::Inconclusive => Tone::Unsure,
        VerdictKind::Void => Tone::Void,
    }
}

/// What is said where a verdict would stand in an offline evaluation.
pub const OFFLINE: &str = "This is an offline evaluation of another run's log. It has no verdict and can have none: what the \
                           models did not see live permits nothing.";

/// The most windows that a chart and its table show, the latest ones: a year of days, so that a page stays small enough to
/// be mailed. All are in the JSON.
const WINDOWS: usize = 400;

/// The windows that are shown.
pub fn latest<T>(windows: &[T]) -> &[T] {
    &windows[windows.len().saturating_sub(WINDOWS)..]
}

/// What is to be said where not all windows are shown.
pub fn rest_of(windows: usize) -> String {
    match windows > WINDOWS {
        true => format!(
            " The latest {WINDOWS} of {} windows are shown; `--format json` has all.",
            count(windows as u64)
        ),
        false => String::new(),
    }
}

/// Which part of the input a ruling is about.
pub fn of_scope(ruling: &ScopeVerdict) -> String {
    if ruling.scope == WHOLE { "all of the input".to_owned() } else { format!("scope {}", ruling.scope) }
}

/// What an axis says of a metric: its name, and what its figures are measured in.
pub fn axis(measure: &Measure<'_>) -> String {
    match measure.range() {
        Some((least, greatest)) => {
            format!("{}, from {} to {}", measure.name(), bound(least), bound(greatest))
        }
        None => format!("{}, in its own unit", measure.name()),
    }
}

/// A figure as text; one that misses its bound does not look as if it met it.
pub fn short(measure: &Measure<'_>, value: f64, Asked { direction, bound, .. }: &Asked) -> String {
    let text = measure.show(Some(value));
    let Ok(read) = text.replace(',', "").parse::<f64>() else { return text };
    let (misses, step) = match direction {
        Direction::AtLeast => (value < *bound && read >= *bound, -1.0),
        Direction::AtMost => (value > *bound && read <= *bound, 1.0),
    };
    if !misses || text.contains('e') {
        return text;
    }
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    grouped(&format!("{:.decimals$}", read + step * 10.0_f64.powi(-(decimals as i32))))
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

/// A difference, with its sign: four decimals, unless that is too many or too few.
pub fn signed(value: f64) -> String {
    let size = value.abs();
    let text = match size == 0.0 || (0.001..10.0).contains(&size) {
        true => format!("{value:+.4}"),
        false => significant(value, if size < 1.0 { 2 } else { 5 }),
    };
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
