//! Renders the first divergent subgroups of each model; the report page has all of them.
//!
//! Invariants: the number of subgroups is always shown. No id is shown.

use crate::format::{count, counted};
use crate::metric_format::MetricFormat;
use crate::model::divergence::{DivergenceDirection, DivergentSubgroup, ModelDivergence};
use crate::model::report::Report;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};

/// The maximum number of subgroups shown for a model.
const MAX_SHOWN: usize = 5;

/// The subgroups in which each model and the substrate differ.
pub(super) fn subgroups(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    let found = &report.divergence;
    let Some(format) = formats.iter().find(|format| format.name() == found.metric) else { return };
    if found.models.iter().all(|model| model.subgroups.is_empty()) {
        return;
    }
    let method = format!(
        "subgroups of up to {}, confirmed in the other half of the ids",
        counted(found.max_terms, "value", "values")
    );
    page.section("Where they differ", &method);
    let mut table = TextTable::new([Align::Left, Align::Right, Align::Point, Align::Point, Align::Left]);
    let heads = ["", "pairs", format.name(), "elsewhere", "direction"];
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for ModelDivergence { model, subgroups, .. } in &found.models {
        let more = match subgroups.len() {
            0 => "none".to_owned(),
            1..=MAX_SHOWN => counted(subgroups.len() as u64, "subgroup", "subgroups"),
            many => format!("the first {MAX_SHOWN} of {}", count(many as u64)),
        };
        table.line(2, [model.as_str().into(), Span::new(Ink::Faint, format!("  {more}"))]);
        for subgroup in subgroups.iter().take(MAX_SHOWN) {
            table.row(row(subgroup, format));
        }
    }
    table.print(page);
}

fn row(subgroup: &DivergentSubgroup, format: &MetricFormat<'_>) -> [Span; 5] {
    let suspected = if subgroup.suspected { ", suspected" } else { "" };
    let direction = match subgroup.direction {
        DivergenceDirection::LessAgreement => Span::new(Ink::Notice, format!("less agreement{suspected}")),
        DivergenceDirection::MoreAgreement => format!("more agreement{suspected}").into(),
    };
    [
        format!("    {}", subgroup.name()).into(),
        count(subgroup.pairs).into(),
        format.value(subgroup.value).into(),
        format.value(subgroup.complement).into(),
        direction,
    ]
}
