//! The classes of input in which a model's figure is another than elsewhere: the first few, the rest is in the page.
//!
//! Always holds: how many there are is said, and that they were confirmed; no id is shown.

use crate::format::{count, counted};
use crate::metric_format::Measure;
use crate::model::divergence::{Class, Direction, Parted};
use crate::model::report::Report;
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span};

/// Classes of a model that are shown.
const SHOWN: usize = 5;

/// Where each model and the substrate part.
pub(super) fn classes(page: &mut Page, report: &Report, measures: &[Measure<'_>]) {
    let found = &report.divergence;
    let Some(measure) = measures.iter().find(|measure| measure.name() == found.metric) else { return };
    if found.models.iter().all(|model| model.classes.is_empty()) {
        return;
    }
    let how = format!(
        "classes of up to {}, confirmed in the other half of the ids",
        counted(found.depth, "value", "values")
    );
    page.section("Where they part", &how);
    let mut table = Table::new([Align::Left, Align::Right, Align::Point, Align::Point, Align::Left]);
    let heads = ["", "pairs", measure.name(), "elsewhere", "they lie"];
    table.head(heads.map(|head| Span::new(Ink::Faint, head)));
    for Parted { model, classes, .. } in &found.models {
        let more = match classes.len() {
            0 => "none".to_owned(),
            1..=SHOWN => counted(classes.len() as u64, "class", "classes"),
            many => format!("the first {SHOWN} of {}", count(many as u64)),
        };
        table.line(2, [model.as_str().into(), Span::new(Ink::Faint, format!("  {more}"))]);
        for class in classes.iter().take(SHOWN) {
            table.row(row(class, measure));
        }
    }
    table.print(page);
}

fn row(class: &Class, measure: &Measure<'_>) -> [Span; 5] {
    let suspected = if class.suspected { ", suspected" } else { "" };
    let lie = match class.direction {
        Direction::Apart => Span::new(Ink::Notice, format!("further apart{suspected}")),
        Direction::Together => format!("closer{suspected}").into(),
    };
    [
        format!("    {}", class.name()).into(),
        count(class.pairs).into(),
        measure.show(class.figure).into(),
        measure.show(class.elsewhere).into(),
        lie,
    ]
}
