//! What broke, and which records take no part.
//!
//! Always holds: what is not shown is counted, and where to find it is said.

use crate::format::{count, counted};
use crate::model::report::{RefusedRecord, Report};
use crate::terminal::text_canvas::{Ink, Page, Span};
use understudy_records::pairing::Account;

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
    let all = counted(kinds as u64, "kind", "kinds");
    let shown = format!("the first {INCIDENTS} of {all}; all are in report.json");
    page.section("Incidents", if kinds > INCIDENTS { &shown } else { &all });
    for incident in report.incidents.iter().take(INCIDENTS) {
        let times = counted(incident.count, "time", "times");
        let name = Span::new(Ink::Notice, &incident.plugin);
        // What a metric broke on when it made a figure is no row.
        let first = if incident.first_id.is_empty() {
            String::new()
        } else {
            format!(", first on id {}", incident.first_id)
        };
        page.line(2, &[name, format!("  {times}{first}").into()]);
        page.paragraph(6, Ink::Plain, &incident.what, LINES);
    }
}

/// The first records of each class that were refused.
pub(super) fn refused(page: &mut Page, report: &Report) {
    let streams = [("snapshots", &report.accounting.snapshots), ("decisions", &report.accounting.decisions)];
    let classes = streams.into_iter().flat_map(|(stream, account)| {
        let Account { rejected, duplicate, conflict, late, .. } = *account;
        [("rejected", rejected), ("duplicate", duplicate), ("conflict", conflict), ("late", late)]
            .map(|(class, number)| (stream, class, number))
    });
    let classes: Vec<_> = classes.filter(|(.., number)| *number > 0).collect();
    if classes.is_empty() {
        return;
    }
    page.section("Refused records", "all are in refused/ of the run directory");
    for (stream, class, number) in classes {
        page.line(2, &[format!("{stream}, {class}  ").into(), Span::new(Ink::Faint, count(number))]);
        let of_class = |record: &&RefusedRecord| record.stream == stream && record.class == class;
        let shown: Vec<_> = report.refused.iter().filter(of_class).take(RECORDS).collect();
        for record in &shown {
            page.paragraph(6, Ink::Plain, &format!("line {}: {}", count(record.line), record.reason), LINES);
        }
        let more = number.saturating_sub(shown.len() as u64);
        if more > 0 && !shown.is_empty() {
            page.line(6, &[Span::new(Ink::Faint, format!("and {} more", count(more)))]);
        }
    }
}
