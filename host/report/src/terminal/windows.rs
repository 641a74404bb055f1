//! The figures by window: a bar for each, and the lowest and the highest.
//!
//! Always holds: the bars of a metric have one scale for all models, so that they can be compared; where several windows
//! share a bar it shows the one that agrees least, as figures cannot be averaged; windows without pairs leave a gap.

use crate::format::{bound, count, counted};
use crate::metric_format::Measure;
use crate::model::report::{Figure, Model, Report, Window};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, clipped, width};

/// From the least to the greatest.
pub(super) const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar whose windows have pairs, but no figure.
const NO_FIGURE: char = '·';

/// The longest name of a model that stands before bars.
const LONGEST_NAME: usize = 20;

/// The figures of each window.
pub(super) fn windows(page: &mut Page, report: &Report, measures: &[Measure<'_>]) {
    if report.windows.is_empty() {
        return;
    }
    let number = counted(report.windows.len() as u64, "window with pairs", "windows with pairs");
    page.section("By window", &number);
    let names = report.models.iter().map(|model| width(&model.plugin.name).min(LONGEST_NAME));
    let names = names.max().unwrap_or(0);
    let timeline = Timeline::new(&report.windows, page.width().saturating_sub(4 + names + 2));
    let mut table = Table::new([Align::Left, Align::Point, Align::Right, Align::Left]);
    let mut undefined = false;
    for measure in measures {
        let (low, high) = scale(report, measure);
        let [from, to] = match measure.range() {
            Some((least, greatest)) => [least, greatest].map(bound),
            None => [low, high].map(|end| measure.show(Some(end))),
        };
        let ends = format!("  {} {from} to {} {to}", BARS[0], BARS[7]);
        table.line(2, [measure.name().into(), Span::new(Ink::Faint, ends)]);
        for model in &report.models {
            let figures = figures(measure, model);
            let bars = timeline.bars(measure, figures, (low, high));
            undefined |= bars.contains(NO_FIGURE);
            let name = clipped(&model.plugin.name, names);
            table.line(4, [format!("{name}{}", " ".repeat(names - width(&name) + 2)).into(), bars.into()]);
            extremes(&mut table, report, measure, figures);
        }
    }
    table.print(page);
    if timeline.per_bar > 1 {
        let number = count(timeline.per_bar as u64);
        let shared = format!("a bar is the least agreement of {number} windows in a row");
        page.paragraph(2, Ink::Faint, &shared, 2);
    }
    if undefined {
        page.paragraph(2, Ink::Faint, "· pairs, but no figure", 2);
    }
    if timeline.has_gap() {
        page.paragraph(2, Ink::Faint, "a gap between bars: windows without pairs", 2);
    }
}

fn figures<'m>(measure: &Measure<'_>, model: &'m Model) -> &'m [Figure] {
    measure.scores(model).map_or(&[], |scores| scores.windows.as_slice())
}

/// A figure of a window where there is one.
fn defined(figure: &Figure) -> Option<f64> {
    figure.value.filter(|value| value.is_finite())
}

/// The ends of the bars: the metric's own range, or else that of the figures of all models.
fn scale(report: &Report, measure: &Measure<'_>) -> (f64, f64) {
    let shown = || report.models.iter().flat_map(|model| figures(measure, model)).filter_map(defined);
    let seen = || shown().reduce(f64::min).zip(shown().reduce(f64::max));
    measure.range().or_else(seen).unwrap_or((0.0, 0.0))
}

/// The lowest and the highest window; the earliest where several are alike.
fn extremes(table: &mut Table, report: &Report, measure: &Measure<'_>, figures: &[Figure]) {
    let shown = || {
        let windows = report.windows.iter().zip(figures);
        windows.filter_map(|(window, figure)| Some((defined(figure)?, figure.pairs, window)))
    };
    let lowest = shown().reduce(|one, other| if other.0 < one.0 { other } else { one });
    let highest = shown().reduce(|one, other| if other.0 > one.0 { other } else { one });
    for (name, extreme) in [("      lowest", lowest), ("      highest", highest)] {
        let Some((value, pairs, window)) = extreme else { continue };
        let (value, pairs) = (measure.show(Some(value)), counted(pairs, "pair", "pairs"));
        table.row([name.into(), value.into(), pairs.into(), window.label.as_str().into()]);
    }
}

/// Windows on a line, in order of time.
struct Timeline {
    /// The place of each window in the report; `None` for a gap.
    slots: Vec<Option<usize>>,
    /// How many slots share a bar.
    per_bar: usize,
}

impl Timeline {
    /// Windows on a line of at most `room` bars.
    fn new(windows: &[Window], room: usize) -> Timeline {
        let mut slots = Vec::new();
        for (place, window) in windows.iter().enumerate() {
            if place > 0 && windows[place - 1].end < window.start {
                slots.push(None);
            }
            slots.push(Some(place));
        }
        let per_bar = slots.len().div_ceil(room.max(1)).max(1);
        Timeline { slots, per_bar }
    }

    fn has_gap(&self) -> bool {
        self.slots.contains(&None)
    }

    fn bars(&self, measure: &Measure<'_>, figures: &[Figure], (low, high): (f64, f64)) -> String {
        let bar = |slots: &[Option<usize>]| {
            let windows = slots.iter().flatten();
            let values = windows.map(|&place| figures.get(place).and_then(defined));
            match measure.least_agreement(values) {
                Some(value) if low < high => {
                    let share = (value - low) / (high - low);
                    BARS[((share * 8.0) as usize).min(7)]
                }
                Some(_) => BARS[3],
                None if slots.iter().all(Option::is_none) => ' ',
                None => NO_FIGURE,
            }
        };
        self.slots.chunks(self.per_bar).map(bar).collect()
    }
}
