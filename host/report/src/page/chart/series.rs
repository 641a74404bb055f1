//! Draws time series: lines through points, with bands for intervals.
//!
//! Invariants: an undefined value leaves a gap. A point without neighbours has a whisker in place of a band.

use std::ops::Range;

use crate::page::chart::axis::{Axis, GAP};
use crate::page::chart::canvas::{Canvas, Paint, Point, SIGN, Shape, TEXT, WIDTH, line_height};
use crate::page::chart::legend::{DrawnChart, LegendEntries, sign};
use crate::page::chart::text_layout::{width, wrap};
use crate::page::chart::{axis, calendar, canvas, events};
use crate::page::document::{Chart, Series, SeriesPoint, Tone};
use crate::sanitizer::one_line;

/// The height of the plot itself.
const HEIGHT: i32 = 2300;

/// The number of points up to which each one is labelled.
const FEW: usize = 9;

/// The opacity of a band.
pub(super) const BAND: f64 = 0.16;

/// Draws a time series.
pub(super) fn draw(chart: &Chart) -> Option<DrawnChart> {
    let Chart::Series { y_label, x_label, series, bound, .. } = chart else { return None };
    let points = || series.iter().flat_map(|series| &series.points).filter(|point| point.x.is_finite());
    let measured = points().filter_map(value);
    let bands = points().filter_map(band).flat_map(|(low, high)| [low, high]);
    measured.clone().next()?;
    let reference = bound.as_ref().map(|(_, bound)| *bound);
    let heights = axis::range(measured.chain(bands).chain(reference), 0.0..1.0)?;
    let marked = chart.marked();
    let times = times(points().map(|point| point.x).chain(marked.iter().map(|(_, x, _)| *x)))?;

    let tall = Axis::of_numbers(heights.clone(), (0, 1), 6);
    let places = (tall.widest() + GAP + 40, WIDTH - 120);
    let across = Axis::with_ticks(times.clone(), places, Vec::new());
    let events = events::place(&marked, &across);
    let top = 20 + line_height(TEXT) + 80 + events.height();
    let up = Axis::of_numbers(heights, (top + HEIGHT, top), 6);
    let ticks = names(points(), &across).unwrap_or_else(|| calendar::ticks(&times, 8));
    let across = Axis::with_ticks(times, places, ticks);

    let sketch = canvas::sketch((WIDTH, top + HEIGHT + axis::below(&across)), |canvas| {
        axis::frame(canvas, [&across, &up], [&one_line(x_label), &one_line(y_label)]);
        for (at, one) in series.iter().enumerate() {
            bands_of(canvas, one, at, [&across, &up]);
        }
        events.draw(canvas, &across, (top, top + HEIGHT));
        if let Some(bound) = reference.filter(|bound| bound.is_finite()) {
            canvas.line([(places.0, up.at(bound)), (places.1, up.at(bound))], Paint::Bound, 16);
        }
        for (at, one) in series.iter().enumerate() {
            line_of(canvas, one, at, [&across, &up]);
        }
    });
    Some(DrawnChart { sketch, key: key(series, bound.as_ref()), events: events.key() })
}

pub(super) fn value(point: &SeriesPoint) -> Option<f64> {
    point.value.filter(|value| value.is_finite())
}

pub(super) fn band(point: &SeriesPoint) -> Option<(f64, f64)> {
    point.band.filter(|(low, high)| low.is_finite() && high.is_finite() && point.value.is_some())
}

/// The range of times, with a margin.
fn times(seconds: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let seconds: Vec<f64> = seconds.filter(|second| second.is_finite()).collect();
    let first = seconds.iter().copied().reduce(f64::min)?;
    let last = seconds.iter().copied().reduce(f64::max)?;
    let room = if first < last { (last - first) * 0.025 } else { 43_200.0 };
    Some(first - room..last + room)
}

/// The labels of the points as ticks; `None` if there are too many points, or if two lines do not suffice.
fn names<'a>(
    points: impl Iterator<Item = &'a SeriesPoint>,
    across: &Axis,
) -> Option<Vec<(f64, Vec<String>)>> {
    let mut named: Vec<(f64, &str)> = points.map(|point| (point.x, point.label.as_str())).collect();
    named.sort_by(|one, other| one.0.total_cmp(&other.0));
    named.dedup_by(|one, other| one.0 == other.0);
    if named.len() > FEW {
        return None;
    }
    let gap = named.windows(2).map(|pair| across.at(pair[1].0) - across.at(pair[0].0)).min().unwrap_or(2000);
    let room = gap.min(2000) - 2 * GAP;
    let fits = |text: &str| text.split_whitespace().all(|word| width(word, TEXT) <= room);
    let tick = |(x, name): (f64, &str)| {
        let name = one_line(name);
        let lines = wrap(&name, room, TEXT);
        (fits(&name) && lines.len() <= 2).then_some((x, lines))
    };
    named.into_iter().map(tick).collect()
}

/// The position of a point, if it is drawn.
pub(super) fn place(point: &SeriesPoint, [across, up]: [&Axis; 2]) -> Option<Point> {
    let value = value(point).filter(|_| point.x.is_finite())?;
    Some((across.at(point.x), up.at(value)))
}

/// Runs of consecutive points for which `of` returns a value.
pub(super) fn stretches<T>(series: &Series, of: impl Fn(&SeriesPoint) -> Option<T>) -> Vec<Vec<T>> {
    let mut stretches = vec![Vec::new()];
    for point in &series.points {
        match (of(point), stretches.last_mut()) {
            (Some(found), Some(stretch)) => stretch.push(found),
            _ => stretches.push(Vec::new()),
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

pub(super) fn bands_of(canvas: &Canvas, series: &Series, at: usize, axes: [&Axis; 2]) {
    let bounds = |point: &SeriesPoint| {
        let ((x, _), (low, high)) = (place(point, axes)?, band(point)?);
        Some((x, axes[1].at(low), axes[1].at(high)))
    };
    for stretch in stretches(series, bounds) {
        if let [(x, low, high)] = stretch[..] {
            whisker(canvas, x, (low, high), at);
            continue;
        }
        let above = stretch.iter().map(|(x, _, high)| (*x, *high));
        let below = stretch.iter().rev().map(|(x, low, _)| (*x, *low));
        canvas.area(above.chain(below).collect::<Vec<_>>(), Paint::Series(at), BAND);
    }
}

fn whisker(canvas: &Canvas, x: i32, (low, high): (i32, i32), at: usize) {
    canvas.line([(x, low), (x, high)], Paint::Series(at), 14);
    for y in [low, high] {
        canvas.line([(x - 40, y), (x + 40, y)], Paint::Series(at), 14);
    }
}

fn line_of(canvas: &Canvas, series: &Series, at: usize, axes: [&Axis; 2]) {
    for stretch in stretches(series, |point| place(point, axes)) {
        if stretch.len() > 1 {
            canvas.line(stretch, Paint::Line(at), 16);
        }
    }
    for point in &series.points {
        if let Some(place) = place(point, axes) {
            toned(canvas, place, point.tone, at);
        }
    }
}

/// Draws a point according to its tone.
pub(super) fn toned(canvas: &Canvas, place: Point, tone: Option<Tone>, at: usize) {
    match tone {
        Some(Tone::Bad) => canvas.point(place, Shape::Cross, Paint::Bad, false),
        Some(Tone::Unsure) => canvas.point(place, Shape::Of(at), Paint::Series(at), true),
        Some(Tone::Void) => canvas.point(place, Shape::Of(at), Paint::Soft, true),
        Some(Tone::Good | Tone::Plain) | None => canvas.point(place, Shape::Of(at), Paint::Series(at), false),
    }
}

fn key(series: &[Series], bound: Option<&(String, f64)>) -> LegendEntries {
    let middle = SIGN.1 / 2;
    let mut key = LegendEntries::new();
    for (at, one) in series.iter().enumerate().filter(|(_, one)| !one.name.is_empty()) {
        let drawn = sign(|canvas| {
            if one.points.iter().any(|point| band(point).is_some()) {
                canvas.block([(0, 20), (SIGN.0, SIGN.1 - 20)], Paint::Series(at), BAND);
            }
            canvas.line([(0, middle), (SIGN.0, middle)], Paint::Line(at), 16);
            canvas.point((SIGN.0 / 2, middle), Shape::Of(at), Paint::Series(at), false);
        });
        key.push((drawn, one_line(&one.name)));
    }
    if let Some((what, _)) = bound {
        let drawn = sign(|canvas| canvas.line([(0, middle), (SIGN.0, middle)], Paint::Bound, 16));
        key.push((drawn, one_line(what)));
    }
    let legend_tones = [(Tone::Bad, "not as required"), (Tone::Unsure, "uncertain"), (Tone::Void, "void")];
    let tones: Vec<Tone> = series
        .iter()
        .flat_map(|one| &one.points)
        .filter(|p| value(p).is_some())
        .filter_map(|p| p.tone)
        .collect();
    for (tone, words) in legend_tones.into_iter().filter(|(tone, _)| tones.contains(tone)) {
        let drawn = sign(|canvas| toned(canvas, (SIGN.0 / 2, middle), Some(tone), 0));
        key.push((drawn, words.to_owned()));
    }
    key
}
