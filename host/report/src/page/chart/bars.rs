//! Draws bar charts.
//!
//! Invariants: bars start at zero. Every bar has a label if it fits, otherwise every second, third and so on. The table
//! of the figure has all labels.

use plotters::style::text_anchor::{HPos, VPos};

use crate::page::chart::axis::{Axis, GAP};
use crate::page::chart::canvas::{Hand, Paint, TEXT, WIDTH, line_height};
use crate::page::chart::legend::{DrawnChart, LegendEntries};
use crate::page::chart::text_layout::{widest, width, wrap};
use crate::page::chart::{axis, canvas};
use crate::sanitizer::one_line;

/// The height of the plot area.
const HEIGHT: i32 = 2000;

/// The maximum width of a bar with its gap.
const SLOT: i32 = 1000;

/// The maximum length of vertical labels.
const UPWARD: i32 = 1800;

/// Draws bars with their labels.
pub(super) fn draw([x_label, y_label]: [&str; 2], bars: &[(String, f64)]) -> Option<DrawnChart> {
    let bars: Vec<(String, f64)> = bars
        .iter()
        .filter(|(_, height)| height.is_finite())
        .map(|(label, height)| (one_line(label), *height))
        .collect();
    let heights = axis::range(bars.iter().map(|(_, height)| *height).chain([0.0]), f64::NAN..f64::NAN)?;
    let (least, most) = bars
        .iter()
        .fold((0.0f64, 0.0f64), |(least, most), (_, height)| (least.min(*height), most.max(*height)));
    if bars.is_empty() {
        return None;
    }
    let heights = if least < 0.0 { heights.start } else { 0.0 }..if most > 0.0 { heights.end } else { 0.0 };
    let heights = if heights.is_empty() { 0.0..1.0 } else { axis::rounded(&heights, 5) };
    let top = 20 + line_height(TEXT) + 130;
    let up = Axis::of_numbers(heights, (top + HEIGHT, top), 5);
    let left = up.widest() + GAP + 40;
    let count = i32::try_from(bars.len()).ok()?;
    let slot = ((WIDTH - 60 - left) / count).clamp(1, SLOT);
    let labels = Labels::new(&bars, slot);
    let right = left + slot * count;
    let across = Axis::with_ticks(0.0..f64::from(count), (left, right), Vec::new());
    let height = top + HEIGHT + labels.height + axis::below(&across);
    let sketch = canvas::sketch((WIDTH, height), |canvas| {
        axis::frame(canvas, [&across, &up], ["", &one_line(y_label)]);
        let base = up.at(0.0);
        for ((_, height), place) in bars.iter().zip(0..) {
            let (x, inset) = (left + slot * place, (slot / 12).max(1));
            canvas.block([(x + inset, up.at(*height)), (x + slot - inset, base)], Paint::Series(0), 0.85);
        }
        canvas.line([(left, base), (right, base)], Paint::Soft, 12);
        for (lines, place) in labels.lines.iter().zip(0..).step_by(labels.every) {
            let place = left + slot * place + slot / 2;
            let under = top + HEIGHT + GAP;
            if labels.upward {
                let start = i32::try_from(lines.len()).unwrap_or(1) - 1;
                let first = place - start * line_height(TEXT) / 2;
                for (line, at) in lines.iter().zip(0..) {
                    let hand = Hand { upward: true, ..Hand::label(HPos::Right, VPos::Center) };
                    canvas.text((first + at * line_height(TEXT), under), line, hand);
                }
            } else {
                canvas.lines((place, under), lines, Hand::label(HPos::Center, VPos::Top));
            }
        }
        let title = one_line(x_label);
        let x = ((left + right) / 2).max(width(&title, TEXT) / 2 + 10);
        let y = top + HEIGHT + GAP + labels.height + 20;
        canvas.text((x, y), &title, Hand::word(HPos::Center, VPos::Top));
    });
    Some(DrawnChart { sketch, key: LegendEntries::new(), events: LegendEntries::new() })
}

/// The layout of the labels of bars.
struct Labels {
    /// The lines of each label.
    lines: Vec<Vec<String>>,
    /// Whether labels are vertical.
    upward: bool,
    /// The distance between labels that are shown, in bars.
    every: usize,
    /// The height of the labels below the bars.
    height: i32,
}

impl Labels {
    fn new(bars: &[(String, f64)], slot: i32) -> Labels {
        let line = line_height(TEXT);
        let room = slot - GAP;
        let words = bars.iter().flat_map(|(label, _)| label.split_whitespace());
        let level: Vec<_> = bars.iter().map(|(label, _)| wrap(label, room, TEXT)).collect();
        let deepest = |lines: &[Vec<String>]| lines.iter().map(Vec::len).max().unwrap_or(1);
        if words.clone().all(|word| width(word, TEXT) <= room) && deepest(&level) <= 3 {
            let height = i32::try_from(deepest(&level)).unwrap_or(1) * line;
            return Labels { lines: level, upward: false, every: 1, height };
        }
        let lines: Vec<_> = bars.iter().map(|(label, _)| wrap(label, UPWARD, TEXT)).collect();
        let needs = i32::try_from(deepest(&lines)).unwrap_or(1) * line;
        let every = usize::try_from((needs + slot - 1) / slot).unwrap_or(1).max(1);
        let height = lines.iter().map(|lines| widest(lines, TEXT)).max().unwrap_or(0);
        Labels { lines, upward: true, every, height }
    }
}
