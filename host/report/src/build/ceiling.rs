//! Builds the part of a report about the substrate's own noise.
//!
//! Invariants, all for a report before the end of a run:
//! - It has no answers of models by input class or by rater, because the change between two reports could reveal a
//!   single pair.
//! - It has no agreement of raters with themselves or with others, because that of the few could be computed from the
//!   rest.
//! - It has no intervals, because these hold at a single look.
//! - It shows the agreement of all pairs only if [`InterimRules`] permit it.

use crate::model::ceiling::{
    CeilingReport, InputClassFieldInfo, InputClassValue, ModelCeiling, RaterAgreement, RaterReport,
    ScopeCeiling,
};
use understudy_engine::{RunResult, SealedStudy};
use understudy_statistics::scoring::{
    DecisionPairs, InputClassMean, InputClassSample, InterimRules, RaterCounts, wilson,
};
use understudy_statistics::verdict::DISPLAY_CONFIDENCE;
use understudy_study::ALL_SNAPSHOTS;

/// The agreement of the substrate with itself; `None` if the study declares no ceiling.
pub(super) fn ceiling(
    outcome: &RunResult,
    sealed_study: &SealedStudy,
    interim: Option<&InterimRules>,
) -> Option<CeilingReport> {
    let study = &sealed_study.study;
    let declared = study.ceiling.as_ref()?;
    let (sums, models) = (&outcome.self_agreement, sealed_study.models.len());
    let windows = sums.windows();
    let is_final = interim.is_none();
    let all = sums.classes(&windows, 0);
    let names = std::iter::once(ALL_SNAPSHOTS).chain(study.scopes.iter().map(|scope| scope.name.as_str()));
    let scopes = (0..).zip(names).map(|(scope, name)| {
        let is_shown = |model: usize| {
            interim.is_none_or(|interim| interim.model(model).shows_scope(usize::from(scope), &windows))
        };
        scope_ceiling(name, &sums.classes(&windows, scope), models, is_shown, is_final)
    });
    let raters = declared.rater.map(|field| {
        let found = sums.raters(&windows);
        let agreement = |pairs| {
            let mean = InputClassMean::self_agreement(&all, pairs, DISPLAY_CONFIDENCE);
            input_class_value(InputClassMean { value: mean.value.filter(|_| is_final), ..mean }, is_final)
        };
        RaterReport {
            field: study.decisions.fields[field].name.clone(),
            same_rater: agreement(DecisionPairs::SameRater),
            different_raters: agreement(DecisionPairs::DifferentRaters),
            other_pairs: found.other_pairs,
            raters: rater_agreements(found.raters, models, is_final),
        }
    });
    let fields = declared.fields.iter().map(|field| InputClassFieldInfo {
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

/// The ceiling of a scope with the input classes `sample`. `is_shown` says whether the agreement of a model over its pairs
/// may be shown.
fn scope_ceiling(
    name: &str,
    sample: &InputClassSample,
    models: usize,
    is_shown: impl Fn(usize) -> bool,
    is_final: bool,
) -> ScopeCeiling {
    let own = InputClassMean::self_agreement(sample, DecisionPairs::All, DISPLAY_CONFIDENCE);
    let model = |model| {
        let agreement = InputClassMean::model_agreement(sample, model, DISPLAY_CONFIDENCE);
        let hidden = InputClassMean { value: None, interval: None, ..agreement };
        let agreement = if is_final { agreement } else { hidden };
        let both = agreement.value.zip(own.ceiling().value);
        ModelCeiling {
            equal: is_shown(model).then(|| sample.equal(model)),
            agreement: input_class_value(agreement, is_final),
            of_ceiling: both.filter(|(_, ceiling)| *ceiling > 0.0).map(|(part, ceiling)| part / ceiling),
        }
    };
    ScopeCeiling {
        scope: name.to_owned(),
        pairs: sample.pairs(),
        complete: sample.is_complete(),
        self_agreement: input_class_value(own, is_final),
        ceiling: input_class_value(own.ceiling(), is_final),
        models: (0..models).map(model).collect(),
    }
}

/// The agreement of the models with each rater.
fn rater_agreements(mut raters: Vec<RaterCounts>, models: usize, is_final: bool) -> Vec<RaterAgreement> {
    // Without names, the order of the hashes numbers the raters.
    raters.sort_by(|one, other| one.name.cmp(&other.name));
    let rater = |(at, rater): (usize, &RaterCounts)| {
        let equal = (0..models).map(|model| rater.equal.get(model).copied().unwrap_or(0));
        let equal: Vec<Option<u64>> = equal.map(|equal| is_final.then_some(equal)).collect();
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

fn input_class_value(mean: InputClassMean, is_final: bool) -> InputClassValue {
    let InputClassMean { classes, decisions, value, interval } = mean;
    InputClassValue { classes, decisions, value, interval: interval.filter(|_| is_final) }
}
