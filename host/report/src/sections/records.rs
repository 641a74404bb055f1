//! The accounting section: records, answers, determinism checks, failures and excluded records.
//!
//! Invariants: the accounts are shown as an equation that a reader can check. An account that does not balance is
//! marked.

use crate::accounting_term_text::waiting_sentence;
use crate::blinded_answers::blinded_sentence;
use crate::format::{count, counted};
use crate::model::report::Report;
use crate::model::run_summary::{MissingAnswers, MissingValues, RunEnd};
use crate::page::{Block, Cell, Column, Section, Tone};
use crate::sections::helpers::{folded, table, text};
use crate::value_text::value_text;
use understudy_records::join::Accounting;
use understudy_statistics::verdict::PairCounts;
use understudy_study::StreamKind;

/// The accounting section.
pub fn accounting(report: &Report) -> Section {
    let mut blocks = vec![accounting_table(&report.accounting)];
    blocks.extend(waiting_sentence(&report.accounting, report.end.is_final()).map(text));
    blocks.extend([pairs(report), answers(report)]);
    blocks.extend(report.models.iter().filter_map(|model| blinded_sentence(report, model)).map(text));
    for model in report.models.iter().filter(|model| model.determinism_check.mismatches > 0) {
        let text = format!(
            "Determinism check of {}: {} answered twice, {} differently. The model keeps state between calls, so its figures \
             depend on the order of its input.",
            model.plugin.name,
            counted(model.determinism_check.checked, "snapshot", "snapshots"),
            count(model.determinism_check.mismatches)
        );
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    let checked: u64 = report.models.iter().map(|model| model.determinism_check.checked).sum();
    if checked > 0 && report.models.iter().all(|model| model.determinism_check.mismatches == 0) {
        blocks.push(text(format!(
            "Determinism check: {} answered a second time by fresh instances, no mismatches.",
            counted(checked, "snapshot", "snapshots")
        )));
    }
    blocks.extend(missing_values(report));
    blocks.extend(missing_answers(report));
    blocks.extend(plugin_failures(report));
    blocks.extend(excluded_records(report));
    Section { id: "accounting", title: "Accounting".to_owned(), blocks }
}

/// The accounting table: a row for each term of the equation, a column for each stream.
pub fn accounting_table(accounting: &Accounting) -> Block {
    let terms = accounting.equation().into_iter().map(|(name, _, records)| {
        let numbers = StreamKind::ALL.map(|kind| count(records[kind]).into());
        std::iter::once(Cell::from(name)).chain(numbers).collect()
    });
    let balance = [&accounting.snapshots, &accounting.decisions].map(|account| match account.balances() {
        true => Cell::from("balances").toned(Tone::Good),
        false => Cell::from("DOES NOT BALANCE").toned(Tone::Bad),
    });
    let last = std::iter::once("Equation".into()).chain(balance).collect();
    let columns = [Column::text("Records")]
        .into_iter()
        .chain(StreamKind::ALL.map(|kind| Column::number(kind.name())))
        .collect();
    Block::Table(table("Records by stream", columns, terms.chain([last]).collect()))
}

fn pairs(report: &Report) -> Block {
    let PairCounts { compared, incomparable } = report.comparison;
    let paired = report.accounting.snapshots.paired;
    if let RunEnd::Interim { .. } = report.end {
        return text(format!(
            "{} so far; {} compared in the windows covered.",
            counted(paired, "pair", "pairs"),
            count(compared)
        ));
    }
    let equation = format!(
        "{} = {} compared + {} incomparable",
        counted(paired, "pair", "pairs"),
        count(compared),
        count(incomparable)
    );
    match report.accounting.decisions.paired == paired && compared.checked_add(incomparable) == Some(paired) {
        true => text(format!("{equation}.")),
        false => Block::Note {
            tone: Tone::Bad,
            text: format!(
                "{equation}: this does not balance, so no figure is reliable. This is a bug of understudy."
            ),
        },
    }
}

fn answers(report: &Report) -> Block {
    let rows = report.models.iter().map(|model| {
        let name = Cell::from(model.plugin.name.as_str());
        let numbers = [model.answered, model.abstained, model.failed, model.blinded];
        std::iter::once(name).chain(numbers.map(|number| count(number).into())).collect()
    });
    let mut columns = vec![Column::text("Model")];
    let blinded = "Blinded";
    columns.extend(["Answered", "Abstained", "Failed", blinded].map(Column::number));
    Block::Table(table("Snapshots by model", columns, rows.collect()))
}

/// The declared fields that some accepted record has no value of.
fn missing_values(report: &Report) -> Option<Block> {
    let row = |values: &MissingValues| -> Vec<Cell> {
        vec![
            values.stream.as_str().into(),
            value_text(&values.field).into(),
            count(values.missing).into(),
            count(values.records).into(),
        ]
    };
    let columns = vec![
        Column::text("Stream"),
        Column::text("Field"),
        Column::number("Without a value"),
        Column::number("Accepted records"),
    ];
    let rows: Vec<_> = report.missing_values.iter().map(row).collect();
    (!rows.is_empty()).then(|| Block::Table(folded("Missing values", columns, rows)))
}

/// Why answers are missing.
fn missing_answers(report: &Report) -> Option<Block> {
    let row = |missing: &MissingAnswers| -> Vec<Cell> {
        let example = missing.example.as_deref().map(value_text).unwrap_or_default();
        let first = Some(missing.first_id.as_str()).filter(|id| !id.is_empty());
        vec![
            format!("{} ({})", missing.plugin, plugin_role(report, &missing.plugin)).into(),
            missing.kind.name().into(),
            count(missing.count).into(),
            reason_text(report, missing).into(),
            first.map(value_text).unwrap_or_default().into(),
            example.into(),
        ]
    };
    let columns = vec![
        Column::text("Plugin"),
        Column::text("Kind"),
        Column::number("Count"),
        Column::text("Reason"),
        Column::text("First id"),
        Column::text("Reason for that id, if others differ in values"),
    ];
    let caption = "Why answers are missing; a pair without an answer of the comparator is incomparable";
    let rows: Vec<_> = report.missing_answers.iter().map(row).collect();
    (!rows.is_empty()).then(|| Block::Table(table(caption, columns, rows)))
}

/// What a plugin that gives answers is in the study.
pub fn plugin_role(report: &Report, plugin: &str) -> &'static str {
    if plugin == report.comparator.name { "comparator" } else { "model" }
}

/// The reason of missing answers, or which reasons are counted together.
pub fn reason_text(report: &Report, missing: &MissingAnswers) -> String {
    let is_listed = |other: &MissingAnswers| {
        other.reason.is_some() && (&other.plugin, other.kind) == (&missing.plugin, missing.kind)
    };
    match &missing.reason {
        Some(reason) if reason.is_empty() => "(no reason given)".to_owned(),
        Some(reason) => value_text(reason),
        None if report.missing_answers.iter().any(is_listed) => "(other reasons)".to_owned(),
        None => "(withheld before the run has ended)".to_owned(),
    }
}

fn plugin_failures(report: &Report) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = report
        .failures
        .iter()
        .map(|failure| {
            // A metric that fails in `reduce` has no row.
            let first = Some(failure.first_id.as_str()).filter(|id| !id.is_empty());
            vec![
                failure.plugin.as_str().into(),
                count(failure.count).into(),
                first.map(value_text).unwrap_or_default().into(),
                value_text(&failure.message).into(),
                failure.example.as_deref().map(value_text).unwrap_or_default().into(),
            ]
        })
        .collect();
    let columns = vec![
        Column::text("Plugin"),
        Column::number("Count"),
        Column::text("First id"),
        Column::text("Failure"),
        Column::text("Failure for that id, if others differ in values"),
    ];
    (!rows.is_empty()).then(|| Block::Table(table("Plugin failures", columns, rows)))
}

fn excluded_records(report: &Report) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = report
        .excluded
        .iter()
        .map(|record| {
            let reason = record.reason.as_str();
            vec![
                record.stream.as_str().into(),
                reason.into(),
                format!("{} {}", record.position, count(record.line)).into(),
                value_text(&record.detail).into(),
            ]
        })
        .collect();
    let columns = vec![
        Column::text("Stream"),
        Column::text("Reason"),
        Column::text("Position"),
        Column::text("Detail"),
    ];
    let caption = "Examples of excluded records; all are in excluded/ of the run directory";
    (!rows.is_empty()).then(|| Block::Table(folded(caption, columns, rows)))
}
