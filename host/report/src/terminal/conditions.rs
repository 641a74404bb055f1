//! The figures by condition.
//!
//! Always holds: in a column, within a condition, the values that agree least are marked; a value without pairs is not
//! shown, but counted; what is too wide for the page comes in several tables.

use crate::format::{count, counted};
use crate::metric_format::Measure;
use crate::model::report::{Condition, Figure, Report};
use crate::terminal::table::{Align, GAP, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, clipped, width};

/// What stands before the figure that agrees least.
const MARK: &str = "▸ ";

const TITLE: &str = "By condition";

/// The longest name of a model that makes its column wider.
const LONGEST_MODEL: usize = 20;

/// The longest name of a metric that makes its columns wider.
const LONGEST_METRIC: usize = 24;

/// One metric of one model, by condition.
struct Column<'r> {
    measure: &'r Measure<'r>,
    model: &'r str,
    conditions: &'r [Vec<Figure>],
}

/// The figures of each value of each condition.
pub(super) fn conditions(page: &mut Page, report: &Report, measures: &[Measure<'_>]) {
    let metrics: Vec<Vec<Column<'_>>> = measures.iter().map(|measure| columns(report, measure)).collect();
    let labels = report.conditions.iter().flat_map(|condition| condition.values.iter());
    let Some(label) = labels.map(|label| 4 + Span::from(label.as_str()).width()).max() else { return };
    let label = label.clamp(TITLE.len() + GAP, page.width() * 2 / 5);
    let pairs = "pairs".len().max(width(&count(report.comparison.compared)));
    let column = metrics.iter().map(|columns| columns_width(columns)).max().unwrap_or(0);
    let most = page.width().saturating_sub(label + GAP + pairs) / (column + GAP);
    let mut any_marked = false;
    for (place, block) in blocks(&metrics, most.max(1)).iter().enumerate() {
        page.blank();
        let title = if place == 0 { TITLE } else { "" };
        let mut names = vec![Span::new(Ink::Title, format!("{title:0$}", label + GAP + pairs))];
        names.extend(
            block.iter().map(|part| ruled(part[0].measure.name(), part.len() * (column + GAP) - GAP)),
        );
        page.line(0, &names);
        let columns: Vec<_> = block.iter().copied().flatten().collect();
        let left = [(Align::Left, label), (Align::Right, pairs)];
        let mut table =
            Table::with_widths(left.into_iter().chain(columns.iter().map(|_| (Align::Point, column))));
        any_marked |= fill(&mut table, &report.conditions, &columns, (label, column));
        table.print(page);
    }
    if any_marked {
        let legend = format!("{MARK}the least agreement of the condition, in its column");
        page.paragraph(2, Ink::Faint, &legend, 2);
    }
}

/// The columns of each metric, put together to blocks of at most so many columns. A metric is taken apart only where it
/// has more.
fn blocks<'c, 'r>(metrics: &'c [Vec<Column<'r>>], most: usize) -> Vec<Vec<&'c [Column<'r>]>> {
    let mut blocks: Vec<Vec<&[Column<'_>]>> = Vec::new();
    for part in metrics.iter().flat_map(|columns| columns.chunks(most)) {
        match blocks.last_mut() {
            Some(block) if block.iter().map(|part| part.len()).sum::<usize>() + part.len() <= most => {
                block.push(part)
            }
            _ => blocks.push(vec![part]),
        }
    }
    blocks
}

fn columns<'r>(report: &'r Report, measure: &'r Measure<'r>) -> Vec<Column<'r>> {
    let column = |model| {
        let conditions = &measure.scores(model)?.conditions;
        Some(Column { measure, model: &model.plugin.name, conditions })
    };
    report.models.iter().filter_map(column).collect()
}

/// The width that the columns of one metric need.
fn columns_width(columns: &[Column<'_>]) -> usize {
    let widest = columns.iter().map(|column| {
        let figures =
            column.conditions.iter().flatten().map(|figure| width(&column.measure.show(figure.value)));
        let figure = width(MARK) + figures.max().unwrap_or(0);
        figure.max(width(column.model).min(LONGEST_MODEL))
    });
    let title = columns
        .first()
        .map_or(0, |column| width(column.measure.name()).min(LONGEST_METRIC).div_ceil(columns.len()));
    widest.max().unwrap_or(0).max(title)
}

/// The name of a metric, and a rule over the rest of its columns.
fn ruled(name: &str, room: usize) -> Span {
    let name = clipped(name, room);
    let rule = room.saturating_sub(width(&name) + 1);
    let gap = " ".repeat(GAP);
    if rule == 0 {
        format!("{gap}{name}").into()
    } else {
        format!("{gap}{name} {}", "─".repeat(rule)).into()
    }
}

/// Fills the table, whose labels and columns are so wide, and tells whether a figure is marked.
fn fill(
    table: &mut Table,
    conditions: &[Condition],
    columns: &[&Column<'_>],
    (label_width, column_width): (usize, usize),
) -> bool {
    let mut any_marked = false;
    let names = columns.iter().map(|column| Span::new(Ink::Faint, column.model).clipped(column_width));
    table.head(["".into(), Span::new(Ink::Faint, "pairs")].into_iter().chain(names));
    for (place, condition) in conditions.iter().enumerate() {
        table.line(2, [condition.name.as_str().into()]);
        let figures: Vec<&[Figure]> = columns
            .iter()
            .map(|column| column.conditions.get(place).map_or(&[][..], Vec::as_slice))
            .collect();
        let marked: Vec<_> =
            columns.iter().zip(&figures).map(|(column, figures)| marked(column, figures)).collect();
        any_marked |= marked.iter().any(Option::is_some);
        let mut without = Vec::new();
        for (value, label) in condition.values.iter().enumerate() {
            let row: Vec<_> = figures.iter().map(|figures| figures.get(value)).collect();
            let pairs = row.iter().flatten().map(|figure| figure.pairs).max().unwrap_or(0);
            if pairs == 0 {
                without.push(label.as_str());
                continue;
            }
            let cells = columns.iter().zip(row).zip(&marked).map(|((column, figure), marked)| {
                let value = figure.and_then(|figure| figure.value);
                let text = column.measure.show(value);
                let mark = marked.is_some() && value == *marked;
                if mark { Span::new(Ink::Notice, format!("{MARK}{text}")) } else { text.into() }
            });
            let label = Span::from(format!("    {label}")).clipped(label_width);
            table.row([label, count(pairs).into()].into_iter().chain(cells));
        }
        if !without.is_empty() {
            let number = counted(without.len() as u64, "value has", "values have");
            table.line(4, [Span::new(Ink::Faint, format!("{number} no pairs: {}", without.join(", ")))]);
        }
    }
    any_marked
}

/// The figure that agrees least, unless all agree alike.
fn marked(column: &Column<'_>, figures: &[Figure]) -> Option<f64> {
    let values = || figures.iter().filter(|figure| figure.pairs > 0).map(|figure| figure.value);
    let least = column.measure.least_agreement(values())?;
    values().flatten().any(|value| value != least).then_some(least)
}
