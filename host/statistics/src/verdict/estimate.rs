//! Estimates the threshold's metric over a set of pairs, with an interval.
//!
//! Invariants:
//! - A value is the metric's own `reduce` of exact sums.
//! - An interval has one method, which depends on the kind of the scores and on the time of the look. It
//!   depends on the result only where the scores show no spread.
//! - An estimate without an interval says why.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ceiling::CeilingShare;
use super::chance_corrected_agreement::{ChanceAgreement, ChanceMeasure, ModelLabels};
use super::window_selection::WindowSelection;
use super::{
    CONTAMINATION_LEVEL, Contamination, DISPLAY_CONFIDENCE, Estimate, Facts, IntervalMethod, MissingInterval,
};
use crate::scoring::{
    ClusterLimits, ConfidenceSequence, ExactSum, InputClassSample, InterimRules, Interval, JACKKNIFE_GROUPS,
    ModelSums, Reduce, ScoreBlock, ScoreRange, SequenceTuning, StratumKey, Window, WindowSequence,
    clopper_pearson, jackknife_difference, proportion_difference,
};
use understudy_study::{
    ChanceRequirement, Direction, Evidence as Declared, Quantifier, Study, Threshold, WindowChoice,
};

/// A variance below this fraction of the mean square of the scores is attributed to rounding.
const ROUNDING: f64 = 1e-12;

/// The first window and the number of windows, scope and model.
type ReplicatesKey = (Option<Window>, usize, u16, usize);

/// Computes the estimates of a study.
pub struct Estimator<'f, 'r> {
    pub(super) facts: &'f Facts<'f>,
    selection: &'f WindowSelection,
    pub(super) reduce: &'r mut Reduce<'r>,
    /// The confidence of each bound. After a change, replicates and label counts are reused.
    pub confidence: f64,
    /// Whether this is an interim look, before a declared end.
    early: bool,
    /// Whether bounds hold at all looks together, see [`has_looks`].
    pub(super) sequential: bool,
    /// Which figures may be shown, before the end of a run.
    interim: Option<&'f InterimRules>,
    /// The label counts over all windows that count, by scope and model; `None` if there are none, or too many labels.
    labels: BTreeMap<(u16, usize), Option<Rc<ModelLabels>>>,
    /// The input classes over all windows that count, by scope.
    classes: BTreeMap<u16, InputClassSample>,
    /// The values with each jackknife group left out.
    replicates: BTreeMap<ReplicatesKey, Result<Vec<f64>, MissingInterval>>,
}

impl<'f, 'r> Estimator<'f, 'r> {
    /// An estimator for a study and the windows that count. `interim` says which figures may be shown before the end of a
    /// run; `None` after it.
    pub fn new(
        facts: &'f Facts<'f>,
        selection: &'f WindowSelection,
        interim: Option<&'f InterimRules>,
        reduce: &'r mut Reduce<'r>,
    ) -> Estimator<'f, 'r> {
        let confidence = declared_confidence(facts.threshold);
        let early = is_early(facts, &selection.windows);
        let sequential = has_looks(facts, &selection.windows);
        Estimator {
            facts,
            selection,
            reduce,
            confidence,
            early,
            sequential,
            interim,
            labels: BTreeMap::new(),
            classes: BTreeMap::new(),
            replicates: BTreeMap::new(),
        }
    }

    /// The estimate of a model over some windows in a scope.
    pub fn estimate(&mut self, windows: &[Window], scope: u16, model: usize) -> Estimate {
        let sums = self.model_sums(windows, model, |key| key.scope == scope);
        let mut estimate = self.point_estimate(&sums);
        let Some(value) = estimate.value else { return estimate };
        let interval = if self.sequential {
            self.sequence(windows, scope, model, value, &sums)
        } else if let Some(hits) = estimate.hits.filter(|_| self.facts.threshold.cluster.is_none()) {
            let interval = clopper_pearson(hits, estimate.pairs, self.confidence);
            interval.map(|interval| (interval, IntervalMethod::Exact)).ok_or(MissingInterval::NotFinite)
        } else if self.facts.threshold.cluster.is_none()
            && let Some(scores) = self.mean_scores(windows, scope, model, value, &sums)
        {
            scores.interval(value, self.confidence)
        } else {
            self.jackknife_interval(windows, scope, model, value, &sums, estimate.hits.is_some())
        };
        match interval {
            Ok((interval, method)) => {
                (estimate.interval, estimate.method) = (Some(interval), Some(method));
            }
            Err(reason) => estimate.no_interval = Some(reason),
        }
        estimate
    }

    /// The contamination test: a model's value where its answer existed before the decision, against that
    /// where it did not. `None` without blinded pairs. At an interim look the difference is not tested: the
    /// level holds for a single test, and each look would be another chance to accuse a clean study.
    pub fn contamination(&mut self, windows: &[Window], model: usize) -> Option<Contamination> {
        let arm = |blinded: bool| move |key: StratumKey| key.scope == 0 && key.blinded == blinded;
        let [unblinded, blinded] = [false, true].map(|blinded| {
            let sums = self.model_sums(windows, model, arm(blinded));
            self.point_estimate(&sums)
        });
        if blinded.pairs == 0 {
            return None;
        }
        let closer = match self.facts.threshold.direction {
            Direction::AtLeast => 1.0,
            Direction::AtMost => -1.0,
        };
        let counts = |estimate: &Estimate| {
            let hits = estimate.hits?;
            Some((if closer > 0.0 { hits } else { estimate.pairs - hits }, estimate.pairs))
        };
        let independent = self.facts.threshold.cluster.is_none();
        let difference = match (counts(&unblinded), counts(&blinded)) {
            _ if self.early => None,
            (Some(unblinded), Some(blinded)) if independent => {
                proportion_difference(unblinded, blinded, self.confidence, CONTAMINATION_LEVEL)
            }
            // A difference over groups of ids or clusters would tell in which group a single score is.
            _ if !self.facts.results.closed => {
                let [unblinded, blinded] = [unblinded, blinded].map(Estimate::without_figures);
                return Some(Contamination { unblinded, blinded, tested: true, difference: None });
            }
            _ => {
                let [one, other] =
                    [false, true].map(|blinded| self.leave_one_out(windows, model, arm(blinded)));
                // Both arms must be divided into the same groups, and the metric must be defined without each
                // of them. With few pairs this is not so, and the test is not possible.
                let replicates = one.ok().zip(other.ok()).filter(|(one, other)| {
                    one.len() == JACKKNIFE_GROUPS as usize && other.len() == one.len()
                });
                match (unblinded.value, blinded.value, replicates) {
                    (Some(unblinded), Some(blinded), Some((one, other))) => {
                        let without: Vec<f64> =
                            one.iter().zip(&other).map(|(one, other)| closer * (one - other)).collect();
                        let difference = closer * (unblinded - blinded);
                        let scale = unblinded.abs().max(blinded.abs());
                        let level = CONTAMINATION_LEVEL;
                        jackknife_difference(difference, &without, scale, self.confidence, level)
                    }
                    _ => None,
                }
            }
        };
        Some(Contamination { unblinded, blinded, tested: !self.early, difference })
    }

    /// The agreement of a model beyond chance, with bounds if bounds decide, and the label counts that it comes from.
    /// `None` if it cannot be computed, or is not required.
    pub fn chance(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
    ) -> Option<(Rc<ModelLabels>, ChanceAgreement)> {
        let threshold = self.facts.threshold;
        let measure = match threshold.chance? {
            ChanceRequirement::NotAsked => return None,
            ChanceRequirement::Gain(_) => ChanceMeasure::Gain,
            ChanceRequirement::Kappa(_) => ChanceMeasure::Kappa,
        };
        let known = self.labels.get(&(scope, model)).cloned();
        let labels = known.unwrap_or_else(|| self.model_labels(windows, scope, model).map(Rc::new));
        self.labels.insert((scope, model), labels.clone());
        let labels = labels?;
        let mut agreement = labels.agreement(measure);
        if threshold.evidence == Declared::Point {
            return Some((labels, agreement));
        }
        let interval = match measure {
            ChanceMeasure::Kappa if self.sequential => Err(MissingInterval::NoSequence),
            ChanceMeasure::Kappa => {
                labels.jackknife_kappa(self.cluster_limits(windows, scope), self.confidence)
            }
            ChanceMeasure::Gain if self.sequential => {
                let guess = threshold.chance.map_or(0.0, ChanceRequirement::least);
                labels.sequence_gain(self.confidence, |blocks, gain, confidence| {
                    let blocks = blocks.iter().copied();
                    self.mean_sequence(windows, blocks, (-1.0, 1.0), (guess, gain), confidence)
                })
            }
            ChanceMeasure::Gain if threshold.cluster.is_some() => {
                labels.jackknife_gain(self.cluster_limits(windows, scope), self.confidence)
            }
            ChanceMeasure::Gain => labels.exact_gain(self.confidence),
        };
        match interval {
            Ok((interval, method)) => {
                (agreement.interval, agreement.method) = (Some(interval), Some(method));
            }
            Err(reason) => agreement.no_interval = Some(reason),
        }
        Some((labels, agreement))
    }

    /// The agreement of a model as a share of the ceiling, with bounds, and the number of pairs in which the model gave the
    /// substrate's answer.
    pub fn ceiling(&mut self, windows: &[Window], scope: u16, model: usize) -> (CeilingShare, u64) {
        let sums = self.facts.results.self_agreement;
        let sample = self.classes.entry(scope).or_insert_with(|| sums.classes(windows, scope));
        (CeilingShare::estimate(sample, model, self.confidence), sample.equal(model))
    }

    fn model_sums(
        &self,
        windows: &[Window],
        model: usize,
        in_stratum: impl Fn(StratumKey) -> bool,
    ) -> ModelSums {
        self.facts.results.evidence.sums(windows, in_stratum).models.get(model).cloned().unwrap_or_default()
    }

    /// The number of components of the metric, by the sums over these windows; 0 without pairs.
    pub fn components(&self, windows: &[Window]) -> usize {
        let sums = self.facts.results.evidence.sums(windows, |_| true);
        sums.models.first().map_or(0, |sums| rounded(sums).1.len())
    }

    fn point_estimate(&mut self, sums: &ModelSums) -> Estimate {
        let (pairs, values) = rounded(sums);
        let value = (pairs > 0).then(|| (self.reduce)(pairs, &values)).flatten();
        // Scores in [0, 1] are all 0 or 1 exactly if the sum of their squares equals their sum.
        let share = self.facts.range == (Some(0.0), Some(1.0))
            && values.len() == 1
            && value.is_some_and(|value| is_mean(self.reduce, self.facts.range, &values, pairs, value))
            && sums.squares == sums.components[0];
        let answered = pairs.saturating_sub(sums.unanswered);
        Estimate { pairs, answered, hits: share.then(|| values[0] as u64), value, ..Estimate::default() }
    }

    /// The value with each group left out that has pairs. If the metric is not defined without one of them, the
    /// values of the others say nothing about the variance.
    fn leave_one_out(
        &mut self,
        windows: &[Window],
        model: usize,
        in_stratum: impl Fn(StratumKey) -> bool,
    ) -> Result<Vec<f64>, MissingInterval> {
        let groups = (0..JACKKNIFE_GROUPS as u8).filter(|group| {
            let own = |key: StratumKey| in_stratum(key) && key.group == *group;
            self.facts.results.evidence.sums(windows, own).pairs > 0
        });
        let groups: Vec<u8> = groups.collect();
        if groups.len() < 2 {
            return Err(MissingInterval::FewGroups);
        }
        let sums: Vec<ModelSums> = groups
            .into_iter()
            .map(|group| self.model_sums(windows, model, |key| in_stratum(key) && key.group != group))
            .collect();
        let values: Option<_> = sums.iter().map(|sums| self.point_estimate(sums).value).collect();
        values.ok_or(MissingInterval::UndefinedReplicate)
    }

    /// The interval of a mean of scores in a known range that holds at all looks before the end together. `sums` are those
    /// over the windows.
    fn sequence(
        &mut self,
        windows: &[Window],
        scope: u16,
        model: usize,
        value: f64,
        sums: &ModelSums,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let scores = self.mean_scores(windows, scope, model, value, sums);
        let ScoreRange { least, greatest, .. } = scores.ok_or(MissingInterval::NoSequence)?.range;
        let blocks = self.sequence_blocks(windows, model).into_iter().map(|windows| {
            let sums = self.model_sums(&windows, model, |key| key.scope == scope);
            let (pairs, values) = rounded(&sums);
            let sum = values.first().copied().unwrap_or(0.0);
            let n = values.get(1).map_or(pairs, |counted| *counted as u64);
            ScoreBlock { n, sum, squares: sums.squares.value() }
        });
        let guess = self.facts.threshold.bound.clamp(least, greatest);
        Ok(self.mean_sequence(windows, blocks, (least, greatest), (guess, value), self.confidence))
    }

    /// The blocks of windows that are the observations of a sequence. The bounds depend on the sum of each, so a block is as
    /// large as a figure has to be that is shown before the end.
    fn sequence_blocks(&self, windows: &[Window], model: usize) -> Vec<Vec<Window>> {
        match self.interim {
            Some(interim) => interim.model(model).divided(windows),
            None => windows.iter().map(|window| vec![*window]).collect(),
        }
    }

    /// The interval, at all looks before the end, of the mean of scores in a range. `blocks` are the scores of `windows`,
    /// `guess` is a declared guess of the mean, and `mean` the mean itself. Each bound has the confidence.
    pub(super) fn mean_sequence(
        &self,
        windows: &[Window],
        blocks: impl Iterator<Item = ScoreBlock>,
        range: (f64, f64),
        (guess, mean): (f64, f64),
        confidence: f64,
    ) -> (Interval, IntervalMethod) {
        let threshold = self.facts.threshold;
        let (level, usual) = (self.sequence_level(windows, confidence), threshold.least_per_window);
        let windows = self.declared_windows();
        let tuning = |observations| SequenceTuning { range, mean: guess, observations };
        if threshold.cluster.is_some() {
            let mut sequence = WindowSequence::new(level, tuning(windows), usual);
            blocks.for_each(|block| sequence.push(block));
            return (sequence.interval(mean), IntervalMethod::WindowSequence);
        }
        let mut sequence = ConfidenceSequence::new(level, tuning(usual.saturating_mul(windows)));
        blocks.for_each(|block| sequence.push(block));
        (sequence.interval(mean), IntervalMethod::Sequence)
    }

    /// The level of each bound of a sequence over these windows, at a confidence for all looks.
    ///
    /// With `{ latest = N }`, each look has a sequence that starts at another window. The one that starts at the k-th
    /// complete window has the share 1 / (k (k + 1)) of the level. These shares add up to 1, so all sequences hold together.
    fn sequence_level(&self, windows: &[Window], confidence: f64) -> f64 {
        let level = 1.0 - confidence;
        let (WindowChoice::Latest(_), Some(first)) = (self.facts.threshold.windows, windows.first()) else {
            return level;
        };
        let position = self.selection.windows.iter().take_while(|window| *window < first).count();
        let number = (self.selection.passed + position + 1) as f64;
        level / (number * (number + 1.0))
    }

    /// The number of windows over which the declaration pools pairs; 1 if it does not tell.
    fn declared_windows(&self) -> u64 {
        match (self.facts.threshold.quantifier, self.facts.threshold.windows) {
            (Quantifier::Pooled, WindowChoice::First(windows) | WindowChoice::Latest(windows)) => {
                windows.max(1)
            }
            _ => 1,
        }
    }
}

/// The declared confidence of a bound; that of displayed intervals if point estimates decide.
pub fn declared_confidence(threshold: &Threshold) -> f64 {
    match threshold.evidence {
        Declared::Bound(confidence) => confidence,
        Declared::Point => DISPLAY_CONFIDENCE,
    }
}

/// Whether this is an interim look, before a declared end. If the first N windows count, the end is reached
/// as soon as all of them are in `windows`: they are the same at every later look.
pub fn is_early(facts: &Facts<'_>, windows: &[Window]) -> bool {
    let ended =
        matches!(facts.threshold.windows, WindowChoice::First(required) if windows.len() as u64 >= required);
    !facts.results.closed && !ended
}

/// Whether bounds have to hold at all looks together: at an interim look, and at the end of a run unless that is declared.
pub fn has_looks(facts: &Facts<'_>, windows: &[Window]) -> bool {
    is_early(facts, windows) || chooses_end(facts.study, facts.threshold)
}

/// Whether bounds decide, and the person who ends the run chooses its end. That person can look at the results before, and end the
/// run at the best look. The first N windows are a declared end, and files have one of their own.
pub fn chooses_end(study: &Study, threshold: &Threshold) -> bool {
    threshold.evidence != Declared::Point
        && !matches!(threshold.windows, WindowChoice::First(_))
        && !(study.snapshots_source.has_end() && study.decisions_source.has_end())
}

/// The number of scored pairs and the sums of the metric's own components.
fn rounded(sums: &ModelSums) -> (u64, Vec<f64>) {
    rounded_components(&sums.components)
}

/// The number of scored pairs, which is the last sum, and the sums of the metric's own components.
pub(super) fn rounded_components(sums: &[ExactSum]) -> (u64, Vec<f64>) {
    let mut values: Vec<f64> = sums.iter().map(|sum| sum.value().clamp(f64::MIN, f64::MAX)).collect();
    let pairs = values.pop().unwrap_or(0.0) as u64;
    (pairs, values)
}

/// Whether the metric is the mean of the first component over all pairs, see [`averaged_pairs`].
pub(super) fn is_mean(
    reduce: &mut Reduce<'_>,
    range: (Option<f64>, Option<f64>),
    values: &[f64],
    pairs: u64,
    value: f64,
) -> bool {
    averaged_pairs(reduce, range, values, pairs, value) == Some(pairs)
}

/// The number of pairs over which the metric is the mean of the first component, see [`equal_mean`]. `None` if it is no mean of
/// scores in a known range. A value can equal a mean by chance, such as a root of 1 or an F1 without an error. Two other sums of the
/// first component show whether it does.
fn averaged_pairs(
    reduce: &mut Reduce<'_>,
    (least, greatest): (Option<f64>, Option<f64>),
    values: &[f64],
    pairs: u64,
    value: f64,
) -> Option<u64> {
    let counted = equal_mean(values, pairs, value)?;
    let (least, greatest) = (least?, greatest?);
    let mut others = values.to_vec();
    let is_mean = [0.25, 0.75].into_iter().all(|share| {
        others[0] = counted as f64 * (least * (1.0 - share) + greatest * share);
        reduce(pairs, &others).is_some_and(|value| equal_mean(&others, pairs, value) == Some(counted))
    });
    is_mean.then_some(counted)
}

/// The number of pairs over which the value equals the mean of the first component: all pairs if it is the only component, and
/// otherwise those that the second component counts, such as the answered pairs. `None` if the value is no such mean.
fn equal_mean(values: &[f64], pairs: u64, value: f64) -> Option<u64> {
    match values {
        [sum] => (sum / pairs as f64 == value).then_some(pairs),
        [sum, counted, ..] => {
            let is_count = counted.fract() == 0.0 && (1.0..=pairs as f64).contains(counted);
            (is_count && sum / counted == value).then_some(*counted as u64)
        }
        [] => None,
    }
}

/// The number of independent scores of `pairs` in `groups` with this mean and sum of squares, if the groups show no spread.
/// Equal scores are as many as pairs or, with clusters, as the limit of clusters. Otherwise only the groups are independent.
pub(super) fn independent_scores(
    limits: ClusterLimits,
    (pairs, groups): (u64, usize),
    mean: f64,
    squares: f64,
) -> u64 {
    let mean_square = squares / pairs as f64;
    let is_constant = mean_square - mean * mean <= mean_square * ROUNDING;
    if is_constant { (pairs as f64).min(limits.clusters).max(1.0) as u64 } else { groups as u64 }
}

mod single_look;

#[cfg(test)]
mod interval_tests;
#[cfg(test)]
mod tests;
