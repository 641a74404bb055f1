//! Tables of aligned text.
//!
//! Invariants: columns are [`GAP`] spaces apart. A column is as wide as its widest cell. If the page is too narrow, text
//! columns shrink, the last one first; columns of numbers never shrink.

use crate::terminal::text_canvas::{Page, Span, width};

/// The number of spaces between two columns.
pub(super) const GAP: usize = 2;

/// The width below which a text column never shrinks.
const MIN_TEXT_WIDTH: usize = 8;

/// The alignment of the cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Left-aligned, for text.
    Left,
    /// Right-aligned, for counts.
    Right,
    /// Aligned by the decimal point, for metric values. The head is right-aligned.
    Point,
}

enum Row {
    Head(Vec<Span>),
    Cells(Vec<Span>),
    Line(usize, Vec<Span>),
}

/// A table that is printed once it is complete.
pub(super) struct TextTable {
    columns: Vec<(Align, usize)>,
    rows: Vec<Row>,
}

impl TextTable {
    pub fn new(columns: impl IntoIterator<Item = Align>) -> TextTable {
        TextTable { columns: columns.into_iter().map(|align| (align, 0)).collect(), rows: Vec::new() }
    }

    /// A table whose columns have minimum widths.
    pub fn with_widths(columns: impl IntoIterator<Item = (Align, usize)>) -> TextTable {
        TextTable { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds the heads of the columns.
    pub fn head(&mut self, cells: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Head(cells.into_iter().collect()));
    }

    /// Adds a row of cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Cells(cells.into_iter().collect()));
    }

    /// Adds a line that ignores the columns.
    pub fn line(&mut self, indent: usize, spans: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Line(indent, spans.into_iter().collect()));
    }

    pub fn print(self, page: &mut Page) {
        let layouts = self.layouts(page.width());
        for row in self.rows {
            match row {
                Row::Line(indent, spans) => page.line(indent, &spans),
                Row::Head(cells) => page.line(0, &spaced(cells, &layouts, true)),
                Row::Cells(cells) => page.line(0, &spaced(cells, &layouts, false)),
            }
        }
    }

    fn layouts(&self, page: usize) -> Vec<ColumnLayout> {
        let mut layouts: Vec<_> =
            self.columns.iter().enumerate().map(|(i, &column)| self.layout(i, column)).collect();
        let total: usize = layouts.iter().map(|layout| layout.width + GAP).sum();
        let mut excess = total.saturating_sub(page + GAP);
        for layout in layouts.iter_mut().rev().filter(|layout| layout.align == Align::Left) {
            let reduction = excess.min(layout.width.saturating_sub(MIN_TEXT_WIDTH));
            layout.width -= reduction;
            excess -= reduction;
        }
        layouts
    }

    fn layout(&self, column: usize, (align, min_width): (Align, usize)) -> ColumnLayout {
        let mut layout = ColumnLayout { align, width: min_width, fraction: 0 };
        let mut before = 0;
        for row in &self.rows {
            match row {
                Row::Cells(cells) if align == Align::Point => {
                    let (total, fraction) =
                        cells.get(column).map_or((0, 0), |cell| around_point(cell.text()));
                    before = before.max(total);
                    layout.fraction = layout.fraction.max(fraction);
                }
                Row::Head(cells) | Row::Cells(cells) => {
                    layout.width = layout.width.max(cells.get(column).map_or(0, Span::width));
                }
                Row::Line(..) => {}
            }
        }
        layout.width = layout.width.max(before + layout.fraction);
        layout
    }
}

/// The layout of a column, in columns of the terminal.
struct ColumnLayout {
    align: Align,
    width: usize,
    /// The width of the longest fraction, including its point.
    fraction: usize,
}

/// Cells padded to their columns.
fn spaced(cells: Vec<Span>, layouts: &[ColumnLayout], head: bool) -> Vec<Span> {
    let mut spans = Vec::new();
    for (cell, layout) in cells.into_iter().zip(layouts) {
        let cell = cell.clipped(layout.width);
        let room = layout.width - cell.width();
        let fraction = match layout.align {
            Align::Left => room,
            Align::Point if !head => {
                room.min(layout.fraction - around_point(cell.text()).1.min(layout.fraction))
            }
            Align::Right | Align::Point => 0,
        };
        spans.extend([" ".repeat(room - fraction).into(), cell, " ".repeat(fraction + GAP).into()]);
    }
    spans
}

/// The width before the decimal point, and the width from the point on.
fn around_point(number: &str) -> (usize, usize) {
    let point = number.find('.').unwrap_or(number.len());
    (width(&number[..point]), width(&number[point..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::text_canvas::Style;

    fn printed(table: TextTable) -> String {
        let mut page = Page::new(Style { width: 60, color: false });
        table.print(&mut page);
        page.finish()
    }

    fn spans<const N: usize>(cells: [&str; N]) -> [Span; N] {
        cells.map(Span::from)
    }

    #[test]
    fn numbers_are_aligned_by_their_point() {
        let mut table = TextTable::new([Align::Left, Align::Point, Align::Right]);
        table.head(spans(["", "figure", "pairs"]));
        table.row(spans(["a", "1,234.5", "9"]));
        table.row(spans(["b", "0.123456", "10"]));
        table.row(spans(["c", "12", "1,000"]));
        table.row(spans(["d", "–", "0"]));
        let lines = [
            "         figure  pairs",
            "a  1,234.5           9",
            "b      0.123456     10",
            "c     12         1,000",
            "d      –             0",
        ];
        assert_eq!(printed(table).lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn text_columns_shrink_and_the_last_one_first() {
        let row = |first: &str, last: &str| {
            let mut table = TextTable::new([Align::Left, Align::Right, Align::Left]);
            table.row(spans([first, "18,446,744,073,709,551,615", last]));
            printed(table)
        };
        assert_eq!(
            row("a name of some length", "an aside"),
            "a name of some length  18,446,744,073,709,551,615  an aside\n"
        );
        assert_eq!(
            row("a name of some length", "an aside that is long"),
            "a name of some length  18,446,744,073,709,551,615  an aside…\n"
        );
        assert_eq!(
            row("a name that is as long as half the page", "an aside that is long"),
            "a name that is as lon…  18,446,744,073,709,551,615  an asid…\n"
        );
    }
}
