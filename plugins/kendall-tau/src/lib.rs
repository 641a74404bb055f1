//! A metric: Kendall's rank correlation of two rankings, τ_b, with ties.
//!
//! Both rankings are extended to the n items that at least one of them has: the items that a ranking lacks are tied
//! behind its last item. C is the number of pairs of items that both order alike, D of those that they order contrarily,
//! and P = n (n − 1) / 2 that of all pairs. T_m and T_d are the numbers of pairs that are tied in the model's and in the
//! decision's ranking. A pair of rankings scores
//!
//! - τ_b = (C − D) / √((P − T_m) (P − T_d)),
//!
//! and the value is the mean over all pairs of rankings. Source: M. G. Kendall, "The treatment of ties in ranking
//! problems", Biometrika 33 (1945), 239-251. 1 is the same order, −1 the reverse, and 0 what random orders score on
//! average.
//!
//! - Equal rankings score 1, two empty ones included.
//! - τ_b is undefined if exactly one ranking is empty. Such a pair scores −1.
//! - An unanswered pair scores −1. So no answer never scores better than an answer.
//! - All items weigh the same, whether first or last. A decision of one chosen item among n scores at most √(2 / n),
//!   because the others are tied: use `top-k-overlap` or `ndcg` for single choices.
//!
//! Component: `tau`.

use std::ops::RangeBounds;

use rustc_hash::FxHashMap;
use understudy_sdk::prelude::*;

/// Kendall's tau-b of rankings.
pub struct KendallTau;

/// τ_b of two rankings; −1 if it is undefined and they differ.
///
/// Source of the method: W. R. Knight, "A computer method for calculating Kendall's tau with ungrouped data", Journal of
/// the American Statistical Association 61 (1966), 436-439. The items are sorted by the model's rank, and among its ties
/// by the decision's. Discordant pairs are then the inversions of the decision's ranks.
fn tau(model: &[Label<'_>], decision: &[Label<'_>]) -> f64 {
    if model == decision {
        return 1.0;
    }
    let ranks: FxHashMap<_, _> = decision.iter().copied().zip(0..).collect();
    let mut is_in_model = vec![false; decision.len()];
    let mut sorted: Vec<usize> = Vec::with_capacity(model.len() + decision.len());
    for item in model {
        let rank = ranks.get(item).copied();
        if let Some(rank) = rank {
            is_in_model[rank] = true;
        }
        sorted.push(rank.unwrap_or(decision.len()));
    }
    sorted.extend((0..decision.len()).filter(|rank| !is_in_model[*rank]));

    // As a float: in Wasm, a `usize` of 32 bits is too small for the square of 65,536 items.
    let pairs = |items: usize| items as f64 * (items as f64 - 1.0) / 2.0;
    let all = pairs(sorted.len());
    let [tied_in_model, tied_in_decision] =
        [model.len(), decision.len()].map(|length| pairs(sorted.len() - length));
    let discordant = inversions(&mut sorted) as f64;
    // No pair is tied in both: each item is in one of the rankings.
    let concordant = all - tied_in_model - tied_in_decision - discordant;
    let ordered = ((all - tied_in_model) * (all - tied_in_decision)).sqrt();
    if ordered > 0.0 { ((concordant - discordant) / ordered).clamp(-1.0, 1.0) } else { -1.0 }
}

/// Sorts `ranks` by merging and returns the number of pairs in which a larger rank was before a smaller one.
fn inversions(ranks: &mut Vec<usize>) -> u64 {
    let mut merged = Vec::with_capacity(ranks.len());
    let (mut count, mut width) = (0, 1);
    while width < ranks.len() {
        for run in ranks.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let (Some(l), Some(r)) = (left.first(), right.first()) {
                if l <= r {
                    merged.push(*l);
                    left = &left[1..];
                } else {
                    merged.push(*r);
                    right = &right[1..];
                    count += left.len() as u64;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(ranks, &mut merged);
        merged.clear();
        width *= 2;
    }
    count
}

impl Metric for KendallTau {
    type Config = NoConfig;
    type Answer<'a> = &'a [Label<'a>];

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["tau".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        -1.0..=1.0
    }

    fn score(&self, model: Option<&[Label<'_>]>, decision: &[Label<'_>], components: &mut Components<'_>) {
        components[0] = model.map_or(-1.0, |model| tau(model, decision));
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(KendallTau);

#[cfg(test)]
mod tests;
