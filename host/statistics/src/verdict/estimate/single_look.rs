//! The interval of a value at a single look, at a declared end: which method applies to which scores.

use super::super::chance_corrected_agreement::ModelLabels;
use super::super::mean_scores::MeanScores;
use super::super::replicates::interval_from_replicates;
use super::super::{IntervalMethod, MissingInterval};
use super::{Estimator, averaged_pairs, independent_scores, rounded};
use crate::scoring::{
    ClusterLimits, Interval, ModelSums, ScoreRange, Window, cluster_share, has_spread, standard_error,
};

impl Estimator<'_, '_> {
    /// The scores whose mean is `value`, of all pairs or of those that the metric counts. `None` if it is not a mean of scores
    /// in a known range. `sums` are those over the windows.
    pub(super) fn mean_scores(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
        sums: &ModelSums,
    ) -> Option<MeanScores> {
        let (pairs, values) = rounded(sums);
        let range = ScoreRange::new(self.facts.range)?;
        let pairs = averaged_pairs(self.reduce, self.facts.range, &values, pairs, value)?;
        let histogram = self.facts.results.evidence.scores(windows, scope, model);
        let is_distribution = histogram.is_distribution(pairs, value, range);
        is_distribution.then_some(MeanScores { histogram, range, pairs, negated: false })
    }

    /// The interval of a single look from jackknife groups: bounds of a mean with clusters, or of kappa without them. If the
    /// groups show no spread, the former are those for equal scores. `sums` are those over the windows.
    pub(super) fn jackknife_interval(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
        sums: &ModelSums,
        is_share: bool,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        if self.facts.threshold.cluster.is_none() {
            return self.kappa_interval(windows, scope, model, value);
        }
        // Clusters that fail as a whole may be too few to have been observed. Only a range says how far they move the value. Their
        // sizes are those of all pairs, so the mean has to be one of all pairs.
        let pairs = rounded(sums).0;
        let scores = self.mean_scores(windows, scope, model, value, sums);
        let scores = scores.filter(|scores| scores.pairs == pairs);
        // The scores of a share are known: each is 0 or 1.
        if scores.is_none() && !is_share {
            return Err(MissingInterval::Clusters);
        }
        let without = self.replicates(windows, scope, model)?;
        let limits = self.cluster_limits(windows, scope);
        if is_share && has_spread(&without, value) {
            let error = standard_error(&without).ok_or(MissingInterval::NotFinite)?;
            let degrees = without.len() as u64 - 1;
            let interval = cluster_share(value, (error, degrees), pairs, limits, self.confidence);
            return interval
                .map(|interval| (interval, IntervalMethod::EffectiveTrials))
                .ok_or(MissingInterval::NotFinite);
        }
        let independent = independent_scores(limits, (pairs, without.len()), value, sums.squares.value());
        let independent = (independent as f64).min(limits.pairs).max(1.0) as u64;
        let scores = (Some(independent), limits, scores.as_ref());
        interval_from_replicates(value, (&without, value), self.facts.range, scores, self.confidence)
    }

    /// The interval of a metric that is Cohen's kappa, from jackknife groups. Any other value that is not a mean of scores in a
    /// known range has none: pairs that are too rare to have been observed may move it by any amount.
    fn kappa_interval(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let labels = self.model_labels(windows, scope, model).filter(|labels| labels.is_kappa(value));
        let labels = labels.ok_or(MissingInterval::NotMean)?;
        let without = self.replicates(windows, scope, model)?;
        labels.metric_kappa(value, &without, self.confidence)
    }

    /// The values with each jackknife group left out. They are computed once.
    fn replicates(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
    ) -> Result<Vec<f64>, MissingInterval> {
        let key = (windows.first().copied(), windows.len(), scope, model);
        if let Some(known) = self.replicates.get(&key) {
            return known.clone();
        }
        let computed = self.leave_one_out(windows, model, |key| key.scope == scope);
        self.replicates.entry(key).or_insert(computed).clone()
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
