//! Renders the latest windows by condition value and by declared scope.
//!
//! Invariants:
//! - The metrics are those with intervals in the report.
//! - A value of few pairs is marked.
//! - Columns that do not fit continue in further tables.

use crate::format::count;
use crate::metric_format::MetricFormat;
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::model::window_breakdown::WindowValue;
use crate::terminal::table::{Align, GAP, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, width};

/// The maximum number of windows in a table. The latest are shown.
const MAX_WINDOWS: usize = 6;

/// The width up to which the name of a value widens its column.
const MAX_NAME_WIDTH: usize = 20;

/// The mark of a value of few pairs.
const MARK: &str = "? ";

/// A condition or the scopes, with the values by window of each of its parts.
struct Group<'r> {
    name: &'r str,
    parts: Vec<(&'r str, &'r [WindowValue])>,
}

/// The metrics for each window and condition value; nothing for a single window.
pub(super) fn window_breakdown(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    if report.windows.len() < 2 {
        return;
    }
    let first = report.windows.len().saturating_sub(MAX_WINDOWS);
    let broken_down = usize::try_from(report.window_breakdown.first_window).unwrap_or(usize::MAX);
    let first = first.max(broken_down).min(report.windows.len());
    let mut has_section = false;
    let mut any_marked = false;
    for format in formats.iter().filter(|format| report.has_breakdown_intervals(format.name())) {
        for (at, model) in report.models.iter().enumerate() {
            let groups = groups(report, format, at, first);
            if groups.is_empty() {
                continue;
            }
            if !std::mem::replace(&mut has_section, true) {
                page.section("By window and condition", &aside(report, first));
            }
            page.line(2, &[format!("{} of {}", format.name(), model.plugin.name).into()]);
            for group in &groups {
                any_marked |= print_group(page, report, format, group, first);
            }
        }
    }
    if has_section {
        page.paragraph(2, Ink::Faint, "in parentheses: pairs");
        if any_marked {
            let few = count(report.window_breakdown.min_pairs);
            page.paragraph(2, Ink::Faint, &format!("{MARK}fewer than {few} pairs"));
        }
        if let RunEnd::Interim { .. } = report.end {
            let withheld = "withheld: fewer than five pairs, or such a value would follow from it";
            page.paragraph(2, Ink::Faint, withheld);
        }
    }
}

/// Which windows are shown, if not all are.
fn aside(report: &Report, first: usize) -> String {
    let (shown, all) = (report.windows.len() - first, report.windows.len());
    if first == 0 {
        return String::new();
    }
    format!("the latest {} of {} windows", count(shown as u64), count(all as u64))
}

/// The conditions and the scopes that have pairs in the windows from `first` on.
fn groups<'r>(report: &'r Report, format: &MetricFormat<'_>, model: usize, first: usize) -> Vec<Group<'r>> {
    let Some(scores) = format.scores(&report.models[model]) else { return Vec::new() };
    let with_pairs =
        |values: &&'r Vec<WindowValue>| values.last().is_some_and(|v| v.window as usize >= first);
    let conditions = report.conditions.iter().zip(&scores.conditions_by_window).map(|(condition, values)| {
        let parts = condition.values.iter().zip(values).filter(|(_, values)| with_pairs(values));
        let parts = parts.map(|(label, values)| (label.as_str(), values.as_slice())).collect();
        Group { name: &condition.name, parts }
    });
    let scopes = report.window_breakdown.scopes.iter().zip(&scores.scopes_by_window);
    let scopes = scopes.filter(|(_, values)| with_pairs(values));
    let scopes = scopes.map(|(scope, values)| (scope.name.as_str(), values.as_slice())).collect();
    let groups = conditions.chain([Group { name: "scope", parts: scopes }]);
    groups.filter(|group| !group.parts.is_empty()).collect()
}

/// Prints the tables of a condition, and returns whether a value is marked.
fn print_group(
    page: &mut Page,
    report: &Report,
    format: &MetricFormat<'_>,
    group: &Group<'_>,
    first: usize,
) -> bool {
    let windows = &report.windows[first..];
    let text = |values: &[WindowValue], at: usize| {
        let value = values.iter().rev().find(|value| value.window as usize == first + at);
        value.map_or_else(String::new, |value| cell(report, format, value))
    };
    let column = |(label, values): &(&str, &[WindowValue])| {
        let cells = (0..windows.len()).map(|at| width(&text(values, at))).max().unwrap_or(0);
        cells.max(Span::value(Ink::Faint, label).width().min(MAX_NAME_WIDTH))
    };
    let widest = group.parts.iter().map(column).max().unwrap_or(0);
    let labels =
        windows.iter().map(|window| 6 + Span::from(window.label.as_str()).width()).max().unwrap_or(0);
    let labels = labels.max(4 + width(group.name).min(MAX_NAME_WIDTH));
    let columns = (page.width().saturating_sub(labels) / (widest + GAP)).max(1);
    let mut any_marked = false;
    for parts in group.parts.chunks(columns) {
        let values = parts.iter().map(|_| (Align::Right, widest));
        let mut table = TextTable::with_widths([(Align::Left, labels)].into_iter().chain(values));
        let names = parts.iter().map(|(label, _)| Span::value(Ink::Faint, label).clipped(widest));
        table.head([Span::from(group.name).indented(4).clipped(labels)].into_iter().chain(names));
        for (at, window) in windows.iter().enumerate() {
            let cells: Vec<String> = parts.iter().map(|(_, values)| text(values, at)).collect();
            any_marked |= cells.iter().any(|cell| cell.starts_with(MARK));
            let label = Span::from(window.label.as_str()).indented(6);
            table.row([label].into_iter().chain(cells.into_iter().map(Span::from)));
        }
        table.print(page);
    }
    any_marked
}

/// A value with its pairs.
fn cell(report: &Report, format: &MetricFormat<'_>, value: &WindowValue) -> String {
    let mark = if value.pairs < report.window_breakdown.min_pairs { MARK } else { "" };
    let text = if value.is_withheld() { "withheld".to_owned() } else { format.value(value.value) };
    format!("{mark}{text} ({})", count(value.pairs))
}
