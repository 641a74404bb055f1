//! The verdict with its reasons, and what the inputs looked like.
//!
//! Always holds: nothing is ruled here; an offline evaluation is never said to have a verdict to come.

use crate::format::count;
use crate::model::bundle::Dossier;
use crate::page::{Block, Cell, Column, Section, Tone};
use crate::sections::helpers::{OFFLINE, meaning, of_scope, table, text, tone};
use understudy_statistics::verdict::{ModelVerdict, Verdict};

/// The verdict and its reasons.
pub fn verdict(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    match (&dossier.verdict, &dossier.threshold) {
        _ if dossier.report.replay_of.is_some() => blocks.push(text(OFFLINE)),
        (Some(verdict), _) => rulings(verdict, &dossier.overtaken_by, &mut blocks),
        (None, Some(_)) => blocks.push(text(
            "No verdict has been given. `understudy decide` reads it out of the threshold that was declared; then this \
             report shows it.",
        )),
        (None, None) => blocks.push(text(
            "The study declares no threshold. It measures, and permits nothing: a threshold has to be declared before the \
             first snapshot.",
        )),
    }
    blocks.push(text(
        "Agreement is not \"better\": it says how often, or how closely, a model would have done what was done.",
    ));
    Section { id: "verdict", title: "Verdict".to_owned(), blocks }
}

fn rulings(verdict: &Verdict, overtaken_by: &[String], blocks: &mut Vec<Block>) {
    let declared = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    blocks.push(text(format!("Declared on {declared}: {}.", verdict.threshold)));
    if verdict.first_snapshot.is_some_and(|first| first < verdict.sealed_at) {
        let what = "The records began before that: what they would say could have been known when the threshold was declared.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: what.to_owned() });
    }
    if !verdict.closed {
        let what = "The run had not ended: this is a look at it before its end.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: what.to_owned() });
    }
    if !overtaken_by.is_empty() {
        let what = format!(
            "The verdict below does not know of what came after it: {}. `understudy decide` gives it again.",
            overtaken_by.join("; ")
        );
        blocks.push(Block::Note { tone: Tone::Bad, text: what });
    }
    blocks.push(text(
        "This report shows the verdict that was given last, and does not verify the run: `understudy verify` does, and \
         `understudy decide` before it gives one. A run that is not whole permits nothing.",
    ));
    for ModelVerdict { model, scopes, .. } in &verdict.models {
        for ruling in scopes {
            blocks.push(Block::Heading(format!("{model}, {}", of_scope(ruling))));
            let word = format!("{}: {}", ruling.verdict.name(), meaning(ruling.verdict));
            blocks.push(Block::Note { tone: tone(ruling.verdict), text: word });
            blocks.push(Block::List(ruling.reasons.iter().map(|reason| reason.text.clone()).collect()));
        }
    }
}

/// What the inputs looked like, beside what they were to look like.
pub fn representativeness(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    let verdict = dossier.verdict.as_ref();
    let inputs = verdict.map(|verdict| verdict.inputs.as_slice()).unwrap_or_default();
    let cycle = verdict.map(|verdict| verdict.cycle.as_slice()).unwrap_or_default();
    if inputs.is_empty() && cycle.is_empty() {
        blocks.push(text(match (&dossier.threshold, verdict) {
            _ if dossier.report.replay_of.is_some() => OFFLINE,
            (Some(_), None) => "It is told with the verdict, which has not been given.",
            _ => {
                "The study declares nothing that the inputs have to look like (`threshold.reference`, `threshold.cycle`), so \
                 it cannot be told whether they stand for what is to come."
            }
        }));
    }
    if !inputs.is_empty() {
        let rows = inputs.iter().map(|input| {
            let tone = if input.within { Tone::Good } else { Tone::Bad };
            vec![
                format!("{} = {}", input.condition, input.value).into(),
                count(input.snapshots).into(),
                Cell::from(format!("{:.4}", input.share)).toned(tone),
                format!("{:.4}", input.reference).into(),
                format!("{:.4}", input.tolerance).into(),
            ]
        });
        let columns = vec![
            Column::text("Inputs"),
            Column::number("Snapshots"),
            Column::number("Share"),
            Column::number("Reference"),
            Column::number("Tolerance"),
        ];
        blocks.push(Block::Table(table(
            "Shares of the snapshots of the windows that count",
            columns,
            rows.collect(),
        )));
    }
    if !cycle.is_empty() {
        let rows = cycle.iter().map(|value| {
            let tone = if value.enough { Tone::Good } else { Tone::Unsure };
            vec![
                value.value.as_str().into(),
                Cell::from(count(value.occurrences)).toned(tone),
                count(value.required).into(),
                count(value.pairs).into(),
            ]
        });
        let columns = vec![
            Column::text("Cycle"),
            Column::number("Came round"),
            Column::number("Asked"),
            Column::number("Compared pairs"),
        ];
        blocks.push(Block::Table(table(
            "What has come round in the windows that count",
            columns,
            rows.collect(),
        )));
    }
    Section { id: "representativeness", title: "Representativeness".to_owned(), blocks }
}
