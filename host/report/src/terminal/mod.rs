//! The report in a terminal: what an operator reads when a run has ended.
//!
//! Always holds: the figures are those of the [`Report`], none is computed here; no line is wider than asked for; what
//! plugins and records say cannot command the terminal; nothing is said by colour alone.

pub mod case;
pub mod comparison;
mod conditions;
mod failures;
mod overall;
pub mod plan;
mod records;
pub mod reviews;
mod subgroups;
mod table;
pub mod text_canvas;
pub mod verdict;
mod windows;

use crate::format::{counted, duration};
use crate::metric_format::Measure;
use crate::model::report::{End, Report};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span, Style};

/// The report as text: lines that each end with a line feed.
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    let measures = Measure::all(report);
    headline(&mut page, report);
    records::accounts(&mut page, report);
    records::answers(&mut page, report);
    records::again(&mut page, report);
    if report.comparison.compared == 0 {
        page.section("Agreement with what was done", "");
        page.paragraph(2, Ink::Plain, "No pair was compared, so there is no figure.", 2);
    } else {
        figures::overall(&mut page, report, &measures);
        conditions::conditions(&mut page, report, &measures);
        classes::classes(&mut page, report, &measures);
        windows::windows(&mut page, report, &measures);
    }
    records::latency(&mut page, report);
    faults::incidents(&mut page, report);
    faults::refused(&mut page, report);
    page.blank();
    let closing = "Agreement is not \"better\": it says how often, or how closely, a model would have done what was done.";
    page.paragraph(0, Ink::Plain, closing, 3);
    page.finish()
}

/// Rows under their heads, as text: lines that each end with a line feed.
pub fn table(heads: &[String], rows: &[Vec<String>], style: Style) -> String {
    let mut page = Page::new(style);
    let mut table = Table::new(heads.iter().map(|_| Align::Left));
    table.head(heads.iter().map(|head| Span::new(Ink::Faint, head)));
    for row in rows {
        table.row(row.iter().map(|cell| cell.as_str().into()));
    }
    table.print(&mut page);
    page.finish()
}

/// The study, how its run ended, and what kind of run it was.
fn headline(page: &mut Page, report: &Report) {
    let took = duration(u64::try_from(report.began.duration_until(report.ended).as_nanos()).unwrap_or(0));
    let (ink, ended) = match &report.end {
        End::Finished => (Ink::Plain, "finished"),
        End::Interrupted => (Ink::Notice, "INTERRUPTED"),
        End::Interim { .. } => (Ink::Notice, "STILL RUNNING"),
        End::SourceBroke(_) => (Ink::Alarm, "BROKE OFF"),
    };
    let ended = format!("{ended} {} after {took}", report.ended.strftime("%Y-%m-%d %H:%M:%S UTC"));
    page.line(0, &[Span::new(Ink::Title, &report.study), "  ".into(), Span::new(ink, ended)]);
    match &report.replay_of {
        None => page.line(0, &["A shadow run: answers were logged and never actioned.".into()]),
        Some(seal) => {
            let what = format!(
                "AN OFFLINE EVALUATION of the log of the run sealed as {}: what the models did not see live permits \
                 nothing.",
                &seal[..12.min(seal.len())]
            );
            page.paragraph(0, Ink::Notice, &what, 2);
        }
    }
    if let (Some(first), Some(last)) = (report.windows.first(), report.windows.last()) {
        let windows = counted(report.windows.len() as u64, "window", "windows");
        let to = if report.windows.len() > 1 { format!(" to {}", last.label) } else { String::new() };
        page.paragraph(0, Ink::Plain, &format!("{windows}, {}{to}, {}", first.label, report.time_zone), 2);
    }
    match &report.end {
        End::Finished | End::Interim { .. } => {}
        End::Interrupted => {
            page.paragraph(0, Ink::Plain, "The figures cover what had come until it was stopped.", 2)
        }
        End::SourceBroke(sources) => {
            let what = "A source broke off; the figures cover what had come until then:";
            page.paragraph(0, Ink::Plain, what, 2);
            for source in sources {
                page.paragraph(2, Ink::Alarm, source, 3);
            }
        }
    }
    if !records::balances(report) {
        page.paragraph(0, Ink::Alarm, records::UNBALANCED, 3);
    }
}

#[cfg(test)]
pub(super) mod fixture;

#[cfg(test)]
mod tests;
