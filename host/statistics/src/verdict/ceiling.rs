//! The agreement of a model as a share of the ceiling that the substrate's own noise sets, with bounds.
//!
//! Invariants: agreement and ceiling are over the same input classes, those that were decided at least twice. The
//! bounds of the share hold at the requested confidence, whatever the correlation of agreement and ceiling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scoring::{DecisionPairs, InputClassMean, InputClassSample, Interval};

/// The agreement of a model as a share of the substrate's ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CeilingShare {
    /// The number of input classes that were decided at least twice.
    pub classes: u64,
    /// The number of decisions in these input classes.
    pub decisions: u64,
    /// The mean share of equal pairs of decisions in these input classes; `None` for too few input classes.
    pub self_agreement: Option<f64>,
    /// The ceiling: the square root of the substrate's agreement with itself.
    pub ceiling: Option<f64>,
    /// The model's agreement with the decisions in these input classes.
    pub agreement: Option<f64>,
    /// The agreement divided by the ceiling; `None` if the ceiling is not known or 0.
    pub share: Option<f64>,
    /// The bounds of the share, each one-sided; `None` where they cannot be computed.
    pub interval: Option<Interval>,
}

impl CeilingShare {
    /// The share of a model in some input classes. `confidence` is that of each bound of the share, in [0.5, 1).
    ///
    /// The lower bound is the lower bound of the agreement divided by the upper bound of the ceiling, the upper bound the
    /// reverse. Each of these errs half as often as the bound of the share may (Bonferroni's inequality).
    pub fn estimate(sample: &InputClassSample, model: usize, confidence: f64) -> CeilingShare {
        let each = 1.0 - (1.0 - confidence) / 2.0;
        let own = InputClassMean::self_agreement(sample, DecisionPairs::All, each);
        let (agreement, ceiling) = (InputClassMean::model_agreement(sample, model, each), own.ceiling());
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let bounds = agreement.interval.zip(ceiling.interval);
        CeilingShare {
            classes: own.classes,
            decisions: own.decisions,
            self_agreement: own.value,
            ceiling: ceiling.value,
            agreement: agreement.value,
            share: agreement.value.zip(ceiling.value).and_then(|(part, whole)| ratio(part, whole)),
            interval: bounds.and_then(|(agreement, ceiling)| {
                let lower = ratio(agreement.lower, ceiling.upper)?;
                Some(Interval { lower, upper: ratio(agreement.upper, ceiling.lower)? })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::InputClassDecision;

    #[test]
    fn a_ceiling_of_zero_has_no_share() {
        let mut sample = InputClassSample::default();
        for class in 0..40 {
            for answer in 0..2 {
                let decision = InputClassDecision { class, answer, rater: 0, equal: &[answer == 0] };
                sample.add(decision, usize::MAX);
            }
        }
        let found = CeilingShare::estimate(&sample, 0, 0.95);
        assert_eq!((found.classes, found.ceiling, found.agreement), (40, Some(0.0), Some(0.5)));
        assert_eq!((found.share, found.interval), (None, None));
    }
}
