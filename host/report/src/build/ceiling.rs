//! Builds the part of a report about the substrate's own noise.
//!
//! Invariants: an interim report withholds what fewer than five pairs say, and values from which that would follow. It has
//! no intervals of cases, because these hold at a single look.

use crate::build::disclosure::{is_few, withheld_parts};
use crate::model::ceiling::{
    CaseFieldInfo, CaseValue, CeilingReport, ModelCeiling, RaterAgreement, RaterReport, ScopeCeiling,
};
use understudy_engine::{RunResult, SealedStudy};
use understudy_statistics::scoring::{CaseMean, CaseSample, DecisionPairs, RaterCounts, wilson};
use understudy_statistics::verdict::DISPLAY_CONFIDENCE;
use understudy_study::ALL_SNAPSHOTS;

/// The agreement of the substrate with itself; `None` if the study declares no ceiling.
pub(super) fn ceiling(outcome: &RunResult, sealed_study: &SealedStudy) -> Option<CeilingReport> {
    let study = &sealed_study.study;
    let declared = study.ceiling.as_ref()?;
    let (sums, models) = (&outcome.self_agreement, sealed_study.models.len());
    let windows = sums.windows();
    let is_final = outcome.end.is_final();
    let all = sums.cases(&windows, 0);
    let names = std::iter::once(ALL_SNAPSHOTS).chain(study.scopes.iter().map(|scope| scope.name.as_str()));
    let scopes = (0..)
        .zip(names)
        .map(|(scope, name)| scope_ceiling(name, &sums.cases(&windows, scope), &all, models, is_final));
    let raters = declared.rater.map(|field| {
        let found = sums.raters(&windows);
        let agreement =
            |pairs| case_value(CaseMean::self_agreement(&all, pairs, DISPLAY_CONFIDENCE), is_final);
        RaterReport {
            field: study.decisions.fields[field].name.clone(),
            same_rater: agreement(DecisionPairs::SameRater),
            different_raters: agreement(DecisionPairs::DifferentRaters),
            other_pairs: found.other_pairs,
            raters: rater_agreements(found.raters, all.pairs(), models, is_final),
        }
    });
    let fields = declared.fields.iter().map(|field| CaseFieldInfo {
        name: study.inputs.fields[field.field].name.clone(),
        edges: field.edges.clone(),
    });
    Some(CeilingReport {
        fields: fields.collect(),
        confidence: DISPLAY_CONFIDENCE,
        scopes: scopes.collect(),
        raters,
    })
}

/// The ceiling of a scope with the cases `sample`, of which `all` are those of all pairs.
fn scope_ceiling(
    name: &str,
    sample: &CaseSample,
    all: &CaseSample,
    models: usize,
    is_final: bool,
) -> ScopeCeiling {
    let own = CaseMean::self_agreement(sample, DecisionPairs::All, DISPLAY_CONFIDENCE);
    let all_cases = CaseMean::self_agreement(all, DecisionPairs::All, DISPLAY_CONFIDENCE);
    // The pairs outside of the scope, and those whose case was decided once, follow from the totals.
    let hides_pairs = is_few(sample.pairs()) || is_few(all.pairs() - sample.pairs());
    let hides_cases = hides_pairs
        || is_few(sample.pairs() - own.decisions)
        || is_few(all_cases.decisions.abs_diff(own.decisions));
    let model = |model| {
        let agreement = CaseMean::model_agreement(sample, model, DISPLAY_CONFIDENCE);
        let hidden = CaseMean { value: None, interval: None, ..agreement };
        let agreement = if hides_cases && !is_final { hidden } else { agreement };
        let both = agreement.value.zip(own.ceiling().value);
        ModelCeiling {
            equal: (is_final || !hides_pairs).then(|| sample.equal(model)),
            agreement: case_value(agreement, is_final),
            of_ceiling: both.filter(|(_, ceiling)| *ceiling > 0.0).map(|(part, ceiling)| part / ceiling),
        }
    };
    ScopeCeiling {
        scope: name.to_owned(),
        pairs: sample.pairs(),
        complete: sample.is_complete(),
        self_agreement: case_value(own, is_final),
        ceiling: case_value(own.ceiling(), is_final),
        models: (0..models).map(model).collect(),
    }
}

/// The agreement of the models with each rater, among `pairs` pairs.
fn rater_agreements(
    mut raters: Vec<RaterCounts>,
    pairs: u64,
    models: usize,
    is_final: bool,
) -> Vec<RaterAgreement> {
    // Without names, the order of the hashes numbers the raters.
    raters.sort_by(|one, other| one.name.cmp(&other.name));
    let mut parts: Vec<u64> = raters.iter().map(|rater| rater.pairs).collect();
    parts.push(pairs - parts.iter().sum::<u64>());
    let withheld = withheld_parts(&parts);
    let rater = |(at, rater): (usize, &RaterCounts)| {
        let equal = (0..models).map(|model| rater.equal.get(model).copied().unwrap_or(0));
        let equal: Vec<Option<u64>> =
            equal.map(|equal| (is_final || !withheld[at]).then_some(equal)).collect();
        let interval = |equal: &Option<u64>| wilson((*equal)?, rater.pairs, DISPLAY_CONFIDENCE);
        RaterAgreement {
            rater: rater.name.clone().unwrap_or_else(|| format!("rater {}", at + 1)),
            pairs: rater.pairs,
            intervals: equal.iter().map(interval).collect(),
            equal,
        }
    };
    raters.iter().enumerate().map(rater).collect()
}

fn case_value(mean: CaseMean, is_final: bool) -> CaseValue {
    let CaseMean { cases, decisions, value, interval } = mean;
    CaseValue { cases, decisions, value, interval: interval.filter(|_| is_final) }
}
