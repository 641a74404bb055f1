//! The section with metrics in each window by condition and by declared scope, as small multiples.
//!
//! Invariants: the table of a figure has the windows of its charts for every condition value, with a chart or without. A
//! value of few pairs is marked.

use crate::format::{count, counted, declared_number};
use crate::metric_format::MetricFormat;
use crate::model::bundle::{ReportBundle, ThresholdSummary};
use crate::model::report::{ModelReport, Report};
use crate::model::run_summary::RunEnd;
use crate::model::window_breakdown::WindowValue;
use crate::page::{Block, Cell, Chart, Column, Figure, Panel, Section, SeriesPoint, Tone};
use crate::sections::helpers::{folded, omitted_breakdown_note, text, window_start};
use crate::value_text::value_text;
use understudy_statistics::verdict::direction_words;

/// The maximum number of small charts in a figure. Condition values with fewer pairs are in the table only.
const MAX_PANELS: usize = 24;

/// The maximum number of rows of a figure's table. The JSON has all windows.
const MAX_ROWS: usize = 1_000;

/// The metrics that have intervals, by window and condition and by window and scope. `None` for fewer than two windows, or
/// without conditions and scopes.
pub fn window_breakdown(bundle: &ReportBundle, formats: &[MetricFormat<'_>]) -> Option<Section> {
    let report = &bundle.report;
    let breakdown = &report.window_breakdown;
    if report.windows.len() < 2 || (report.conditions.is_empty() && breakdown.scopes.is_empty()) {
        return None;
    }
    let mut blocks = vec![text(introduction(report))];
    for format in formats.iter().filter(|format| report.has_breakdown_intervals(format.name())) {
        let is_of_threshold = breakdown.threshold_metric.as_deref() == Some(format.name());
        let requirement = bundle.threshold.as_ref().filter(|_| is_of_threshold);
        for model in &report.models {
            blocks.extend(ModelView { report, formats, format, model, requirement }.figures());
        }
    }
    Some(Section { id: "windows", title: "Each window by condition".to_owned(), blocks })
}

fn introduction(report: &Report) -> String {
    let few = count(report.window_breakdown.min_pairs);
    let mut words = format!(
        "Each interval is for its value alone: about one of twenty does not contain the true value. Values of fewer than {few} pairs \
         are marked, and their intervals may extend beyond the charts."
    );
    if let RunEnd::Interim { .. } = report.end {
        words += " Before the end, values of fewer than five pairs are withheld, and so are those from which they would follow.";
    }
    words
}

/// The values of a model by a metric.
struct ModelView<'r> {
    report: &'r Report,
    formats: &'r [MetricFormat<'r>],
    format: &'r MetricFormat<'r>,
    model: &'r ModelReport,
    /// The requirement, if this is the metric of the threshold.
    requirement: Option<&'r ThresholdSummary>,
}

/// The pairs with one condition value, or those of one scope.
struct Part<'r> {
    label: String,
    values: &'r [WindowValue],
    /// The values of the other metrics, in the order of their columns.
    others: Vec<&'r [WindowValue]>,
}

impl<'r> ModelView<'r> {
    fn figures(&self) -> Vec<Block> {
        let Some(scores) = self.format.scores(self.model) else { return Vec::new() };
        let others: Vec<&MetricFormat<'_>> =
            self.formats.iter().filter(|other| other.name() != self.format.name()).collect();
        let mut blocks = Vec::new();
        for (at, condition) in self.report.conditions.iter().enumerate() {
            let values = scores.conditions_by_window.get(at).map_or(&[][..], Vec::as_slice);
            let parts =
                condition.values.iter().zip(values).enumerate().map(|(value, (label, values))| Part {
                    label: value_text(label),
                    values,
                    others: others.iter().map(|other| self.other_values(other, at, value)).collect(),
                });
            blocks.extend(self.figure(&condition.name, "condition value", parts.collect(), &others));
        }
        let scopes = self.report.window_breakdown.scopes.iter().zip(&scores.scopes_by_window);
        let parts = scopes.map(|(scope, values)| Part {
            label: scope.name.clone(),
            values: values.as_slice(),
            others: Vec::new(),
        });
        blocks.extend(self.figure("scope", "scope", parts.collect(), &[]));
        blocks
    }

    fn other_values(&self, other: &MetricFormat<'_>, condition: usize, value: usize) -> &'r [WindowValue] {
        let scores = other.scores(self.model);
        let values = scores.and_then(|scores| scores.conditions_by_window.get(condition)?.get(value));
        values.map_or(&[], Vec::as_slice)
    }

    /// The figure of a condition, or of the scopes; `None` without pairs. `kind` says what a part is.
    fn figure(
        &self,
        name: &str,
        kind: &str,
        parts: Vec<Part<'r>>,
        others: &[&MetricFormat<'_>],
    ) -> Option<Block> {
        let parts: Vec<Part<'_>> = parts.into_iter().filter(|part| !part.values.is_empty()).collect();
        let windows = self.report.windows.len();
        let shown = (MAX_ROWS / parts.len().max(1)).max(1);
        let broken_down = usize::try_from(self.report.window_breakdown.first_window).unwrap_or(usize::MAX);
        let first = windows.saturating_sub(shown).max(broken_down).min(windows);
        let is_shown = |value: &WindowValue| value.window as usize >= first;
        let drawn = most_frequent(&parts, MAX_PANELS);
        let panels: Vec<Panel> = drawn.iter().map(|at| self.panel(&parts[*at], first)).collect();
        if panels.is_empty() {
            return None;
        }
        let mut rows = Vec::new();
        for part in &parts {
            for (at, value) in part.values.iter().enumerate().filter(|(_, value)| is_shown(value)) {
                rows.push(self.row(part, at, value, others));
            }
        }
        let mut columns = vec![
            Column::text(name),
            Column::text("Window"),
            Column::number("Pairs"),
            Column::number(self.format.name()),
            Column::number("95 % interval"),
        ];
        columns.extend(others.iter().map(|other| Column::number(other.name())));
        let (metric, model) = (self.format.name(), &self.model.plugin.name);
        let mut description =
            format!("{metric} of {model} in each window for each {kind} with pairs, with 95 % intervals.");
        if panels.len() < parts.len() {
            description += &format!(
                " The {} with the most pairs have charts; the data has all.",
                count(panels.len() as u64)
            );
        }
        description += &omitted_breakdown_note(windows - first, windows, first > broken_down);
        let few = format!("fewer than {} pairs", count(self.report.window_breakdown.min_pairs));
        Some(Block::Figure(Figure {
            title: format!("{metric} of {model} by window and {name}"),
            description,
            chart: Chart::SmallMultiples {
                panels,
                bound: self.reference(),
                tones: vec![(Tone::Unsure, few)],
            },
            table: folded("Data", columns, rows),
        }))
    }

    /// The reference line: the bound of the threshold, or else the value over all pairs.
    fn reference(&self) -> Option<(String, f64)> {
        if let Some(requirement) = self.requirement {
            let words = direction_words(requirement.direction);
            return Some((
                format!("threshold: {words} {}", declared_number(requirement.bound)),
                requirement.bound,
            ));
        }
        let overall = self.format.scores(self.model)?.overall.value?;
        Some((format!("all pairs: {}", self.format.value(Some(overall))), overall))
    }

    fn panel(&self, part: &Part<'_>, first: usize) -> Panel {
        let mut known = part.values.iter().filter(|value| value.window as usize >= first).peekable();
        let windows = self.report.windows.iter().enumerate().skip(first);
        let points = windows.map(|(at, window)| {
            let value = known.next_if(|value| value.window as usize == at);
            SeriesPoint {
                label: window.label.clone(),
                x: window_start(self.report, window),
                value: value.and_then(|value| value.value),
                band: value.and_then(|value| value.interval).map(|bounds| (bounds.lower, bounds.upper)),
                tone: value.filter(|value| self.is_few(value)).map(|_| Tone::Unsure),
            }
        });
        Panel {
            points: points.collect(),
            title: part.label.clone(),
            description: self.description(part, first),
        }
    }

    /// The lowest and the highest value of a part in words.
    fn description(&self, part: &Part<'_>, first: usize) -> String {
        let known =
            part.values.iter().filter(|value| value.window as usize >= first && value.value.is_some());
        let known: Vec<&WindowValue> = known.collect();
        let words = |value: &WindowValue| {
            let number = self.format.value(value.value);
            format!("{number} ({}) in {}", self.format.window_counts(value), self.window_label(value))
        };
        let by_value = |one: &&&WindowValue, other: &&&WindowValue| {
            one.value.partial_cmp(&other.value).unwrap_or(std::cmp::Ordering::Equal)
        };
        let windows = counted(known.len() as u64, "window", "windows");
        match (known.iter().min_by(by_value), known.iter().max_by(by_value)) {
            (Some(lowest), Some(_)) if known.len() == 1 => format!("{}: {}.", part.label, words(lowest)),
            (Some(lowest), Some(highest)) => {
                format!("{}, {windows}: lowest {}; highest {}.", part.label, words(lowest), words(highest))
            }
            _ => format!("{}: no defined value.", part.label),
        }
    }

    fn row(
        &self,
        part: &Part<'_>,
        at: usize,
        value: &WindowValue,
        others: &[&MetricFormat<'_>],
    ) -> Vec<Cell> {
        let number = match value.is_withheld() {
            true => "withheld".to_owned(),
            false => self.format.value(value.value),
        };
        let tone = self.is_few(value).then_some(Tone::Unsure);
        let mut row: Vec<Cell> = vec![
            part.label.as_str().into(),
            self.window_label(value).into(),
            self.format.window_counts(value).into(),
            Cell { tone, ..number.as_str().into() },
            self.format.interval(value.interval).into(),
        ];
        // All metrics have values for the same windows.
        row.extend(
            others
                .iter()
                .zip(&part.others)
                .map(|(other, values)| other.value(values.get(at).and_then(|value| value.value)).into()),
        );
        row
    }

    fn is_few(&self, value: &WindowValue) -> bool {
        value.pairs < self.report.window_breakdown.min_pairs
    }

    fn window_label(&self, value: &WindowValue) -> &'r str {
        self.report.windows.get(value.window as usize).map_or("", |window| window.label.as_str())
    }
}

/// The indices of the parts with the most pairs, at most `most`, in the order of the parts.
fn most_frequent(parts: &[Part<'_>], most: usize) -> Vec<usize> {
    let pairs = |part: &Part<'_>| part.values.iter().map(|value| value.pairs).sum::<u64>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(pairs(&parts[*at])));
    order.truncate(most);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests;
