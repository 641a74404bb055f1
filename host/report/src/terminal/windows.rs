//! Renders the metrics by window: a bar chart, and the lowest and the highest window.
//!
//! Invariants: the bars of one metric have the same scale for all models. If several windows share a bar, it shows the
//! one with the least agreement, because metric values cannot be averaged. Windows without pairs leave a gap.

use crate::format::{compact, count, counted};
use crate::metric_format::MetricFormat;
use crate::model::report::{MetricValue, ModelReport, Report, WindowInfo};
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, clipped, width};

/// Bars in ascending order.
pub(super) const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The bar of windows that have pairs, but no defined value.
const UNDEFINED_BAR: char = '·';

/// The width up to which names of models are shown before the bars.
const MAX_NAME_WIDTH: usize = 20;

/// The metrics for each window.
pub(super) fn windows(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    if report.windows.is_empty() {
        return;
    }
    let number = counted(report.windows.len() as u64, "window with pairs", "windows with pairs");
    page.section("By window", &number);
    let names = report.models.iter().map(|model| width(&model.plugin.name).min(MAX_NAME_WIDTH));
    let names = names.max().unwrap_or(0);
    let timeline = Timeline::new(&report.windows, page.width().saturating_sub(4 + names + 2));
    let mut table = TextTable::new([Align::Left, Align::Point, Align::Right, Align::Left]);
    let mut undefined = false;
    for format in formats {
        let (low, high) = scale(report, format);
        let [from, to] = match format.range() {
            Some((minimum, maximum)) => [minimum, maximum].map(compact),
            None => [low, high].map(|end| format.value(Some(end))),
        };
        let ends = format!("  {} {from} to {} {to}", BARS[0], BARS[7]);
        table.line(2, [format.name().into(), Span::new(Ink::Faint, ends)]);
        for model in &report.models {
            let values = values(format, model);
            let bars = timeline.bars(format, values, (low, high));
            undefined |= bars.contains(UNDEFINED_BAR);
            let name = clipped(&model.plugin.name, names);
            table.line(4, [format!("{name}{}", " ".repeat(names - width(&name) + 2)).into(), bars.into()]);
            extremes(&mut table, report, format, values);
        }
    }
    table.print(page);
    if timeline.per_bar > 1 {
        let number = count(timeline.per_bar as u64);
        let shared = format!("each bar shows the least agreement of {number} consecutive windows");
        page.paragraph(2, Ink::Faint, &shared);
    }
    if undefined {
        page.paragraph(2, Ink::Faint, "· pairs, but no defined value");
    }
    if timeline.has_gap() {
        page.paragraph(2, Ink::Faint, "gap: windows without pairs");
    }
}

fn values<'m>(format: &MetricFormat<'_>, model: &'m ModelReport) -> &'m [MetricValue] {
    format.scores(model).map_or(&[], |scores| scores.windows.as_slice())
}

/// The value of a window, if it is finite.
fn defined(value: &MetricValue) -> Option<f64> {
    value.value.filter(|value| value.is_finite())
}

/// The ends of the scale: the range of the metric, or else the range of the values of all models.
fn scale(report: &Report, format: &MetricFormat<'_>) -> (f64, f64) {
    let defined_values = || report.models.iter().flat_map(|model| values(format, model)).filter_map(defined);
    let observed = || defined_values().reduce(f64::min).zip(defined_values().reduce(f64::max));
    format.range().or_else(observed).unwrap_or((0.0, 0.0))
}

/// Adds the lowest and the highest window; of equal windows the earliest.
fn extremes(table: &mut TextTable, report: &Report, format: &MetricFormat<'_>, values: &[MetricValue]) {
    let defined_values = || {
        let windows = report.windows.iter().zip(values);
        windows.filter_map(|(window, value)| Some((defined(value)?, value.pairs, window)))
    };
    let lowest = defined_values().reduce(|one, other| if other.0 < one.0 { other } else { one });
    let highest = defined_values().reduce(|one, other| if other.0 > one.0 { other } else { one });
    for (name, window) in [("      lowest", lowest), ("      highest", highest)] {
        let Some((value, pairs, window)) = window else { continue };
        let (value, pairs) = (format.value(Some(value)), counted(pairs, "pair", "pairs"));
        table.row([name.into(), value.into(), pairs.into(), window.label.as_str().into()]);
    }
}

/// The slots of a line of bars, in order of time.
struct Timeline {
    /// The index of each window in the report; `None` for a gap.
    slots: Vec<Option<usize>>,
    /// The number of slots that share a bar.
    per_bar: usize,
}

impl Timeline {
    /// The slots of windows on a line of at most `room` bars.
    fn new(windows: &[WindowInfo], room: usize) -> Timeline {
        let mut slots = Vec::new();
        for (index, window) in windows.iter().enumerate() {
            if index > 0 && windows[index - 1].end < window.start {
                slots.push(None);
            }
            slots.push(Some(index));
        }
        let per_bar = slots.len().div_ceil(room.max(1)).max(1);
        Timeline { slots, per_bar }
    }

    fn has_gap(&self) -> bool {
        self.slots.contains(&None)
    }

    fn bars(&self, format: &MetricFormat<'_>, values: &[MetricValue], (low, high): (f64, f64)) -> String {
        let bar = |slots: &[Option<usize>]| {
            let windows = slots.iter().flatten();
            let values = windows.map(|&index| values.get(index).and_then(defined));
            match format.worst(values) {
                Some(value) if low < high => {
                    let share = (value - low) / (high - low);
                    BARS[((share * 8.0) as usize).min(7)]
                }
                Some(_) => BARS[3],
                None if slots.iter().all(Option::is_none) => ' ',
                None => UNDEFINED_BAR,
            }
        };
        self.slots.chunks(self.per_bar).map(bar).collect()
    }
}
