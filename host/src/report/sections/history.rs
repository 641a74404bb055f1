//! What happened to the run, what was reviewed, and what vouches for it.
//!
//! Always holds: everything here is the ledger's or the seal's.

use super::words::{folded, table, text};
use crate::report::dossier::{Dossier, Kind, Review};
use crate::report::number::{UNDEFINED, count, counted, significant};
use crate::report::page::{Block, Cell, Chart, Column, DotRow, Fact, Figure, Section, Tone};

/// Exposures, changes of the substrate, interruptions.
pub fn history(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    let of = |kind: Kind| dossier.history.iter().filter(|happened| happened.kind == kind).count() as u64;
    let (exposures, changes) = (of(Kind::Exposure), of(Kind::ComparatorChange));
    blocks.push(text(format!(
        "{} of answers and {} of the substrate or its comparator are on record. No plugin was exchanged during the run: each is \
         the one in the seal.",
        counted(exposures, "exposure", "exposures"),
        counted(changes, "change", "changes"),
    )));
    let rows: Vec<Vec<Cell>> = dossier
        .history
        .iter()
        .map(|happened| {
            let at = happened.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
            let since = happened.since.map(|since| since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let kind = match happened.kind {
                Kind::Exposure => Cell::from("exposure").toned(Tone::Unsure),
                Kind::ComparatorChange => Cell::from("comparator change").toned(Tone::Unsure),
                Kind::Interruption => "interruption".into(),
                Kind::Instability => Cell::from("unstable answers").toned(Tone::Bad),
                Kind::Retention => "retention".into(),
                Kind::Look => "look".into(),
                Kind::Note => "note".into(),
            };
            let since = since.unwrap_or_else(|| UNDEFINED.to_owned());
            vec![at.into(), kind, since.into(), happened.what.as_str().into()]
        })
        .collect();
    if !rows.is_empty() {
        let columns =
            vec![Column::text("Told"), Column::text("Kind"), Column::text("Since"), Column::text("What")];
        blocks.push(Block::Table(table("What happened", columns, rows)));
    }
    Section { id: "history", title: "Exposures, swaps and what else happened".to_owned(), blocks }
}

/// What was judged of cases.
pub fn reviews(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    if dossier.reviews.is_empty() {
        blocks.push(text(
            "No case has been reviewed, so of the disagreements it is not known who was right. `understudy review` steps \
             through a sample of them.",
        ));
    }
    for review in &dossier.reviews {
        reviewed(review, &mut blocks);
    }
    Section { id: "reviews", title: "Reviewed cases".to_owned(), blocks }
}

fn reviewed(review: &Review, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(review.model.clone()));
    blocks.push(text(review.about.clone()));
    let share = |value: f64| format!("{value:.4}");
    let rows = review.judgements.iter().map(|judged| -> Vec<Cell> {
        let bounds = judged.interval.map(|bounds| format!("{} to {}", share(bounds.lower), share(bounds.upper)));
        vec![
            judged.judgement.as_str().into(),
            count(judged.cases).into(),
            share(judged.share).into(),
            bounds.unwrap_or_else(|| UNDEFINED.to_owned()).into(),
        ]
    });
    let dots = review.judgements.iter().map(|judged| DotRow {
        group: None,
        label: judged.judgement.clone(),
        value: Some(judged.share),
        interval: judged.interval.map(|bounds| (bounds.lower, bounds.upper)),
    });
    blocks.push(Block::Figure(Figure {
        title: format!("Of the disagreements with {}, who was right", review.model),
        description: "For each judgement its share of all disagreements, each class by its size, with a 95 % interval."
            .to_owned(),
        chart: Chart::Dots {
            x_label: "share of the disagreements".to_owned(),
            rows: dots.collect(),
            reference: None,
        },
        table: table(
            "Data",
            vec![
                Column::text("Judgement"),
                Column::number("Cases"),
                Column::number("Share of the disagreements"),
                Column::number("95 % interval"),
            ],
            rows.collect(),
        ),
    }));
    if !review.modes.is_empty() {
        let rows = review.modes.iter().map(|(mode, cases)| vec![mode.as_str().into(), count(*cases).into()]).collect();
        let columns = vec![Column::text("Failure mode"), Column::number("Cases")];
        blocks.push(Block::Table(table("What the reviewers saw in them", columns, rows)));
    }
    if !review.notes.is_empty() {
        let rows = review.notes.iter().map(|note| note.iter().map(|text| text.as_str().into()).collect()).collect();
        let columns = ["Reviewer", "Class", "Judgement", "Note"].map(Column::text).to_vec();
        blocks.push(Block::Table(folded("Notes", columns, rows)));
    }
}

/// Seal, digests, versions.
pub fn provenance(dossier: &Dossier) -> Section {
    let known = &dossier.provenance;
    let sealed = known.sealed_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let [segments, rows] = known.segments;
    let mut facts = vec![
        Fact::new("Seal, SHA-256", &known.seal),
        Fact::new("Declaration, SHA-256", &dossier.report.declaration),
        Fact::new("Sealed", sealed.unwrap_or_else(|| "not known".to_owned())),
        Fact::new("Ledger", format!("{}, head {}", counted(known.entries, "entry", "entries"), known.head)),
        Fact::new("Signed by", known.key.clone().unwrap_or_else(|| "nobody".to_owned())),
        Fact::new(
            "Log",
            format!("{} with {}", counted(segments, "sealed segment", "sealed segments"), counted(rows, "row", "rows")),
        ),
        Fact::new("Run", if known.closed { "closed: nothing more can come" } else { "not closed: it can go on" }),
        Fact::new("Opened by", format!("understudy {}", known.opened_by)),
        Fact::new("This report made by", format!("understudy {}", known.made_by)),
    ];
    if let Some(seal) = &dossier.report.replay_of {
        facts.push(Fact::new("Offline evaluation of the run sealed as", seal));
    }
    let plugins = known.plugins.iter().map(|plugin| plugin.iter().map(|text| text.as_str().into()).collect());
    let columns = ["Role", "Name", "Title", "SHA-256"].map(Column::text).to_vec();
    let searched = &dossier.report.divergence;
    let blocks = vec![
        Block::Facts(facts),
        Block::Table(table("Plugins", columns, plugins.collect())),
        text(format!(
            "Intervals hold with {} %. `understudy verify` says whether the run is whole and makes every figure of it again.",
            significant(100.0 * searched.confidence, 3)
        )),
    ];
    Section { id: "provenance", title: "Provenance".to_owned(), blocks }
}
