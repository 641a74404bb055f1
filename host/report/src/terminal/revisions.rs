//! Renders revised decisions: their number by condition, and the agreement before and after the revision.

use crate::format::count;
use crate::metric_format::MetricFormat;
use crate::model::report::Report;
use crate::model::revisions::{RevisionNumbers, RevisionReport};
use crate::revision_text::revision_sentences;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::value_text::value_text;

/// The revised decisions; nothing if the study refuses revisions.
pub(super) fn revisions(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    let Some(revisions) = &report.revisions else { return };
    page.section("Revised decisions", "");
    for sentence in revision_sentences(report, revisions) {
        page.paragraph(2, Ink::Plain, &sentence);
    }
    if revisions.overall.pairs == 0 {
        return;
    }
    page.blank();
    agreement(page, report, revisions, formats);
    by_condition(page, report, revisions);
}

fn agreement(page: &mut Page, report: &Report, revisions: &RevisionReport, formats: &[MetricFormat<'_>]) {
    let mut table = TextTable::new([Align::Left, Align::Left, Align::Point, Align::Point, Align::Left]);
    table.head(["  metric", "model", "first decision", "last decision", "pairs"].map(faint));
    for format in formats {
        for (model, revised) in report.models.iter().zip(&revisions.models) {
            let Some(scores) = format.revision_scores(revised) else { continue };
            let (first, last) = (&scores.first.overall, &scores.last.overall);
            table.row([
                format!("  {}", format.name()).into(),
                model.plugin.name.as_str().into(),
                format.value(first.value).into(),
                format.value(last.value).into(),
                faint(&count(first.pairs)),
            ]);
        }
    }
    table.print(page);
}

fn by_condition(page: &mut Page, report: &Report, revisions: &RevisionReport) {
    if report.conditions.is_empty() {
        return;
    }
    page.blank();
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right]);
    table.head(["  revised by condition", "pairs", "other decisions", "changed"].map(faint));
    for (condition, numbers) in report.conditions.iter().zip(&revisions.conditions) {
        for (value, numbers) in condition.values.iter().zip(numbers).filter(|(_, n)| n.pairs > 0) {
            let RevisionNumbers { pairs, decisions, changed, .. } = *numbers;
            let name = format!("  {} = {}", condition.name, value_text(value));
            let changed = changed.map_or_else(String::new, count);
            table.row([name.into(), count(pairs).into(), count(decisions).into(), changed.into()]);
        }
    }
    table.print(page);
}

fn faint(text: &str) -> Span {
    Span::new(Ink::Faint, text)
}
