//! Draws dot charts: a row for each value, with a dot and the whiskers of its interval.
//!
//! Invariants: a row is as high as its label needs. A row without a value says so.

use plotters::style::text_anchor::{HPos, VPos};

use crate::page::chart::axis::{Axis, GAP};
use crate::page::chart::canvas::{Canvas, Hand, Paint, SIGN, Shape, TEXT, WIDTH, line_height};
use crate::page::chart::legend::{DrawnChart, LegendEntries, sign};
use crate::page::chart::text_layout::{widest, width, wrap};
use crate::page::chart::{axis, canvas};
use crate::page::document::DotRow;
use crate::sanitizer::one_line;
use crate::value_text::cut_mark;

/// The maximum width of labels.
const LABELS: i32 = 2600;

/// The indentation of labels below the title of their group.
const INDENT: i32 = 170;

/// The text of a row without a value.
const NONE: &str = "no figure";

/// The maximum number of characters of a label; the table of the figure has all of them.
const MAX_LABEL_CHARS: usize = 160;

fn clipped(label: &str) -> String {
    match label.char_indices().nth(MAX_LABEL_CHARS) {
        Some((end, _)) => format!("{}{}", &label[..end], cut_mark(label)),
        None => label.to_owned(),
    }
}

/// An item of the vertical layout.
struct LaidRow<'a> {
    title: bool,
    lines: Vec<String>,
    /// The height of the item.
    height: i32,
    row: Option<&'a DotRow>,
}

impl<'a> LaidRow<'a> {
    fn new(text: &str, row: Option<&'a DotRow>) -> LaidRow<'a> {
        let room = if row.is_some() { LABELS } else { WIDTH - 200 };
        // Titles are bold, which is wider.
        let text = clipped(&one_line(text));
        let lines = wrap(&text, if row.is_some() { room } else { room * 9 / 10 }, TEXT);
        let (height, space) = (line_height(TEXT) * i32::try_from(lines.len()).unwrap_or(1), 60);
        LaidRow { title: row.is_none(), lines, height: height + space, row }
    }
}

/// Draws a dot chart.
pub(super) fn draw(x_label: &str, rows: &[DotRow], reference: Option<&(String, f64)>) -> Option<DrawnChart> {
    let values = rows.iter().filter_map(value);
    let bounds = rows.iter().filter_map(interval).flat_map(|(low, high)| [low, high]);
    values.clone().next()?;
    let reference_position = reference.map(|(_, at)| *at).filter(|at| at.is_finite());
    let range = axis::range(values.chain(bounds).chain(reference_position), 0.0..1.0)?;

    let laid = lay(rows);
    let label = laid.iter().filter(|row| !row.title).map(|row| widest(&row.lines, TEXT)).max().unwrap_or(0);
    let places = ((label + INDENT + 2 * GAP).max(600), WIDTH - 200);
    let across = Axis::of_numbers(range, places, 8);
    let top = 40;
    let bottom = top + laid.iter().map(|row| row.height).sum::<i32>() + 40;
    let sketch = canvas::sketch((WIDTH, bottom + axis::below(&across)), |canvas| {
        for (tick, _) in &across.ticks {
            canvas.line([(across.at(*tick), top), (across.at(*tick), bottom)], Paint::Rule, 8);
        }
        let none = Axis::with_ticks(0.0..1.0, (bottom, top), Vec::new());
        axis::frame(canvas, [&across, &none], [&one_line(x_label), ""]);
        if let Some(at) = reference_position {
            canvas.line([(across.at(at), top), (across.at(at), bottom)], Paint::Bound, 16);
        }
        let mut y = top;
        for row in &laid {
            draw_row(canvas, row, y, &across);
            y += row.height;
        }
    });
    let mut key = LegendEntries::new();
    if let Some((what, _)) = reference {
        let drawn = sign(|canvas| canvas.line([(SIGN.0 / 2, 0), (SIGN.0 / 2, SIGN.1)], Paint::Bound, 16));
        key.push((drawn, one_line(what)));
    }
    Some(DrawnChart { sketch, key, events: LegendEntries::new() })
}

fn value(row: &DotRow) -> Option<f64> {
    row.value.filter(|value| value.is_finite())
}

fn interval(row: &DotRow) -> Option<(f64, f64)> {
    row.interval.filter(|(low, high)| low.is_finite() && high.is_finite() && value(row).is_some())
}

/// The rows, each group preceded by its title.
fn lay(rows: &[DotRow]) -> Vec<LaidRow<'_>> {
    let mut laid = Vec::new();
    let mut group = None;
    for row in rows {
        if row.group != group {
            group.clone_from(&row.group);
            if let Some(title) = &row.group {
                let mut title = LaidRow::new(title, None);
                title.height += if laid.is_empty() { 0 } else { 60 };
                laid.push(title);
            }
        }
        laid.push(LaidRow::new(&row.label, Some(row)));
    }
    laid
}

fn draw_row(canvas: &Canvas, row: &LaidRow, y: i32, across: &Axis) {
    let lines = line_height(TEXT) * i32::try_from(row.lines.len()).unwrap_or(1);
    let Some(figure) = row.row else {
        let hand = Hand { bold: true, ..Hand::word(HPos::Left, VPos::Top) };
        canvas.backed((GAP / 2, y + row.height - lines - 20), &row.lines, hand);
        return;
    };
    let first = y + (row.height - lines) / 2 + line_height(TEXT) / 2;
    let x = if figure.group.is_some() { INDENT } else { GAP / 2 };
    canvas.lines((x, first), &row.lines, Hand::word(HPos::Left, VPos::Center));
    let middle = y + row.height / 2;
    let Some(found) = value(figure) else {
        let place = (across.places.0 + across.places.1 - width(NONE, TEXT)) / 2;
        let hand = Hand::label(HPos::Left, VPos::Center);
        return canvas.backed((place, middle), &[NONE.to_owned()], hand);
    };
    if let Some((low, high)) = interval(figure) {
        let ends = [across.at(low), across.at(high)];
        canvas.line(ends.map(|x| (x, middle)), Paint::Series(0), 16);
        for x in ends {
            canvas.line([(x, middle - 40), (x, middle + 40)], Paint::Series(0), 16);
        }
    }
    canvas.point((across.at(found), middle), Shape::Of(0), Paint::Series(0), false);
}
