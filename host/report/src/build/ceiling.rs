//! Builds the part of a report about the substrate's own noise.
//!
//! Invariants: an interim report withholds what fewer than five pairs say.

use crate::build::disclosure::MIN_INTERIM_PAIRS;
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
    let sums = &outcome.self_agreement;
    let windows = sums.windows();
    // Of a few pairs an interim report shows no counts of answers.
    let disclosed =
        |pairs: u64, count: u64| (outcome.end.is_final() || pairs >= MIN_INTERIM_PAIRS).then_some(count);
    let names = std::iter::once(ALL_SNAPSHOTS).chain(study.scopes.iter().map(|scope| scope.name.as_str()));
    let scopes = (0..).zip(names).map(|(scope, name)| {
        let sample = sums.cases(&windows, scope);
        let own = CaseMean::self_agreement(&sample, DecisionPairs::All, DISPLAY_CONFIDENCE);
        let model =
            |model| model_ceiling(&sample, model, own, disclosed(sample.pairs(), sample.equal(model)));
        ScopeCeiling {
            scope: name.to_owned(),
            pairs: sample.pairs(),
            complete: sample.is_complete(),
            self_agreement: case_value(own),
            ceiling: case_value(own.ceiling()),
            models: (0..sealed_study.models.len()).map(model).collect(),
        }
    });
    let raters = declared.rater.map(|field| {
        let sample = sums.cases(&windows, 0);
        let agreement = |pairs| case_value(CaseMean::self_agreement(&sample, pairs, DISPLAY_CONFIDENCE));
        let found = sums.raters(&windows);
        let mut raters = found.raters;
        // Without names, the order of the hashes numbers the raters.
        raters.sort_by(|one, other| one.name.cmp(&other.name));
        let rater = |(at, rater): (usize, &RaterCounts)| {
            let equal =
                (0..sealed_study.models.len()).map(|model| rater.equal.get(model).copied().unwrap_or(0));
            let equal: Vec<Option<u64>> = equal.map(|equal| disclosed(rater.pairs, equal)).collect();
            let interval = |equal: &Option<u64>| wilson((*equal)?, rater.pairs, DISPLAY_CONFIDENCE);
            RaterAgreement {
                rater: rater.name.clone().unwrap_or_else(|| format!("rater {}", at + 1)),
                pairs: rater.pairs,
                intervals: equal.iter().map(interval).collect(),
                equal,
            }
        };
        RaterReport {
            field: study.decisions.fields[field].name.clone(),
            same_rater: agreement(DecisionPairs::SameRater),
            different_raters: agreement(DecisionPairs::DifferentRaters),
            raters: raters.iter().enumerate().map(rater).collect(),
            other_pairs: found.other_pairs,
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

fn model_ceiling(sample: &CaseSample, model: usize, own: CaseMean, equal: Option<u64>) -> ModelCeiling {
    let agreement = CaseMean::model_agreement(sample, model, DISPLAY_CONFIDENCE);
    let both = agreement.value.zip(own.ceiling().value);
    ModelCeiling {
        equal,
        agreement: case_value(agreement),
        of_ceiling: both.filter(|(_, ceiling)| *ceiling > 0.0).map(|(part, ceiling)| part / ceiling),
    }
}

fn case_value(CaseMean { cases, decisions, value, interval }: CaseMean) -> CaseValue {
    CaseValue { cases, decisions, value, interval }
}
