//! The figures over all compared pairs.
//!
//! Always holds: the primary metric comes first; a figure stands beside the counts that it was made from; agreement is
//! called agreement, never better.

use crate::format::{count, counted};
use crate::metric_format::Measure;
use crate::model::report::{Figure, Report, Scores};
use crate::terminal::table::{Align, Table};
use crate::terminal::text_canvas::{Ink, Page, Span};

/// The figure of each metric and model over all compared pairs.
pub(super) fn overall(page: &mut Page, report: &Report, measures: &[Measure<'_>]) {
    let over = counted(report.comparison.compared, "compared pair", "compared pairs");
    page.section("Agreement with what was done", &format!("over {over}"));
    let mut table = Table::new([Align::Left, Align::Point, Align::Right]);
    for measure in measures {
        let primary = if measure.metric.primary { "primary, " } else { "" };
        let aside = format!("  {primary}{}", measure.reading());
        table.line(2, [measure.name().into(), Span::new(Ink::Faint, aside)]);
        for model in &report.models {
            let Some(Scores { overall, .. }) = measure.scores(model) else { continue };
            let figure = Span::new(Ink::Title, measure.show(overall.value));
            table.row([format!("    {}", model.plugin.name).into(), figure, measure.counts(overall).into()]);
            for remark in remarks(overall) {
                table.line(6, [Span::new(Ink::Notice, remark)]);
            }
        }
    }
    table.print(page);
}

/// Which of its pairs a figure counts against the model, and which it leaves out.
fn remarks(figure: &Figure) -> impl Iterator<Item = String> {
    let Figure { abstained, failed, unscored, .. } = *figure;
    let some = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let unanswered: Vec<_> =
        [some(abstained, "abstained"), some(failed, "failed")].into_iter().flatten().collect();
    let unanswered = Some(unanswered.join(", ")).filter(|parts| !parts.is_empty());
    let unanswered = unanswered.map(|parts| format!("{parts}: the metric is told, and says what that costs"));
    unanswered.into_iter().chain(some(unscored, "that the metric broke on: left out of the figure"))
}
