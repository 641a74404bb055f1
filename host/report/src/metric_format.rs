//! How the figures of a metric are shown, wherever they stand.
//!
//! Always holds: a figure is the same text in a terminal, on a page and in Markdown; agreement is called agreement, never
//! better.

use crate::format::{UNDEFINED, bound, count, counted, figure, six_decimals};
use crate::model::report::{Figure, Metric, Model, Report, Scores};
use understudy_sandbox::Better;
use understudy_statistics::scoring::Interval;

/// A metric, and how its figures are shown.
pub struct Measure<'r> {
    /// The metric.
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

    /// Its name in the study.
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
    pub fn is_share(&self, figure: &Figure) -> bool {
        let [sum] = figure.sums[..] else { return false };
        let share = sum / figure.pairs.saturating_sub(figure.unscored) as f64;
        self.range() == Some((0.0, 1.0))
            && sum.fract() == 0.0
            && figure.value.is_some_and(|value| (value - share).abs() < 1e-12)
    }

    /// The two bounds of a figure.
    pub fn bounds(&self, interval: Option<Interval>) -> String {
        interval.map_or_else(
            || UNDEFINED.to_owned(),
            |bounds| format!("{} to {}", self.show(Some(bounds.lower)), self.show(Some(bounds.upper))),
        )
    }

    /// What a figure was made from.
    pub fn counts(&self, figure: &Figure) -> String {
        match figure.sums[..] {
            [sum] if self.is_share(figure) => {
                format!("{} of {}", count(sum as u64), count(figure.pairs.saturating_sub(figure.unscored)))
            }
            _ => counted(figure.pairs, "pair", "pairs"),
        }
    }

    /// The range of its figures, and which way agreement lies.
    pub fn reading(&self) -> String {
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
