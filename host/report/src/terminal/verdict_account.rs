//! Renders the account behind a verdict: what became of every record, and the guards with their limits.
//!
//! Invariants: every term of both streams is shown with what it means for the verdict. Nothing is decided here.

use crate::accounting_term_text::{shed_sentences, waiting_sentence};
use crate::format::{count, counted};
use crate::revision_text::{revised_sentence, revised_slice_text};
use crate::terminal::records::balance;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::tries_text::tries_text;
use understudy_statistics::verdict::{GuardResult, GuardSpan, ScopeVerdict, Verdict, term_consequence};
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
        for slice in &revisions.conditions {
            page.paragraph(4, Ink::Faint, &revised_slice_text(slice));
        }
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
    let is_zero = |guard: &GuardResult| guard.count == 0 && !guard.guard.is_minimum();
    let mut zeros = 0;
    for guard in &verdict.guards {
        match is_zero(guard) {
            true => zeros += 1,
            false => table.row(cells(guard, span_code(guard.span))),
        }
    }
    for found in verdict.models.iter().filter(|found| model.is_none_or(|name| found.model == name)) {
        for ruling in found.scopes.iter().filter(|found| scope.is_none_or(|name| found.scope == name)) {
            for guard in &ruling.guards {
                match is_zero(guard) {
                    true => zeros += 1,
                    false => table.row(cells(guard, &scope_name(&found.model, ruling))),
                }
            }
        }
    }
    table.print(page);
    if zeros > 0 {
        let guards = counted(zeros, "guard with a share of 0 is", "guards with a share of 0 are");
        page.paragraph(
            2,
            Ink::Plain,
            &format!("{guards} not listed; the page and verdict.json have all guards."),
        );
    }
    let note = "windows: those that count. horizon: these windows and the horizon after them, in which decisions on their \
                snapshots are taken. The guards of a model are over the windows that count, except that most-shed is over the run. Identical copies are \
                in no share.";
    page.paragraph(2, Ink::Faint, note);
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
