//! The sections of events, reviews and provenance.
//!
//! Invariants: everything here comes from the ledger or the seal.

use jiff::Timestamp;

use crate::format::{UNDEFINED, count, counted, number_text, p_value, significant};
use crate::metadata_text::metadata_lines;
use crate::model::bundle::{ReportBundle, ReviewNote, RunEvent, RunEventKind};
use crate::model::reviews::ReviewSummary;
use crate::page::{Block, Cell, Chart, Column, DataTable, DotRow, Fact, Figure, Section, Tone};
use crate::sections::helpers::{folded, signed, signed_interval, table, text};
use crate::value_text::{listed_value, value_text};
use understudy_statistics::verdict::{
    Contamination, Estimate, ModelVerdict, TESTED_LATER, untestable_sentence,
};
use understudy_study::TrainingPeriod;

/// The number of rows up to which a table is not folded.
const UNFOLDED: usize = 40;

/// Exposures, changes of the substrate, swaps and interruptions, and the contamination test.
pub fn events(bundle: &ReportBundle) -> Section {
    let mut blocks = Vec::new();
    let number_of =
        |kind: RunEventKind| bundle.events.iter().filter(|event| event.kind == kind).count() as u64;
    let (exposures, changes) = (number_of(RunEventKind::Exposure), number_of(RunEventKind::ComparatorChange));
    let (tested, forced) = (number_of(RunEventKind::Swap), number_of(RunEventKind::ForcedSwap));
    let swaps = match (tested + forced, forced) {
        (0, _) => "No plugin was swapped during the run: all are the sealed ones.".to_owned(),
        (all, 0) => format!(
            "The run had {}; the new plugins gave the same answers to recent pairs.",
            counted(all, "swap", "swaps")
        ),
        (all, new) => format!(
            "The run had {}, {} of them to plugins with other answers. Results after such a swap count as a comparator change.",
            counted(all, "swap", "swaps"),
            count(new)
        ),
    };
    blocks.push(text(format!(
        "The ledger records {} of answers and {} of the substrate or its comparator. {swaps}",
        counted(exposures, "exposure", "exposures"),
        counted(changes, "change", "changes"),
    )));
    for ModelVerdict { model, contamination, .. } in bundle.verdict.iter().flat_map(|verdict| &verdict.models)
    {
        blocks.push(contamination_text(model, contamination.as_ref()));
    }
    let rows: Vec<Vec<Cell>> = merge_retention(&bundle.events)
        .iter()
        .map(|event| {
            let at = event.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
            let since = event.effective_from.map(|since| since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let kind = match event.kind {
                RunEventKind::Exposure => Cell::from("exposure").toned(Tone::Unsure),
                RunEventKind::ComparatorChange => Cell::from("comparator change").toned(Tone::Unsure),
                RunEventKind::Swap => "swap".into(),
                RunEventKind::ForcedSwap => Cell::from("forced swap").toned(Tone::Unsure),
                RunEventKind::Interruption => "interruption".into(),
                RunEventKind::DeterminismMismatch => Cell::from("determinism mismatch").toned(Tone::Bad),
                RunEventKind::Retention => "retention".into(),
                RunEventKind::InterimReport => "interim report".into(),
                RunEventKind::Note => "note".into(),
            };
            let since = since.unwrap_or_else(|| UNDEFINED.to_owned());
            vec![at.into(), kind, since.into(), event.text.as_str().into()]
        })
        .collect();
    if !rows.is_empty() {
        let columns = vec![
            Column::text("Recorded"),
            Column::text("Kind"),
            Column::text("Effective from"),
            Column::text("Event"),
        ];
        let folded = rows.len() > UNFOLDED;
        blocks.push(Block::Table(DataTable { folded, ..table("Events", columns, rows) }));
    }
    Section { id: "events", title: "Exposures, swaps and contamination".to_owned(), blocks }
}

/// The events, with consecutive deletions by retention merged into one.
fn merge_retention(events: &[RunEvent]) -> Vec<RunEvent> {
    let runs = events.chunk_by(|one, next| [one, next].iter().all(|h| h.kind == RunEventKind::Retention));
    let one = |run: &[RunEvent]| match run {
        [] => None,
        [one] => Some(one.clone()),
        [first, ..] => Some(RunEvent {
            text: format!("fields of {} segments were deleted, as declared", count(run.len() as u64)),
            ..first.clone()
        }),
    };
    runs.filter_map(one).collect()
}

/// The result of the contamination test of a model.
fn contamination_text(model: &str, contamination: Option<&Contamination>) -> Block {
    let Some(Contamination { unblinded, blinded, tested, difference }) = contamination else {
        return text(format!("{model}: no pairs were blinded, so contamination was not tested."));
    };
    let estimate_text = |found: &Estimate| match found.value {
        Some(value) => format!("{} over {}", number_text(value), counted(found.pairs, "pair", "pairs")),
        None if found.withheld => format!("withheld over {}", counted(found.pairs, "pair", "pairs")),
        None => "undefined".to_owned(),
    };
    let result = match difference {
        None if !tested => TESTED_LATER.to_owned(),
        None => untestable_sentence(),
        Some(found) => format!(
            "The difference is {} ({}), p-value {}.",
            signed(found.difference),
            signed_interval(found.interval),
            p_value(found.p_value)
        ),
    };
    text(format!(
        "Contamination test of {model}: {} for unblinded pairs (answered before the decision), {} for blinded pairs (answered \
         after it). {result}",
        estimate_text(unblinded),
        estimate_text(blinded)
    ))
}

/// The reviews of disagreements.
pub fn reviews(bundle: &ReportBundle) -> Section {
    let mut blocks = Vec::new();
    if bundle.reviews.is_empty() {
        blocks.push(text(
            "No cases have been reviewed, so it is unknown who was right where model and substrate differ. `understudy review` \
             presents a sample of them.",
        ));
    }
    for review in &bundle.reviews {
        review_blocks(review, &mut blocks);
    }
    if !bundle.review_notes.is_empty() {
        let note = |note: &ReviewNote| -> Vec<Cell> {
            let text = if note.note.is_empty() { String::new() } else { value_text(&note.note) };
            vec![
                value_text(&note.reviewer).into(),
                note.model.as_str().into(),
                value_text(&note.stratum).into(),
                note.judgement.text().into(),
                text.into(),
            ]
        };
        let columns = ["Reviewer", "Model", "Stratum", "Judgement", "Note"].map(Column::text).to_vec();
        blocks.push(Block::Table(folded(
            "Notes of the reviewers",
            columns,
            bundle.review_notes.iter().map(note).collect(),
        )));
    }
    Section { id: "reviews", title: "Reviewed cases".to_owned(), blocks }
}

fn review_blocks(review: &ReviewSummary, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(review.model.clone()));
    blocks.push(text(format!(
        "{} of {} were judged, sampled evenly over the strata.",
        count(review.judged),
        counted(review.disagreements, "disagreement", "disagreements")
    )));
    if !review.unjudged_strata.is_empty() {
        let strata: Vec<String> =
            review.unjudged_strata.iter().map(|stratum| listed_value(stratum, &["; "])).collect();
        let text =
            format!("Strata without judgements, which the shares do not cover: {}.", strata.join("; "));
        blocks.push(Block::Note { tone: Tone::Unsure, text });
    }
    let share = |value: f64| format!("{value:.4}");
    let cases = |judgement| {
        let of = review.judgements.iter().find(|counted| counted.judgement == judgement);
        of.map_or(0, |counted| counted.count)
    };
    let rows = review.shares.iter().map(|found| -> Vec<Cell> {
        vec![
            found.judgement.text().into(),
            count(cases(found.judgement)).into(),
            share(found.share).into(),
            format!("{} to {}", share(found.interval.lower), share(found.interval.upper)).into(),
        ]
    });
    let dots = review.shares.iter().map(|found| DotRow {
        group: None,
        label: found.judgement.text().to_owned(),
        value: Some(found.share),
        interval: Some((found.interval.lower, found.interval.upper)),
    });
    let columns = vec![
        Column::text("Judgement"),
        Column::number("Cases"),
        Column::number("Share of the disagreements"),
        Column::number("Interval"),
    ];
    blocks.push(Block::Figure(Figure {
        title: format!("Judgements of the disagreements of {}", review.model),
        description: format!(
            "For each judgement its estimated share of all disagreements, weighted by stratum size; each bound has a confidence of {} %.",
            significant(100.0 * review.confidence, 3)
        ),
        chart: Chart::Dots {
            x_label: "share of the disagreements".to_owned(),
            rows: dots.collect(),
            reference: None,
        },
        table: table("Data", columns, rows.collect()),
    }));
    if review.superseded_judgements > 0 {
        blocks.push(text(format!(
            "{} from earlier samples with other strata and not counted.",
            counted(review.superseded_judgements, "judgement is", "judgements are")
        )));
    }
    if review.failure_modes.iter().any(|found| found.mode.is_some()) {
        let rows = review
            .failure_modes
            .iter()
            .filter_map(|found| Some(vec![found.mode?.text().into(), count(found.count).into()]));
        let columns = vec![Column::text("Failure mode"), Column::number("Cases")];
        blocks.push(Block::Table(table("Failure modes", columns, rows.collect())));
    }
}

/// Seal, digests and versions.
pub fn provenance(bundle: &ReportBundle) -> Section {
    let known = &bundle.provenance;
    let sealed = known.sealed_at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());

    let mut facts = vec![
        Fact::new("Seal, SHA-256", &known.seal),
        Fact::new("Declaration, SHA-256", &bundle.report.declaration_digest),
        Fact::new("Sealed", sealed.unwrap_or_else(|| "unknown".to_owned())),
        Fact::new(
            "Ledger",
            format!("{}, head {}", counted(known.ledger_entries, "entry", "entries"), known.ledger_head),
        ),
        Fact::new("Signed by", known.key.clone().unwrap_or_else(|| "not signed".to_owned())),
        Fact::new(
            "Log",
            format!(
                "{} with {}",
                counted(known.segments, "sealed segment", "sealed segments"),
                counted(known.segment_rows, "row", "rows")
            ),
        ),
        Fact::new(
            "Run",
            if known.closed { "closed: no more records can arrive" } else { "open: it can be resumed" },
        ),
        Fact::new("Run started with", format!("understudy {}", known.run_version)),
        Fact::new("Report made with", format!("understudy {}", known.report_version)),
    ];
    facts.extend(metadata_lines(&bundle.report).into_iter().map(|(label, text)| Fact::new(label, text)));
    if let Some(seal) = &bundle.report.replay_of {
        facts.push(Fact::new("Offline evaluation of the run with seal", seal));
    }
    for model in &bundle.report.models {
        if let Some(TrainingPeriod { from, until }) = model.training_period {
            let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC");
            let label = format!("Training period of {}", model.plugin.name);
            facts.push(Fact::new(label, format!("from {} to {}", time(from), time(until))));
        }
    }
    let plugins = known.plugins.iter().map(|plugin| {
        [&plugin.role, &plugin.name, &plugin.title, &plugin.digest].map(|text| text.as_str().into()).to_vec()
    });
    let columns = ["Role", "Name", "Title", "SHA-256"].map(Column::text).to_vec();
    let search_metric = &bundle.report.divergence;
    let blocks = vec![
        Block::Facts(facts),
        Block::Table(table("Plugins", columns, plugins.collect())),
        text(format!(
            "Intervals have a confidence of {} %. `understudy verify` checks that the run is complete and recomputes every figure.",
            significant(100.0 * search_metric.confidence, 3)
        )),
    ];
    Section { id: "provenance", title: "Provenance".to_owned(), blocks }
}
