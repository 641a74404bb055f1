//! Renders reports, cases, verdicts and plans as text for a terminal.
//!
//! Invariants: figures are those of the [`Report`]; none is computed here. No line is wider than requested. Text from
//! plugins and records cannot control the terminal. Colour never carries information alone.

pub mod case;
mod ceiling;
pub mod comparison;
mod conditions;
mod failures;
mod metadata;
mod overall;
pub mod plan;
mod records;
pub mod reviews;
mod revisions;
mod subgroups;
mod table;
pub mod text_canvas;
pub mod verdict;
mod verdict_account;
mod window_breakdown;
mod windows;

use crate::format::{counted, duration};
use crate::metric_format::MetricFormat;
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};
use crate::warnings;
use understudy_study::short_digest;

/// The report as text: lines that each end with a line feed.
pub fn render_report(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    let formats = MetricFormat::all(report);
    headline(&mut page, report);
    records::accounts(&mut page, report);
    records::answers(&mut page, report);
    records::determinism_checks(&mut page, report);
    if report.comparison.compared == 0 {
        page.section("Agreement with the substrate", "");
        page.paragraph(2, Ink::Plain, "No pairs were compared, so there are no figures.");
    } else {
        overall::overall(&mut page, report, &formats);
        conditions::conditions(&mut page, report, &formats);
        ceiling::ceiling(&mut page, report);
        revisions::revisions(&mut page, report, &formats);
        subgroups::subgroups(&mut page, report, &formats);
        windows::windows(&mut page, report, &formats);
        window_breakdown::window_breakdown(&mut page, report, &formats);
    }
    records::latency(&mut page, report);
    failures::missing_values(&mut page, report);
    failures::missing_answers(&mut page, report);
    failures::plugin_failures(&mut page, report);
    failures::excluded_records(&mut page, report);
    metadata::metadata(&mut page, report);
    page.blank();
    let closing = "Agreement does not mean \"better\". It shows how often, or how closely, a model would have made the same decisions.";
    page.paragraph(0, Ink::Plain, closing);
    page.finish()
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableCell {
    /// A value from a record or a plugin, which is shown so that it can be told from every other value.
    Value(String),
    /// Any other text.
    Text(String),
}

/// A table as text: lines that each end with a line feed.
pub fn render_table(heads: &[String], rows: &[Vec<TableCell>], style: Style) -> String {
    let mut page = Page::new(style);
    let mut table = TextTable::new(heads.iter().map(|_| Align::Left));
    table.head(heads.iter().map(|head| Span::new(Ink::Faint, head)));
    for row in rows {
        table.row(row.iter().map(|cell| match cell {
            TableCell::Value(value) => Span::value(Ink::Plain, value),
            TableCell::Text(text) => Span::from(text.as_str()).with_digest(),
        }));
    }
    table.print(&mut page);
    page.finish()
}

/// The name of the study, how the run ended, and whether it was a shadow run or an offline evaluation.
fn headline(page: &mut Page, report: &Report) {
    let took =
        duration(u64::try_from(report.started_at.duration_until(report.ended_at).as_nanos()).unwrap_or(0));
    let (ink, ended) = match &report.end {
        RunEnd::Finished => (Ink::Plain, "finished"),
        RunEnd::Interrupted => (Ink::Notice, "INTERRUPTED"),
        RunEnd::Interim { .. } => (Ink::Notice, "STILL RUNNING"),
        RunEnd::SourceFailed(_) => (Ink::Alarm, "SOURCE FAILED"),
    };
    let ended = format!("{ended} {} after {took}", report.ended_at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    page.line(0, &[Span::new(Ink::Title, &report.study), "  ".into(), Span::new(ink, ended)]);
    for sentence in warnings::sentences(report) {
        page.paragraph(0, Ink::Alarm, &sentence);
    }
    match &report.replay_of {
        None => page.line(0, &["Shadow run: answers were logged and never acted on.".into()]),
        Some(seal) => {
            let what = format!(
                "OFFLINE EVALUATION of the log of the run with seal {}. Its results do not permit any use of a model.",
                short_digest(seal)
            );
            page.paragraph(0, Ink::Notice, &what);
        }
    }
    if let (Some(first), Some(last)) = (report.windows.first(), report.windows.last()) {
        let windows = counted(report.windows.len() as u64, "window", "windows");
        let to = if report.windows.len() > 1 { format!(" to {}", last.label) } else { String::new() };
        page.paragraph(0, Ink::Plain, &format!("{windows}, {}{to}, {}", first.label, report.time_zone));
    }
    match &report.end {
        RunEnd::Finished | RunEnd::Interim { .. } => {}
        RunEnd::Interrupted => page.paragraph(
            0,
            Ink::Plain,
            "The figures cover the windows that were complete when the run was stopped.",
        ),
        RunEnd::SourceFailed(sources) => {
            let what = "A source failed. The figures cover the windows that were complete before that:";
            page.paragraph(0, Ink::Plain, what);
            for source in sources {
                page.paragraph(2, Ink::Alarm, source);
            }
        }
    }
    if !records::balances(report) {
        page.paragraph(0, Ink::Alarm, records::UNBALANCED);
    }
}

#[cfg(test)]
pub(super) mod fixture;

#[cfg(test)]
mod tests;
