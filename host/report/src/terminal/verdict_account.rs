//! Renders the account behind a verdict: what became of every record, and the guards with their limits.
//!
//! Invariants: every term of both streams is shown with what it means for the verdict. Nothing is decided here.

use crate::accounting_term_text::{shed_sentences, waiting_sentence};
use crate::format::{UNDEFINED, count, counted, number_text};
use crate::revision_text::{revised_sentence, revised_slice_name};
use crate::terminal::records::balance;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::tries_text::tries_text;
use understudy_statistics::verdict::{
    GuardResult, GuardSpan, RevisedSlice, ScopeVerdict, Verdict, term_consequence,
};
use understudy_study::{ALL_SNAPSHOTS, StreamKind};

/// The accounts of both streams and of the pairs, and the other tries of the study.
pub fn verdict_account(page: &mut Page, verdict: &Verdict) {
    page.section("Account of every record", "");
    let (snapshots, decisions) = (&verdict.accounting.snapshots, &verdict.accounting.decisions);
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    table.head(["", "snapshots", "decisions", "limited by"].map(|head| Span::new(Ink::Faint, head)));
    for (name, term, records) in verdict.accounting.equation() {
        let consequence = term.map(|term| consequence(|kind| term_consequence(kind, term)));
        table.row([
            format!("  {name}").into(),
            count(records.snapshots).into(),
            count(records.decisions).into(),
            Span::new(Ink::Faint, consequence.unwrap_or_default()),
        ]);
    }
    table.row(["".into(), balance(snapshots), balance(decisions)]);
    table.print(page);
    if let Some(waiting) = waiting_sentence(&verdict.accounting, verdict.closed) {
        page.paragraph(2, Ink::Plain, &waiting);
    }
    let pairs = &verdict.pairs;
    let text = format!(
        "{} = {} compared + {} incomparable: the comparator gave no answer (least-coverage)",
        counted(snapshots.paired, "pair", "pairs"),
        count(pairs.compared),
        count(pairs.incomparable)
    );
    page.paragraph(2, Ink::Plain, &text);
    if let Some(revisions) = &verdict.revisions {
        page.paragraph(2, Ink::Plain, &revised_sentence(verdict, revisions));
        revised_slices(page, &revisions.conditions);
    }
    for sentence in shed_sentences(verdict, "most-shed") {
        page.paragraph(2, Ink::Plain, &sentence);
    }
    for (sentence, seals) in tries_text(&verdict.tries) {
        page.paragraph(2, Ink::Plain, &sentence);
        for seal in seals {
            page.paragraph(4, Ink::Plain, &format!("- {seal}"));
        }
    }
}

/// The revised pairs by condition, with the agreement of each model before and after the revision.
fn revised_slices(page: &mut Page, slices: &[RevisedSlice]) {
    let Some(first) = slices.first() else { return };
    let value = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), number_text);
    let mut table = TextTable::new(
        [Align::Left, Align::Right, Align::Right, Align::Right]
            .into_iter()
            .chain(first.models.iter().flat_map(|_| [Align::Point, Align::Point])),
    );
    let heads = ["  revised by condition", "pairs", "other decisions", "both answers"].map(str::to_owned);
    let ends = first.models.iter().flat_map(|found| {
        let name = if first.models.len() == 1 { String::new() } else { format!("{}, ", found.model) };
        [format!("{name}first"), format!("{name}last")]
    });
    table.head(heads.into_iter().chain(ends).map(|head| Span::new(Ink::Faint, head)));
    for slice in slices {
        let numbers = [slice.pairs, slice.decisions, slice.known].map(count);
        let values = slice.models.iter().flat_map(|found| [value(found.first), value(found.last)]);
        let cells = std::iter::once(format!("  {}", revised_slice_name(slice))).chain(numbers).chain(values);
        table.row(cells.map(Span::from));
    }
    table.print(page);
}

/// What a term means for the two streams.
fn consequence(of: impl Fn(StreamKind) -> &'static str) -> String {
    let [snapshots, decisions] = StreamKind::ALL.map(of);
    if snapshots == decisions { snapshots.to_owned() } else { format!("{snapshots}; {decisions}") }
}

/// The guards: those over all records, and those of the given model and scope, or of all of them. Shares of 0 that have
/// a maximum are counted and not listed.
pub fn guards(page: &mut Page, verdict: &Verdict, model: Option<&str>, scope: Option<&str>) {
    page.section("Guards", "");
    let mut table =
        TextTable::new([Align::Left, Align::Left, Align::Right, Align::Left, Align::Left, Align::Left]);
    table.head(["  guard", "counted", "share", "limit", "", "over"].map(|head| Span::new(Ink::Faint, head)));
    let shared = verdict.guards.iter().map(|guard| (guard, span_code(guard.span).to_owned()));
    let models = verdict.models.iter().filter(|found| model.is_none_or(|name| found.model == name));
    let scopes = models.flat_map(|found| {
        let scopes = found.scopes.iter().filter(|found| scope.is_none_or(|name| found.scope == name));
        scopes.flat_map(|ruling| {
            let name = scope_name(&found.model, ruling);
            ruling.guards.iter().map(move |guard| (guard, name.clone()))
        })
    });
    let (zeros, listed): (Vec<_>, Vec<_>) = shared.chain(scopes).partition(|(guard, _)| guard.is_zero());
    for (guard, over) in &listed {
        table.row(cells(guard, over));
    }
    if !listed.is_empty() {
        table.print(page);
    }
    if !zeros.is_empty() {
        let guards =
            counted(zeros.len() as u64, "guard with a share of 0 is", "guards with a share of 0 are");
        page.paragraph(
            2,
            Ink::Plain,
            &format!("{guards} not listed; the page and verdict.json have all guards."),
        );
    }
    let note = span_notes(&listed);
    if !note.is_empty() {
        page.paragraph(2, Ink::Faint, &note);
    }
}

/// What the words in the column `over` mean, for those that the listed guards have.
fn span_notes(listed: &[(&GuardResult, String)]) -> String {
    let has = |word: &str| listed.iter().any(|(_, over)| over == word);
    let mut notes = Vec::new();
    if has(span_code(GuardSpan::CountedWindows)) {
        notes.push("windows: those that count.");
    }
    if has(span_code(GuardSpan::DecisionPeriod)) {
        notes.push("horizon: the windows that count and the horizon after them, in which decisions on their snapshots are taken.");
    }
    let of_models = |guard: &GuardResult, over: &str| span_code(guard.span) != over;
    if listed.iter().any(|(guard, over)| of_models(guard, over)) {
        notes.push("The shares of a model are of the windows that count.");
    }
    if listed.iter().any(|(guard, over)| of_models(guard, over) && guard.span == GuardSpan::Run) {
        notes.push("Its share of `most-shed` is of the whole run.");
    }
    if !listed.is_empty() {
        notes.push("Identical copies are in no share.");
    }
    notes.join(" ")
}

/// The span in one word, which the note below the table explains.
fn span_code(span: GuardSpan) -> &'static str {
    match span {
        GuardSpan::Run => "run",
        GuardSpan::CountedWindows => "windows",
        GuardSpan::DecisionPeriod => "horizon",
    }
}

fn scope_name(model: &str, ruling: &ScopeVerdict) -> String {
    match ruling.scope == ALL_SNAPSHOTS {
        true => model.to_owned(),
        false => format!("{model}, scope {}", ruling.scope),
    }
}

fn cells(guard: &GuardResult, over: &str) -> [Span; 6] {
    let mark = match guard.within_limit {
        true => Span::new(Ink::Faint, "✓"),
        false => Span::new(Ink::Alarm, "✗"),
    };
    [
        format!("  {}", guard.guard.key()).into(),
        guard.counts().into(),
        guard.share().into(),
        guard.limit_words().into(),
        mark,
        Span::new(Ink::Faint, over),
    ]
}
