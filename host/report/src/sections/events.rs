//! What happened to the run, what was reviewed, and what vouches for it.
//!
//! Always holds: everything here is the ledger's or the seal's.

use crate::format::{UNDEFINED, count, counted, figure, significant};
use crate::model::bundle::{Dossier, Happened, Kind, ReviewNote};
use crate::model::reviews::ReviewSummary;
use crate::page::{Block, Cell, Chart, Column, DotRow, Fact, Figure, Section, Table, Tone};
use crate::sections::helpers::{folded, probability, table, text};
use understudy_statistics::verdict::{Contamination, Estimate, ModelVerdict, TESTED_LATER};

/// A table of more rows is folded.
const UNFOLDED: usize = 40;

/// Exposures, changes of the substrate, interruptions, and whether answers leak.
pub fn history(dossier: &Dossier) -> Section {
    let mut blocks = Vec::new();
    let of = |kind: Kind| dossier.history.iter().filter(|happened| happened.kind == kind).count() as u64;
    let (exposures, changes) = (of(Kind::Exposure), of(Kind::ComparatorChange));
    let (same, otherwise) = (of(Kind::Swap), of(Kind::NewYardstick));
    let swaps = match (same + otherwise, otherwise) {
        (0, _) => "No plugin was exchanged during the run: each is the one in the seal.".to_owned(),
        (all, 0) => format!(
            "There were {} of plugins, each for one that came to the same on the latest pairs.",
            counted(all, "exchange", "exchanges")
        ),
        (all, new) => format!(
            "There were {} of plugins, {} of them for one that answers otherwise: what follows is measured by a new yardstick.",
            counted(all, "exchange", "exchanges"),
            count(new)
        ),
    };
    blocks.push(text(format!(
        "{} of answers and {} of the substrate or its comparator are on record. {swaps}",
        counted(exposures, "exposure", "exposures"),
        counted(changes, "change", "changes"),
    )));
    for ModelVerdict { model, contamination, .. } in dossier.verdict.iter().flat_map(|given| &given.models) {
        blocks.push(leak(model, contamination.as_ref()));
    }
    let rows: Vec<Vec<Cell>> = merged(&dossier.history)
        .iter()
        .map(|happened| {
            let at = happened.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
            let since = happened.since.map(|since| since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let kind = match happened.kind {
                Kind::Exposure => Cell::from("exposure").toned(Tone::Unsure),
                Kind::ComparatorChange => Cell::from("comparator change").toned(Tone::Unsure),
                Kind::Swap => "exchange".into(),
                Kind::NewYardstick => Cell::from("new yardstick").toned(Tone::Unsure),
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
        let folded = rows.len() > UNFOLDED;
        blocks.push(Block::Table(Table { folded, ..table("What happened", columns, rows) }));
    }
    Section { id: "history", title: "Exposures, swaps and contamination".to_owned(), blocks }
}

/// What happened, what was dropped by retention one after the other as one.
fn merged(history: &[Happened]) -> Vec<Happened> {
    let runs = history.chunk_by(|one, next| [one, next].iter().all(|h| h.kind == Kind::Retention));
    let one = |run: &[Happened]| match run {
        [] => None,
        [one] => Some(one.clone()),
        [first, ..] => Some(Happened {
            what: format!("fields of {} segments were dropped, as declared", count(run.len() as u64)),
            ..first.clone()
        }),
    };
    runs.filter_map(one).collect()
}

/// Whether a model's answers leak.
fn leak(model: &str, contamination: Option<&Contamination>) -> Block {
    let Some(Contamination { shown, blinded, tested, difference }) = contamination else {
        return text(format!("{model}: no pair was blinded, so whether its answers leak was not tested."));
    };
    let of = |found: &Estimate| match found.value {
        Some(value) => format!("{} over {}", figure(value), counted(found.pairs, "pair", "pairs")),
        None => "no figure".to_owned(),
    };
    let told = match difference {
        None if !tested => TESTED_LATER.to_owned(),
        None => "There are too few to tell.".to_owned(),
        Some(found) => format!(
            "The difference is {:+.4} ({:+.4} to {:+.4}); by chance it is as large with probability {}.",
            found.difference,
            found.interval.lower,
            found.interval.upper,
            probability(found.p_value)
        ),
    };
    text(format!(
        "Contamination, {model}: where the answer existed before the decision {}; where the model was asked only afterwards \
         {}. {told}",
        of(shown),
        of(blinded)
    ))
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
    if !dossier.notes.is_empty() {
        let note = |note: &ReviewNote| -> Vec<Cell> {
            let (who, model, stratum) = (note.who.as_str(), note.model.as_str(), note.stratum.as_str());
            vec![
                who.into(),
                model.into(),
                stratum.into(),
                note.judgement.words().into(),
                note.note.as_str().into(),
            ]
        };
        let columns = ["Reviewer", "Model", "Class", "Judgement", "Note"].map(Column::text).to_vec();
        blocks.push(Block::Table(folded(
            "What the reviewers noted",
            columns,
            dossier.notes.iter().map(note).collect(),
        )));
    }
    Section { id: "reviews", title: "Reviewed cases".to_owned(), blocks }
}

fn reviewed(review: &ReviewSummary, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(review.model.clone()));
    blocks.push(text(format!(
        "{} of {} were judged, drawn evenly over the classes.",
        count(review.judged),
        counted(review.disagreements, "disagreement", "disagreements")
    )));
    if !review.unjudged.is_empty() {
        let text = format!(
            "Of these classes nothing was judged, so nothing is said of them: {}.",
            review.unjudged.join("; ")
        );
        blocks.push(Block::Note { tone: Tone::Unsure, text });
    }
    let share = |value: f64| format!("{value:.4}");
    let cases = |judgement| {
        let of = review.judgements.iter().find(|counted| counted.judgement == judgement);
        of.map_or(0, |counted| counted.count)
    };
    let rows = review.shares.iter().map(|found| -> Vec<Cell> {
        vec![
            found.judgement.words().into(),
            count(cases(found.judgement)).into(),
            share(found.share).into(),
            format!("{} to {}", share(found.interval.lower), share(found.interval.upper)).into(),
        ]
    });
    let dots = review.shares.iter().map(|found| DotRow {
        group: None,
        label: found.judgement.words().to_owned(),
        value: Some(found.share),
        interval: Some((found.interval.lower, found.interval.upper)),
    });
    let columns = vec![
        Column::text("Judgement"),
        Column::number("Cases"),
        Column::number("Share of the disagreements"),
        Column::number("Bounds"),
    ];
    blocks.push(Block::Figure(Figure {
        title: format!("Of the disagreements with {}, who was right", review.model),
        description: format!(
            "For each judgement its share of all disagreements, each class by its size; each bound holds with {} %.",
            significant(100.0 * review.confidence, 3)
        ),
        chart: Chart::Dots {
            x_label: "share of the disagreements".to_owned(),
            rows: dots.collect(),
            reference: None,
        },
        table: table("Data", columns, rows.collect()),
    }));
    if review.elsewise > 0 {
        blocks.push(text(format!(
            "{} of earlier draws from other classes: not counted here.",
            counted(review.elsewise, "judgement is", "judgements are")
        )));
    }
    if review.modes.iter().any(|found| found.mode.is_some()) {
        let rows = review
            .modes
            .iter()
            .filter_map(|found| Some(vec![found.mode?.words().into(), count(found.count).into()]));
        let columns = vec![Column::text("Failure mode"), Column::number("Cases")];
        blocks.push(Block::Table(table("How whoever was wrong went wrong", columns, rows.collect())));
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
            format!(
                "{} with {}",
                counted(segments, "sealed segment", "sealed segments"),
                counted(rows, "row", "rows")
            ),
        ),
        Fact::new(
            "Run",
            if known.closed { "closed: nothing more can come" } else { "not closed: it can go on" },
        ),
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
