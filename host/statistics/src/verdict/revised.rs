//! The revised decisions in a verdict: how many there are by condition, and the agreement before and after the
//! revision.
//!
//! Invariants: they decide nothing. Both values of the metric are over the same pairs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::scoring::{Cells, InterimRules, Reduce, Slice};
use understudy_study::Revisions;

/// The pairs of a run with more than one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerdictRevisions {
    /// Which decision of a pair counts: `first` or `last`.
    pub counts: String,
    /// Over all pairs.
    pub overall: RevisedSlice,
    /// Over the pairs with each value of each condition, without values that no such pair has.
    pub conditions: Vec<RevisedSlice>,
}

/// The pairs with more than one decision that have a value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisedSlice {
    /// The condition; `None` for all pairs.
    pub condition: Option<String>,
    /// The value; `None` for all pairs.
    pub value: Option<String>,
    /// The number of pairs.
    pub pairs: u64,
    /// The number of their decisions that do not count.
    pub decisions: u64,
    /// The number of these pairs whose first and last decision the comparator answered.
    pub known: u64,
    /// For each model the threshold's metric over the known pairs.
    pub models: Vec<RevisedAgreement>,
}

/// The threshold's metric of a model over pairs with more than one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisedAgreement {
    /// The model.
    pub model: String,
    /// Against the first decision of each pair.
    pub first: Option<f64>,
    /// Against the last decision of each pair.
    pub last: Option<f64>,
}

/// The revised decisions of a run; `None` if the study refuses revisions. `interim` says which figures over all pairs may be
/// shown before the end of the run.
pub(super) fn revisions(
    facts: &Facts<'_>,
    interim: Option<&InterimRules>,
    reduce: &mut Reduce<'_>,
) -> Option<VerdictRevisions> {
    let sums = facts.results.revisions;
    let (first, last) = match facts.study.revisions {
        Revisions::Refuse => return None,
        Revisions::First => (sums.counting(), sums.other()),
        Revisions::Last { .. } => (sums.other(), sums.counting()),
    };
    let [first, last] = [first, last].map(|cells: &Cells| cells.fold(cells.iter().map(|(window, _)| window)));
    let metric = facts.threshold.metric;
    let interim = interim.map(|interim| interim.for_part(sums.counting(), facts.results.cells));
    let mut slice = |slice: Slice, condition: Option<String>, value: Option<String>| {
        let counts = sums.counts(slice);
        let mut figure = |totals: &crate::scoring::Totals, model: usize| {
            let mut sums = totals.tally(slice, model, metric).sums;
            let is_shown = interim.as_ref().is_none_or(|interim| interim.model(model).shows(slice));
            // The last component is the number of pairs that the metric scored.
            let scored = sums.pop().unwrap_or(0.0) as u64;
            if scored == 0 || !is_shown { None } else { reduce(scored, &sums) }
        };
        let models = facts.study.models.iter().enumerate().map(|(index, model)| RevisedAgreement {
            model: model.name.clone(),
            first: figure(&first, index),
            last: figure(&last, index),
        });
        let models = models.collect();
        RevisedSlice {
            condition,
            value,
            pairs: counts.pairs,
            decisions: counts.decisions,
            known: counts.known,
            models,
        }
    };
    let overall = slice(Slice::All, None, None);
    let mut conditions = Vec::new();
    for (condition, declared) in facts.study.conditions.iter().enumerate() {
        for (value, name) in facts.conditions.values(condition).iter().enumerate() {
            conditions.push(slice(
                Slice::Value { condition, value },
                Some(declared.name.clone()),
                Some(name.clone()),
            ));
        }
    }
    conditions.retain(|slice| slice.pairs > 0);
    Some(VerdictRevisions { counts: facts.study.revisions.name().to_owned(), overall, conditions })
}
