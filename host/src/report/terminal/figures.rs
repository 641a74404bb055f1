//! The figures over all compared pairs, and how the figures of a metric are shown wherever they stand.
//!
//! Always holds: the primary metric comes first; a figure stands beside the counts that it was made from; agreement is
//! called agreement, never better.

use super::number::{UNDEFINED, bound, count, counted, figure, six_decimals};
use super::page::{Ink, Page, Span};
use super::table::{Align, Table};
use crate::report::{Figure, Metric, Model, Report, Scores};
use crate::sandbox::Better;

/// A metric, and how its figures are shown.
pub(super) struct Measure<'r> {
    pub metric: &'r Metric,
    /// Its place in [`Report::metrics`], and so in [`Model::scores`].
    place: usize,
}

impl<'r> Measure<'r> {
    /// Those of a report, the primary one first.
    pub fn all(report: &'r Report) -> Vec<Measure<'r>> {
        let mut all: Vec<_> =
            report.metrics.iter().enumerate().map(|(place, metric)| Measure { metric, place }).collect();
        all.sort_by_key(|measure| !measure.metric.primary);
        all
    }

    pub fn name(&self) -> &'r str {
        &self.metric.plugin.name
    }

    /// The scores of a model by this metric.
    pub fn scores<'m>(&self, model: &'m Model) -> Option<&'m Scores> {
        model.scores.get(self.place)
    }

    /// A figure as text.
    pub fn show(&self, value: Option<f64>) -> String {
        match (value, self.range()) {
            (None, _) => UNDEFINED.to_owned(),
            (Some(value), Some((least, greatest))) if least >= -1.0 && greatest <= 1.0 => six_decimals(value),
            (Some(value), _) => figure(value),
        }
    }

    /// The figure that agrees least, out of those that are defined.
    pub fn least_agreement(&self, values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
        let defined = values.into_iter().flatten().filter(|value| value.is_finite());
        defined.reduce(match self.metric.better {
            Better::Higher => f64::min,
            Better::Lower => f64::max,
        })
    }

    /// The least and the greatest figure there can be, where both are known.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.metric.least.zip(self.metric.greatest).filter(|(least, greatest)| least < greatest)
    }

    /// Whether a figure is the share of pairs that agree: one component, whole, over the pairs.
    fn is_share(&self, figure: &Figure) -> bool {
        let [sum] = figure.sums[..] else { return false };
        let share = sum / figure.pairs.saturating_sub(figure.unscored) as f64;
        self.range() == Some((0.0, 1.0))
            && sum.fract() == 0.0
            && figure.value.is_some_and(|value| (value - share).abs() < 1e-12)
    }

    /// What a figure was made from.
    fn counts(&self, figure: &Figure) -> String {
        match figure.sums[..] {
            [sum] if self.is_share(figure) => {
                format!("{} of {}", count(sum as u64), count(figure.pairs.saturating_sub(figure.unscored)))
            }
            _ => counted(figure.pairs, "pair", "pairs"),
        }
    }

    /// The range of its figures, and which way agreement lies.
    fn reading(&self) -> String {
        let range = match (self.metric.least, self.metric.greatest) {
            (Some(least), Some(greatest)) => format!("from {} to {}, ", bound(least), bound(greatest)),
            (Some(least), None) => format!("from {} up, ", bound(least)),
            (None, Some(greatest)) => format!("up to {}, ", bound(greatest)),
            (None, None) => String::new(),
        };
        let way = match self.metric.better {
            Better::Higher => "higher is closer",
            Better::Lower => "lower is closer",
        };
        range + way
    }
}

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
