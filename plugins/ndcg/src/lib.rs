//! A metric: normalised discounted cumulative gain at k (NDCG@k) of the model's ranking, with the decision's ranking as
//! the reference.
//!
//! Let K be the smaller of k and the length of the decision's ranking. Its item at rank r has the gain K + 1 − r for
//! r ≤ K, and any other item has the gain 0. A pair scores DCG / IDCG:
//!
//! - DCG = Σ_{i=1..k} (gain of the model's item at rank i) / log₂(i + 1),
//! - IDCG = Σ_{r=1..K} (K + 1 − r) / log₂(r + 1), the DCG of the decision itself.
//!
//! The value is the mean over all pairs. The formula is that of K. Järvelin, J. Kekäläinen, "Cumulated gain-based
//! evaluation of IR techniques", ACM Transactions on Information Systems 20 (2002), 422-446, with the discount
//! log₂(i + 1) of scikit-learn's `ndcg_score`. Any gains are allowed there. Those by the decision's ranks are the choice
//! of this metric, because a decision has an order and no degrees of relevance.
//!
//! Configuration: `k`, from 1 to 1,000.
//!
//! - A ranking whose first K items are those of the decision, in the same order, scores 1.
//! - If the decision is one chosen item, the score is 1 / log₂(i + 1) for the model's rank i of it, up to k.
//! - A model's ranking with fewer than k items loses the gain of the unused ranks.
//! - If the decision is empty, only an empty ranking scores 1; others score 0.
//! - An unanswered pair scores 0.
//!
//! Component: `ndcg`, the score of the pair.

use std::ops::RangeBounds;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use understudy_sdk::prelude::*;

/// Largest allowed k, as for `top-k-overlap`.
const MAX_K: usize = 1000;

/// The number of ranks that count.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The number of ranks that count.
    #[config(minimum = 1, maximum = MAX_K)]
    k: usize,
}

/// Normalised discounted cumulative gain of rankings.
pub struct Ndcg {
    /// 1 / log₂(i + 1) for the ranks i from 1 to k.
    weights: Vec<f64>,
}

impl Ndcg {
    /// The score of a pair, from 0 to 1.
    fn ndcg(&self, model: &[Label<'_>], decision: &[Label<'_>]) -> f64 {
        let decision = &decision[..decision.len().min(self.weights.len())];
        if decision.is_empty() {
            return f64::from(model.is_empty());
        }
        let gains: FxHashMap<_, _> =
            decision.iter().copied().zip((1..=decision.len()).rev().map(|gain| gain as f64)).collect();
        let discounted = |ranking: &[Label<'_>]| -> f64 {
            let ranks = ranking.iter().zip(&self.weights);
            ranks.map(|(item, weight)| gains.get(item).map_or(0.0, |gain| gain * weight)).sum()
        };
        (discounted(model) / discounted(decision)).min(1.0)
    }
}

impl Metric for Ndcg {
    type Config = Config;
    type Answer<'a> = &'a [Label<'a>];

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        if !(1..=MAX_K).contains(&config.k) {
            return Err(format!("config: `k` is {}; it must be from 1 to {MAX_K}", config.k));
        }
        Ok(Self { weights: (1..=config.k).map(|rank| 1.0 / ((rank + 1) as f64).log2()).collect() })
    }

    fn components(&self) -> Vec<String> {
        vec!["ndcg".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<&[Label<'_>]>, decision: &[Label<'_>], components: &mut Components<'_>) {
        if let Some(model) = model {
            components[0] = self.ndcg(model, decision);
        }
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(Ndcg);

#[cfg(test)]
mod tests;
