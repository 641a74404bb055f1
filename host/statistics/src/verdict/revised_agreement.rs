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

#[cfg(test)]
mod tests {
    use super::super::RunResults;
    use super::super::simulated_run::SimulatedRun;
    use super::super::test_support::{DAY, MONDAY, STUDY, every};
    use super::*;
    use crate::scoring::{
        AnswerStatus, CellsShape, Conditions, ModelScores, RevisedPairs, RevisionSums, ScoredPairs,
        VerdictEvidence, Window, WindowClock,
    };
    use understudy_study::{Micros, parse};

    const X: u16 = 0;
    const Y: u16 = 1;

    fn scores(scores: &[f64]) -> [ModelScores; 1] {
        let statuses = vec![AnswerStatus::Answered; scores.len()];
        [ModelScores { statuses, scores: vec![vec![scores.to_vec(), vec![1.0; scores.len()]]] }]
    }

    /// The revised decisions of one week with 40 pairs of the kind `x` and 40 of the kind `y`. Of `x`, `pairs` pairs have
    /// two more decisions each. The model agrees with all decisions that count, and with every second of the others.
    fn revised(counting: Revisions, pairs: usize, is_interim: bool) -> Option<VerdictRevisions> {
        let mut study =
            parse(&format!("{STUDY}{}\n", every(1))).map_err(|unsound| unsound.faults.to_string()).unwrap();
        study.revisions = counting;
        let conditions = Conditions::new(&study.conditions, study.time_zone.clone()).unwrap();
        let shape = CellsShape { conditions: conditions.sizes(), models: 1, components: vec![2] };
        let window = WindowClock::new(study.windows, study.time_zone.clone()).window(*MONDAY);
        let windows: Vec<Window> = vec![window; 80];
        let columns = |kind: &[u16]| [kind.to_vec(), vec![0; kind.len()]];
        let mut run = SimulatedRun::new(shape.clone());
        let all = columns(&[[X; 40], [Y; 40]].concat());
        run.cells
            .add(ScoredPairs { windows: &windows, conditions: &all, models: &scores(&[1.0; 80]) })
            .unwrap();
        let mut sums = RevisionSums::new(shape);
        let other: Vec<f64> = (0..pairs).map(|pair| (pair % 2) as f64).collect();
        let pairs_of_x = RevisedPairs {
            windows: &windows[..pairs],
            conditions: &columns(&vec![X; pairs]),
            decisions: &vec![2; pairs],
            changed: &vec![Some(true); pairs],
        };
        sums.add(pairs_of_x, &scores(&vec![1.0; pairs]), &scores(&other)).unwrap();
        let results = run.results(80, Micros(*MONDAY + 7 * DAY));
        let results = RunResults { revisions: &sums, closed: !is_interim, ..results };
        let threshold = study.threshold.as_ref().unwrap();
        let facts = Facts::undisturbed(&study, threshold, &conditions, results);
        let rules = is_interim.then(|| InterimRules::new(&run.cells, &VerdictEvidence::default(), 0));
        revisions(&facts, rules.as_ref(), &mut |pairs, sums| Some(sums[0] / pairs as f64))
    }

    #[test]
    fn agreement_is_with_the_first_and_with_the_last_decision() {
        let agreement = |first, last| RevisedAgreement { model: "m".to_owned(), first, last };
        for (revisions, counts, expected) in [
            (Revisions::First, "first", agreement(Some(1.0), Some(0.5))),
            (Revisions::Last { version: None }, "last", agreement(Some(0.5), Some(1.0))),
        ] {
            let found = revised(revisions, 10, false).unwrap();
            let slice = |condition: Option<&str>, value: Option<&str>| RevisedSlice {
                condition: condition.map(str::to_owned),
                value: value.map(str::to_owned),
                pairs: 10,
                decisions: 20,
                known: 10,
                models: vec![expected.clone()],
            };
            assert_eq!((found.counts.as_str(), found.overall), (counts, slice(None, None)));
            // Values without a revised pair are not listed.
            assert_eq!(
                found.conditions,
                [slice(Some("kind"), Some("x")), slice(Some("day"), Some("monday"))]
            );
        }
        assert_eq!(revised(Revisions::Refuse, 10, false), None);
    }

    #[test]
    fn figures_of_few_revised_pairs_are_withheld_before_the_end() {
        let figures = |pairs, is_interim| {
            let agreement = &revised(Revisions::First, pairs, is_interim).unwrap().overall.models[0];
            [agreement.first, agreement.last]
        };
        assert_eq!([figures(4, true), figures(4, false)], [[None; 2], [Some(1.0), Some(0.5)]]);
        assert_eq!(figures(10, true), [Some(1.0), Some(0.5)]);
        // Without a pair there is no figure to reduce.
        assert_eq!([figures(0, true), figures(0, false)], [[None; 2]; 2]);
    }
}
