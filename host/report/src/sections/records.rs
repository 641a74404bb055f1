//! Where every record has got to, what the models answered, what broke.
//!
//! Always holds: the accounts are an equation that anyone can check; one that does not balance says so.

use crate::format::{count, counted};
use crate::model::report::{Comparison, End, Report};
use crate::page::{Block, Cell, Column, Section, Tone};
use crate::sections::helpers::{folded, table, text};
use understudy_records::pairing::{Account, Accounting};

/// The accounting.
pub fn accounting(report: &Report) -> Section {
    let mut blocks = vec![accounts(&report.accounting), pairs(report), answers(report)];
    for model in report.models.iter().filter(|model| model.again.otherwise > 0) {
        let text = format!(
            "{} was asked again about {} and answered {} otherwise: it keeps something between calls, so its figures depend on \
             what it saw before.",
            model.plugin.name,
            counted(model.again.asked, "snapshot", "snapshots"),
            count(model.again.otherwise)
        );
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    let asked: u64 = report.models.iter().map(|model| model.again.asked).sum();
    if asked > 0 && report.models.iter().all(|model| model.again.otherwise == 0) {
        blocks.push(text(format!(
            "Models were asked again about {}, by fresh instances, and answered the same.",
            counted(asked, "snapshot", "snapshots")
        )));
    }
    blocks.extend(incidents(report));
    blocks.extend(refused(report));
    Section { id: "accounting", title: "Accounting".to_owned(), blocks }
}

/// Where every record of both streams has got to.
pub fn accounts(accounting: &Accounting) -> Block {
    let streams = [("snapshots", &accounting.snapshots), ("decisions", &accounting.decisions)];
    let row = |(name, account): (&str, &Account)| -> Vec<Cell> {
        let balance = match account.balances() {
            true => Cell::from("balances").toned(Tone::Good),
            false => Cell::from("DOES NOT BALANCE").toned(Tone::Bad),
        };
        let Account { received, rejected, duplicate, conflict, late, paired, waiting, expired } = *account;
        let numbers = [received, rejected, duplicate, conflict, late, paired, waiting, expired];
        std::iter::once(name.into())
            .chain(numbers.map(|number| count(number).into()))
            .chain([balance])
            .collect()
    };
    let numbers = [
        "Received",
        "= rejected",
        "+ duplicate",
        "+ conflict",
        "+ late",
        "+ paired",
        "+ waiting",
        "+ expired",
    ];
    let mut columns = vec![Column::text("Records")];
    columns.extend(numbers.map(Column::number));
    columns.push(Column::text("Equation"));
    Block::Table(table("Where every record has got to", columns, streams.into_iter().map(row).collect()))
}

fn pairs(report: &Report) -> Block {
    let Comparison { compared, incomparable } = report.comparison;
    let paired = report.accounting.snapshots.paired;
    if let End::Interim { .. } = report.end {
        return text(format!(
            "{} by then; {} of the windows that are covered are compared.",
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
                "{equation}: this does not balance, so no figure can be relied on. It is a fault of understudy."
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
    let blinded = "Not asked before the decision";
    columns.extend(["Answered", "Abstained", "Failed", blinded].map(Column::number));
    Block::Table(table("What the models did with the snapshots", columns, rows.collect()))
}

fn incidents(report: &Report) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = report
        .incidents
        .iter()
        .map(|incident| {
            let first = incident.first_id.as_str();
            vec![
                incident.plugin.as_str().into(),
                count(incident.count).into(),
                first.into(),
                incident.what.as_str().into(),
            ]
        })
        .collect();
    let columns = vec![
        Column::text("Plugin"),
        Column::number("Times"),
        Column::text("First id"),
        Column::text("What broke"),
    ];
    (!rows.is_empty()).then(|| Block::Table(table("What broke", columns, rows)))
}

fn refused(report: &Report) -> Option<Block> {
    let rows: Vec<Vec<Cell>> = report
        .refused
        .iter()
        .map(|record| {
            let class = record.class.as_str();
            vec![
                record.stream.as_str().into(),
                class.into(),
                count(record.line).into(),
                record.reason.as_str().into(),
            ]
        })
        .collect();
    let columns =
        vec![Column::text("Stream"), Column::text("Class"), Column::number("Line"), Column::text("Why")];
    let caption = "The first records that were refused; all are in refused/ of the run directory";
    (!rows.is_empty()).then(|| Block::Table(folded(caption, columns, rows)))
}
