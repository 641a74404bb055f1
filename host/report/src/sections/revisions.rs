//! The section of revised decisions: their number by condition, and the agreement before and after the revision.
//!
//! Invariants: both values of a metric are over the same pairs.

use crate::format::{UNDEFINED, count};
use crate::metric_format::MetricFormat;
use crate::model::report::Report;
use crate::model::revisions::{RevisionNumbers, RevisionReport, SlicedValues};
use crate::page::{Block, Cell, Column, Section};
use crate::revision_text::revision_sentences;
use crate::sections::helpers::{table, text};
use crate::value_text::value_text;

/// The section of revised decisions; `None` if the study refuses revisions.
pub fn revisions(report: &Report, formats: &[MetricFormat<'_>]) -> Option<Section> {
    let revisions = report.revisions.as_ref()?;
    let mut blocks = vec![text(revision_sentences(report, revisions).join(" "))];
    if revisions.overall.pairs > 0 {
        blocks.push(agreement(report, revisions, formats));
        if !report.conditions.is_empty() {
            blocks.push(by_condition(report, revisions, formats));
        }
    }
    Some(Section { id: "revisions", title: "Revised decisions".to_owned(), blocks })
}

fn agreement(report: &Report, revisions: &RevisionReport, formats: &[MetricFormat<'_>]) -> Block {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for format in formats {
        for (model, revised) in report.models.iter().zip(&revisions.models) {
            let Some(scores) = format.revision_scores(revised) else { continue };
            let (first, last) = (&scores.first.overall, &scores.last.overall);
            rows.push(vec![
                format.name().into(),
                model.plugin.name.as_str().into(),
                format.value(first.value).into(),
                format.value(last.value).into(),
                format.counts(first).into(),
                format.counts(last).into(),
                format.direction().into(),
            ]);
        }
    }
    let columns = vec![
        Column::text("Metric"),
        Column::text("Model"),
        Column::number("First decision"),
        Column::number("Last decision"),
        Column::number("Pairs, first"),
        Column::number("Pairs, last"),
        Column::text("Range and direction"),
    ];
    Block::Table(table("Agreement before and after the revision, over the revised pairs", columns, rows))
}

fn by_condition(report: &Report, revisions: &RevisionReport, formats: &[MetricFormat<'_>]) -> Block {
    let mut columns = vec![
        Column::text("Condition"),
        Column::text("Value"),
        Column::number("Pairs"),
        Column::number("Other decisions"),
        Column::number("Changed answers"),
    ];
    let primary = formats.first();
    for (format, model) in primary.iter().flat_map(|format| report.models.iter().map(move |m| (format, m))) {
        for end in ["first", "last"] {
            columns.push(Column::number(format!("{} of {}, {end}", format.name(), model.plugin.name)));
        }
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (at, (condition, numbers)) in report.conditions.iter().zip(&revisions.conditions).enumerate() {
        for (index, (label, numbers)) in condition.values.iter().zip(numbers).enumerate() {
            let RevisionNumbers { pairs, decisions, changed, .. } = *numbers;
            let mut row: Vec<Cell> = vec![
                condition.name.as_str().into(),
                value_text(label).into(),
                count(pairs).into(),
                count(decisions).into(),
                changed.map_or(UNDEFINED.to_owned(), count).into(),
            ];
            let value = |values: &SlicedValues| values.conditions.get(at)?.get(index)?.value;
            if let Some(format) = primary {
                for model in &revisions.models {
                    let scores = format.revision_scores(model);
                    row.push(format.value(scores.and_then(|scores| value(&scores.first))).into());
                    row.push(format.value(scores.and_then(|scores| value(&scores.last))).into());
                }
            }
            rows.push(row);
        }
    }
    Block::Table(table("Revised pairs by condition", columns, rows))
}
