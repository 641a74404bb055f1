//! Renders the metrics by condition.
//!
//! Invariants: within each condition and column, the value with the least agreement is marked. Condition values
//! without pairs are counted but have no row. Columns that do not fit are continued in further tables.

use crate::format::{count, counted};
use crate::metric_format::MetricFormat;
use crate::model::report::{ConditionInfo, MetricValue, Report};
use crate::terminal::table::{Align, GAP, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, clipped, width};
use crate::value_text::value_list;

/// The mark of the value with the least agreement.
const MARK: &str = "▸ ";

const TITLE: &str = "By condition";

/// The width up to which the name of a model widens its column.
const MAX_MODEL_WIDTH: usize = 20;

/// The width up to which the name of a metric widens its columns.
const MAX_METRIC_WIDTH: usize = 24;

/// The values of one metric for one model.
struct ConditionColumn<'r> {
    format: &'r MetricFormat<'r>,
    model: &'r str,
    conditions: &'r [Vec<MetricValue>],
}

/// The metrics for each value of each condition.
pub(super) fn conditions(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    let metrics: Vec<Vec<ConditionColumn<'_>>> =
        formats.iter().map(|format| columns(report, format)).collect();
    let labels = report.conditions.iter().flat_map(|condition| condition.values.iter());
    let Some(label) = labels.map(|label| 4 + Span::value(Ink::Plain, label).width()).max() else { return };
    let label = label.clamp(TITLE.len() + GAP, page.width() * 2 / 5);
    let pairs = "pairs".len().max(width(&count(report.comparison.compared)));
    let column = metrics.iter().map(|columns| columns_width(columns)).max().unwrap_or(0);
    let max_columns = page.width().saturating_sub(label + GAP + pairs) / (column + GAP);
    let mut any_marked = false;
    for (index, block) in blocks(&metrics, max_columns.max(1)).iter().enumerate() {
        page.blank();
        let title = if index == 0 { TITLE } else { "" };
        let mut names = vec![Span::new(Ink::Title, format!("{title:0$}", label + GAP + pairs))];
        names
            .extend(block.iter().map(|part| ruled(part[0].format.name(), part.len() * (column + GAP) - GAP)));
        page.line(0, &names);
        let columns: Vec<_> = block.iter().copied().flatten().collect();
        let left = [(Align::Left, label), (Align::Right, pairs)];
        let mut table =
            TextTable::with_widths(left.into_iter().chain(columns.iter().map(|_| (Align::Point, column))));
        any_marked |= fill(&mut table, &report.conditions, &columns, (label, column));
        table.print(page);
    }
    if any_marked {
        let legend = format!("{MARK}the least agreement within the condition, in each column");
        page.paragraph(2, Ink::Faint, &legend);
    }
}

/// The columns of all metrics in blocks of at most `max_columns`. A metric is split only if it has more columns.
fn blocks<'c, 'r>(
    metrics: &'c [Vec<ConditionColumn<'r>>],
    max_columns: usize,
) -> Vec<Vec<&'c [ConditionColumn<'r>]>> {
    let mut blocks: Vec<Vec<&[ConditionColumn<'_>]>> = Vec::new();
    for part in metrics.iter().flat_map(|columns| columns.chunks(max_columns)) {
        match blocks.last_mut() {
            Some(block) if block.iter().map(|part| part.len()).sum::<usize>() + part.len() <= max_columns => {
                block.push(part)
            }
            _ => blocks.push(vec![part]),
        }
    }
    blocks
}

fn columns<'r>(report: &'r Report, format: &'r MetricFormat<'r>) -> Vec<ConditionColumn<'r>> {
    let column = |model| {
        let conditions = &format.scores(model)?.conditions;
        Some(ConditionColumn { format, model: &model.plugin.name, conditions })
    };
    report.models.iter().filter_map(column).collect()
}

/// The column width that one metric needs.
fn columns_width(columns: &[ConditionColumn<'_>]) -> usize {
    let widest = columns.iter().map(|column| {
        let values = column.conditions.iter().flatten().map(|value| width(&column.format.value(value.value)));
        let value = width(MARK) + values.max().unwrap_or(0);
        value.max(width(column.model).min(MAX_MODEL_WIDTH))
    });
    let title = columns
        .first()
        .map_or(0, |column| width(column.format.name()).min(MAX_METRIC_WIDTH).div_ceil(columns.len()));
    widest.max().unwrap_or(0).max(title)
}

/// The name of a metric, followed by a rule over the rest of its columns.
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

/// Fills the table, and returns whether any value is marked. The widths are those of labels and columns.
fn fill(
    table: &mut TextTable,
    conditions: &[ConditionInfo],
    columns: &[&ConditionColumn<'_>],
    (label_width, column_width): (usize, usize),
) -> bool {
    let mut any_marked = false;
    let names = columns.iter().map(|column| Span::new(Ink::Faint, column.model).clipped(column_width));
    table.head(["".into(), Span::new(Ink::Faint, "pairs")].into_iter().chain(names));
    for (index, condition) in conditions.iter().enumerate() {
        table.line(2, [condition.name.as_str().into()]);
        let values: Vec<&[MetricValue]> = columns
            .iter()
            .map(|column| column.conditions.get(index).map_or(&[][..], Vec::as_slice))
            .collect();
        let marked: Vec<_> =
            columns.iter().zip(&values).map(|(column, values)| marked(column, values)).collect();
        any_marked |= marked.iter().any(Option::is_some);
        let mut without = Vec::new();
        for (value, label) in condition.values.iter().enumerate() {
            let row: Vec<_> = values.iter().map(|values| values.get(value)).collect();
            let pairs = row.iter().flatten().map(|value| value.pairs).max().unwrap_or(0);
            if pairs == 0 {
                without.push(label.as_str());
                continue;
            }
            let cells = columns.iter().zip(row).zip(&marked).map(|((column, value), marked)| {
                let value = value.and_then(|value| value.value);
                let text = column.format.value(value);
                let mark = marked.is_some() && value == *marked;
                if mark { Span::new(Ink::Notice, format!("{MARK}{text}")) } else { text.into() }
            });
            let label = Span::value(Ink::Plain, label).indented(4).clipped(label_width);
            table.row([label, count(pairs).into()].into_iter().chain(cells));
        }
        if !without.is_empty() {
            let number = counted(without.len() as u64, "value has", "values have");
            table.line(4, [Span::new(Ink::Faint, format!("{number} no pairs: {}", value_list(without)))]);
        }
    }
    any_marked
}

/// The value with the least agreement, unless all are equal.
fn marked(column: &ConditionColumn<'_>, values: &[MetricValue]) -> Option<f64> {
    let values = || values.iter().filter(|value| value.pairs > 0).map(|value| value.value);
    let worst = column.format.worst(values())?;
    values().flatten().any(|value| value != worst).then_some(worst)
}
