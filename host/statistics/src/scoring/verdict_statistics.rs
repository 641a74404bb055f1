//! The statistics that a verdict needs besides the cells: sums of the threshold's metric by stratum, label
//! counts, occurrences of cycle values, and counts of the inputs.
//!
//! Invariants:
//! - The same pairs give equal evidence, whatever the order and the batches.
//! - The jackknife group of a pair depends on its key alone, so anyone who has the pairs can form the groups
//!   again.
//! - A clone shares the windows of the original; adding pairs to one of the two copies only the windows that
//!   change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar_window::Window;
use super::cells::{AnswerStatus, ModelScores};
use super::cluster_sizes::{ClusterSizes, cluster_hash};
use super::copy_on_write::CopyOnWrite;
use super::exact_sum::ExactSum;
use super::gain_sums::{DifferenceHistograms, GainSums, PairComparison};
use super::label_counts::{LabelCounts, PairLabels};
use super::scope_sets::ScopeSets;
use super::score_histogram::{ScoreHistogram, ScoreRange};

/// The number of jackknife groups over which pairs are distributed.
pub const JACKKNIFE_GROUPS: u64 = 64;

/// The jackknife group of the pair with this key: [`cluster_hash`] of the key, modulo [`JACKKNIFE_GROUPS`].
pub fn jackknife_group(key: &str) -> u8 {
    (cluster_hash(key) % JACKKNIFE_GROUPS) as u8
}

/// The stratum of a pair: the sums of the metric are kept separately for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StratumKey {
    /// The index of the scope: 0 is all pairs, and the declared scopes follow.
    pub scope: u16,
    /// Whether the models were called only after the decision had arrived.
    pub blinded: bool,
    /// The jackknife group of the pair's key.
    pub group: u8,
}

/// The sums of the threshold's metric over the pairs of one or more strata.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StratumSums {
    /// The number of pairs.
    pub pairs: u64,
    /// The sums of each model.
    pub models: Vec<ModelSums>,
}

/// The sums of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSums {
    /// The pairs that the model left unanswered.
    pub unanswered: u64,
    /// The sum of each component of the metric. The last component counts the scored pairs.
    pub components: Vec<ExactSum>,
    /// The sum of squares of the first component.
    pub squares: ExactSum,
}

/// The evidence of one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowEvidence {
    /// The sums of the metric, by stratum.
    pub sums: BTreeMap<StratumKey, StratumSums>,
    /// The sizes of the clusters by scope, if the threshold declares a cluster.
    pub cluster_sizes: BTreeMap<u16, ClusterSizes>,
    /// The scores of each model by scope, if they are in a known range. A score is the first component of the metric; if there
    /// are others, only those of pairs that the second component counts.
    pub scores: BTreeMap<u16, Vec<ScoreHistogram>>,
    /// The label counts by scope, if the threshold requires agreement beyond chance, or its metric may be kappa.
    pub labels: BTreeMap<u16, LabelCounts>,
    /// The comparisons of each model with its baselines, if the threshold requires a gain over baselines.
    pub gains: WindowGains,
    /// The compared pairs of each occurrence of a cycle value: the index of the value, and the number of the
    /// day, hour or month.
    pub occurrences: BTreeMap<(u16, i64), u64>,
    /// The pairs by the set of scopes that they belong to, if the study declares scopes.
    pub scope_sets: ScopeSets,
}

/// The comparisons of models with their baselines over the pairs of one window, with one element for each model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowGains {
    /// The sums of model and baselines by scope and jackknife group.
    pub sums: BTreeMap<(u16, u8), Vec<GainSums>>,
    /// The differences between the scores of model and baselines by scope, if scores are in a known range.
    pub differences: BTreeMap<u16, Vec<DifferenceHistograms>>,
}

/// The evidence of a study, by window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerdictEvidence {
    /// The windows that have compared pairs.
    pub windows: BTreeMap<Window, CopyOnWrite<WindowEvidence>>,
}

/// A compared pair.
#[derive(Clone, Debug)]
pub struct EvidencePair<'p> {
    /// The window of the pair's snapshot.
    pub window: Window,
    /// The scopes to which the pair belongs, 0 among them.
    pub scopes: &'p [u16],
    /// The value of each condition; empty if the study declares no scopes.
    pub values: &'p [u16],
    /// The jackknife group of the pair's key.
    pub group: u8,
    /// The hash of the pair's cluster, if the threshold declares a cluster.
    pub cluster: Option<u64>,
    /// Whether the models were called only after the decision had arrived.
    pub blinded: bool,
    /// The range of the scores, if it is known.
    pub range: Option<ScoreRange>,
    /// The occurrence of a cycle value, if a cycle is declared.
    pub occurrence: Option<(u16, i64)>,
    /// The labels, if the threshold requires agreement beyond chance, or its metric may be kappa.
    pub labels: Option<PairLabels<'p>>,
}

impl VerdictEvidence {
    /// Adds a pair. Its scores are row `row` of `models`, by the metric with the index `metric`.
    pub fn add(&mut self, pair: &EvidencePair<'_>, models: &[ModelScores], metric: usize, row: usize) {
        let window = self.windows.entry(pair.window).or_default().to_mut();
        if let Some(occurrence) = pair.occurrence {
            *window.occurrences.entry(occurrence).or_default() += 1;
        }
        if !pair.values.is_empty() {
            window.scope_sets.add(pair.scopes, pair.values, models, row);
        }
        for &scope in pair.scopes {
            let key = StratumKey { scope, blinded: pair.blinded, group: pair.group };
            window.sums.entry(key).or_default().add(models, metric, row);
            if let Some(range) = pair.range {
                let own = window.scores.entry(scope).or_default();
                own.resize(models.len(), ScoreHistogram::default());
                for (histogram, model) in own.iter_mut().zip(models) {
                    if let [scores, others @ .., scored] = &model.scores[metric][..]
                        && scored[row] == 1.0
                        && others.first().is_none_or(|counted| counted[row] == 1.0)
                    {
                        histogram.add(scores[row], range);
                    }
                }
            }
            if let Some(cluster) = pair.cluster {
                window.cluster_sizes.entry(scope).or_default().add(cluster, 1);
            }
            if let Some(labels) = pair.labels {
                window.labels.entry(scope).or_default().add(labels);
            }
        }
    }

    /// Adds a pair to the comparison of models with their baselines. `models` has one element for each model. `range` is as
    /// in [`EvidencePair`].
    pub fn add_comparisons(
        &mut self,
        (window, scopes, group): (Window, &[u16], u8),
        models: &[PairComparison<'_>],
        range: Option<ScoreRange>,
    ) {
        let window = self.windows.entry(window).or_default().to_mut();
        for &scope in scopes {
            let own = window.gains.sums.entry((scope, group)).or_default();
            own.resize(models.len(), GainSums::default());
            own.iter_mut().zip(models).for_each(|(sums, pair)| sums.add(pair));
            let Some(range) = range else { continue };
            let own = window.gains.differences.entry(scope).or_default();
            own.resize(models.len(), DifferenceHistograms::default());
            own.iter_mut().zip(models).for_each(|(histograms, pair)| histograms.add(pair, range));
        }
    }

    /// Adds all evidence of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (window, more) in &other.windows {
            let own = self.windows.entry(*window).or_default().to_mut();
            for (key, sums) in &more.sums {
                own.sums.entry(*key).or_default().merge(sums);
            }
            for (scope, sizes) in &more.cluster_sizes {
                own.cluster_sizes.entry(*scope).or_default().merge(sizes);
            }
            for (scope, labels) in &more.labels {
                own.labels.entry(*scope).or_default().merge(labels);
            }
            for (scope, histograms) in &more.scores {
                merge_each(own.scores.entry(*scope).or_default(), histograms, ScoreHistogram::merge);
            }
            for (key, gains) in &more.gains.sums {
                merge_each(own.gains.sums.entry(*key).or_default(), gains, GainSums::merge);
            }
            for (scope, differences) in &more.gains.differences {
                merge_each(
                    own.gains.differences.entry(*scope).or_default(),
                    differences,
                    DifferenceHistograms::merge,
                );
            }
            for (occurrence, pairs) in &more.occurrences {
                *own.occurrences.entry(*occurrence).or_default() += pairs;
            }
            own.scope_sets.merge(&more.scope_sets);
        }
    }

    /// The evidence up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> VerdictEvidence {
        let windows = self.windows.range(..=last).map(|(window, evidence)| (*window, evidence.clone()));
        VerdictEvidence { windows: windows.collect() }
    }

    /// The evidence of those of the given windows that have any.
    fn of_windows(&self, windows: &[Window]) -> impl Iterator<Item = &WindowEvidence> {
        windows.iter().filter_map(|window| self.windows.get(window)).map(|evidence| &**evidence)
    }

    /// The sums over the given windows and over the strata for which `in_stratum` holds.
    pub fn sums(&self, windows: &[Window], in_stratum: impl Fn(StratumKey) -> bool) -> StratumSums {
        let mut all = StratumSums::default();
        for (_, sums) in
            self.of_windows(windows).flat_map(|window| &window.sums).filter(|(key, _)| in_stratum(**key))
        {
            all.merge(sums);
        }
        all
    }

    /// The sums of each model and its baselines over the given windows, in a scope and the jackknife groups for which
    /// `in_group` holds.
    pub fn gains(&self, windows: &[Window], scope: u16, in_group: impl Fn(u8) -> bool) -> Vec<GainSums> {
        let mut all = Vec::new();
        let own = |key: &(u16, u8)| key.0 == scope && in_group(key.1);
        for (_, gains) in
            self.of_windows(windows).flat_map(|window| &window.gains.sums).filter(|(key, _)| own(key))
        {
            merge_each(&mut all, gains, GainSums::merge);
        }
        all
    }

    /// The scores of a model over the given windows in a scope.
    pub fn scores(&self, windows: &[Window], scope: u16, model: usize) -> ScoreHistogram {
        let mut all = ScoreHistogram::default();
        let own = self.of_windows(windows).filter_map(|window| window.scores.get(&scope)?.get(model));
        own.for_each(|histogram| all.merge(histogram));
        all
    }

    /// The differences between the scores of a model and those of its baselines over the given windows in a scope.
    pub fn differences(&self, windows: &[Window], scope: u16, model: usize) -> DifferenceHistograms {
        let mut all = DifferenceHistograms::default();
        let own =
            self.of_windows(windows).filter_map(|window| window.gains.differences.get(&scope)?.get(model));
        own.for_each(|histograms| all.merge(histograms));
        all
    }

    /// The sizes of the clusters over the given windows in a scope.
    pub fn cluster_sizes(&self, windows: &[Window], scope: u16) -> ClusterSizes {
        let sizes: Vec<_> =
            self.of_windows(windows).filter_map(|window| window.cluster_sizes.get(&scope)).collect();
        ClusterSizes::pooled(sizes.into_iter())
    }

    /// The label counts over the given windows in a scope.
    pub fn labels(&self, windows: &[Window], scope: u16) -> LabelCounts {
        let mut all = LabelCounts::default();
        for labels in self.of_windows(windows).filter_map(|window| window.labels.get(&scope)) {
            all.merge(labels);
        }
        all
    }
}

/// Merges sums with one element for each model.
fn merge_each<T: Clone + Default>(own: &mut Vec<T>, more: &[T], merge: fn(&mut T, &T)) {
    own.resize(own.len().max(more.len()), T::default());
    own.iter_mut().zip(more).for_each(|(own, more)| merge(own, more));
}

impl StratumSums {
    fn zero(models: usize, components: usize) -> StratumSums {
        let model =
            || ModelSums { components: vec![ExactSum::default(); components], ..ModelSums::default() };
        StratumSums { pairs: 0, models: (0..models).map(|_| model()).collect() }
    }

    fn add(&mut self, models: &[ModelScores], metric: usize, row: usize) {
        if self.models.is_empty() {
            *self = StratumSums::zero(models.len(), models[0].scores[metric].len());
        }
        self.pairs += 1;
        for (own, scored) in self.models.iter_mut().zip(models) {
            own.unanswered += u64::from(scored.statuses[row] != AnswerStatus::Answered);
            let components = &scored.scores[metric];
            for (sum, component) in own.components.iter_mut().zip(components) {
                sum.add(component[row]);
            }
            let first = components[0][row];
            // A square beyond the range of f64 is clamped to its maximum. Only scores in a bounded range use
            // the squares.
            own.squares.add((first * first).min(f64::MAX));
        }
    }

    /// Adds sums of the same study.
    pub fn merge(&mut self, other: &StratumSums) {
        if self.models.is_empty() {
            *self = other.clone();
            return;
        }
        self.pairs += other.pairs;
        for (own, more) in self.models.iter_mut().zip(&other.models) {
            own.unanswered += more.unanswered;
            own.components.iter_mut().zip(&more.components).for_each(|(sum, more)| sum.merge(more));
            own.squares.merge(&more.squares);
        }
    }
}

/// The counts of accepted snapshots by window, scope and condition value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputCounts {
    /// The earliest observed time, microseconds; `None` before the first.
    pub earliest: Option<i64>,
    /// The counts of each window.
    pub windows: BTreeMap<Window, WindowInputCounts>,
}

/// The counts of accepted snapshots of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowInputCounts {
    /// By scope; the first entry counts all snapshots.
    pub scopes: Vec<u64>,
    /// For each condition, by value.
    pub values: Vec<Vec<u64>>,
}

impl InputCounts {
    /// Counts a snapshot, observed at `micros`, in the scopes that it belongs to, with the value of each
    /// condition.
    pub fn add(
        &mut self,
        window: Window,
        micros: i64,
        scopes: &[u16],
        values: impl IntoIterator<Item = u16>,
    ) {
        self.earliest = Some(self.earliest.map_or(micros, |earliest| earliest.min(micros)));
        let window = self.windows.entry(window).or_default();
        for &scope in scopes {
            count(&mut window.scopes, usize::from(scope));
        }
        for (condition, value) in values.into_iter().enumerate() {
            if window.values.len() <= condition {
                window.values.push(Vec::new());
            }
            count(&mut window.values[condition], usize::from(value));
        }
    }

    /// The counts up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> InputCounts {
        let windows = self.windows.range(..=last).map(|(window, evidence)| (*window, evidence.clone()));
        InputCounts { earliest: self.earliest, windows: windows.collect() }
    }

    /// The number of snapshots of the given windows in a scope.
    pub fn snapshots(&self, windows: &[Window], scope: u16) -> u64 {
        let of = |window| self.windows.get(window)?.scopes.get(usize::from(scope)).copied();
        windows.iter().filter_map(of).sum()
    }

    /// The number of snapshots of the given windows for each of the first `values` values of a condition.
    pub fn values(&self, windows: &[Window], condition: usize, values: usize) -> Vec<u64> {
        let mut counts = vec![0; values];
        for of in windows.iter().filter_map(|window| self.windows.get(window)?.values.get(condition)) {
            counts.iter_mut().zip(of).for_each(|(count, more)| *count += more);
        }
        counts
    }
}

/// Increments the count at `index`; extends the list if necessary.
fn count(counts: &mut Vec<u64>, index: usize) {
    if counts.len() <= index {
        counts.resize(index + 1, 0);
    }
    counts[index] += 1;
}

#[cfg(test)]
mod tests;
