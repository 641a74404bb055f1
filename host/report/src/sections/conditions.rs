//! The section of agreement overall and by condition.
//!
//! Invariants: every value of every declared condition is listed, so no aggregate hides one.

use crate::metric_format::MetricFormat;
use crate::model::report::{MetricScores, ModelReport, Report};
use crate::model::run_summary::RunEnd;
use crate::page::{Block, Cell, Chart, Column, DotRow, Figure, Section, Tone};
use crate::sections::helpers::{axis, folded, search_metric, table, text};
use crate::value_text::value_text;

/// The metrics of each model, overall and by condition.
pub fn conditions(report: &Report, formats: &[MetricFormat<'_>]) -> Section {
    let mut blocks = Vec::new();
    if let RunEnd::Interim { .. } = report.end {
        blocks.push(text(
            "This is an interim report. Intervals over several windows are confidence sequences. Each is of the average \
             expected score of the pairs so far, which may drift, and holds at all looks together. They exist only for \
             metrics that are a mean of scores in a known range.",
        ));
    }
    blocks.push(overall(report, formats));
    for format in formats {
        for model in &report.models {
            blocks.extend(remark(format, model));
        }
    }
    if report.conditions.is_empty() {
        blocks.push(text(
            "The study declares no conditions, so differences behind the aggregate figures are not visible.",
        ));
    }
    if let Some(format) = search_metric(report, formats).filter(|_| !report.conditions.is_empty()) {
        for model in &report.models {
            let Some(scores) = format.scores(model) else { continue };
            blocks.push(Block::Figure(by_condition(report, formats, format, scores, &model.plugin.name)));
        }
    }
    Section { id: "conditions", title: "Agreement by condition".to_owned(), blocks }
}

/// The remark for readers of a model's figures by a metric.
pub fn remark(format: &MetricFormat<'_>, model: &ModelReport) -> Option<Block> {
    let remark = format.scores(model)?.remark.as_deref()?;
    let text = format!("{} of {}: {remark}.", format.name(), model.plugin.name);
    Some(Block::Note { tone: Tone::Unsure, text })
}

fn overall(report: &Report, formats: &[MetricFormat<'_>]) -> Block {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for format in formats {
        for model in &report.models {
            let Some(MetricScores { overall, .. }) = format.scores(model) else { continue };
            rows.push(vec![
                format.name().into(),
                model.plugin.name.as_str().into(),
                format.value(overall.value).into(),
                format.interval(overall.interval).into(),
                format.counts(overall).into(),
                format.direction().into(),
            ]);
        }
    }
    let columns = vec![
        Column::text("Metric"),
        Column::text("Model"),
        Column::number("Value"),
        Column::number("95 % interval"),
        Column::number("Pairs"),
        Column::text("Range and direction"),
    ];
    Block::Table(table("Over all compared pairs", columns, rows))
}

fn by_condition(
    report: &Report,
    formats: &[MetricFormat<'_>],
    format: &MetricFormat<'_>,
    scores: &MetricScores,
    model: &str,
) -> Figure {
    let mut dots = Vec::new();
    let mut rows = Vec::new();
    let others: Vec<&MetricFormat<'_>> =
        formats.iter().filter(|other| other.name() != format.name()).collect();
    let model_report = report.models.iter().find(|known| known.plugin.name == model);
    for (at, condition) in report.conditions.iter().enumerate() {
        for (index, (label, value)) in condition.values.iter().zip(&scores.conditions[at]).enumerate() {
            if value.pairs > 0 {
                dots.push(DotRow {
                    group: Some(condition.name.clone()),
                    label: value_text(label),
                    value: value.value,
                    interval: value.interval.map(|bounds| (bounds.lower, bounds.upper)),
                });
            }
            let mut row: Vec<Cell> = vec![
                condition.name.as_str().into(),
                value_text(label).into(),
                format.counts(value).into(),
                format.value(value.value).into(),
                format.interval(value.interval).into(),
            ];
            for other in &others {
                let scores = model_report.and_then(|model| other.scores(model));
                let value = scores.and_then(|scores| scores.conditions.get(at)?.get(index)?.value);
                row.push(other.value(value).into());
            }
            rows.push(row);
        }
    }
    let mut columns = vec![
        Column::text("Condition"),
        Column::text("Value"),
        Column::number("Pairs"),
        Column::number(format.name()),
        Column::number("95 % interval"),
    ];
    columns.extend(others.iter().map(|other| Column::number(other.name())));
    let reference =
        scores.overall.value.map(|value| (format!("all pairs: {}", format.value(Some(value))), value));
    Figure {
        title: format!("{} of {model} by condition", format.name()),
        description: format!(
            "{} of {model} for each condition value with pairs, with 95 % intervals, compared with the value over all pairs. \
             Condition values without pairs are listed in the data only.",
            format.name()
        ),
        chart: Chart::Dots { x_label: axis(format), rows: dots, reference },
        table: folded("Data", columns, rows),
    }
}
