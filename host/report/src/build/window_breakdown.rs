//! Builds the values of metrics in each window by condition and by scope.
//!
//! Invariants:
//! - A value is the metric's own `reduce` of exact sums.
//! - An interval comes from sums that were kept for this window and these pairs. Without such sums there is no interval.
//! - The number of values is bounded. If there are too many, the latest windows remain.
//! - An interim report shows a value only if [`InterimRules`] permit it.

use crate::build::divergence::DivergenceSearch;
use crate::build::divergence::metric_estimate::MetricEstimator;
use crate::build::is_shown_early;
use crate::build::reducer::Reducer;
use crate::model::divergence::SubgroupTerm;
use crate::model::window_breakdown::{ScopeInfo, WindowBreakdown, WindowValue};
use understudy_engine::{RunResult, SealedStudy, conditions};
use understudy_statistics::scoring::{
    Cells, ExactSum, InterimRules, ModelMoments, ModelSums, Slice, SliceTotals, StratumSums, Totals, Window,
};

/// The maximum number of values by window and condition in a report, over all models and metrics: about 8 MB of JSON.
const MAX_VALUES: usize = 20_000;

/// The number of pairs below which a value is marked. With 30 pairs an interval of a share is still up to 0.34 wide.
pub(super) const MIN_PAIRS: u64 = 30;

/// The windows that are broken down, with the sums that their intervals need beside the cells.
pub(super) struct WindowBreakdownBuilder<'a> {
    outcome: &'a RunResult,
    sealed_study: &'a SealedStudy,
    search: &'a DivergenceSearch<'a>,
    /// The index of the first window that is broken down.
    first: usize,
    /// Which values may be shown before the end of a run; `None` for a final report.
    interim: Option<&'a InterimRules>,
    /// For each window, condition and value the sums of the divergence search's metric. Empty if counts suffice; `None`
    /// for a window whose sums are not kept by value.
    search_sums: Vec<Option<Vec<Vec<SliceTotals>>>>,
    threshold: Option<ThresholdSums>,
}

/// The sums of the threshold's metric.
struct ThresholdSums {
    metric: usize,
    /// The estimator of each model.
    estimators: Vec<MetricEstimator>,
    /// For each scope the sums of each window.
    scopes: Vec<Vec<SliceTotals>>,
    /// For each scope and window the number of unanswered pairs of each model.
    unanswered: Vec<Vec<Vec<u64>>>,
}

impl<'a> WindowBreakdownBuilder<'a> {
    /// The latest windows of a run, as many as [`MAX_VALUES`] allows.
    pub fn new(
        outcome: &'a RunResult,
        sealed_study: &'a SealedStudy,
        search: &'a DivergenceSearch<'a>,
        interim: Option<&'a InterimRules>,
        reducer: &mut Reducer,
    ) -> WindowBreakdownBuilder<'a> {
        let scoped = sealed_study.study.threshold.as_ref().map_or(0, |_| sealed_study.study.scopes.len());
        let first = first_window(&numbers_of_values(&outcome.cells, scoped), MAX_VALUES);
        let windows: Vec<Window> = outcome.cells.iter().map(|(window, _)| window).skip(first).collect();
        let shares_only = (0..sealed_study.models.len()).all(|model| search.estimator(model).is_proportion);
        let search_sums = match shares_only {
            true => Vec::new(),
            false => windows.iter().map(|window| search.value_sums(*window)).collect(),
        };
        let threshold = ThresholdSums::new(outcome, sealed_study, &windows, reducer);
        WindowBreakdownBuilder { outcome, sealed_study, search, first, interim, search_sums, threshold }
    }

    /// The windows, the scopes and the threshold's metric that the values cover.
    pub fn summary(&self) -> WindowBreakdown {
        let study = &self.sealed_study.study;
        let names = conditions(study);
        let terms = |(condition, values): &(usize, Vec<usize>)| {
            let term = |value: &usize| SubgroupTerm {
                condition: study.conditions[*condition].name.clone(),
                value: names.values(*condition)[*value].clone(),
            };
            values.iter().map(term).collect::<Vec<_>>()
        };
        let scopes = study.scopes.iter().filter(|_| self.threshold.is_some());
        let scopes = scopes
            .map(|scope| ScopeInfo {
                name: scope.name.clone(),
                values: scope.values.iter().flat_map(terms).collect(),
            })
            .collect();
        WindowBreakdown {
            first_window: self.first as u64,
            min_pairs: MIN_PAIRS,
            threshold_metric: self
                .threshold
                .as_ref()
                .map(|threshold| self.sealed_study.metrics[threshold.metric].name.clone()),
            scopes,
        }
    }

    /// For each condition and value the values of a model for a metric, window by window.
    pub fn conditions(
        &self,
        model: usize,
        metric: usize,
        reducer: &mut Reducer,
    ) -> Vec<Vec<Vec<WindowValue>>> {
        let estimator = self.estimator(model, metric);
        let sizes = &self.outcome.cells.shape().conditions;
        let condition = |(condition, values): (usize, &usize)| {
            let value = |value: usize| {
                let slice = Slice::Value { condition, value };
                let mut row = Vec::new();
                for (at, (key, totals)) in self.outcome.cells.iter().skip(self.first).enumerate() {
                    let window = (self.first + at) as u64;
                    let pairs = totals.tally(slice, model, metric).pairs;
                    if pairs == 0 {
                        continue;
                    }
                    let shows = |interim: &InterimRules| {
                        interim.model(model).shows_value_in_window(condition, value, key)
                            && is_shown_early(self.sealed_study, metric)
                    };
                    if !self.interim.is_none_or(shows) {
                        row.push(WindowValue { window, pairs, ..WindowValue::default() });
                        continue;
                    }
                    let found = reducer.metric_value(totals, slice, model, metric);
                    let interval = estimator.and_then(|estimator| {
                        let part = match estimator.is_proportion {
                            true => share_sums(&found.sums, pairs - found.unscored, model),
                            false => self.value_sums(metric, at, condition, value)?.clone(),
                        };
                        estimator.interval(&part, &mut reducer.probe(metric))
                    });
                    row.push(WindowValue {
                        window,
                        value: found.value,
                        interval,
                        pairs,
                        unanswered: found.abstained + found.failed,
                        unscored: found.unscored,
                        sums: found.sums,
                    });
                }
                row
            };
            (0..*values).map(value).collect()
        };
        sizes.iter().enumerate().map(condition).collect()
    }

    /// For each scope the values of a model, window by window; empty unless the metric is that of the threshold.
    pub fn scopes(&self, model: usize, metric: usize, reducer: &mut Reducer) -> Vec<Vec<WindowValue>> {
        let Some(threshold) = self.threshold.as_ref().filter(|threshold| threshold.metric == metric) else {
            return Vec::new();
        };
        let mut scopes = Vec::new();
        for (scope, parts) in threshold.scopes.iter().enumerate() {
            let mut row = Vec::new();
            let windows = self.outcome.cells.iter().skip(self.first).zip(parts).enumerate();
            for (at, ((key, _), part)) in windows.filter(|(_, (_, part))| part.pairs > 0) {
                let window = (self.first + at) as u64;
                let shows = |interim: &InterimRules| {
                    interim.model(model).shows_scope(scope + 1, &[key])
                        && is_shown_early(self.sealed_study, metric)
                };
                if !self.interim.is_none_or(shows) {
                    row.push(WindowValue { window, pairs: part.pairs, ..WindowValue::default() });
                    continue;
                }
                let components = self.sealed_study.metrics[metric].plugin.components.len();
                let sums = part.models[model].rounded(components, &[]);
                let (scored, sums) = (sums[0], sums[1..].to_vec());
                let value = if scored > 0.0 { reducer.reduce(metric)(scored as u64, &sums) } else { None };
                let interval = threshold.estimators[model].interval(part, &mut reducer.probe(metric));
                row.push(WindowValue {
                    window,
                    value,
                    interval,
                    pairs: part.pairs,
                    unanswered: threshold.unanswered[scope][at][model],
                    unscored: part.pairs - scored as u64,
                    sums,
                });
            }
            scopes.push(row);
        }
        scopes
    }

    /// The estimator of a model for a metric, if the squares of its scores were summed.
    fn estimator(&self, model: usize, metric: usize) -> Option<&MetricEstimator> {
        if metric == self.sealed_study.study.divergence.metric {
            return Some(self.search.estimator(model));
        }
        let threshold = self.threshold.as_ref().filter(|threshold| threshold.metric == metric)?;
        Some(&threshold.estimators[model])
    }

    /// The sums of the metric of the search for a value of a condition in the window `at`, if they were kept.
    fn value_sums(&self, metric: usize, at: usize, condition: usize, value: usize) -> Option<&SliceTotals> {
        let is_search = metric == self.sealed_study.study.divergence.metric;
        self.search_sums.get(at).filter(|_| is_search)?.as_ref()?[condition].get(value)
    }
}

impl ThresholdSums {
    /// The sums by scope in some windows; `None` without a threshold.
    fn new(
        outcome: &RunResult,
        sealed_study: &SealedStudy,
        windows: &[Window],
        reducer: &mut Reducer,
    ) -> Option<ThresholdSums> {
        let metric = sealed_study.study.threshold.as_ref()?.metric;
        let plugin = &sealed_study.metrics[metric].plugin;
        let components = plugin.components.len();
        let sums = |window: &[Window], scope: usize| {
            outcome.evidence.sums(window, |key| usize::from(key.scope) == scope)
        };
        let all: Vec<Window> = outcome.evidence.windows.keys().copied().collect();
        let all = slice_totals(&sums(&all, 0), components);
        let estimators = (0..sealed_study.models.len()).map(|model| {
            MetricEstimator::new(model, components, plugin.range, &[&all], &mut reducer.probe(metric))
        });
        let estimators = estimators.collect();
        let scopes = 1..=sealed_study.study.scopes.len();
        let sums: Vec<Vec<StratumSums>> = scopes
            .map(|scope| windows.iter().map(|window| sums(std::slice::from_ref(window), scope)).collect())
            .collect();
        let unanswered = |sums: &StratumSums| sums.models.iter().map(|model| model.unanswered).collect();
        Some(ThresholdSums {
            metric,
            estimators,
            unanswered: sums.iter().map(|scope| scope.iter().map(unanswered).collect()).collect(),
            scopes: sums
                .iter()
                .map(|scope| scope.iter().map(|sums| slice_totals(sums, components)).collect())
                .collect(),
        })
    }
}

/// For each window the number of its values over all models: by condition and metric, and by scope.
fn numbers_of_values(cells: &Cells, scopes: usize) -> Vec<usize> {
    let shape = cells.shape();
    let slices =
        || {
            shape.conditions.iter().enumerate().flat_map(|(condition, values)| {
                (0..*values).map(move |value| Slice::Value { condition, value })
            })
        };
    let number = |(_, totals): (Window, &Totals)| {
        let used = slices().filter(|slice| totals.tally(*slice, 0, 0).pairs > 0).count();
        shape.models * (used * shape.components.len() + scopes)
    };
    cells.iter().map(number).collect()
}

/// The index of the first window to break down, so that this window and the later ones have at most `most` values. At least
/// one window remains. `numbers` are the numbers of values of all windows.
fn first_window(numbers: &[usize], most: usize) -> usize {
    let mut total = 0;
    let fitting = numbers.iter().rev().take_while(|number| {
        total += **number;
        total <= most
    });
    numbers.len() - fitting.count().max(1).min(numbers.len())
}

/// The sums of a share, from its counts. The sums of other models are empty.
fn share_sums(hits: &[f64], scored: u64, model: usize) -> SliceTotals {
    let exact = |value: f64| {
        let mut sum = ExactSum::default();
        sum.add(value);
        sum
    };
    let hits = hits.first().copied().unwrap_or(0.0);
    let mut models = vec![ModelMoments::default(); model + 1];
    models[model] = ModelMoments {
        all_zero: 0,
        components: vec![exact(hits), exact(scored as f64)],
        moments: vec![((0, 0), exact(hits))],
    };
    SliceTotals { pairs: scored, models }
}

/// The sums of the threshold's metric in the form that estimators take. Products of components are known for a metric of
/// one component only.
fn slice_totals(sums: &StratumSums, components: usize) -> SliceTotals {
    let model = |model: &ModelSums| ModelMoments {
        all_zero: 0,
        components: model.components.clone(),
        moments: match components == 1 && model.squares.value() != 0.0 {
            true => vec![((0, 0), model.squares.clone())],
            false => Vec::new(),
        },
    };
    SliceTotals { pairs: sums.pairs, models: sums.models.iter().map(model).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_windows_are_broken_down_and_at_least_one() {
        assert_eq!(first_window(&[], 10), 0);
        assert_eq!(first_window(&[4, 3, 3], 10), 0);
        assert_eq!(first_window(&[5, 3, 3], 10), 1);
        assert_eq!(first_window(&[1, 1, 8, 3], 10), 3);
        assert_eq!(first_window(&[1, 11], 10), 1);
    }

    #[test]
    fn the_sums_of_a_share_have_its_counts() {
        let sums = share_sums(&[62.0], 100, 1);
        assert_eq!(sums.models[0], ModelMoments::default());
        assert_eq!(sums.models[1].rounded(1, &[(0, 0)]), [100.0, 62.0, 62.0]);
    }
}
