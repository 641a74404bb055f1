//! The classes of input in which model and substrate part.
//!
//! Always holds: how a class was found stands beside it: what was searched, on how many pairs, at which rate of false
//! discoveries.

use crate::format::{UNDEFINED, count, counted, significant};
use crate::metric_format::Measure;
use crate::model::divergence::{Began, Class, Direction, NotSearched, Parted};
use crate::model::report::{End, Report};
use crate::page::{Block, Cell, Chart, Column, DotRow, Figure, Section, Tone};
use crate::sections::helpers::{folded, probability, searched, signed, signed_bounds, table, text};
use understudy_statistics::scoring::MAX_PRODUCT_COMPONENTS;

/// Classes that are drawn.
const DRAWN: usize = 30;

/// The divergent classes of each model.
pub fn classes(report: &Report, measures: &[Measure<'_>]) -> Section {
    let mut blocks = vec![text(method(report))];
    if let End::Interim { .. } = report.end {
        let what = "Classes and changes are tested as if this were the only look. Whoever looks at every report has to expect more \
                    false ones; the end tells once.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: what.to_owned() });
    }
    if let Some(measure) = searched(report, measures).filter(|_| report.divergence.not_searched.is_none()) {
        for parted in &report.divergence.models {
            blocks.push(Block::Heading(parted.model.clone()));
            of_model(parted, measure, &mut blocks);
        }
    }
    Section { id: "classes", title: "Where they part".to_owned(), blocks }
}

/// What was searched and how, or why nothing was.
fn method(report: &Report) -> String {
    let found = &report.divergence;
    let left = match found.passed_over.is_empty() {
        true => String::new(),
        false => format!(
            " Not combined, since there would be too many profiles: {}.",
            found.passed_over.join(", ")
        ),
    };
    match found.not_searched {
        None => {}
        Some(NotSearched::Conditions) if report.conditions.is_empty() => {
            return "No condition is declared, so there are no classes to search for.".to_owned();
        }
        Some(NotSearched::Conditions) => {
            return format!("No conditions are combined, so there are no classes to search for.{left}");
        }
        Some(NotSearched::Components) => {
            return format!(
                "No classes were searched for, and no intervals are shown: {} has more than {MAX_PRODUCT_COMPONENTS} components, and of so \
                 many it is not known how certain a figure is.",
                found.metric
            );
        }
        Some(NotSearched::Windows) => {
            return "No classes were searched for, and figures by condition have no intervals: there are so many windows and profiles \
                    that sums are not kept by both. Both are there at the end."
                .to_owned();
        }
    }
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

/// Since when a class has differed.
fn since(began: &Began) -> String {
    match began {
        Began::Unknown => "cannot be told".to_owned(),
        Began::Start => "no later change found".to_owned(),
        Began::Change(change) => change.window.clone(),
    }
}

/// What a model said and the substrate did, most often of what differs.
fn commonest(class: &Class) -> String {
    let Some(said) = &class.commonest else { return UNDEFINED.to_owned() };
    let model = said.model.as_deref().unwrap_or("no answer");
    let substrate = if said.substrate.is_empty() { "nothing" } else { &said.substrate };
    let rest = match class.not_told_apart {
        0 => String::new(),
        more => format!(" (of those told apart; {} are not)", count(more)),
    };
    format!("model {model}, substrate {substrate}: {}{rest}", count(said.pairs))
}

fn of_model(parted: &Parted, measure: &Measure<'_>, blocks: &mut Vec<Block>) {
    blocks.push(text(format!(
        "{} had enough pairs, {} were suggested, {} confirmed.",
        counted(parted.patterns, "combination", "combinations"),
        count(parted.tested),
        count(parted.classes.len() as u64)
    )));
    if !parted.unconfirmed.is_empty() {
        let what = parted.unconfirmed.join("; ");
        blocks.push(text(format!("Suspected in advance and not confirmed: {what}.")));
    }
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
            row.push(commonest(class).into());
        }
        row.push(since(&class.began).into());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::divergence::Said;
    use crate::terminal::fixture::hotel;

    #[test]
    fn it_is_said_what_was_not_searched_and_why() {
        let mut report = hotel();
        report.divergence.conditions.pop();
        assert!(!method(&report).contains("Not combined"));
        report.divergence.passed_over = vec!["lead-time".to_owned()];
        assert!(
            method(&report).ends_with(" Not combined, since there would be too many profiles: lead-time.")
        );
        let said = |report: &mut Report, why| {
            report.divergence.not_searched = Some(why);
            method(report)
        };
        assert!(said(&mut report, NotSearched::Components).contains("has more than 64 components"));
        assert!(said(&mut report, NotSearched::Windows).contains("at the end"));
        assert!(said(&mut report, NotSearched::Conditions).ends_with("too many profiles: lead-time."));
        report.conditions.clear();
        assert_eq!(
            said(&mut report, NotSearched::Conditions),
            "No condition is declared, so there are no classes to search for."
        );
    }

    #[test]
    fn it_is_said_since_when_and_of_how_many_answers_nothing_is_known() {
        let report = hotel();
        let [class, began, ..] = &report.divergence.models[0].classes[..] else { panic!("two classes") };
        assert_eq!(since(&class.began), "no later change found");
        assert_eq!(since(&began.began), "week ending 2016-09-04");
        assert_eq!(since(&Began::Unknown), "cannot be told");
        let mut class = class.clone();
        assert_eq!(commonest(&class), "model a, substrate d: 281");
        class.not_told_apart = 1200;
        assert_eq!(commonest(&class), "model a, substrate d: 281 (of those told apart; 1,200 are not)");
        class.commonest = Some(Said { model: Some("a".to_owned()), substrate: String::new(), pairs: 3 });
        class.not_told_apart = 0;
        assert_eq!(commonest(&class), "model a, substrate nothing: 3");
    }
}
