//! The section of the substrate's own noise: agreement beside its ceiling, and agreement by rater.
//!
//! Invariants: agreement and ceiling in one row are over the same input classes.

use crate::ceiling_text::{ceiling_sentences, equal_text, input_class_value_text, unlisted_raters};
use crate::format::{UNDEFINED, count, interval_text, six_decimals};
use crate::model::ceiling::{CeilingReport, RaterReport};
use crate::model::report::Report;
use crate::page::{Block, Cell, Column, Section};
use crate::sections::helpers::{table, text};
use crate::value_text::value_text;

/// The section of the ceiling; `None` if the study declares none.
pub fn ceiling(report: &Report) -> Option<Section> {
    let ceiling = report.ceiling.as_ref()?;
    let mut blocks = vec![text(ceiling_sentences(ceiling).join(" ")), beside_ceiling(report, ceiling)];
    if let Some(raters) = &ceiling.raters {
        blocks.push(by_rater(report, raters));
        blocks.extend(unlisted_raters(raters).map(text));
    }
    Some(Section { id: "ceiling", title: "The substrate's own noise".to_owned(), blocks })
}

fn beside_ceiling(report: &Report, ceiling: &CeilingReport) -> Block {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for scope in &ceiling.scopes {
        for (model, found) in report.models.iter().zip(&scope.models) {
            rows.push(vec![
                scope.scope.as_str().into(),
                model.plugin.name.as_str().into(),
                input_class_value_text(&found.agreement).into(),
                input_class_value_text(&scope.ceiling).into(),
                found.of_ceiling.map_or(UNDEFINED.to_owned(), six_decimals).into(),
                count(scope.self_agreement.classes).into(),
                input_class_value_text(&scope.self_agreement).into(),
                equal_text(found.equal, scope.pairs).into(),
            ]);
        }
    }
    let columns = vec![
        Column::text("Scope"),
        Column::text("Model"),
        Column::number("Agreement"),
        Column::number("Ceiling"),
        Column::number("Share of the ceiling"),
        Column::number("Repeated input classes"),
        Column::number("Substrate with itself"),
        Column::number("Equal answers, all pairs"),
    ];
    Block::Table(table(
        "Agreement beside its ceiling, in input classes that were decided at least twice",
        columns,
        rows,
    ))
}

fn by_rater(report: &Report, raters: &RaterReport) -> Block {
    let mut columns = vec![Column::text("Rater"), Column::number("Pairs")];
    for model in &report.models {
        columns.push(Column::number(format!("Equal answers of {}", model.plugin.name)));
        columns.push(Column::number(format!("Bounds of {}", model.plugin.name)));
    }
    let rows = raters.raters.iter().map(|rater| {
        let mut row: Vec<Cell> = vec![value_text(&rater.rater).into(), count(rater.pairs).into()];
        for (equal, interval) in rater.equal.iter().zip(&rater.intervals) {
            row.push(equal_text(*equal, rater.pairs).into());
            let bounds = interval.map(|bounds| interval_text(bounds, six_decimals));
            row.push(bounds.unwrap_or_else(|| UNDEFINED.to_owned()).into());
        }
        row
    });
    Block::Table(table("Agreement by rater", columns, rows.collect()))
}
