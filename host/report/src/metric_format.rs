//! Formats the values of a metric for every rendering.
//!
//! Invariants: a value has the same text in a terminal, on a page and in Markdown. Agreement is called "agreement",
//! never "better".

use crate::format::{UNDEFINED, compact, count, counted, interval_text, number_text, six_decimals};
use crate::model::report::{MetricInfo, MetricScores, MetricValue, ModelReport, Report};
use crate::model::revisions::{ModelRevisions, RevisionScores};
use crate::model::window_breakdown::WindowValue;
use understudy_sandbox::Better;
use understudy_statistics::scoring::Interval;

/// A metric with the format of its values.
pub struct MetricFormat<'r> {
    /// The metric.
    pub metric: &'r MetricInfo,
    /// Its index in [`Report::metrics`] and in [`ModelReport::scores`].
    index: usize,
}

impl<'r> MetricFormat<'r> {
    /// The metrics of a report, the primary metric first.
    pub fn all(report: &'r Report) -> Vec<MetricFormat<'r>> {
        let mut all: Vec<_> =
            report.metrics.iter().enumerate().map(|(index, metric)| MetricFormat { metric, index }).collect();
        all.sort_by_key(|format| !format.metric.primary);
        all
    }

    /// Its name in the study.
    pub fn name(&self) -> &'r str {
        &self.metric.plugin.name
    }

    /// The scores of a model by this metric.
    pub fn scores<'m>(&self, model: &'m ModelReport) -> Option<&'m MetricScores> {
        model.scores.get(self.index)
    }

    /// The values of this metric for the revised decisions of a model.
    pub fn revision_scores<'m>(&self, model: &'m ModelRevisions) -> Option<&'m RevisionScores> {
        model.scores.get(self.index)
    }

    /// A value as text: as [`number_text`], which verdicts use, and a small share with as many decimals as any other.
    pub fn value(&self, value: Option<f64>) -> String {
        match (value, self.range()) {
            (None, _) => UNDEFINED.to_owned(),
            (Some(value), Some((minimum, maximum))) if minimum >= -1.0 && maximum <= 1.0 => {
                six_decimals(value)
            }
            (Some(value), _) => number_text(value),
        }
    }

    /// The defined value with the least agreement.
    pub fn worst(&self, values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
        let defined = values.into_iter().flatten().filter(|value| value.is_finite());
        defined.reduce(match self.metric.better {
            Better::Higher => f64::min,
            Better::Lower => f64::max,
        })
    }

    /// The minimum and maximum of the metric, if it has both.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.metric.minimum.zip(self.metric.maximum).filter(|(minimum, maximum)| minimum < maximum)
    }

    /// The number of agreeing pairs behind a value, if it is their proportion: a single whole component divided by the
    /// scored pairs.
    fn hits(&self, sums: &[f64], scored: u64, value: Option<f64>) -> Option<u64> {
        let [sum] = *sums else { return None };
        let share = sum / scored as f64;
        let is_proportion = self.range() == Some((0.0, 1.0))
            && sum.fract() == 0.0
            && value.is_some_and(|value| (value - share).abs() < 1e-12);
        is_proportion.then_some(sum as u64)
    }

    /// An interval as text.
    pub fn interval(&self, interval: Option<Interval>) -> String {
        interval.map_or_else(
            || UNDEFINED.to_owned(),
            |bounds| interval_text(bounds, |bound| self.value(Some(bound))),
        )
    }

    /// The counts behind a value: `812 of 900`, or only the number of pairs.
    pub fn counts(&self, value: &MetricValue) -> String {
        self.counts_text(&value.sums, value.pairs, value.unscored, value.value)
    }

    /// The counts behind the value of a part of a window.
    pub fn window_counts(&self, value: &WindowValue) -> String {
        self.counts_text(&value.sums, value.pairs, value.unscored, value.value)
    }

    fn counts_text(&self, sums: &[f64], pairs: u64, unscored: u64, value: Option<f64>) -> String {
        let scored = pairs.saturating_sub(unscored);
        match self.hits(sums, scored, value) {
            Some(hits) => format!("{} of {}", count(hits), count(scored)),
            None => counted(pairs, "pair", "pairs"),
        }
    }

    /// The range of the metric, and whether higher or lower means closer agreement.
    pub fn direction(&self) -> String {
        let range = match (self.metric.minimum, self.metric.maximum) {
            (Some(minimum), Some(maximum)) => format!("from {} to {}, ", compact(minimum), compact(maximum)),
            (Some(minimum), None) => format!("from {} up, ", compact(minimum)),
            (None, Some(maximum)) => format!("up to {}, ", compact(maximum)),
            (None, None) => String::new(),
        };
        let direction = match self.metric.better {
            Better::Higher => "higher is closer",
            Better::Lower => "lower is closer",
        };
        range + direction
    }
}
