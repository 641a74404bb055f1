//! Draws cumulative distributions of durations on a logarithmic axis.
//!
//! Invariants: ticks are in common units of time. The axis covers both ends of every line.

use std::ops::Range;

use crate::page::chart::axis::{Axis, GAP};
use crate::page::chart::canvas::{Paint, SIGN, Shape, TEXT, WIDTH, line_height};
use crate::page::chart::legend::{DrawnChart, LegendEntries, sign};
use crate::page::chart::text_layout::width;
use crate::page::chart::{axis, canvas};
use crate::sanitizer::one_line;

/// The height of the plot area.
const HEIGHT: i32 = 2100;

/// The label of the vertical axis.
const SHARE: &str = "share that took at most so long";

/// Durations in nanoseconds that can be ticks.
const TIMES: [(f64, &str); 18] = [
    (1.0, "1 ns"),
    (1e1, "10 ns"),
    (1e2, "100 ns"),
    (1e3, "1 µs"),
    (1e4, "10 µs"),
    (1e5, "100 µs"),
    (1e6, "1 ms"),
    (1e7, "10 ms"),
    (1e8, "100 ms"),
    (1e9, "1 s"),
    (1e10, "10 s"),
    (6e10, "1 min"),
    (6e11, "10 min"),
    (3.6e12, "1 h"),
    (8.64e13, "1 d"),
    (8.64e14, "10 d"),
    (8.64e15, "100 d"),
    (8.64e16, "1,000 d"),
];

/// Draws the distributions. For each name the points are nanoseconds and cumulative shares from 0 to 1.
pub(super) fn draw(x_label: &str, series: &[(String, Vec<(f64, f64)>)]) -> Option<DrawnChart> {
    let lines: Vec<Vec<(f64, f64)>> = series.iter().map(|(_, points)| logarithmic(points)).collect();
    let times = times(lines.iter().flatten().map(|point| point.0))?;
    let top = 20 + line_height(TEXT) + 130;
    let up = Axis::of_numbers(0.0..1.0, (top + HEIGHT, top), 5);
    let places = (up.widest() + GAP + 40, WIDTH - 200);
    let ticks = ticks(&times, &Axis::with_ticks(times.clone(), places, Vec::new()));
    let across = Axis::with_ticks(times, places, ticks);
    let sketch = canvas::sketch((WIDTH, top + HEIGHT + axis::below(&across)), |canvas| {
        axis::frame(canvas, [&across, &up], [&one_line(x_label), SHARE]);
        for (at, line) in lines.iter().enumerate() {
            let line: Vec<_> = line.iter().map(|(time, share)| (across.at(*time), up.at(*share))).collect();
            match line[..] {
                [point] => canvas.point(point, Shape::Of(at), Paint::Series(at), false),
                _ => canvas.line(line, Paint::Line(at), 20),
            }
        }
    });
    let key = series.iter().enumerate().map(|(at, (name, points))| {
        let middle = SIGN.1 / 2;
        let drawn = sign(|canvas| match points.len() {
            1 => canvas.point((SIGN.0 / 2, middle), Shape::Of(at), Paint::Series(at), false),
            _ => canvas.line([(0, middle), (SIGN.0, middle)], Paint::Line(at), 20),
        });
        (drawn, one_line(name))
    });
    Some(DrawnChart { sketch, key: key.collect(), events: LegendEntries::new() })
}

/// Points with the logarithms of their durations. Less than one nanosecond counts as one.
fn logarithmic(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let sound = points.iter().filter(|(time, share)| time.is_finite() && share.is_finite());
    sound.map(|(time, share)| (time.max(1.0).log10(), share.clamp(0.0, 1.0))).collect()
}

/// The range of the logarithms, at least two powers of ten.
fn times(logarithms: impl Iterator<Item = f64> + Clone) -> Option<Range<f64>> {
    let first = logarithms.clone().reduce(f64::min)?;
    let last = logarithms.reduce(f64::max)?;
    let room = ((2.0 - (last - first)) / 2.0).max((last - first) * 0.03);
    Some(first - room..last + room)
}

/// The ticks in a range whose labels fit side by side.
fn ticks(range: &Range<f64>, across: &Axis) -> Vec<(f64, Vec<String>)> {
    let within =
        TIMES.iter().map(|(time, name)| (time.log10(), *name)).filter(|(time, _)| range.contains(time));
    let mut ticks: Vec<(f64, Vec<String>)> = Vec::new();
    let mut end = i32::MIN;
    for (time, name) in within {
        let (place, half) = (across.at(time), width(name, TEXT) / 2);
        if place - half > end {
            ticks.push((time, vec![name.to_owned()]));
            end = place + half + 2 * GAP;
        }
    }
    ticks
}
