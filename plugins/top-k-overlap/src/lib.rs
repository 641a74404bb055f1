//! A metric: how many of the decision's first k are among the model's first k.
//!
//! With R@k the first k names of a ranking R, or all of them if there are fewer, a pair scores
//!
//! - |M@k ∩ D@k| / |D@k|,
//!
//! for the model's ranking M and the decision's ranking D; the figure is the mean over all pairs. Configuration: `k`, from 1
//! to 1,000.
//!
//! - Where both rankings have k names or more it is |M@k ∩ D@k| / k, the overlap at depth k of W. Webber, A. Moffat, J. Zobel,
//!   "A similarity measure for indefinite rankings", ACM Transactions on Information Systems 28 (2010), article 20, section 3.
//! - Where the decision is the one item that was chosen, it is 1 if that item is among the model's first k, otherwise 0:
//!   the hit rate at k.
//! - A decision of fewer than k names is not blamed on the model: it can be met in full. A model's ranking of fewer than k
//!   names wastes its other places.
//! - An empty decision is met by an empty ranking alone.
//! - A pair that the model did not answer scores 0.
//!
//! The order within the first k does not count. A ranking has no ties: whoever makes one must break ties by a rule that
//! does not change, say by name, or the same preferences will not score the same.
//!
//! Component: `overlap`.

use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// The largest k. A pair costs up to k² comparisons.
const LARGEST: usize = 1000;

/// The metric, and its configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopKOverlap {
    k: usize,
}

impl Metric for TopKOverlap {
    type Config = TopKOverlap;
    type Answer<'a> = &'a [Label<'a>];

    fn new(config: TopKOverlap, _: &Assets) -> Result<Self, String> {
        if !(1..=LARGEST).contains(&config.k) {
            return Err(format!("config: `k` is {}; it must be from 1 to {LARGEST}", config.k));
        }
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        vec!["overlap".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::More
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<&[Label<'_>]>, decision: &[Label<'_>], components: &mut Components<'_>) {
        let Some(model) = model else { return };
        let first = |ranking: &[Label<'_>]| self.k.min(ranking.len());
        let (model, decision) = (&model[..first(model)], &decision[..first(decision)]);
        components[0] = if decision.is_empty() {
            f64::from(model.is_empty())
        } else {
            decision.iter().filter(|name| model.contains(name)).count() as f64 / decision.len() as f64
        };
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(TopKOverlap);

#[cfg(test)]
mod tests;
