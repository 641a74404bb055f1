//! Renders the metrics over all compared pairs.
//!
//! Invariants: the primary metric comes first. Every value is shown with the counts behind it. Agreement is called
//! "agreement", never "better".

use crate::format::{count, counted};
use crate::metric_format::MetricFormat;
use crate::model::report::{MetricScores, MetricValue, Report};
use crate::stock_metrics::unanswered_score;
use crate::terminal::table::{Align, TextTable};
use crate::terminal::text_canvas::{Ink, Page, Span};

/// The value of each metric for each model, over all compared pairs.
pub(super) fn overall(page: &mut Page, report: &Report, formats: &[MetricFormat<'_>]) {
    let over = counted(report.comparison.compared, "compared pair", "compared pairs");
    page.section("Agreement with the substrate", &format!("over {over}"));
    let mut table = TextTable::new([Align::Left, Align::Point, Align::Right]);
    for format in formats {
        let primary = if format.metric.primary { "primary, " } else { "" };
        let aside = format!("  {primary}{}", format.direction());
        table.line(2, [format.name().into(), Span::new(Ink::Faint, aside)]);
        for model in &report.models {
            let Some(MetricScores { overall, .. }) = format.scores(model) else { continue };
            let value = Span::new(Ink::Title, format.value(overall.value));
            table.row([format!("    {}", model.plugin.name).into(), value, format.counts(overall).into()]);
            for remark in remarks(format, overall) {
                table.line(6, [Span::new(Ink::Notice, remark)]);
            }
        }
    }
    table.print(page);
    for format in formats {
        for model in &report.models {
            if let Some(remark) = format.scores(model).and_then(|scores| scores.remark.as_deref()) {
                let text = format!("{} of {}: {remark}", format.name(), model.plugin.name);
                page.paragraph(2, Ink::Notice, &text);
            }
        }
    }
}

/// Remarks on unanswered pairs, which a value includes, and unscored pairs, which it leaves out.
fn remarks(format: &MetricFormat<'_>, value: &MetricValue) -> impl Iterator<Item = String> {
    let MetricValue { abstained, failed, unscored, .. } = *value;
    let some = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let unanswered: Vec<_> =
        [some(abstained, "abstained"), some(failed, "failed")].into_iter().flatten().collect();
    let unanswered = Some(unanswered.join(", ")).filter(|parts| !parts.is_empty());
    let unanswered = unanswered.map(|parts| match unanswered_score(&format.metric.plugin) {
        Some(score) => format!("{parts}: a pair without an answer {score}"),
        None => format!("{parts}: included; the metric defines how they count"),
    });
    unanswered.into_iter().chain(some(unscored, "on which the metric failed: not included"))
}
