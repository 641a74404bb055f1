//! The account behind a verdict: what became of every record, and the guards with their limits.
//!
//! Invariants: every term of both streams is shown with what it means for the verdict. Nothing is decided here.

use crate::accounting_term_text::{shed_sentences, waiting_sentence};
use crate::format::{count, counted};
use crate::page::{Block, Cell, Column, Tone};
use crate::revision_text::revised_sentence;
use crate::sections::helpers::{folded, scope_name, table, text};
use crate::tries_text::tries_text;
use understudy_statistics::verdict::{GuardResult, Verdict, term_consequence};
use understudy_study::StreamKind;

/// The guards over all records, and those of each model and scope. Guards with a share of 0 are in a folded table.
pub fn guards(verdict: &Verdict) -> Vec<Block> {
    let shared = verdict.guards.iter().map(|guard| (guard, guard.span.name().to_owned()));
    let scopes = verdict.models.iter().flat_map(|model| {
        model.scopes.iter().flat_map(|ruling| {
            let over = |guard: &GuardResult| {
                format!("{}, {}, {}", guard.span.name(), model.model, scope_name(ruling))
            };
            ruling.guards.iter().map(move |guard| (guard, over(guard)))
        })
    });
    let columns = vec![
        Column::text("Guard"),
        Column::text("Counted"),
        Column::number("Share"),
        Column::text("Limit"),
        Column::text("Met"),
        Column::text("Over"),
    ];
    let (zeros, others): (Vec<_>, Vec<_>) = shared.chain(scopes).partition(|(guard, _)| guard.is_zero());
    let rows = |guards: Vec<(&GuardResult, String)>| -> Vec<Vec<Cell>> {
        guards.into_iter().map(|(guard, over)| row(guard, over)).collect()
    };
    let mut blocks = Vec::new();
    if !others.is_empty() || zeros.is_empty() {
        let caption = "Guards of the threshold; identical copies are in no share";
        blocks.push(Block::Table(table(caption, columns.clone(), rows(others))));
    }
    if !zeros.is_empty() {
        blocks.push(Block::Table(folded("Guards with a share of 0", columns, rows(zeros))));
    }
    blocks
}

fn row(guard: &GuardResult, over: String) -> Vec<Cell> {
    let (met, tone) = if guard.within_limit { ("yes", Tone::Good) } else { ("no", Tone::Bad) };
    vec![
        guard.guard.key().into(),
        guard.counts().into(),
        guard.share().into(),
        guard.limit_words().into(),
        Cell::from(met).toned(tone),
        over.into(),
    ]
}

/// The accounts of both streams and of the pairs, and the other tries of the study.
pub fn account(verdict: &Verdict) -> Vec<Block> {
    let rows = verdict.accounting.equation().into_iter().map(|(name, term, records)| {
        let limit = |kind| term.map_or("", |term| term_consequence(kind, term));
        vec![
            name.into(),
            count(records.snapshots).into(),
            limit(StreamKind::Snapshots).into(),
            count(records.decisions).into(),
            limit(StreamKind::Decisions).into(),
        ]
    });
    let columns = vec![
        Column::text("Records"),
        Column::number("Snapshots"),
        Column::text("Limited by"),
        Column::number("Decisions"),
        Column::text("Limited by"),
    ];
    let pairs = &verdict.pairs;
    let mut blocks = vec![Block::Table(table("Account of every record of the run", columns, rows.collect()))];
    blocks.extend(waiting_sentence(&verdict.accounting, verdict.closed).map(text));
    blocks.push(text(format!(
        "{} = {} compared + {} incomparable. An incomparable pair has no answer of the comparator; it counts as not \
         compared for `least-coverage`.",
        counted(verdict.accounting.snapshots.paired, "pair", "pairs"),
        count(pairs.compared),
        count(pairs.incomparable)
    )));
    if let Some(revisions) = &verdict.revisions {
        blocks.push(text(revised_sentence(verdict, revisions)));
        if !revisions.conditions.is_empty() {
            blocks.push(text("The section *Revised decisions* has them by condition."));
        }
    }
    blocks.extend(shed_sentences(verdict, "`most-shed`").into_iter().map(text));
    for (sentence, seals) in tries_text(&verdict.tries) {
        blocks.push(text(sentence));
        if !seals.is_empty() {
            blocks.push(Block::List(seals));
        }
    }
    blocks
}
