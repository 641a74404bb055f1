//! The interval of a value at a single look, at a declared end: which method applies to which scores.

use super::super::chance_corrected_agreement::ModelLabels;
use super::super::mean_scores::MeanScores;
use super::super::replicates::interval_from_replicates;
use super::super::{IntervalMethod, MissingInterval};
use super::{Estimator, independent_scores, is_mean, rounded};
use crate::scoring::{
    ClusterLimits, Interval, ModelSums, ScoreRange, Window, cluster_share, has_spread, skewed_jackknife,
    standard_error,
};

impl Estimator<'_, '_> {
    /// The scores whose mean is `value`; `None` if it is not a mean of scores in a known range. `sums` are those over the
    /// windows.
    pub(super) fn mean_scores(
        &self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
        sums: &ModelSums,
    ) -> Option<MeanScores> {
        let (pairs, values) = rounded(sums);
        let range = ScoreRange::new(self.facts.range).filter(|_| is_mean(&values, pairs, value))?;
        let histogram = self.facts.results.evidence.scores(windows, scope, model);
        Some(MeanScores { histogram, range, pairs, negated: false })
    }

    /// The interval of a single look from jackknife groups: exact bounds for a share, otherwise the jackknife. If the groups
    /// show no spread, these are the bounds for equal scores. `sums` are those over the windows.
    pub(super) fn jackknife_interval(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
        sums: &ModelSums,
        is_share: bool,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let key = (windows.first().copied(), windows.len(), scope, model);
        let without = match self.replicates.get(&key) {
            Some(known) => known.clone(),
            None => {
                let computed = self.leave_one_out(windows, model, |key| key.scope == scope);
                self.replicates.entry(key).or_insert(computed).clone()
            }
        };
        let without = without?;
        let limits = self.cluster_limits(windows, scope);
        if is_share && has_spread(&without, value) {
            let error = standard_error(&without).ok_or(MissingInterval::NotFinite)?;
            let (degrees, pairs) = (without.len() as u64 - 1, rounded(sums).0);
            let interval = cluster_share(value, (error, degrees), pairs, limits, self.confidence);
            return interval
                .map(|interval| (interval, IntervalMethod::EffectiveTrials))
                .ok_or(MissingInterval::NotFinite);
        }
        let (pairs, values) = rounded(sums);
        let independent = is_mean(&values, pairs, value).then(|| {
            let scores = independent_scores(limits, (pairs, without.len()), value, sums.squares.value());
            (scores as f64).min(limits.pairs).max(1.0) as u64
        });
        let range = self.facts.range;
        // Clusters that fail as a whole may be too few to have been observed. Only a range says how far they move the value.
        if self.facts.threshold.cluster.is_some() && (independent.is_none() || range.0.zip(range.1).is_none())
        {
            return Err(MissingInterval::Clusters);
        }
        let scores = self.mean_scores(windows, scope, model, value, sums);
        let greatest = range.1.filter(|_| independent.is_none());
        let scores = (independent, limits, scores.as_ref());
        let (mut interval, method) =
            interval_from_replicates(value, (&without, value), range, scores, self.confidence)?;
        // The distance of other metrics from their greatest value is skewed where it is small.
        if let Some(greatest) = greatest {
            if without.iter().any(|value| *value >= greatest) {
                return Err(MissingInterval::GreatestReplicate);
            }
            let skewed = skewed_jackknife(value, &without, greatest, value, self.confidence);
            let skewed = skewed.ok_or(MissingInterval::NotFinite)?.clamped(range);
            interval = interval.hull(skewed);
            let labels = self.model_labels(windows, scope, model);
            let widened =
                labels.and_then(|labels| labels.widened_kappa((value, &without), interval, self.confidence));
            interval = widened.unwrap_or(interval);
        }
        Ok((interval, method))
    }

    /// The label counts of a model over some windows in a scope; `None` if there are none, or too many labels.
    pub(super) fn model_labels(&self, windows: &[Window], scope: u16, model: usize) -> Option<ModelLabels> {
        let evidence = windows.iter().filter_map(|window| self.facts.results.evidence.windows.get(window));
        ModelLabels::new(evidence.filter_map(|window| window.labels.get(&scope)), model)
    }

    /// How many independent trials the pairs of the windows in a scope count for.
    pub(in crate::verdict) fn cluster_limits(&self, windows: &[Window], scope: u16) -> ClusterLimits {
        match self.facts.threshold.cluster {
            Some(_) => self.facts.results.evidence.cluster_sizes(windows, scope).limits(),
            None => ClusterLimits::NONE,
        }
    }
}
