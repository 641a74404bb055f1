//! A metric: expected calibration error, the distance of a model's confidence from its agreement.
//!
//! The answered pairs are split by confidence into `bins` intervals of equal width; bin m of M holds the confidences
//! above (m − 1) / M and up to m / M, and the first bin also 0. With n pairs in all, n_m pairs in bin m, their mean
//! confidence c_m and the share a_m of them whose label is that of the decision, the value is
//!
//! - Σ over the bins of n_m / n · |a_m − c_m|.
//!
//! 0 is best and 1 is worst. It depends on the number of bins, and a model that is right as often as it is sure on
//! average in every bin has 0, however useless its answers are. Source: M. P. Naeini, G. F. Cooper, M. Hauskrecht,
//! "Obtaining well calibrated probabilities using Bayesian binning", AAAI (2015), 2901-2907.
//!
//! The confidence is the one that the model reports, or else the class probability of its label. An unanswered pair,
//! and an answer with neither, has no confidence and is excluded. If all are, the value is undefined.
//!
//! Configuration: `bins`, from 1 to 100; 10 by default.
//!
//! Components, for each bin: `pairs N`, 1 for a pair in the bin; `confidence N`, its confidence; `agreements N`, 1 if
//! it also agrees. The value is not a mean of scores, so its interval is that of the jackknife.

use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// Largest number of bins.
const MAX_BINS: usize = 100;
/// Components of a bin.
const PARTS: usize = 3;

/// How confidences are grouped.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCalibrationError {
    /// The number of bins of equal width that confidences fall into; 10 by default.
    #[config(minimum = 1, maximum = MAX_BINS)]
    #[serde(default = "default_bins")]
    bins: usize,
}

fn default_bins() -> usize {
    10
}

impl ExpectedCalibrationError {
    /// The bin of a confidence from 0 to 1, counted from 0.
    fn bin(&self, confidence: f64) -> usize {
        let upper = (confidence * self.bins as f64).ceil() as usize;
        upper.clamp(1, self.bins) - 1
    }
}

impl Metric for ExpectedCalibrationError {
    type Config = ExpectedCalibrationError;
    type Answer<'a> = Prediction<'a>;

    fn new(config: ExpectedCalibrationError, _: &Assets) -> Result<Self, String> {
        if !(1..=MAX_BINS).contains(&config.bins) {
            return Err(format!("config: `bins` is {}; it must be from 1 to {MAX_BINS}", config.bins));
        }
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        let parts = |bin| ["pairs", "confidence", "agreements"].map(|part| format!("{part} {bin}"));
        (1..=self.bins).flat_map(parts).collect()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(
        &self,
        model: Option<Prediction<'_>>,
        decision: Prediction<'_>,
        components: &mut Components<'_>,
    ) {
        let Some((model, confidence)) = model.and_then(|model| Some((model, model.confidence()?))) else {
            return;
        };
        let first = PARTS * self.bin(confidence);
        components[first] = 1.0;
        components[first + 1] = confidence;
        components[first + 2] = f64::from(model.label() == decision.label());
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let (bins, _) = sums.as_chunks::<PARTS>();
        let pairs: f64 = bins.iter().map(|[pairs, ..]| pairs).sum();
        let distance: f64 =
            bins.iter().map(|[_, confidence, agreements]| (agreements - confidence).abs()).sum();
        (pairs > 0.0).then(|| distance / pairs)
    }
}

export_metric!(ExpectedCalibrationError);

#[cfg(test)]
mod tests;
