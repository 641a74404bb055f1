//! Text in columns.
//!
//! Always holds: two columns stand [`GAP`] apart; a column is as wide as its widest cell, unless the page is too narrow:
//! then columns of text give way, the last one first, and columns of numbers do not.

use crate::terminal::text_canvas::{Page, Span, width};

/// The spaces between two columns.
pub(super) const GAP: usize = 2;

/// A column of text is never made narrower than this.
const LEAST_TEXT: usize = 8;

/// How the cells of a column stand under each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// At the left: text.
    Left,
    /// At the right: counts.
    Right,
    /// By the decimal point: figures. Heads stand at the right.
    Point,
}

enum Row {
    Head(Vec<Span>),
    Cells(Vec<Span>),
    Line(usize, Vec<Span>),
}

/// A table, to be printed once it is complete.
pub(super) struct Table {
    columns: Vec<(Align, usize)>,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(columns: impl IntoIterator<Item = Align>) -> Table {
        Table { columns: columns.into_iter().map(|align| (align, 0)).collect(), rows: Vec::new() }
    }

    /// A table whose columns have a least width.
    pub fn with_widths(columns: impl IntoIterator<Item = (Align, usize)>) -> Table {
        Table { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// The names of the columns.
    pub fn head(&mut self, cells: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Head(cells.into_iter().collect()));
    }

    /// A row of cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Cells(cells.into_iter().collect()));
    }

    /// A line between rows that keeps to no column.
    pub fn line(&mut self, indent: usize, spans: impl IntoIterator<Item = Span>) {
        self.rows.push(Row::Line(indent, spans.into_iter().collect()));
    }

    pub fn print(self, page: &mut Page) {
        let measures = self.measures(page.width());
        for row in self.rows {
            match row {
                Row::Line(indent, spans) => page.line(indent, &spans),
                Row::Head(cells) => page.line(0, &set(cells, &measures, true)),
                Row::Cells(cells) => page.line(0, &set(cells, &measures, false)),
            }
        }
    }

    fn measures(&self, page: usize) -> Vec<Measure> {
        let mut measures: Vec<_> =
            self.columns.iter().enumerate().map(|(i, &column)| self.measure(i, column)).collect();
        let whole: usize = measures.iter().map(|measure| measure.width + GAP).sum();
        let mut excess = whole.saturating_sub(page + GAP);
        for measure in measures.iter_mut().rev().filter(|measure| measure.align == Align::Left) {
            let given = excess.min(measure.width.saturating_sub(LEAST_TEXT));
            measure.width -= given;
            excess -= given;
        }
        measures
    }

    fn measure(&self, column: usize, (align, least): (Align, usize)) -> Measure {
        let mut measure = Measure { align, width: least, after: 0 };
        let mut before = 0;
        for row in &self.rows {
            match row {
                Row::Cells(cells) if align == Align::Point => {
                    let (whole, fraction) =
                        cells.get(column).map_or((0, 0), |cell| around_point(cell.text()));
                    before = before.max(whole);
                    measure.after = measure.after.max(fraction);
                }
                Row::Head(cells) | Row::Cells(cells) => {
                    measure.width = measure.width.max(cells.get(column).map_or(0, Span::width));
                }
                Row::Line(..) => {}
            }
        }
        measure.width = measure.width.max(before + measure.after);
        measure
    }
}

/// A column's measures in columns of the terminal.
struct Measure {
    align: Align,
    width: usize,
    /// What the longest fraction takes, with its point.
    after: usize,
}

/// Cells set apart by spaces.
fn set(cells: Vec<Span>, measures: &[Measure], head: bool) -> Vec<Span> {
    let mut spans = Vec::new();
    for (cell, measure) in cells.into_iter().zip(measures) {
        let cell = cell.clipped(measure.width);
        let room = measure.width - cell.width();
        let after = match measure.align {
            Align::Left => room,
            Align::Point if !head => room.min(measure.after - around_point(cell.text()).1.min(measure.after)),
            Align::Right | Align::Point => 0,
        };
        spans.extend([" ".repeat(room - after).into(), cell, " ".repeat(after + GAP).into()]);
    }
    spans
}

/// The columns before the decimal point, and those from it on.
fn around_point(figure: &str) -> (usize, usize) {
    let point = figure.find('.').unwrap_or(figure.len());
    (width(&figure[..point]), width(&figure[point..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::text_canvas::Style;

    fn printed(table: Table) -> String {
        let mut page = Page::new(Style { width: 60, color: false });
        table.print(&mut page);
        page.finish()
    }

    fn spans<const N: usize>(cells: [&str; N]) -> [Span; N] {
        cells.map(Span::from)
    }

    #[test]
    fn figures_stand_under_each_other_by_their_point() {
        let mut table = Table::new([Align::Left, Align::Point, Align::Right]);
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
    fn text_gives_way_before_numbers_and_the_last_text_first() {
        let row = |first: &str, last: &str| {
            let mut table = Table::new([Align::Left, Align::Right, Align::Left]);
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
