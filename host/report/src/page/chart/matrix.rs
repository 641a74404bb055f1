//! Draws matrices of counts, such as confusion matrices.
//!
//! Invariants: every count is written in its cell. The shade shows its share of the row.

use plotters::style::text_anchor::{HPos, VPos};

use crate::format::count;
use crate::page::chart::canvas;
use crate::page::chart::canvas::{Canvas, Hand, Paint, SIGN, TEXT, WIDTH, line_height};
use crate::page::chart::legend::{DrawnChart, LegendEntries, sign};
use crate::page::chart::text_layout::{widest, width, wrap};
use crate::sanitizer::one_line;

/// The maximum width of row names, and length of vertical column names.
const NAMES: i32 = 2000;

/// The possible widths of cells; the first one in which the column names fit horizontally is used.
const WIDTHS: [i32; 4] = [760, 1000, 1300, 1700];

/// The minimum height of a cell.
const HEIGHT: i32 = 330;

/// The opacity of a cell that has all pairs of its row; text on it must stay readable.
const FULL: f64 = 0.55;

/// The minimum font size of a count.
const LEAST: i32 = 70;

/// Draws a matrix with the names of its columns and rows.
pub(super) fn draw(
    [x_label, y_label]: [&str; 2],
    columns: &[String],
    rows: &[(String, Vec<u64>)],
    diagonal: usize,
) -> Option<DrawnChart> {
    if columns.is_empty() || rows.is_empty() {
        return None;
    }
    let (x_label, y_label) = (one_line(x_label), one_line(y_label));
    let names: Vec<_> = rows.iter().map(|(name, _)| wrap(&one_line(name), NAMES, TEXT)).collect();
    let title = wrap(&y_label, NAMES, TEXT);
    let left = names.iter().chain([&title]).map(|lines| widest(lines, TEXT)).max().unwrap_or(0) + 160;
    let room = (WIDTH - left - 20) / i32::try_from(columns.len()).ok()?;
    let wide = WIDTHS.into_iter().find(|wide| *wide <= room && !Heads::new(columns, *wide).upward);
    let wide = wide.unwrap_or(room.min(WIDTHS[0]));
    let heads = Heads::new(columns, wide);
    let lines = names.iter().map(Vec::len).max().unwrap_or(1);
    let high = HEIGHT.max(i32::try_from(lines).ok()? * line_height(TEXT) + 60);
    let titles = i32::try_from(title.len()).ok()? * line_height(TEXT) + 60;
    let top = 20 + line_height(TEXT) + 80 + heads.height.max(titles);
    let height = top + high * i32::try_from(rows.len()).ok()? + 20;

    let is_same = |place: i32| usize::try_from(place).is_ok_and(|place| place < diagonal);
    let sketch = canvas::sketch((WIDTH, height), |canvas| {
        let label = Hand { bold: true, ..Hand::word(HPos::Left, VPos::Top) };
        canvas.text((left, 20), &x_label, label);
        let first = top - titles + line_height(TEXT) / 2 + 20;
        canvas.lines((20, first), &title, Hand { at: (HPos::Left, VPos::Center), ..label });
        heads.draw(canvas, (left, top), wide);
        for (((_, counts), lines), at) in rows.iter().zip(&names).zip(0..) {
            let (y, all) = (top + high * at, counts.iter().map(|count| *count as f64).sum());
            let middle = y + (high - line_height(TEXT) * (i32::try_from(lines.len()).unwrap_or(1) - 1)) / 2;
            canvas.lines((left - 80, middle), lines, Hand::word(HPos::Right, VPos::Center));
            for (number, place) in counts.iter().take(columns.len()).zip(0..) {
                let x = left + wide * place;
                let cell = MatrixCell { corners: [(x, y), (x + wide, y + high)], number: *number, all };
                cell.draw(canvas, at == place && is_same(at));
            }
        }
        let ends = (left + wide * i32::try_from(columns.len()).unwrap_or(0), height - 20);
        canvas.outline([(left, top), ends], Paint::Soft, 8);
        // The marks last, so that no neighbour lies on them.
        for at in (0..).take(rows.len().min(columns.len())).filter(|at| is_same(*at)) {
            let (x, y) = (left + wide * at, top + high * at);
            canvas.outline([(x + 8, y + 8), (x + wide - 8, y + high - 8)], Paint::Ink, 22);
        }
    });
    Some(DrawnChart { sketch, key: key(diagonal > 0), events: LegendEntries::new() })
}

/// The names of the columns: horizontal if all fit in two lines, otherwise vertical.
struct Heads {
    names: Vec<Vec<String>>,
    upward: bool,
    height: i32,
}

impl Heads {
    fn new(columns: &[String], wide: i32) -> Heads {
        let names: Vec<String> = columns.iter().map(|name| one_line(name)).collect();
        let room = wide - 60;
        let level: Vec<_> = names.iter().map(|name| wrap(name, room, TEXT)).collect();
        let fits =
            names.iter().flat_map(|name| name.split_whitespace()).all(|word| width(word, TEXT) <= room);
        let deepest = level.iter().map(Vec::len).max().unwrap_or(1);
        if fits && deepest <= 2 {
            return Heads {
                names: level,
                upward: false,
                height: i32::try_from(deepest).unwrap_or(2) * line_height(TEXT) + 60,
            };
        }
        let names: Vec<_> = names.iter().map(|name| wrap(name, NAMES, TEXT)).collect();
        let height = names.iter().map(|lines| widest(lines, TEXT)).max().unwrap_or(0) + 60;
        Heads { names, upward: true, height }
    }

    fn draw(&self, canvas: &Canvas, (left, top): (i32, i32), wide: i32) {
        for (lines, place) in self.names.iter().zip(0..) {
            let middle = left + wide * place + wide / 2;
            let others = (i32::try_from(lines.len()).unwrap_or(1) - 1) * line_height(TEXT);
            if self.upward {
                let hand = Hand { upward: true, ..Hand::word(HPos::Left, VPos::Center) };
                for (line, at) in lines.iter().zip(0..) {
                    canvas.text((middle - others / 2 + at * line_height(TEXT), top - 40), line, hand);
                }
            } else {
                let first = top - 40 - line_height(TEXT) / 2 - others;
                canvas.lines((middle, first), lines, Hand::word(HPos::Center, VPos::Center));
            }
        }
    }
}

/// A cell with its corners, its count and the total of its row.
struct MatrixCell {
    corners: [(i32, i32); 2],
    number: u64,
    all: f64,
}

impl MatrixCell {
    fn draw(&self, canvas: &Canvas, marked: bool) {
        let [(left, top), (right, bottom)] = self.corners;
        if self.number > 0 {
            canvas.block(self.corners, Paint::Series(0), FULL * self.number as f64 / self.all);
        }
        canvas.outline(self.corners, Paint::Rule, 8);
        let text = count(self.number);
        let size = TEXT.min(TEXT * (right - left - 60) / width(&text, TEXT).max(1)).max(LEAST);
        let paint = if self.number > 0 { Paint::Ink } else { Paint::Soft };
        let hand = Hand { paint, size, bold: marked, ..Hand::word(HPos::Center, VPos::Center) };
        canvas.text(((left + right) / 2, (top + bottom) / 2), &text, hand);
    }
}

fn key(diagonal: bool) -> LegendEntries {
    let whole = [(0, 10), (SIGN.0, SIGN.1 - 10)];
    let shades = sign(|canvas| {
        for (at, share) in [0.1, 0.4, 0.7, 1.0].into_iter().enumerate() {
            let left = SIGN.0 / 4 * i32::try_from(at).unwrap_or(0);
            canvas.block([(left, 10), (left + SIGN.0 / 4, SIGN.1 - 10)], Paint::Series(0), FULL * share);
        }
        canvas.outline(whole, Paint::Rule, 8);
    });
    let mut key = vec![(shades, "a darker cell has a larger share of its row".to_owned())];
    if diagonal {
        let framed = sign(|canvas| canvas.outline([(20, 20), (SIGN.0 - 20, SIGN.1 - 20)], Paint::Ink, 22));
        key.push((framed, "equal answers".to_owned()));
    }
    key
}
