//! Draws small multiples: a small time series for each panel.
//!
//! Invariants: all panels have the same axes and the same size. An interval that is wider than the axis ends at the edge
//! of the plot.

use std::ops::Range;

use plotters::style::text_anchor::{HPos, VPos};

use crate::page::chart::axis::{Axis, GAP};
use crate::page::chart::canvas::{Canvas, Hand, Paint, SIGN, Shape, Sketch, TEXT, line_height};
use crate::page::chart::legend::{LegendEntries, sign};
use crate::page::chart::series::{BAND, band, bands_of, place, stretches, toned, value};
use crate::page::chart::text_layout::{widest, wrap};
use crate::page::chart::{axis, canvas};
use crate::page::document::{Panel, Series, SeriesPoint, Tone};
use crate::sanitizer::one_line;
use crate::value_text::cut_mark;

/// The width of a panel, in tenths of a unit. With three panels side by side, text is as large as in other charts.
const PANEL: i32 = 2430;

/// The height of the plot without title and labels, in tenths of a unit.
const HEIGHT: i32 = 950;

/// The maximum number of characters of a title. The figure's table has the whole title.
const MAX_LABEL_CHARS: usize = 70;

/// The least distance of points at which each one is drawn. Closer points are drawn only if they have a tone.
const MIN_POINT_DISTANCE: i32 = 85;

/// Draws the panels in order, and the legend of all of them. `None` if there is no value.
pub(super) fn draw(
    panels: &[Panel],
    bound: Option<&(String, f64)>,
    tones: &[(Tone, String)],
) -> Option<(Vec<Sketch>, LegendEntries)> {
    let points = || panels.iter().flat_map(|panel| &panel.points).filter(|point| point.x.is_finite());
    let sure = points().filter(|point| point.tone != Some(Tone::Unsure));
    let bands = sure.filter_map(band).flat_map(|(low, high)| [low, high]);
    let measured = points().filter_map(value);
    measured.clone().next()?;
    let reference = bound.map(|(_, bound)| *bound).filter(|bound| bound.is_finite());
    let heights = axis::range(measured.chain(bands).chain(reference), 0.0..1.0)?;
    let titles: Vec<Vec<String>> = panels.iter().map(|panel| title(&panel.title)).collect();
    let lines = titles.iter().map(Vec::len).max().unwrap_or(1);
    let top = 30 + i32::try_from(lines).unwrap_or(1) * line_height(TEXT) + 60;
    let up = Axis::of_numbers(heights.clone(), (top + HEIGHT, top), 4);
    let across = time_axis(points(), (up.widest() + GAP + 30, PANEL - 60))?;
    let size = (PANEL, top + HEIGHT + GAP + 20 + across.tallest() + 20);
    let sketches = panels.iter().zip(&titles).map(|(panel, title)| {
        canvas::sketch(size, |canvas| {
            canvas.lines((20, 30), title, Hand { bold: true, ..Hand::word(HPos::Left, VPos::Top) });
            frame(canvas, [&across, &up]);
            if let Some(bound) = reference {
                let (left, right) = across.places;
                canvas.line([(left, up.at(bound)), (right, up.at(bound))], Paint::Bound, 16);
            }
            draw_points(canvas, &panel.points, &heights, [&across, &up]);
        })
    });
    let sketches = sketches.collect();
    Some((sketches, key(panels, bound, tones)))
}

/// A title, cut and broken into lines.
fn title(text: &str) -> Vec<String> {
    let text = one_line(text);
    let text = match text.char_indices().nth(MAX_LABEL_CHARS) {
        Some((end, _)) => format!("{}{}", &text[..end], cut_mark(&text)),
        None => text,
    };
    // Titles are bold, which is wider.
    wrap(&text, (PANEL - 40) * 9 / 10, TEXT)
}

/// The axis of time, on which the first and the last point are labelled.
fn time_axis<'p>(points: impl Iterator<Item = &'p SeriesPoint>, places: (i32, i32)) -> Option<Axis> {
    let points: Vec<&SeriesPoint> = points.collect();
    let first = points.iter().min_by(|one, other| one.x.total_cmp(&other.x))?;
    let last = points.iter().max_by(|one, other| one.x.total_cmp(&other.x))?;
    let is_single = first.x == last.x;
    let room = if is_single { 43_200.0 } else { (last.x / 2.0 - first.x / 2.0) * 0.06 };
    let tick =
        |point: &SeriesPoint| (point.x, wrap(&one_line(&point.label), (places.1 - places.0) / 2 - GAP, TEXT));
    let ticks = if is_single { vec![tick(first)] } else { vec![tick(first), tick(last)] };
    Some(Axis::with_ticks(first.x - room..last.x + room, places, ticks))
}

/// Draws grid lines, the time axis and the labels of both axes.
fn frame(canvas: &Canvas, [across, up]: [&Axis; 2]) {
    let ((left, right), (bottom, _)) = (across.places, up.places);
    for (tick, lines) in &up.ticks {
        let y = up.at(*tick);
        canvas.line([(left, y), (right, y)], Paint::Rule, 8);
        canvas.lines((left - GAP, y), lines, Hand::label(HPos::Right, VPos::Center));
    }
    canvas.line([(left, bottom), (right, bottom)], Paint::Soft, 10);
    for (at, (tick, lines)) in across.ticks.iter().enumerate() {
        let (x, half) = (across.at(*tick), widest(lines, TEXT) / 2);
        canvas.line([(x, bottom), (x, bottom + 40)], Paint::Soft, 10);
        let y = bottom + GAP + 10;
        // The labels keep within the image and so apart from each other.
        match (at, across.ticks.len()) {
            (_, 1) => canvas.lines((x, y), lines, Hand::label(HPos::Center, VPos::Top)),
            (0, _) => {
                canvas.lines(((x - half).max(left - GAP), y), lines, Hand::label(HPos::Left, VPos::Top))
            }
            _ => canvas.lines(((x + half).min(PANEL - 20), y), lines, Hand::label(HPos::Right, VPos::Top)),
        }
    }
}

/// Draws the intervals, the line and the points of a panel.
fn draw_points(canvas: &Canvas, points: &[SeriesPoint], heights: &Range<f64>, axes: [&Axis; 2]) {
    let clamp = |(low, high): (f64, f64)| {
        (low.clamp(heights.start, heights.end), high.clamp(heights.start, heights.end))
    };
    let clamped = |point: &SeriesPoint| SeriesPoint { band: band(point).map(clamp), ..point.clone() };
    let series = Series { name: String::new(), points: points.iter().map(clamped).collect() };
    bands_of(canvas, &series, 0, axes);
    let places: Vec<i32> =
        series.points.iter().filter_map(|point| place(point, axes)).map(|(x, _)| x).collect();
    let closest = places.windows(2).map(|pair| (pair[1] - pair[0]).abs()).min().unwrap_or(MIN_POINT_DISTANCE);
    for stretch in stretches(&series, |point| place(point, axes)) {
        match stretch[..] {
            [only] if closest < MIN_POINT_DISTANCE => {
                canvas.point(only, Shape::Of(0), Paint::Series(0), false)
            }
            _ => canvas.line(stretch, Paint::Line(0), 16),
        }
    }
    for point in &series.points {
        let is_marked = matches!(point.tone, Some(Tone::Bad | Tone::Unsure | Tone::Void));
        if let Some(place) = place(point, axes).filter(|_| is_marked || closest >= MIN_POINT_DISTANCE) {
            toned(canvas, place, point.tone, 0);
        }
    }
}

fn key(panels: &[Panel], bound: Option<&(String, f64)>, tones: &[(Tone, String)]) -> LegendEntries {
    let middle = SIGN.1 / 2;
    let points = || panels.iter().flat_map(|panel| &panel.points).filter(|point| value(point).is_some());
    let mut key = LegendEntries::new();
    let has_intervals = points().any(|point| band(point).is_some());
    let drawn = sign(|canvas| {
        if has_intervals {
            canvas.block([(0, 20), (SIGN.0, SIGN.1 - 20)], Paint::Series(0), BAND);
        }
        canvas.line([(0, middle), (SIGN.0, middle)], Paint::Line(0), 16);
        canvas.point((SIGN.0 / 2, middle), Shape::Of(0), Paint::Series(0), false);
    });
    key.push((drawn, if has_intervals { "value and its interval" } else { "value" }.to_owned()));
    if let Some((what, _)) = bound {
        let drawn = sign(|canvas| canvas.line([(0, middle), (SIGN.0, middle)], Paint::Bound, 16));
        key.push((drawn, one_line(what)));
    }
    for (tone, what) in tones.iter().filter(|(tone, _)| points().any(|point| point.tone == Some(*tone))) {
        let drawn = sign(|canvas| toned(canvas, (SIGN.0 / 2, middle), Some(*tone), 0));
        key.push((drawn, one_line(what)));
    }
    key
}
