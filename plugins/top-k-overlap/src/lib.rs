//! A metric: overlap of the first k names of two rankings.
//!
//! Let R@k be the first k names of a ranking R, or all of them if there are fewer. A pair scores
//!
//! - |M@k ∩ D@k| / |D@k|,
//!
//! for the model's ranking M and the decision's ranking D. The value is the mean over all pairs.
//! Configuration: `k`, from 1 to 1,000. All names of one ranking together have at most `limits.answer-kib` of the
//! study, 128 KiB by default.
//!
//! - If both rankings have at least k names, the score is |M@k ∩ D@k| / k, the overlap at depth k of W.
//!   Webber, A. Moffat, J. Zobel, "A similarity measure for indefinite rankings", ACM Transactions on
//!   Information Systems 28 (2010), article 20, section 3.
//! - If the decision is one chosen item, the score is 1 if the model's first k names contain it, else 0: the
//!   hit rate at k.
//! - A decision with fewer than k names can still score 1. A model's ranking with fewer than k names loses
//!   the unused positions.
//! - If the decision is empty, only an empty ranking scores 1.
//! - An unanswered pair scores 0.
//!
//! The order within the first k names does not matter. A ranking has no ties: its author must break ties by a
//! fixed rule, such as by name, or equal preferences will score differently.
//!
//! Component: `overlap`.

use std::ops::RangeBounds;

use rustc_hash::FxHashSet;
use serde::Deserialize;
use understudy_sdk::prelude::*;

/// Largest allowed k.
const MAX_K: usize = 1000;

/// How many names are compared.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct TopKOverlap {
    /// The number of names that count.
    #[config(minimum = 1, maximum = MAX_K)]
    k: usize,
}

impl Metric for TopKOverlap {
    type Config = TopKOverlap;
    type Answer<'a> = &'a [Label<'a>];

    fn new(config: TopKOverlap, _: &Assets) -> Result<Self, String> {
        if !(1..=MAX_K).contains(&config.k) {
            return Err(format!("config: `k` is {}; it must be from 1 to {MAX_K}", config.k));
        }
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        vec!["overlap".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
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
            let model: FxHashSet<_> = model.iter().copied().collect();
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
