//! The classes of input in which model and substrate part.
//!
//! Always holds: how a class was found stands beside it: what was searched, on how many pairs, at which rate of false
//! discoveries.

use super::words::{folded, probability, searched, signed, signed_bounds, table, text};
use crate::report::Report;
use crate::report::measure::Measure;
use crate::report::number::{UNDEFINED, count, counted, significant};
use crate::report::page::{Block, Cell, Chart, Column, DotRow, Figure, Section, Tone};
use crate::report::parting::{Class, Direction, Parted};

/// Classes that are drawn.
const DRAWN: usize = 30;

/// The divergent classes of each model.
pub fn classes(report: &Report, measures: &[Measure<'_>]) -> Section {
    let mut blocks = vec![text(method(report))];
    if let Some(measure) = searched(report, measures) {
        for parted in &report.divergence.models {
            blocks.push(Block::Heading(parted.model.clone()));
            of_model(parted, measure, &mut blocks);
        }
    }
    Section { id: "classes", title: "Where they part".to_owned(), blocks }
}

fn method(report: &Report) -> String {
    let found = &report.divergence;
    let left: Vec<&str> = report
        .conditions
        .iter()
        .map(|condition| condition.name.as_str())
        .filter(|name| !found.conditions.iter().any(|known| known == name))
        .collect();
    let left = match left.is_empty() {
        true => String::new(),
        false => format!(" Not combined, since there would be too many profiles: {}.", left.join(", ")),
    };
    format!(
        "All combinations of up to {} values of {} with at least {} ({} % of the compared) are candidates. One half of the ids, \
         by a keyed hash, suggests classes in which {} is not what it is elsewhere; the other half confirms them, so that at \
         most {} % of those listed are expected to be none. A narrower class is listed only where it differs from every class \
         above it too.{left}",
        found.depth,
        found.conditions.join(", "),
        counted(found.least_pairs, "pair", "pairs"),
        significant(100.0 * found.support, 3),
        found.metric,
        significant(100.0 * found.level, 3),
    )
}

fn of_model(parted: &Parted, measure: &Measure<'_>, blocks: &mut Vec<Block>) {
    blocks.push(text(format!(
        "{} had enough pairs, {} were suggested, {} confirmed.",
        counted(parted.patterns, "combination", "combinations"),
        count(parted.tested),
        count(parted.classes.len() as u64)
    )));
    if parted.classes.is_empty() {
        blocks.push(text("No class was found in which model and substrate part otherwise than elsewhere."));
        return;
    }
    let with_bias = parted.classes.iter().any(|class| class.bias.is_some());
    let with_said = parted.classes.iter().any(|class| class.commonest.is_some());
    let with_ids = parted.classes.iter().any(|class| !class.examples.is_empty());
    let mut columns = vec![
        Column::text("Class"),
        Column::number("Pairs"),
        Column::number(measure.name()),
        Column::number("Elsewhere"),
        Column::number("Difference, 95 % interval"),
        Column::number("q"),
        Column::text("Model and substrate lie"),
    ];
    if with_bias {
        columns.push(Column::number("Mean error, elsewhere"));
    }
    if with_said {
        columns.push(Column::text("Commonest that differ"));
    }
    columns.push(Column::text("Began"));
    if with_ids {
        columns.push(Column::text("Examples"));
    }
    let row = |class: &Class| {
        let suspected = if class.suspected { " (suspected in advance)" } else { "" };
        let apart = match class.direction {
            Direction::Apart => Cell::from("further apart").toned(Tone::Bad),
            Direction::Together => Cell::from("closer").toned(Tone::Good),
        };
        let mut row: Vec<Cell> = vec![
            format!("{}{suspected}", class.name()).into(),
            format!("{} ({:.1} %)", count(class.pairs), 100.0 * class.support).into(),
            measure.show(class.figure).into(),
            measure.show(class.elsewhere).into(),
            format!("{} ({})", signed(class.difference), signed_bounds(class.interval)).into(),
            probability(class.q_value).into(),
            apart,
        ];
        if with_bias {
            let bias = class.bias.map(|[here, elsewhere]| format!("{}, {}", signed(here), signed(elsewhere)));
            row.push(bias.unwrap_or_else(|| UNDEFINED.to_owned()).into());
        }
        if with_said {
            let said = class.commonest.as_ref().map(|said| {
                let model = said.model.as_deref().unwrap_or("no answer");
                format!("model {model}, substrate {}: {}", said.substrate, count(said.pairs))
            });
            row.push(said.unwrap_or_else(|| UNDEFINED.to_owned()).into());
        }
        row.push(
            class.began.as_ref().map_or("from the first on".to_owned(), |began| began.window.clone()).into(),
        );
        if with_ids {
            row.push(class.examples.join(", ").into());
        }
        row
    };
    let difference = |class: &Class| -> Vec<Cell> {
        vec![class.name().into(), signed(class.difference).into(), signed_bounds(class.interval).into()]
    };
    let dots = parted.classes.iter().take(DRAWN).map(|class| DotRow {
        group: None,
        label: class.name(),
        value: Some(class.difference),
        interval: Some((class.interval.lower, class.interval.upper)),
    });
    let rest = parted.classes.len().saturating_sub(DRAWN);
    let rest = if rest > 0 { format!(" The first {DRAWN} are drawn.") } else { String::new() };
    blocks.push(Block::Figure(Figure {
        title: format!("How far {} in a class lies from elsewhere", measure.name()),
        description: format!(
            "For each class the difference of {} from elsewhere in the half of the ids that confirms, with its 95 % interval; \
             the class that differs most for certain first.{rest}",
            measure.name()
        ),
        chart: Chart::Dots {
            x_label: format!("{}, class less elsewhere", measure.name()),
            rows: dots.collect(),
            reference: Some(("no difference".to_owned(), 0.0)),
        },
        table: folded(
            "Data",
            vec![Column::text("Class"), Column::number("Difference"), Column::number("95 % interval")],
            parted.classes.iter().map(difference).collect(),
        ),
    }));
    let rows = parted.classes.iter().map(row).collect();
    blocks.push(Block::Table(table(&format!("Classes in which {} differs", parted.model), columns, rows)));
}
