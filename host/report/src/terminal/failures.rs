//! Renders missing values, why answers are missing, failures of plugins, and excluded records.
//!
//! Invariants: everything that is not shown is counted, with the place where it can be found.

use crate::format::{count, counted};
use crate::model::report::Report;
use crate::model::run_summary::{ExcludedExample, MissingAnswers, MissingValues};
use crate::sections::records::{plugin_role, reason_text};
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::value_text::value_text;
use understudy_records::join::Account;

/// The maximum number of failures shown.
const MAX_FAILURES: usize = 5;

/// The maximum number of reasons shown for one plugin and kind.
const MAX_REASONS: usize = 3;

/// The maximum number of records shown for one stream and reason.
const MAX_RECORDS: usize = 3;

/// The maximum number of fields shown.
const MAX_FIELDS: usize = 10;

/// The maximum number of lines of one message.
const MAX_LINES: usize = 3;

/// Why answers are missing: for each plugin and kind the most frequent reasons.
pub(super) fn missing_answers(page: &mut Page, report: &Report) {
    if report.missing_answers.is_empty() {
        return;
    }
    page.section("Missing answers", "more reasons are in report.json, all are in the log");
    let is_same =
        |one: &MissingAnswers, other: &MissingAnswers| (&one.plugin, one.kind) == (&other.plugin, other.kind);
    for groups in report.missing_answers.chunk_by(is_same) {
        let [first, ..] = groups else { continue };
        let all = groups.iter().map(|group| group.count).sum();
        let what =
            format!("{} ({}), {}  ", first.plugin, plugin_role(report, &first.plugin), first.kind.name());
        page.line(2, &[Span::new(Ink::Notice, what), counted(all, "answer", "answers").into()]);
        for group in groups.iter().take(MAX_REASONS) {
            let first = match group.first_id.as_str() {
                "" => String::new(),
                id => format!(", first for id {}", value_text(id)),
            };
            page.line(6, &[format!("{}{first}", counted(group.count, "time", "times")).into()]);
            page.clipped_paragraph(8, Ink::Plain, &reason_text(report, group), MAX_LINES);
            if let Some(example) = &group.example {
                page.clipped_paragraph(
                    8,
                    Ink::Faint,
                    &format!("such as: {}", value_text(example)),
                    MAX_LINES,
                );
            }
        }
        let more: u64 = groups.iter().skip(MAX_REASONS).map(|group| group.count).sum();
        if more > 0 {
            let more = counted(more, "time", "times");
            page.line(6, &[Span::new(Ink::Faint, format!("{more} for other reasons"))]);
        }
    }
}

/// The declared fields that some accepted record has no value of.
pub(super) fn missing_values(page: &mut Page, report: &Report) {
    if report.missing_values.is_empty() {
        return;
    }
    let number = report.missing_values.len();
    let aside = format!("the first {MAX_FIELDS} of {}; all are in report.json", count(number as u64));
    page.section("Missing values", if number > MAX_FIELDS { &aside } else { "" });
    let mut table = TextTable::new([Align::Left, Align::Left, Align::Right]);
    for MissingValues { stream, field, missing, records } in report.missing_values.iter().take(MAX_FIELDS) {
        let share = format!("{} of {}", count(*missing), counted(*records, "record", "records"));
        table.row([format!("  {stream}").into(), value_text(field).into(), share.into()]);
    }
    table.print(page);
}

/// Failures of plugins, the most frequent first.
pub(super) fn plugin_failures(page: &mut Page, report: &Report) {
    if report.failures.is_empty() {
        return;
    }
    let kinds = report.failures.len();
    let all = counted(kinds as u64, "kind", "kinds");
    let aside = format!("the first {MAX_FAILURES} of {all}; all are in report.json");
    page.section("Plugin failures", if kinds > MAX_FAILURES { &aside } else { &all });
    for failure in report.failures.iter().take(MAX_FAILURES) {
        let times = counted(failure.count, "time", "times");
        let name = Span::new(Ink::Notice, &failure.plugin);
        // A metric that fails in `reduce` has no row.
        let first = if failure.first_id.is_empty() {
            String::new()
        } else {
            format!(", first for id {}", value_text(&failure.first_id))
        };
        page.line(2, &[name, format!("  {times}{first}").into()]);
        page.clipped_paragraph(6, Ink::Plain, &value_text(&failure.message), MAX_LINES);
        if let Some(example) = &failure.example {
            page.clipped_paragraph(6, Ink::Faint, &format!("such as: {}", value_text(example)), MAX_LINES);
        }
    }
}

/// The first excluded records for each reason.
pub(super) fn excluded_records(page: &mut Page, report: &Report) {
    let streams = [("snapshots", &report.accounting.snapshots), ("decisions", &report.accounting.decisions)];
    let reasons = streams.into_iter().flat_map(|(stream, account)| {
        let Account { rejected, duplicate, conflict, late, .. } = *account;
        [("rejected", rejected), ("duplicate", duplicate), ("conflict", conflict), ("late", late)]
            .map(|(reason, number)| (stream, reason, number))
    });
    let reasons: Vec<_> = reasons.filter(|(.., number)| *number > 0).collect();
    if reasons.is_empty() {
        return;
    }
    page.section("Excluded records", "all are in excluded/ of the run directory");
    for (stream, reason, number) in reasons {
        page.line(2, &[format!("{stream}, {reason}  ").into(), Span::new(Ink::Faint, count(number))]);
        let has_reason = |record: &&ExcludedExample| record.stream == stream && record.reason == reason;
        let examples: Vec<_> = report.excluded.iter().filter(has_reason).take(MAX_RECORDS).collect();
        for record in &examples {
            page.clipped_paragraph(
                6,
                Ink::Plain,
                &format!("{} {}: {}", record.position, count(record.line), value_text(&record.detail)),
                MAX_LINES,
            );
        }
        let more = number.saturating_sub(examples.len() as u64);
        if more > 0 && !examples.is_empty() {
            page.line(6, &[Span::new(Ink::Faint, format!("and {} more", count(more)))]);
        }
    }
}
