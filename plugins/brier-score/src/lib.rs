//! A metric: the Brier score of class probabilities, with the decision as the class that occurred.
//!
//! Over the answered pairs it is the mean of Σ over the classes of (probability − outcome)², where the outcome is 1 for
//! the class of the decision and 0 for the others. Each class counts, also with two of them, so 0 is best and 2 is
//! worst. A decision that is no class of the answer has the probability 0 and adds 1. Source: G. W. Brier, "Verification
//! of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950), 1-3.
//!
//! An unanswered pair has no probabilities and is excluded. The report shows the share of such pairs beside the value.
//! Without answered pairs the value is undefined.
//!
//! Components: `squared errors`; `answered`, 1 for an answered pair.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// The multi-class Brier score.
pub struct BrierScore;

impl Metric for BrierScore {
    type Config = NoConfig;
    type Answer<'a> = Prediction<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["squared errors".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=2.0
    }

    fn needs_probabilities(&self) -> bool {
        true
    }

    fn score(
        &self,
        model: Option<Prediction<'_>>,
        decision: Prediction<'_>,
        components: &mut Components<'_>,
    ) {
        let decided = decision.label();
        let Some((model, of_decided)) = model.and_then(|model| Some((model, model.probability_of(decided)?)))
        else {
            return;
        };
        let others = model.probabilities().filter(|(class, _)| *class != decided);
        let squares: f64 = others.map(|(_, probability)| probability * probability).sum();
        components[0] = (1.0 - of_decided) * (1.0 - of_decided) + squares;
        components[1] = 1.0;
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[errors, answered] = sums else { return None };
        (answered > 0.0).then(|| errors / answered)
    }
}

export_metric!(BrierScore);

#[cfg(test)]
mod tests;
