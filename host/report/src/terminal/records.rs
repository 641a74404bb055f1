//! Renders the accounting of records, the models' answers, determinism checks and latencies.
//!
//! Invariants: the accounts are shown as an equation that a reader can check. An account that does not balance is
//! marked.

use crate::accounting_term_text::{term_description, waiting_sentence};
use crate::blinded_answers::blinded_sentence;
use crate::format::{UNDEFINED, count, counted, duration};
use crate::model::report::Report;
use crate::model::run_summary::{DeterminismSummary, LatencySummary};
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::value_text::value_text;
use understudy_records::join::Account;
use understudy_statistics::verdict::PairCounts;

/// The warning for accounts that do not balance, which is always a bug of understudy.
pub(super) const UNBALANCED: &str = "THE ACCOUNTS DO NOT BALANCE. No figure is reliable: keep the run directory, and \
                                     report this as a bug of understudy.";

/// Whether every record and every pair is accounted for.
pub(super) fn balances(report: &Report) -> bool {
    report.accounting.balances() && pairs_balance(report)
}

/// Whether both streams count the same pairs, and compared and incomparable pairs add up to them.
fn pairs_balance(report: &Report) -> bool {
    let PairCounts { compared, incomparable } = report.comparison;
    let (snapshots, decisions) = (report.accounting.snapshots.paired, report.accounting.decisions.paired);
    snapshots == decisions && compared.checked_add(incomparable) == Some(snapshots)
}

/// The accounts of both streams, and of the pairs.
pub(super) fn accounts(page: &mut Page, report: &Report) {
    let (snapshots, decisions) = (&report.accounting.snapshots, &report.accounting.decisions);
    page.blank();
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    table.head([Span::new(Ink::Title, "Records"), faint("snapshots"), faint("decisions")]);
    for (name, term, records) in report.accounting.equation() {
        let name = if term.is_none() { format!("    {name}") } else { format!("  {name}") };
        let description = term.map_or("", |term| term_description(term, report.end.is_final()));
        let [snapshots, decisions] = records.map(count).into_array();
        table.row([name.into(), snapshots.into(), decisions.into(), faint(description)]);
    }
    table.row(["".into(), balance(snapshots), balance(decisions)]);
    table.print(page);
    if let Some(waiting) = waiting_sentence(&report.accounting, report.end.is_final()) {
        page.paragraph(2, Ink::Faint, &waiting);
    }

    let PairCounts { compared, incomparable } = report.comparison;
    let pairs = counted(snapshots.paired, "pair", "pairs");
    let equation = format!("{pairs} = {} compared + {} incomparable", count(compared), count(incomparable));
    if pairs_balance(report) {
        page.paragraph(2, Ink::Plain, &format!("{equation}  ✓"));
    } else {
        page.paragraph(2, Ink::Alarm, &format!("{equation}  ✗ NOT BALANCED"));
    }
    if incomparable > 0 {
        page.paragraph(
            2,
            Ink::Faint,
            "incomparable: the comparator gave no answer; see \"Missing answers\" below, and for each pair the column \
             `comparator.unanswered` in pairs/",
        );
    }
}

pub(super) fn balance(account: &Account) -> Span {
    if account.balances() { faint("✓ balances") } else { Span::new(Ink::Alarm, "✗ NOT BALANCED") }
}

/// The number of snapshots that each model answered.
pub(super) fn answers(page: &mut Page, report: &Report) {
    page.blank();
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
    let names = ["answered", "abstained", "failed"].map(faint);
    table.head([Span::new(Ink::Title, "Answers")].into_iter().chain(names));
    for model in &report.models {
        let form = model.form.name();
        let counts = [model.answered, model.abstained, model.failed].map(|number| count(number).into());
        let name = format!("  {}", model.plugin.name).into();
        let title = faint(&format!("{form}, by {}", model.plugin.title));
        table.row([name].into_iter().chain(counts).chain([title]));
    }
    table.print(page);
    // All models have the same blinded snapshots.
    let blinded = report.models.iter().map(|model| model.blinded).max().unwrap_or_default();
    if blinded > 0 {
        let what = "blinded: the models are asked only once the decision is known";
        page.paragraph(
            2,
            Ink::Faint,
            &format!("{} {what}", counted(blinded, "snapshot is", "snapshots are")),
        );
    }
    for sentence in report.models.iter().filter_map(|model| blinded_sentence(report, model)) {
        page.paragraph(2, Ink::Plain, &sentence);
    }
}

/// The results of the determinism checks.
pub(super) fn determinism_checks(page: &mut Page, report: &Report) {
    for model in report.models.iter().filter(|model| model.determinism_check.checked > 0) {
        let DeterminismSummary { checked, mismatches, first_id } = &model.determinism_check;
        let name = &model.plugin.name;
        let checked = format!(
            "determinism check of {name}: {} answered twice",
            counted(*checked, "snapshot", "snapshots")
        );
        match mismatches {
            0 => page.paragraph(2, Ink::Faint, &format!("{checked}, no mismatches")),
            _ => {
                // An interim report names no row.
                let first = if first_id.is_empty() {
                    String::new()
                } else {
                    format!(", first id {}", value_text(first_id))
                };
                let text = format!(
                    "{checked}, {}{first}: the model keeps state between calls, so its figures depend on the order of \
                     its input",
                    counted(*mismatches, "MISMATCH", "MISMATCHES")
                );
                page.paragraph(2, Ink::Alarm, &text);
            }
        }
    }
}

/// The latencies of the models and of the substrate.
pub(super) fn latency(page: &mut Page, report: &Report) {
    page.blank();
    let mut table =
        TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right]);
    let names = ["p50", "p90", "p99", "max", "count"].map(faint);
    table.head([Span::new(Ink::Title, "Latency")].into_iter().chain(names));
    for model in &report.models {
        table.row(latency_row(&model.plugin.name, &model.latency));
    }
    table.row(latency_row("substrate", &report.substrate_latency.latency));
    table.print(page);
    page.paragraph(
        2,
        Ink::Faint,
        "models: time to answer a batch of snapshots, counted for each of its rows",
    );
    let substrate = "substrate: from the time of the snapshot to the time of the decision, as in the records";
    page.paragraph(2, Ink::Faint, substrate);
    let before = report.substrate_latency.dated_before_snapshot;
    if before > 0 {
        let dated = counted(
            before,
            "decision is dated before its snapshot",
            "decisions are dated before their snapshots",
        );
        page.paragraph(2, Ink::Notice, &format!("{dated}: not included"));
    }
}

fn latency_row(name: &str, latency: &LatencySummary) -> [Span; 6] {
    let LatencySummary { count: number, p50, p90, p99, max } = *latency;
    let time = |nanos| if number == 0 { UNDEFINED.into() } else { duration(nanos).into() };
    [format!("  {name}").into(), time(p50), time(p90), time(p99), time(max), count(number).into()]
}

fn faint(text: &str) -> Span {
    Span::new(Ink::Faint, text)
}
