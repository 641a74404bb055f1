//! A metric: the Jaccard index of two sets of labels.
//!
//! A pair of the model's set M and the decision's set D scores |M ∩ D| / |M ∪ D|, the share of all labels of either side
//! that both have. The value is the mean over all pairs. Source: P. Jaccard, "The distribution of the flora in the alpine
//! zone", New Phytologist 11 (1912), 37-50.
//!
//! Two empty sets are equal and score 1. An unanswered pair scores 0.
//!
//! Component: `similarity`.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// The Jaccard index.
pub struct Jaccard;

impl Metric for Jaccard {
    type Config = NoConfig;
    type Answer<'a> = LabelSet<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["similarity".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<LabelSet<'_>>, decision: LabelSet<'_>, components: &mut Components<'_>) {
        let Some(model) = model else { return };
        let common = model.common_labels(decision);
        let all = model.len() + decision.len() - common;
        components[0] = if all == 0 { 1.0 } else { common as f64 / all as f64 };
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(Jaccard);

#[cfg(test)]
mod tests;
