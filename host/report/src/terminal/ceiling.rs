//! Renders the substrate's own noise: agreement beside its ceiling, and agreement by rater.

use crate::ceiling_text::{ceiling_sentences, equal_text, input_class_value_text, unlisted_raters};
use crate::format::{UNDEFINED, six_decimals};
use crate::model::ceiling::{CeilingReport, RaterReport};
use crate::model::report::Report;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};
use crate::value_text::value_text;

/// The ceiling; nothing if the study declares none.
pub(super) fn ceiling(page: &mut Page, report: &Report) {
    let Some(ceiling) = &report.ceiling else { return };
    page.section("The substrate's own noise", "");
    for sentence in ceiling_sentences(ceiling) {
        page.paragraph(2, Ink::Plain, &sentence);
    }
    page.blank();
    beside_ceiling(page, report, ceiling);
    if let Some(raters) = &ceiling.raters {
        page.blank();
        by_rater(page, report, raters);
    }
}

fn beside_ceiling(page: &mut Page, report: &Report, ceiling: &CeilingReport) {
    let mut table = TextTable::new([Align::Left, Align::Left, Align::Left, Align::Left, Align::Right]);
    table.head(["  scope", "model", "agreement, repeated classes", "ceiling", "share of it"].map(faint));
    for scope in &ceiling.scopes {
        for (model, found) in report.models.iter().zip(&scope.models) {
            table.row([
                format!("  {}", scope.scope).into(),
                model.plugin.name.as_str().into(),
                input_class_value_text(&found.agreement).into(),
                input_class_value_text(&scope.ceiling).into(),
                found.of_ceiling.map_or(UNDEFINED.to_owned(), six_decimals).into(),
            ]);
        }
    }
    table.print(page);
}

fn by_rater(page: &mut Page, report: &Report, raters: &RaterReport) {
    let mut table = TextTable::new([Align::Left, Align::Left, Align::Left]);
    table.head(["  rater", "model", "equal answers"].map(faint));
    for rater in &raters.raters {
        for (model, equal) in report.models.iter().zip(&rater.equal) {
            table.row([
                format!("  {}", value_text(&rater.rater)).into(),
                model.plugin.name.as_str().into(),
                equal_text(*equal, rater.pairs).into(),
            ]);
        }
    }
    table.print(page);
    if let Some(others) = unlisted_raters(raters) {
        page.paragraph(2, Ink::Faint, &others);
    }
}

fn faint(text: &str) -> Span {
    Span::new(Ink::Faint, text)
}
