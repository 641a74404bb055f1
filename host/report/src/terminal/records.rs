//! Where every record has got to, what the models answered, and how long it took.
//!
//! Always holds: the accounts are an equation that anyone can check; one that does not balance says so.

use crate::format::{UNDEFINED, count, counted, duration};
use crate::model::report::{Again, Comparison, Latency, Report};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span};
use understudy_records::pairing::Account;

/// Said where the accounts do not balance, which is always a fault of the host.
pub(super) const UNBALANCED: &str = "THE ACCOUNTS DO NOT BALANCE. No figure can be relied on: keep the run directory, \
                                     and report this as a fault of understudy.";

/// Whether every record and every pair is accounted for.
pub(super) fn balances(report: &Report) -> bool {
    report.accounting.balances() && pairs_balance(report)
}

/// Whether both streams have as many pairs as became of them.
fn pairs_balance(report: &Report) -> bool {
    let Comparison { compared, incomparable } = report.comparison;
    let (snapshots, decisions) = (report.accounting.snapshots.paired, report.accounting.decisions.paired);
    snapshots == decisions && compared.checked_add(incomparable) == Some(snapshots)
}

/// The accounts of both streams, and what became of the pairs.
pub(super) fn accounts(page: &mut Page, report: &Report) {
    let (snapshots, decisions) = (&report.accounting.snapshots, &report.accounting.decisions);
    page.blank();
    let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Left]);
    table.head([Span::new(Ink::Title, "Records"), faint("snapshots"), faint("decisions")]);
    let mut row = |name: &str, of: fn(&Account) -> u64, aside: &str| {
        let name = format!("  {name}").into();
        table.row([name, count(of(snapshots)).into(), count(of(decisions)).into(), faint(aside)]);
    };
    row("  received", |account| account.received, "");
    row("= rejected", |account| account.rejected, "not readable");
    row("+ duplicate", |account| account.duplicate, "came before, the same");
    row("+ conflict", |account| account.conflict, "came before, differs");
    row("+ late", |account| account.late, "far behind its stream");
    row("+ paired", |account| account.paired, "met its partner");
    row("+ waiting", |account| account.waiting, "may still meet it");
    row("+ expired", |account| account.expired, "decisions: orphans");
    table.row(["".into(), balance(snapshots), balance(decisions)]);
    table.print(page);

    let Comparison { compared, incomparable } = report.comparison;
    let pairs = counted(snapshots.paired, "pair", "pairs");
    let equation = format!("{pairs} = {} compared + {} incomparable", count(compared), count(incomparable));
    if pairs_balance(report) {
        page.paragraph(2, Ink::Plain, &format!("{equation}  ✓"), 2);
    } else {
        page.paragraph(2, Ink::Alarm, &format!("{equation}  ✗ NOT BALANCED"), 2);
    }
    if incomparable > 0 {
        page.paragraph(
            2,
            Ink::Faint,
            "incomparable: the comparator had no answer; pairs/ has its reasons, as `comparator.unanswered`",
            2,
        );
    }
}

fn balance(account: &Account) -> Span {
    if account.balances() { faint("✓ balances") } else { Span::new(Ink::Alarm, "✗ NOT BALANCED") }
}

/// How many snapshots each model answered.
pub(super) fn answers(page: &mut Page, report: &Report) {
    page.blank();
    let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
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
    // It is the same snapshots for every model.
    let blinded = report.models.iter().map(|model| model.blinded).max().unwrap_or_default();
    if blinded > 0 {
        let what = "blinded: no model was asked before their decision had come";
        page.paragraph(
            2,
            Ink::Faint,
            &format!("{} {what}", counted(blinded, "snapshot is", "snapshots are")),
            2,
        );
    }
}

/// What came of asking the models again.
pub(super) fn again(page: &mut Page, report: &Report) {
    for model in report.models.iter().filter(|model| model.again.asked > 0) {
        let Again { asked, otherwise, first_id, .. } = &model.again;
        let name = &model.plugin.name;
        let asked = format!("{name} was asked again about {}", counted(*asked, "snapshot", "snapshots"));
        match otherwise {
            0 => page.paragraph(2, Ink::Faint, &format!("{asked}, and answered the same"), 2),
            _ => {
                // No row is named before the run has ended.
                let first =
                    if first_id.is_empty() { String::new() } else { format!(", first id {first_id}") };
                let otherwise = format!(
                    "{asked}, and ANSWERED {} OTHERWISE{first}: it keeps something between calls, so its \
                     figures depend on what it saw before",
                    count(*otherwise)
                );
                page.paragraph(2, Ink::Alarm, &otherwise, 3);
            }
        }
    }
}

/// How long the models and the substrate took.
pub(super) fn latency(page: &mut Page, report: &Report) {
    page.blank();
    let mut table =
        Table::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right]);
    let names = ["p50", "p90", "p99", "max", "count"].map(faint);
    table.head([Span::new(Ink::Title, "Latency")].into_iter().chain(names));
    for model in &report.models {
        table.row(times(&model.plugin.name, &model.latency));
    }
    table.row(times("substrate", &report.substrate_latency.after));
    table.print(page);
    page.paragraph(
        2,
        Ink::Faint,
        "models: the time until a batch of snapshots was answered; its rows share it",
        2,
    );
    let substrate = "substrate: from the snapshot's time to the decision's time, as the records carry them";
    page.paragraph(2, Ink::Faint, substrate, 2);
    let before = report.substrate_latency.before;
    if before > 0 {
        let dated = counted(
            before,
            "decision is dated before its snapshot",
            "decisions are dated before their snapshots",
        );
        page.paragraph(2, Ink::Notice, &format!("{dated}: no latency can be told"), 2);
    }
}

fn times(name: &str, latency: &Latency) -> [Span; 6] {
    let Latency { count: number, p50, p90, p99, max } = *latency;
    let time = |nanos| if number == 0 { UNDEFINED.into() } else { duration(nanos).into() };
    [format!("  {name}").into(), time(p50), time(p90), time(p99), time(max), count(number).into()]
}

fn faint(text: &str) -> Span {
    Span::new(Ink::Faint, text)
}
