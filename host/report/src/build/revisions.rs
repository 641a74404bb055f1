//! Builds the part of a report about revised decisions.
//!
//! Invariants: an interim report shows a figure only if [`InterimRules`] permit it.

use crate::build::reducer::Reducer;
use crate::build::{is_shown_early, withheld};
use crate::model::revisions::{
    CountingDecision, ModelRevisions, RevisionNumbers, RevisionReport, RevisionScores, SlicedValues,
};
use understudy_engine::{RunResult, SealedStudy};
use understudy_statistics::scoring::{Cells, InterimRules, Slice};
use understudy_study::Revisions;

/// The revised decisions of a run; `None` if the study refuses revisions. `interim` says which figures over all pairs may be
/// shown; `None` for a final report.
pub(super) fn revisions(
    outcome: &RunResult,
    sealed_study: &SealedStudy,
    interim: Option<&InterimRules>,
    reducer: &mut Reducer,
) -> Option<RevisionReport> {
    let study = &sealed_study.study;
    let sums = &outcome.revisions;
    let (counts, first, last) = match study.revisions {
        Revisions::Refuse => return None,
        Revisions::First => (CountingDecision::First, sums.counting(), sums.other()),
        Revisions::Last { .. } => (CountingDecision::Last, sums.other(), sums.counting()),
    };
    let interim = interim.map(|interim| interim.for_part(sums.counting(), &outcome.cells));
    let interim = interim.as_ref();
    let numbers = |slice: Slice| {
        let counts = sums.counts(slice);
        RevisionNumbers {
            pairs: counts.pairs,
            decisions: counts.decisions,
            known: counts.known,
            changed: interim
                .is_none_or(|interim| interim.without_model().shows(slice))
                .then_some(counts.changed),
        }
    };
    let sizes = &outcome.cells.shape().conditions;
    let mut values = |cells: &Cells, model: usize, metric: usize| {
        let totals = cells.fold(cells.iter().map(|(window, _)| window));
        let mut value = |slice: Slice| {
            let value = reducer.metric_value(&totals, slice, model, metric);
            let is_shown = |interim: &InterimRules| {
                interim.model(model).shows(slice) && is_shown_early(sealed_study, metric)
            };
            match interim.is_none_or(is_shown) {
                true => value,
                false => withheld(&value),
            }
        };
        SlicedValues { overall: value(Slice::All), conditions: by_condition(sizes, value) }
    };
    let models = (0..sealed_study.models.len()).map(|model| {
        let scores = (0..sealed_study.metrics.len()).map(|metric| RevisionScores {
            first: values(first, model, metric),
            last: values(last, model, metric),
        });
        ModelRevisions { scores: scores.collect() }
    });
    let models = models.collect();
    Some(RevisionReport {
        counts,
        version: study.revisions.version_field().map(|index| study.decisions.fields[index].name.clone()),
        overall: numbers(Slice::All),
        conditions: by_condition(sizes, numbers),
        models,
    })
}

/// A result for each value of each condition.
fn by_condition<T>(sizes: &[usize], mut result: impl FnMut(Slice) -> T) -> Vec<Vec<T>> {
    let condition = |(condition, values): (usize, &usize)| {
        (0..*values).map(|value| result(Slice::Value { condition, value })).collect()
    };
    sizes.iter().enumerate().map(condition).collect()
}
