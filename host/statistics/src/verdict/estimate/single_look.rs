//! The interval of a value at a single look, at a declared end: which method applies to which scores.

use super::super::mean_scores::MeanScores;
use super::super::replicates::interval_from_replicates;
use super::super::{IntervalMethod, MissingInterval};
use super::{Estimator, independent_scores, is_mean, rounded};
use crate::scoring::{
    Interval, ModelSums, ScoreRange, Window, has_spread, korn_graubard, most_independent_trials,
    skewed_jackknife, standard_error,
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
        let most = self.most_independent_pairs(windows, scope);
        if is_share && has_spread(&without, value) {
            let pairs = (rounded(sums).0 as f64).min(most) as u64;
            let interval = self.clustered_share(value, &without, pairs);
            return interval.map(|interval| (interval, IntervalMethod::EffectiveTrials));
        }
        let (pairs, values) = rounded(sums);
        let independent = is_mean(&values, pairs, value).then(|| {
            let has_clusters = self.facts.threshold.cluster.is_some();
            let scores =
                independent_scores(has_clusters, (pairs, without.len()), value, sums.squares.value());
            (scores as f64).min(most).max(1.0) as u64
        });
        let range = self.facts.range;
        // The variance of a value that is not a mean of scores has no bound by its range.
        let most = if independent.is_some() { most } else { f64::INFINITY };
        let scores = self.mean_scores(windows, scope, model, value, sums);
        let greatest = range.1.filter(|_| independent.is_none());
        let scores = (independent, most, scores.as_ref());
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
        }
        Ok((interval, method))
    }

    /// The greatest number of independent pairs that the pairs of the windows in a scope count for. Infinite without a
    /// declared cluster.
    pub(in crate::verdict) fn most_independent_pairs(&self, windows: &[Window], scope: u16) -> f64 {
        if self.facts.threshold.cluster.is_none() {
            return f64::INFINITY;
        }
        let sizes = self.facts.results.evidence.cluster_sizes(windows, scope);
        most_independent_trials(sizes.clusters(), sizes.squared_variation())
    }

    /// The interval of a share of pairs that depend on each other, by its values `without` each group. The pairs count
    /// for at most `most` independent pairs.
    fn clustered_share(&self, share: f64, without: &[f64], most: u64) -> Result<Interval, MissingInterval> {
        let error = standard_error(without).ok_or(MissingInterval::NotFinite)?;
        let degrees = without.len() as u64 - 1;
        korn_graubard(share, error, degrees, most, self.confidence).ok_or(MissingInterval::NotFinite)
    }
}
