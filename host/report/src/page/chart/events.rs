//! Draws events in a time series: a vertical line for each, below a sign.
//!
//! Invariants: the signs are those of [`Chart::marked`](crate::page::document::Chart). Numbers are in circles, letters in
//! squares. Signs that would touch are in different rows.

use plotters::style::text_anchor::{HPos, VPos};

use crate::page::chart::axis::Axis;
use crate::page::chart::canvas::{Canvas, Hand, Paint, SIGN, TEXT};
use crate::page::chart::legend::{LegendEntries, sign};
use crate::page::chart::text_layout::width;
use crate::sanitizer::one_line;

/// The height of a row of signs.
const ROW: i32 = 190;

/// Half the height of a sign.
const HALF: i32 = 75;

/// Events, each with the row of its sign.
pub(super) struct Events<'a> {
    placed: Vec<(&'a (String, f64, &'a str), usize)>,
    rows: usize,
}

/// Assigns a row to each sign.
pub(super) fn place<'a>(marked: &'a [(String, f64, &'a str)], across: &Axis) -> Events<'a> {
    let mut sorted: Vec<_> = marked.iter().filter(|(_, x, _)| x.is_finite()).collect();
    sorted.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut ends: Vec<i32> = Vec::new();
    let mut placed = Vec::new();
    for event in sorted {
        let (x, half) = (across.at(event.1), half(&event.0));
        let row = ends.iter().position(|end| *end < x - half).unwrap_or(ends.len());
        ends.resize(ends.len().max(row + 1), i32::MIN);
        ends[row] = x + half + 20;
        placed.push((event, row));
    }
    Events { placed, rows: ends.len() }
}

/// Half the width of a sign.
fn half(name: &str) -> i32 {
    HALF.max(width(name, TEXT) / 2 + 30)
}

fn lettered(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

impl Events<'_> {
    /// The height of the signs above the chart.
    pub fn height(&self) -> i32 {
        i32::try_from(self.rows).unwrap_or(0) * ROW
    }

    /// Draws the signs above `top`, and their lines down to `bottom`.
    pub fn draw(&self, canvas: &Canvas, across: &Axis, (top, bottom): (i32, i32)) {
        let place =
            |x: f64, row: usize| (across.at(x), top - ROW / 2 - i32::try_from(row).unwrap_or(0) * ROW);
        for ((name, x, _), row) in &self.placed {
            let (x, y) = place(*x, *row);
            let paint = if lettered(name) { Paint::Change } else { Paint::Mark };
            canvas.line([(x, y + HALF), (x, bottom)], paint, 12);
        }
        // The signs stand on the lines of others.
        for ((name, x, _), row) in &self.placed {
            badge(canvas, place(*x, *row), name);
        }
    }

    /// The legend of the signs, the numbers first.
    pub fn key(&self) -> LegendEntries {
        let mut sorted: Vec<_> = self.placed.iter().map(|(event, _)| *event).collect();
        sorted.sort_by_key(|event| lettered(&event.0));
        let entry = |(name, _, text): &(String, f64, &str)| {
            (sign(|canvas| badge(canvas, (SIGN.0 / 2, SIGN.1 / 2), name)), one_line(text))
        };
        sorted.into_iter().map(entry).collect()
    }
}

/// The sign of an event.
fn badge(canvas: &Canvas, (x, y): (i32, i32), name: &str) {
    let half = half(name);
    let corners = [(x - half, y - HALF), (x + half, y + HALF)];
    if lettered(name) || half > HALF {
        canvas.block(corners, Paint::Paper, 1.0);
        canvas.outline(corners, Paint::Ink, 12);
    } else {
        canvas.ring((x, y), HALF, Paint::Ink);
    }
    canvas.text((x, y), name, Hand { bold: true, size: 110, ..Hand::word(HPos::Center, VPos::Center) });
}
