//! Texts, formats and blocks that several sections use.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::format::{UNDEFINED, compact, count, grouped, interval_text, significant};
use crate::metric_format::MetricFormat;
use crate::model::bundle::ThresholdSummary;
use crate::model::report::{Report, WindowInfo};
use crate::page::{Block, Cell, Column, DataTable, Tone, wall_seconds};
use understudy_statistics::scoring::Interval;
use understudy_statistics::verdict::{ScopeVerdict, VerdictKind};
use understudy_study::{ALL_SNAPSHOTS, Direction};

/// The tone of a verdict.
pub fn tone(kind: VerdictKind) -> Tone {
    match kind {
        VerdictKind::Go => Tone::Good,
        VerdictKind::NoGo => Tone::Bad,
        VerdictKind::Inconclusive => Tone::Unsure,
        VerdictKind::Void => Tone::Void,
    }
}

/// The note in place of a verdict in an offline evaluation.
pub const OFFLINE_NOTE: &str = "This is an offline evaluation of another run's log. It cannot have a verdict: \
                                its results do not permit any use of a model.";

/// The maximum number of windows that a chart and its table show, the latest ones: a year of days. The limit keeps a page
/// small enough for email. The JSON has all windows.
const MAX_WINDOWS: usize = 400;

/// The windows that are shown: the latest ones.
pub fn latest<T>(windows: &[T]) -> &[T] {
    &windows[windows.len().saturating_sub(MAX_WINDOWS)..]
}

/// A sentence that says how many windows are not shown; empty if all are.
pub fn omitted_windows_note(windows: usize) -> String {
    match windows > MAX_WINDOWS {
        true => format!(
            " The latest {MAX_WINDOWS} of {} windows are shown; `--format json` has all of them.",
            count(windows as u64)
        ),
        false => String::new(),
    }
}

/// A sentence about the windows that are not shown by condition; empty if all are shown. `is_more_in_json` is whether the
/// JSON has more of them.
pub fn omitted_breakdown_note(shown: usize, windows: usize, is_more_in_json: bool) -> String {
    if shown == windows {
        return String::new();
    }
    let more = if is_more_in_json { "; `--format json` has more" } else { "" };
    format!(" The latest {} of {} windows are shown{more}.", count(shown as u64), count(windows as u64))
}

/// The part of the input that a scope verdict covers.
pub fn scope_name(ruling: &ScopeVerdict) -> String {
    if ruling.scope == ALL_SNAPSHOTS {
        "all of the input".to_owned()
    } else {
        format!("scope {}", ruling.scope)
    }
}

/// The label of an axis for a metric: its name, and its range or unit.
pub fn axis(format: &MetricFormat<'_>) -> String {
    match format.range() {
        Some((minimum, maximum)) => {
            format!("{}, from {} to {}", format.name(), compact(minimum), compact(maximum))
        }
        None => format!("{}, in its own unit", format.name()),
    }
}

/// A value as text. A value that misses the bound of the threshold never looks equal to it.
pub fn bounded_value(
    format: &MetricFormat<'_>,
    value: f64,
    ThresholdSummary { direction, bound, .. }: &ThresholdSummary,
) -> String {
    let text = format.value(Some(value));
    let Ok(parsed) = text.replace(',', "").parse::<f64>() else { return text };
    let (missed, step) = match direction {
        Direction::AtLeast => (value < *bound && parsed >= *bound, -1.0),
        Direction::AtMost => (value > *bound && parsed <= *bound, 1.0),
    };
    if !missed || text.contains('e') {
        return text;
    }
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    grouped(&format!("{:.decimals$}", parsed + step * 10.0_f64.powi(-(decimals as i32))))
}

/// A difference with its sign: four decimals for moderate sizes, significant digits otherwise.
pub fn signed(value: f64) -> String {
    let size = value.abs();
    let text = match size == 0.0 || (0.001..10.0).contains(&size) {
        true => format!("{value:+.4}"),
        false => significant(value, if size < 1.0 { 2 } else { 5 }),
    };
    if value > 0.0 && !text.starts_with('+') { format!("+{text}") } else { text }
}

/// The interval of a difference.
pub fn signed_interval(interval: Interval) -> String {
    interval_text(interval, signed)
}

/// A share in percent.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { UNDEFINED.to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// The start of a window in the time coordinate of charts.
pub fn window_start(report: &Report, window: &WindowInfo) -> f64 {
    chart_time(report, window.start)
}

/// An instant in the time coordinate of charts.
pub fn chart_time(report: &Report, instant: Timestamp) -> f64 {
    wall_seconds(instant, &zone(report))
}

/// The date of an instant in the time zone of the study.
pub fn local_date(report: &Report, instant: Timestamp) -> String {
    instant.to_zoned(zone(report)).strftime("%Y-%m-%d").to_string()
}

fn zone(report: &Report) -> TimeZone {
    // A zone without a name is treated as UTC.
    DateTimeParser::new().parse_time_zone(&report.time_zone).unwrap_or(TimeZone::UTC)
}

/// A table with a caption.
pub fn table(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> DataTable {
    DataTable { caption: Some(caption.to_owned()), head, rows, folded: false }
}

/// A table that is folded behind its caption.
pub fn folded(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> DataTable {
    DataTable { folded: true, ..table(caption, head, rows) }
}

/// A paragraph.
pub fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

/// The metric of the divergence search, the only one with intervals.
pub fn search_metric<'m, 'r>(
    report: &Report,
    formats: &'m [MetricFormat<'r>],
) -> Option<&'m MetricFormat<'r>> {
    formats.iter().find(|format| format.name() == report.divergence.metric)
}
