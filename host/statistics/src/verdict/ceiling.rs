//! The agreement of a model as a share of the ceiling that the substrate's own noise sets.
//!
//! Invariants: agreement and ceiling are over the same cases, those that were decided at least twice. The bounds of the
//! share hold at the confidence of the threshold, whatever the correlation of agreement and ceiling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::format::format_share;
use super::{DISPLAY_CONFIDENCE, Estimate, Facts, VerdictKind, VerdictReason};
use crate::scoring::{CaseMean, CaseSample, DecisionPairs, Interval, MIN_REPEATED_CASES, Window};
use understudy_study::{Evidence, Threshold};

/// The agreement of a model as a share of the substrate's ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CeilingShare {
    /// The number of cases that were decided at least twice.
    pub cases: u64,
    /// The number of decisions in these cases.
    pub decisions: u64,
    /// The mean share of equal pairs of decisions in these cases; `None` for too few cases.
    pub self_agreement: Option<f64>,
    /// The ceiling: the square root of the substrate's agreement with itself.
    pub ceiling: Option<f64>,
    /// The model's agreement with the decisions in these cases.
    pub agreement: Option<f64>,
    /// The agreement divided by the ceiling; `None` if the ceiling is not known or 0.
    pub share: Option<f64>,
    /// The bounds of the share, each one-sided; `None` where they cannot be computed.
    pub interval: Option<Interval>,
    /// The number of pairs, in all cases, in which the model gave the substrate's answer.
    pub equal: u64,
}

impl CeilingShare {
    /// The share of a model over some windows in a scope.
    pub(super) fn estimate(facts: &Facts<'_>, windows: &[Window], scope: u16, model: usize) -> CeilingShare {
        let confidence = match facts.threshold.evidence {
            Evidence::Bound(confidence) => confidence,
            Evidence::Point => DISPLAY_CONFIDENCE,
        };
        CeilingShare::from_cases(&facts.results.self_agreement.cases(windows, scope), model, confidence)
    }

    /// The share of a model in some cases. Each bound of the share comes from one bound of the agreement and one of the
    /// ceiling. Each of these errs half as often as the bound of the share may (Bonferroni's inequality).
    fn from_cases(sample: &CaseSample, model: usize, confidence: f64) -> CeilingShare {
        let each = 1.0 - (1.0 - confidence) / 2.0;
        let own = CaseMean::self_agreement(sample, DecisionPairs::All, each);
        let (agreement, ceiling) = (CaseMean::model_agreement(sample, model, each), own.ceiling());
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let bounds = agreement.interval.zip(ceiling.interval);
        CeilingShare {
            cases: own.cases,
            decisions: own.decisions,
            self_agreement: own.value,
            ceiling: ceiling.value,
            agreement: agreement.value,
            share: agreement.value.zip(ceiling.value).and_then(|(part, whole)| ratio(part, whole)),
            interval: bounds.and_then(|(agreement, ceiling)| {
                let lower = ratio(agreement.lower, ceiling.upper)?;
                Some(Interval { lower, upper: ratio(agreement.upper, ceiling.lower)? })
            }),
            equal: sample.equal(model),
        }
    }
}

/// The reason why a share of the ceiling below `least` prevents a GO; `None` if it does not. `pooled` is the estimate of the
/// threshold's metric over the same windows.
pub(super) fn ceiling_failure(
    threshold: &Threshold,
    least: f64,
    share: &CeilingShare,
    pooled: &Estimate,
    is_early: bool,
) -> Option<VerdictReason> {
    let inconclusive = |text: String| Some(VerdictReason { verdict: VerdictKind::Inconclusive, text });
    if pooled.pairs == 0 {
        return None;
    }
    if pooled.hits != Some(share.equal) {
        return inconclusive(format!(
            "the ceiling limits the share of equal answers, and the metric is another figure: {} of {} pairs have equal \
             answers ({})",
            share.equal,
            pooled.pairs,
            format_share(share.equal, pooled.pairs)
        ));
    }
    let CeilingShare {
        cases, agreement: Some(agreement), ceiling: Some(ceiling), share: Some(value), ..
    } = *share
    else {
        return inconclusive(format!(
            "the ceiling is not known: {} cases were decided at least twice, of {MIN_REPEATED_CASES} required",
            share.cases
        ));
    };
    let required = format!("at least {least} is required");
    let found = format!(
        "agreement in {cases} cases that were decided at least twice is {agreement:.6}, and their ceiling is {ceiling:.6}: a \
         share of {value:.6}"
    );
    match (threshold.evidence, share.interval) {
        (Evidence::Point, _) => (value < least)
            .then(|| VerdictReason { verdict: VerdictKind::NoGo, text: format!("{found}; {required}") }),
        (Evidence::Bound(_), _) if is_early => inconclusive(
            "the share of the ceiling has no interval that is valid at interim looks; decide at the end"
                .to_owned(),
        ),
        (Evidence::Bound(_), None) => {
            inconclusive(format!("{found}; no interval can be computed; {required}"))
        }
        (Evidence::Bound(confidence), Some(Interval { lower, upper })) => {
            let text = |relation: &str| {
                format!(
                    "{found}, with bounds {lower:.6} and {upper:.6} at confidence {confidence} each, {relation} {least}; \
                     {required}"
                )
            };
            match (lower >= least, upper >= least) {
                (true, _) => None,
                (false, true) => inconclusive(text("cannot be distinguished from")),
                (false, false) => {
                    Some(VerdictReason { verdict: VerdictKind::NoGo, text: text("is on the wrong side of") })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
