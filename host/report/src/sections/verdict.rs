//! The verdict section, and the representativeness section.
//!
//! Invariants: nothing is decided here. The page of an offline evaluation never suggests that a verdict will follow.

use crate::format::{count, verdict_meaning};
use crate::model::bundle::ReportBundle;
use crate::page::{Block, Cell, Column, Section, Tone};
use crate::sections::helpers::{OFFLINE_NOTE, scope_name, table, text, tone};
use crate::sections::verdict_account::{account, guards};
use crate::value_text::value_text;
use understudy_statistics::verdict::{ModelVerdict, Verdict};

/// The verdict and its reasons.
pub fn verdict(bundle: &ReportBundle) -> Section {
    let mut blocks = Vec::new();
    match (&bundle.verdict, &bundle.threshold) {
        _ if bundle.report.replay_of.is_some() => blocks.push(text(OFFLINE_NOTE)),
        (Some(verdict), _) => reasons(verdict, &bundle.events_since_verdict, &mut blocks),
        (None, Some(_)) => blocks.push(text(
            "There is no verdict yet. `understudy decide` computes it from the declared threshold; this report shows it after \
             that.",
        )),
        (None, None) => blocks.push(text(
            "The study declares no threshold, so it has no verdict. A threshold has to be declared before the first \
             snapshot.",
        )),
    }
    blocks.push(text(
        "Agreement does not mean \"better\". It shows how often, or how closely, a model would have made the same decisions.",
    ));
    Section { id: "verdict", title: "Verdict".to_owned(), blocks }
}

fn reasons(verdict: &Verdict, events_since_verdict: &[String], blocks: &mut Vec<Block>) {
    let declared = verdict.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let notes = verdict.notes.iter();
    blocks.extend(notes.map(|note| Block::Note { tone: Tone::Unsure, text: note.clone() }));
    blocks.push(text(format!("Declared on {declared}: {}.", verdict.threshold)));
    if verdict.first_snapshot.is_some_and(|first| first < verdict.sealed_at) {
        let note = "The records start before that: their results may have been known when the threshold was declared.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: note.to_owned() });
    }
    if !verdict.closed {
        let note = "The run had not ended: this is an interim verdict.";
        blocks.push(Block::Note { tone: Tone::Unsure, text: note.to_owned() });
    }
    if !events_since_verdict.is_empty() {
        let note = format!(
            "Events after this verdict could change it: {}. `understudy decide` computes it again.",
            events_since_verdict.join("; ")
        );
        blocks.push(Block::Note { tone: Tone::Bad, text: note });
    }
    blocks.push(text(
        "This report shows the latest verdict; it does not verify the run. `understudy verify` does, and so does \
         `understudy decide` before it computes a verdict. A run with missing or altered records has no valid verdict.",
    ));
    for ModelVerdict { model, scopes, .. } in &verdict.models {
        for ruling in scopes {
            blocks.push(Block::Heading(format!("{model}, {}", scope_name(ruling))));
            let word = format!("{}: {}", ruling.verdict.name(), verdict_meaning(ruling.verdict));
            blocks.push(Block::Note { tone: tone(ruling.verdict), text: word });
            blocks.push(Block::List(ruling.reasons.iter().map(|reason| reason.text.clone()).collect()));
        }
    }
    blocks.extend(guards(verdict));
    blocks.extend(account(verdict));
}

/// The distribution of the inputs compared with the declared reference, and the coverage of cycles.
pub fn representativeness(bundle: &ReportBundle) -> Section {
    let mut blocks = Vec::new();
    let verdict = bundle.verdict.as_ref();
    let inputs = verdict.map(|verdict| verdict.inputs.as_slice()).unwrap_or_default();
    let cycle = verdict.map(|verdict| verdict.cycle.as_slice()).unwrap_or_default();
    if inputs.is_empty() && cycle.is_empty() {
        blocks.push(text(match (&bundle.threshold, verdict) {
            _ if bundle.report.replay_of.is_some() => OFFLINE_NOTE,
            (Some(_), None) => "This is computed with the verdict, which does not exist yet.",
            _ => {
                "The study declares no reference distribution and no cycle for its inputs (`threshold.reference`, \
                 `threshold.cycle`), so it is unknown whether they represent future inputs."
            }
        }));
    }
    if !inputs.is_empty() {
        let rows = inputs.iter().map(|input| {
            let tone = if input.within_tolerance { Tone::Good } else { Tone::Bad };
            vec![
                format!("{} = {}", input.condition, value_text(&input.value)).into(),
                count(input.snapshots).into(),
                Cell::from(format!("{:.4}", input.share)).toned(tone),
                format!("{:.4}", input.reference).into(),
                format!("{:.4}", input.tolerance).into(),
            ]
        });
        let columns = vec![
            Column::text("Condition value"),
            Column::number("Snapshots"),
            Column::number("Share"),
            Column::number("Reference"),
            Column::number("Tolerance"),
        ];
        blocks.push(Block::Table(table(
            "Input shares in the windows of the threshold, compared with the reference",
            columns,
            rows.collect(),
        )));
    }
    if !cycle.is_empty() {
        let rows = cycle.iter().map(|value| {
            let tone = if value.covered { Tone::Good } else { Tone::Unsure };
            vec![
                value_text(&value.value).into(),
                Cell::from(count(value.occurrences)).toned(tone),
                count(value.required).into(),
                count(value.pairs).into(),
            ]
        });
        let columns = vec![
            Column::text("Cycle value"),
            Column::number("Occurrences"),
            Column::number("Required"),
            Column::number("Compared pairs"),
        ];
        blocks.push(Block::Table(table(
            "Cycle coverage in the windows of the threshold",
            columns,
            rows.collect(),
        )));
    }
    Section { id: "representativeness", title: "Representativeness".to_owned(), blocks }
}
