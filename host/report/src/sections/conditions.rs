//! Agreement by condition.
//!
//! Always holds: every value of every declared condition stands here, so no aggregate hides one.

use crate::metric_format::Measure;
use crate::model::report::{End, Report, Scores};
use crate::page::{Block, Cell, Chart, Column, DotRow, Figure, Section};
use crate::sections::helpers::{axis, folded, searched, text};

/// The figures of each model by condition.
pub fn conditions(report: &Report, measures: &[Measure<'_>]) -> Section {
    let mut blocks = Vec::new();
    if let End::Interim { .. } = report.end {
        blocks.push(text(
            "This is a report before the end: the intervals over several windows are confidence sequences, which hold however \
             often one looks. Where a figure is no mean of scores in a known range, none can be told.",
        ));
    }
    blocks.push(overall(report, measures));
    if report.conditions.is_empty() {
        blocks.push(text("The study declares no condition, so what an aggregate hides cannot be seen."));
    }
    if let Some(measure) = searched(report, measures).filter(|_| !report.conditions.is_empty()) {
        for model in &report.models {
            let Some(scores) = measure.scores(model) else { continue };
            blocks.push(Block::Figure(by_condition(report, measures, measure, scores, &model.plugin.name)));
        }
    }
    Section { id: "conditions", title: "Agreement by condition".to_owned(), blocks }
}

fn overall(report: &Report, measures: &[Measure<'_>]) -> Block {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for measure in measures {
        for model in &report.models {
            let Some(Scores { overall, .. }) = measure.scores(model) else { continue };
            rows.push(vec![
                measure.name().into(),
                model.plugin.name.as_str().into(),
                measure.show(overall.value).into(),
                measure.bounds(overall.interval).into(),
                measure.counts(overall).into(),
                measure.reading().into(),
            ]);
        }
    }
    let columns = vec![
        Column::text("Metric"),
        Column::text("Model"),
        Column::number("Figure"),
        Column::number("95 % interval"),
        Column::number("Of"),
        Column::text("Reading"),
    ];
    Block::Table(super::helpers::table("Over all compared pairs", columns, rows))
}

fn by_condition(
    report: &Report,
    measures: &[Measure<'_>],
    measure: &Measure<'_>,
    scores: &Scores,
    model: &str,
) -> Figure {
    let mut dots = Vec::new();
    let mut rows = Vec::new();
    let others: Vec<&Measure<'_>> = measures.iter().filter(|other| other.name() != measure.name()).collect();
    let of_model = report.models.iter().find(|known| known.plugin.name == model);
    for (at, condition) in report.conditions.iter().enumerate() {
        for (place, (value, figure)) in condition.values.iter().zip(&scores.conditions[at]).enumerate() {
            if figure.pairs > 0 {
                dots.push(DotRow {
                    group: Some(condition.name.clone()),
                    label: value.clone(),
                    value: figure.value,
                    interval: figure.interval.map(|bounds| (bounds.lower, bounds.upper)),
                });
            }
            let mut row: Vec<Cell> = vec![
                condition.name.as_str().into(),
                value.as_str().into(),
                measure.counts(figure).into(),
                measure.show(figure.value).into(),
                measure.bounds(figure.interval).into(),
            ];
            for other in &others {
                let scores = of_model.and_then(|model| other.scores(model));
                let figure = scores.and_then(|scores| scores.conditions.get(at)?.get(place)?.value);
                row.push(other.show(figure).into());
            }
            rows.push(row);
        }
    }
    let mut columns = vec![
        Column::text("Condition"),
        Column::text("Value"),
        Column::number("Pairs"),
        Column::number(measure.name()),
        Column::number("95 % interval"),
    ];
    columns.extend(others.iter().map(|other| Column::number(other.name())));
    let whole = scores.overall.value.map(|value| (format!("all: {}", measure.show(Some(value))), value));
    Figure {
        title: format!("{}, {model}", measure.name()),
        description: format!(
            "{} of {model} for each value of each condition, with 95 % intervals, beside that of all pairs. A value without pairs is \
             in the data only.",
            measure.name()
        ),
        chart: Chart::Dots { x_label: axis(measure), rows: dots, reference: whole },
        table: folded("Data", columns, rows),
    }
}
