//! Axes: the mapping from numbers to positions, ticks, and the frame of a chart.
//!
//! Invariants: ticks are multiples of 1, 2 or 5 times a power of ten. Their labels have enough decimals to be distinct,
//! and do not overlap.

use std::ops::Range;

use plotters::coord::ranged1d::Ranged as _;
use plotters::coord::types::RangedCoordf64;
use plotters::style::text_anchor::{HPos, VPos};

use crate::format::grouped;
use crate::page::chart::canvas::{Canvas, Hand, Paint, TEXT, WIDTH, line_height};
use crate::page::chart::text_layout::{widest, width};

/// The space between a label and the axis.
pub(super) const GAP: i32 = 60;

/// An axis with its range and ticks.
pub(super) struct Axis {
    scale: RangedCoordf64,
    /// The positions of both ends of the range in the chart.
    pub places: (i32, i32),
    /// The ticks, each with the lines of its label.
    pub ticks: Vec<(f64, Vec<String>)>,
}

impl Axis {
    /// An axis of numbers with about this many ticks.
    pub fn of_numbers(range: Range<f64>, places: (i32, i32), most: u32) -> Axis {
        let (ticks, step) = ticks(&range, most);
        let ticks = ticks.into_iter().map(|tick| (tick, vec![number(tick, step)])).collect();
        Axis { scale: range.into(), places, ticks }
    }

    /// An axis with the given ticks.
    pub fn with_ticks(range: Range<f64>, places: (i32, i32), ticks: Vec<(f64, Vec<String>)>) -> Axis {
        Axis { scale: range.into(), places, ticks }
    }

    /// The position of a number.
    pub fn at(&self, value: f64) -> i32 {
        self.scale.map(&value, self.places)
    }

    /// The width of the widest label.
    pub fn widest(&self) -> i32 {
        self.ticks.iter().map(|(_, lines)| widest(lines, TEXT)).max().unwrap_or(0)
    }

    /// The height of the highest label.
    pub fn tallest(&self) -> i32 {
        let lines = self.ticks.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        i32::try_from(lines).unwrap_or(i32::MAX / TEXT / 2) * line_height(TEXT)
    }
}

/// The range of numbers with a margin, clamped to bounds that all of them keep. `None` if there are no numbers.
pub(super) fn range(values: impl Iterator<Item = f64>, bounds: Range<f64>) -> Option<Range<f64>> {
    let (low, high) =
        values.filter(|value| value.is_finite()).fold(None, |range: Option<(f64, f64)>, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
    // Halves do not overflow.
    let half = high / 2.0 - low / 2.0;
    let room =
        if half > high.abs().max(low.abs()) * 1e-9 { half * 0.12 } else { (high.abs() * 0.1).max(0.05) };
    let (mut from, mut to) = (low - room, high + room);
    if bounds.start <= low && high <= bounds.end {
        (from, to) = (from.max(bounds.start), to.min(bounds.end));
    }
    Some(from.max(f64::MIN / 4.0)..to.min(f64::MAX / 4.0))
}

/// Round numbers in a range, and their distance.
fn ticks(range: &Range<f64>, most: u32) -> (Vec<f64>, f64) {
    let least = (range.end - range.start) / f64::from(most.max(1));
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= least);
    let Some(step) = step.filter(|step| step.is_normal()) else { return (vec![range.start], 1.0) };
    let first = (range.start / step).ceil();
    let count = ((range.end / step).floor() - first).clamp(0.0, f64::from(most)) as u32;
    ((0..=count).map(|place| (first + f64::from(place)) * step).collect(), step)
}

/// A range extended to ticks at both ends.
pub(super) fn rounded(range: &Range<f64>, most: u32) -> Range<f64> {
    let (_, step) = ticks(range, most);
    let wider = (range.start / step).floor() * step..(range.end / step).ceil() * step;
    if wider.start.is_finite() && wider.end.is_finite() { wider } else { range.clone() }
}

/// The label of a tick, with the decimals that its step needs.
pub(super) fn number(value: f64, step: f64) -> String {
    let decimals = (-(step.abs().log10() + 1e-9).floor()).max(0.0);
    // What is as good as zero, beside the step, is zero without a sign.
    let value = if value.abs() < step.abs() * 1e-6 { 0.0 } else { value };
    if value != 0.0 && (value.abs() >= 1e9 || decimals > 7.0) {
        return format!("{:e}", format!("{value:.6e}").parse().unwrap_or(value));
    }
    grouped(&format!("{value:.*}", decimals as usize))
}

/// Draws two axes with lines and labels. The title of the vertical axis is above it, so that it reads horizontally.
pub(super) fn frame(canvas: &Canvas, [across, up]: [&Axis; 2], [x_title, y_title]: [&str; 2]) {
    let ((left, right), (bottom, _)) = (across.places, up.places);
    canvas.text((GAP / 2, 20), y_title, Hand::word(HPos::Left, VPos::Top));
    for (tick, lines) in &up.ticks {
        let y = up.at(*tick);
        canvas.line([(left, y), (right, y)], Paint::Rule, 8);
        canvas.lines((left - GAP, y), lines, Hand::label(HPos::Right, VPos::Center));
    }
    canvas.line([(left, bottom), (right, bottom)], Paint::Soft, 10);
    for (tick, lines) in &across.ticks {
        let x = across.at(*tick);
        canvas.line([(x, bottom), (x, bottom + 40)], Paint::Soft, 10);
        let half = widest(lines, TEXT) / 2;
        // A label at either end keeps within the image.
        let x = x.min(WIDTH - half - 10).max(half + 10);
        canvas.lines((x, bottom + GAP + 10), lines, Hand::label(HPos::Center, VPos::Top));
    }
    let below = bottom + GAP + 20 + across.tallest();
    let x = ((left + right) / 2).max(width(x_title, TEXT) / 2 + 10);
    canvas.text((x, below), x_title, Hand::word(HPos::Center, VPos::Top));
}

/// The height that [`frame`] needs below the horizontal axis.
pub(super) fn below(across: &Axis) -> i32 {
    GAP + 20 + across.tallest() + line_height(TEXT) + 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: Range<f64>) -> Vec<String> {
        let axis = Axis::of_numbers(range, (0, 100), 5);
        axis.ticks.into_iter().map(|(_, lines)| lines.concat()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.0..1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.84..0.913), ["0.84", "0.86", "0.88", "0.90"]);
        assert_eq!(labels(-0.3..0.21), ["-0.2", "0.0", "0.2"]);
        assert_eq!(labels(0.0..21_000.0), ["0", "5,000", "10,000", "15,000", "20,000"]);
        assert_eq!(labels(0.0..4e12), ["0", "1e12", "2e12", "3e12", "4e12"]);
        assert_eq!(labels(0.0..4e-12).len(), 5);
        assert_eq!(labels(f64::MIN / 4.0..f64::MAX / 4.0).len(), 5);
        let close = labels(range([1.0, 1.0 + f64::EPSILON].into_iter(), 0.0..1.0).unwrap());
        assert_eq!(close, ["0.90", "0.95", "1.00", "1.05", "1.10"], "labels have two decimals");
    }

    #[test]
    fn a_range_has_room_and_keeps_to_its_bounds() {
        let of = |values: &[f64]| range(values.iter().copied(), 0.0..1.0);
        assert_eq!(of(&[0.25, 0.75]), Some(0.22..0.78));
        assert_eq!(of(&[0.0, 1.0]), Some(0.0..1.0));
        assert_eq!(of(&[0.0, 2.0]), Some(-0.12..2.12));
        assert_eq!(of(&[0.5]), Some(0.45..0.55));
        assert_eq!(of(&[f64::NAN, f64::INFINITY]), None);
        assert!(of(&[f64::MIN, f64::MAX]).is_some_and(|range| (range.end - range.start).is_finite()));
    }
}
