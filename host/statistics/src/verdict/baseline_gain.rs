//! Computes the gain of a model over baselines: how much better its metric is than that of answers from the earlier
//! decisions alone.
//!
//! Invariants:
//! - Model and baseline are compared over the same pairs: those with an earlier decision that the metric scored for both.
//!   Every other evaluated pair is counted among those that are left out.
//! - Baselines that learn from the model's own answers show whether its answers depend on the snapshots at all. So a nearly
//!   constant model has no gain, whatever the metric.
//! - If unanswered pairs are left out, there are baselines that learn from all earlier decisions, which no answer of the model
//!   influences, and baselines that learn from the answered pairs only. The gain over both must suffice. So a model does not
//!   gain by abstaining, neither where the decisions are hard to predict nor where the baselines learn.
//! - A gain above 0 is better, whatever the direction of the metric.
//! - The difference is paired: the interval is that of the difference, not of two values.
//! - The result names no answer, because a verdict is also shown to readers who may not see answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimator, independent_scores, is_mean, rounded_components};
use super::mean_scores::MeanScores;
use super::replicates::{MIN_DIFFERING_PAIRS, MetricLimits, interval_from_replicates};
use super::{IntervalMethod, MissingInterval};
use crate::number_text::count;
use crate::scoring::{
    Baseline, ClusterLimits, DifferenceHistograms, GainSums, Interval, JACKKNIFE_GROUPS, LearningSet, Reduce,
    ScoreBlock, ScoreRange, ScoreSums, Window,
};
use understudy_study::{ChanceRequirement, Direction, Evidence};

/// The gains of a model over all baselines of its form of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BaselineGains {
    /// The number of pairs over which model and baselines are compared.
    pub pairs: u64,
    /// The evaluated pairs that are left out.
    pub left_out: LeftOutPairs,
    /// The value of the metric for the model over the compared pairs; `None` where it is not defined.
    pub model: Option<f64>,
    /// Whether one answer, given to every answered pair, has the score of the model in each.
    pub is_constant: bool,
    /// The gain over each baseline; empty if no pair is compared.
    pub gains: Vec<BaselineGain>,
}

/// The evaluated pairs over which model and baselines are not compared, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LeftOutPairs {
    /// The pairs that the model did not answer, if the metric leaves them out, too.
    pub unanswered: u64,
    /// The pairs without an earlier decision from which the baselines learn.
    pub without_decision: u64,
    /// The pairs that the metric could not score for the model or a baseline.
    pub unscored: u64,
}

impl LeftOutPairs {
    /// All pairs that are left out.
    pub fn total(self) -> u64 {
        self.unanswered + self.without_decision + self.unscored
    }

    /// The pairs by reason, in words: `12 unanswered, 1 without an earlier decision`. `None` if there are none.
    pub fn text(self) -> Option<String> {
        let reasons = [
            (self.unanswered, "unanswered"),
            (self.without_decision, "without an earlier decision"),
            (self.unscored, "without a score of the model or a baseline"),
        ];
        let reasons = reasons.into_iter().filter(|(pairs, _)| *pairs > 0);
        let reasons: Vec<String> =
            reasons.map(|(pairs, reason)| format!("{} {reason}", count(pairs))).collect();
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

/// The gain of a model over one baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BaselineGain {
    /// The baseline.
    pub baseline: Baseline,
    /// The answers that it learns from.
    pub learned_from: LearningSet,
    /// The value of the metric for the baseline; `None` where it is not defined.
    pub value: Option<f64>,
    /// By how much the model is better, in units of the metric; `None` where a value is not defined.
    pub gain: Option<f64>,
    /// Whether the scores of model and baseline are equal in every pair.
    pub is_equal: bool,
    /// The bounds of the gain, each one-sided.
    pub interval: Option<Interval>,
    /// The method of the interval.
    pub method: Option<IntervalMethod>,
    /// Why there is no interval; `None` if there is one.
    pub no_interval: Option<MissingInterval>,
}

impl BaselineGain {
    /// What the baseline answers, as it follows the word `giving` in a sentence.
    pub fn answer(&self) -> String {
        self.baseline.answer(self.learned_from)
    }
}

impl Estimator<'_, '_> {
    /// The gains of a model over the baselines, with bounds if bounds decide.
    pub fn baseline_gains(&mut self, windows: &[Window], scope: u16, model: usize) -> BaselineGains {
        let evidence = self.facts.results.evidence;
        let own = |gains: Vec<GainSums>| gains.into_iter().nth(model).unwrap_or_default();
        let by_window: Vec<GainSums> =
            windows.iter().map(|window| own(evidence.gains(&[*window], scope, |_| true))).collect();
        let mut sums = GainSums::default();
        by_window.iter().for_each(|window| sums.merge(window));
        let answered_only = leaves_out_unanswered(self.reduce, &sums);
        let compared = |sums: &GainSums| compared(sums, answered_only);
        let total = compared(&sums);
        let (unanswered, first_answered) =
            if answered_only { (sums.unanswered.pairs, sums.first_answered.pairs) } else { (0, 0) };
        let left_out = LeftOutPairs {
            unanswered,
            without_decision: sums.without_decision + first_answered,
            unscored: sums.unscored,
        };
        let by_bounds = self.facts.threshold.evidence != Evidence::Point && total.pairs > 0;
        // Independent scores have bounds without groups, or none.
        let needs_groups = by_bounds && !self.sequential && self.facts.threshold.cluster.is_some();
        let without: Vec<ScoreSums> = match needs_groups {
            false => Vec::new(),
            true => (0..JACKKNIFE_GROUPS as u8)
                .filter(|group| {
                    compared(&own(evidence.gains(windows, scope, |other| other == *group))).pairs > 0
                })
                .map(|group| compared(&own(evidence.gains(windows, scope, |other| other != group))))
                .collect(),
        };
        let blocks: Vec<ScoreSums> = match by_bounds && self.sequential {
            false => Vec::new(),
            true => by_window.iter().map(compared).collect(),
        };
        let limits = self.cluster_limits(windows, scope);
        let differences = evidence.differences(windows, scope, model);
        let (pairs, values) = rounded_components(&total.model);
        let model = if total.pairs > 0 { (self.reduce)(pairs, &values) } else { None };
        let learning_sets: &[LearningSet] = match answered_only {
            true => &[LearningSet::AllPairs, LearningSet::AnsweredPairs, LearningSet::OwnAnswers],
            false => &[LearningSet::AllPairs, LearningSet::OwnAnswers],
        };
        let form = self.facts.threshold.form;
        let baselines = learning_sets.iter().flat_map(|set| {
            let indices = set.first_index()..;
            indices.zip(Baseline::learning_from(*set, form)).map(|(index, baseline)| (index, *set, *baseline))
        });
        let gains = baselines.filter(|_| total.pairs > 0).map(|(index, learned_from, baseline)| {
            let (value, gain) = self.values(&total, index);
            let interval = match gain.filter(|_| by_bounds) {
                None => None,
                Some(_) if self.sequential => Some(self.gain_sequence(windows, &blocks, &total, index)),
                Some(gain) => {
                    let scale = model.zip(value).map_or(0.0, |(model, value)| model.abs().max(value.abs()));
                    let scores = self.differences(&differences, answered_only, &total, index);
                    Some(self.gain_interval((gain, scale), (&without, limits, scores), &total, index))
                }
            };
            let (interval, method, no_interval) = match interval {
                None => (None, None, None),
                Some(Ok((interval, method))) => (Some(interval), Some(method), None),
                Some(Err(reason)) => (None, None, Some(reason)),
            };
            let is_equal = total.baselines[index].differing == 0;
            BaselineGain { baseline, learned_from, value, gain, is_equal, interval, method, no_interval }
        });
        let gains = gains.collect();
        let is_constant = GainSums::are_constant(&by_window);
        BaselineGains { pairs: total.pairs, left_out, model, is_constant, gains }
    }

    /// 1 if higher values are better, otherwise -1.
    fn sign(&self) -> f64 {
        match self.facts.threshold.direction {
            Direction::AtLeast => 1.0,
            Direction::AtMost => -1.0,
        }
    }

    /// The value of a baseline, and the gain over it.
    fn values(&mut self, sums: &ScoreSums, index: usize) -> (Option<f64>, Option<f64>) {
        let (pairs, model) = rounded_components(&sums.model);
        let Some(baseline) = sums.baselines.get(index).filter(|_| pairs > 0) else { return (None, None) };
        let model = (self.reduce)(pairs, &model);
        let baseline = (self.reduce)(pairs, &rounded_components(&baseline.components).1);
        // Adding 0 turns the negative zero of equal values into 0.
        let gain = model.zip(baseline).map(|(model, baseline)| self.sign() * (model - baseline) + 0.0);
        (baseline, gain.filter(|gain| gain.is_finite()))
    }

    /// The differences whose mean is the gain over the baseline with this index. `None` if the metric is not a mean of
    /// scores in a known range.
    fn differences(
        &mut self,
        histograms: &DifferenceHistograms,
        answered_only: bool,
        total: &ScoreSums,
        index: usize,
    ) -> Option<MeanScores> {
        self.mean_width(total, index)?;
        Some(MeanScores {
            histogram: histograms.baseline(index, answered_only),
            range: ScoreRange::new(self.facts.range)?.of_differences(),
            pairs: total.pairs,
            negated: self.sign() < 0.0,
        })
    }

    /// The interval of a gain at a single look. Without clusters it is the interval of the mean of `scores`. With clusters it
    /// follows from the sums `without` each jackknife group, and `limits` are the cluster limits. `scale` is the size of the
    /// greater of the two values. There is none if the metric is not a mean of scores in a known range.
    fn gain_interval(
        &mut self,
        (gain, scale): (f64, f64),
        (without, limits, scores): (&[ScoreSums], ClusterLimits, Option<MeanScores>),
        total: &ScoreSums,
        index: usize,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        if self.facts.threshold.cluster.is_none() {
            return scores.ok_or(MissingInterval::NotMean)?.interval(gain, self.confidence);
        }
        // Clusters may be too rare to have been observed. Only a range says how far they move the gain.
        let width = self.mean_width(total, index).ok_or(MissingInterval::Clusters)?;
        if total.baselines[index].differing < MIN_DIFFERING_PAIRS {
            return Err(MissingInterval::FewDifferences);
        }
        if without.len() < 2 {
            return Err(MissingInterval::FewGroups);
        }
        let replicates: Option<Vec<f64>> = without.iter().map(|sums| self.values(sums, index).1).collect();
        let replicates = replicates.ok_or(MissingInterval::UndefinedReplicate)?;
        let squares = total.baselines[index].squares.value();
        let independent = independent_scores(limits, (total.pairs, without.len()), gain, squares);
        let range: MetricLimits = (Some(-width), Some(width));
        let scores = (Some(independent), limits, scores.as_ref());
        interval_from_replicates(gain, (&replicates, scale), range, scores, self.confidence)
    }

    /// The interval of a gain that holds at all looks before the end. `blocks` are the sums of each window.
    fn gain_sequence(
        &mut self,
        windows: &[Window],
        blocks: &[ScoreSums],
        total: &ScoreSums,
        index: usize,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let width = self.mean_width(total, index).ok_or(MissingInterval::NoSequence)?;
        let sign = self.sign();
        let difference = |sums: &ScoreSums| {
            let baseline = sums.baselines.get(index)?;
            let (n, model) = rounded_components(&sums.model);
            let (_, baseline_sums) = rounded_components(&baseline.components);
            let sum = sign * (model.first()? - baseline_sums.first()?);
            Some(ScoreBlock { n, sum, squares: baseline.squares.value() })
        };
        let empty = ScoreBlock { n: 0, sum: 0.0, squares: 0.0 };
        let all = difference(total).unwrap_or(empty);
        let blocks = blocks.iter().map(|sums| difference(sums).unwrap_or(empty));
        let guess = self.facts.threshold.chance.map_or(0.0, ChanceRequirement::least).min(width);
        let gain = all.sum / all.n as f64;
        Ok(self.mean_sequence(windows, blocks, (-width, width), (guess, gain), self.confidence))
    }

    /// The greatest possible difference of two scores, if the metric is a mean of scores in a known range.
    fn mean_width(&mut self, sums: &ScoreSums, index: usize) -> Option<f64> {
        let (least, greatest) = self.facts.range.0.zip(self.facts.range.1)?;
        let mut is_mean_of = |sums: &[_]| {
            let (pairs, values) = rounded_components(sums);
            let value = (self.reduce)(pairs, &values);
            value.is_some_and(|value| is_mean(self.reduce, self.facts.range, &values, pairs, value))
        };
        let is_mean = is_mean_of(&sums.model) && is_mean_of(&sums.baselines[index].components);
        Some(greatest - least).filter(|width| is_mean && width.is_finite() && *width > 0.0)
    }
}

/// Whether there are unanswered pairs and the metric leaves them out. It leaves them out if the sums of their
/// components are 0 and the model's value is the same without them.
fn leaves_out_unanswered(reduce: &mut Reduce<'_>, sums: &GainSums) -> bool {
    let mut value = |sums: &ScoreSums| {
        let (pairs, values) = rounded_components(&sums.model);
        reduce(pairs, &values)
    };
    let has_components = rounded_components(&sums.unanswered.model).1.iter().any(|sum| *sum != 0.0);
    let mut answered = sums.answered.clone();
    answered.merge(&sums.first_answered);
    let all = compared(sums, false);
    sums.unanswered.pairs > 0 && !has_components && value(&answered) == value(&all)
}

/// The sums over the pairs that are compared. With `answered_only` these are the answered pairs with an earlier decision of
/// an answered pair, so that all baselines are compared over the same pairs.
fn compared(sums: &GainSums, answered_only: bool) -> ScoreSums {
    let mut all = sums.answered.clone();
    if !answered_only {
        all.merge(&sums.first_answered);
        all.merge(&sums.unanswered);
    }
    all
}

#[cfg(test)]
mod tests;
