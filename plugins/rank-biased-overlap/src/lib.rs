//! A metric: rank-biased overlap of two rankings, extrapolated (RBO_ext).
//!
//! Let X_d be the number of items that both rankings have among their first d, let s and l be the lengths of the
//! shorter and the longer ranking, and let 0 < p < 1. A pair scores
//!
//! - (1 − p) / p · (Σ_{d=1..l} X_d / d · p^d + Σ_{d=s+1..l} X_s (d − s) / (s d) · p^d)
//!   + ((X_l − X_s) / l + X_s / s) · p^l,
//!
//! and the value is the mean over all pairs. Source: W. Webber, A. Moffat, J. Zobel, "A similarity measure for
//! indefinite rankings", ACM Transactions on Information Systems 28 (2010), article 20, equation 32.
//!
//! Configuration: `p`, the persistence: a reader of the rankings who has read an item reads the next with the
//! probability p. The first d ranks weigh more the smaller p is; for p = 0.9 the first ten have 86 % of the weight.
//!
//! - Equal rankings score 1, and rankings without a common item 0.
//! - Behind the end of a ranking, the overlap is assumed to continue as it was. So a short ranking loses nothing for the
//!   items that it lacks: the decision's first item alone scores 1. `top-k-overlap` and `ndcg` count what is
//!   missing.
//! - If both rankings are empty, the score is 1; if only one is, 0.
//! - An unanswered pair scores 0.
//!
//! Component: `overlap`.

use std::ops::RangeBounds;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use understudy_sdk::prelude::*;

/// How much the first ranks weigh.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct RankBiasedOverlap {
    /// How much each rank weighs against the rank before it.
    #[config(exclusive_minimum = 0, exclusive_maximum = 1)]
    p: f64,
}

impl RankBiasedOverlap {
    /// The score of two rankings, from 0 to 1.
    ///
    /// With A_d = X_d / d for d ≤ s and (X_d − X_s) / d + X_s / s beyond, equation 32 is
    /// (1 − p) Σ_{d=1..l} A_d p^(d−1) + A_l p^l. Summation by parts gives A_1 + Σ_{d=2..l} (A_d − A_{d−1}) p^(d−1), which
    /// is exactly 1 for equal rankings and exactly 0 for rankings without a common item.
    fn overlap(&self, one: &[Label<'_>], other: &[Label<'_>]) -> f64 {
        let (shorter, longer) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        if shorter.is_empty() {
            return f64::from(longer.is_empty());
        }
        let ranks: FxHashMap<_, _> = shorter.iter().copied().zip(0..).collect();
        // How many common items are among the first of both rankings from each depth on, and not before.
        let mut new_common = vec![0_u32; longer.len()];
        for (rank, item) in longer.iter().enumerate() {
            if let Some(other) = ranks.get(item) {
                new_common[rank.max(*other)] += 1;
            }
        }
        let length = shorter.len() as f64;
        let (mut common, mut common_of_shorter) = (0.0, 0.0);
        let (mut score, mut agreement, mut weight) = (0.0, 0.0, 1.0);
        for (rank, new) in new_common.into_iter().enumerate() {
            let depth = (rank + 1) as f64;
            common += f64::from(new);
            let previous = agreement;
            agreement = if rank < shorter.len() {
                common_of_shorter = common;
                common / depth
            } else {
                (common - common_of_shorter) / depth + common_of_shorter / length
            };
            score += (agreement - previous) * weight;
            weight *= self.p;
        }
        score.clamp(0.0, 1.0)
    }
}

impl Metric for RankBiasedOverlap {
    type Config = RankBiasedOverlap;
    type Answer<'a> = &'a [Label<'a>];

    fn new(config: RankBiasedOverlap, _: &Assets) -> Result<Self, String> {
        if !(config.p > 0.0 && config.p < 1.0) {
            return Err(format!("config: `p` is {}; it must be above 0 and below 1", config.p));
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
        if let Some(model) = model {
            components[0] = self.overlap(model, decision);
        }
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(RankBiasedOverlap);

#[cfg(test)]
mod tests;
