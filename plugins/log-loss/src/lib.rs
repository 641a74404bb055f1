//! A metric: logarithmic loss of class probabilities, with the decision as the class that occurred.
//!
//! Over the answered pairs it is the mean of −ln p, where p is the probability of the class of the decision, and is
//! taken as at least 1e-15 and at most 1 − 1e-15. So the worst value is −ln 1e-15, about 34.54. A decision that is no
//! class of the answer has this loss. It is also known as cross-entropy or ignorance score. Source: I. J. Good,
//! "Rational decisions", Journal of the Royal Statistical Society B 14 (1952), 107-114.
//!
//! An unanswered pair has no probabilities and is excluded. The report shows the share of such pairs beside the value.
//! Without answered pairs the value is undefined.
//!
//! Components: `losses`; `answered`, 1 for an answered pair.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// The distance that a probability keeps from 0 and 1.
const EPSILON: f64 = 1e-15;

/// Logarithmic loss.
pub struct LogLoss;

impl Metric for LogLoss {
    type Config = NoConfig;
    type Answer<'a> = Prediction<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["losses".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=-EPSILON.ln()
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
        if let Some(probability) = model.and_then(|model| model.probability_of(decision.label())) {
            components[0] = -probability.clamp(EPSILON, 1.0 - EPSILON).ln();
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[losses, answered] = sums else { return None };
        (answered > 0.0).then(|| losses / answered)
    }
}

export_metric!(LogLoss);

#[cfg(test)]
mod tests;
