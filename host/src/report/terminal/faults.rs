//! What broke, and which records take no part.
//!
//! Always holds: what is not shown is counted, and where to find it is said.

use super::number::{count, counted};
use super::page::{Ink, Page, Span};
use crate::pairing::Account;
use crate::report::{RefusedRecord, Report};

/// The most incidents that are shown.
const INCIDENTS: usize = 5;

/// The most records of one class of a stream that are shown.
const RECORDS: usize = 3;

/// The most lines for one reason.
const LINES: usize = 3;

/// What broke, the most frequent first.
pub(super) fn incidents(page: &mut Page, report: &Report) {
    if report.incidents.is_empty() {
        return;
    }
    let kinds = report.incidents.len();
    let shown = if kinds > INCIDENTS { format!(", the {INCIDENTS} most frequent") } else { String::new() };
    page.section("Incidents", &format!("{}{shown}", counted(kinds as u64, "kind", "kinds")));
    for incident in report.incidents.iter().take(INCIDENTS) {
        let times = counted(incident.count, "time", "times");
        let name = Span::new(Ink::Notice, &incident.plugin);
        page.line(2, &[name, format!("  {times}, first on id {}", incident.first_id).into()]);
        page.paragraph(6, Ink::Plain, &incident.what, LINES);
    }
}

/// The first records of each class that were refused.
pub(super) fn refused(page: &mut Page, report: &Report) {
    let accounting = &report.accounting;
    let streams = [("snapshots", &accounting.snapshots), ("decisions", &accounting.decisions)];
    let classes: [(&str, fn(&Account) -> u64); 4] = [
        ("rejected", |account| account.rejected),
        ("duplicate", |account| account.duplicate),
        ("conflict", |account| account.conflict),
        ("late", |account| account.late),
    ];
    let number = |of: fn(&Account) -> u64| streams.iter().map(|(_, account)| u128::from(of(account))).sum::<u128>();
    if report.refused.is_empty() && classes.iter().all(|(_, of)| number(*of) == 0) {
        return;
    }
    page.section("Refused records", "all of them, with their text, are in refused/ of the run directory");
    for (stream, account) in streams {
        for (class, of) in classes {
            let of_class = |record: &&RefusedRecord| record.stream == stream && record.class == class;
            let all = of(account);
            if all == 0 && !report.refused.iter().any(|record| of_class(&record)) {
                continue;
            }
            page.line(2, &[format!("{stream}, {class}  ").into(), Span::new(Ink::Faint, count(all))]);
            let mut shown = 0;
            for record in report.refused.iter().filter(of_class).take(RECORDS) {
                page.paragraph(6, Ink::Plain, &format!("line {}: {}", count(record.line), record.reason), LINES);
                shown += 1;
            }
            if all > shown && shown > 0 {
                page.line(6, &[Span::new(Ink::Faint, format!("and {} more", count(all - shown)))]);
            }
        }
    }
}
