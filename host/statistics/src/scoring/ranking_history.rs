//! Counts the items and the lengths of rankings, from which the baselines of rankings follow.
//!
//! Invariants:
//! - Items and lengths depend on the set of rankings, not on their order, unless there are more than [`MAX_ITEMS`] items. Then
//!   the first ones are counted.
//! - Memory is bounded by this number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer_value::{AnswerValue, MAX_ITEMS};
use super::baseline::BASELINES_PER_FORM;

/// The weight of the first item of a ranking. The item at rank r has this weight divided by r, rounded down. Weights are
/// whole numbers, so sums are exact.
const FIRST_RANK: u64 = 1 << 32;

/// The rankings so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RankingHistory {
    /// The counted items.
    items: BTreeMap<String, ItemTally>,
    /// The same items, those in the most rankings first, then by name.
    by_rankings: BTreeSet<(Reverse<u64>, String)>,
    /// The same items, the greatest weight first, then by name.
    by_weight: BTreeSet<(Reverse<u64>, String)>,
    /// For each length the number of rankings that have it.
    lengths: BTreeMap<usize, u64>,
    /// The length that most rankings have, the shortest of several; 0 before the first.
    commonest_length: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ItemTally {
    /// The number of rankings that have the item.
    rankings: u64,
    /// The sum of its reciprocal ranks, in units of 2^-32.
    weight: u64,
}

impl RankingHistory {
    /// Adds a ranking.
    pub(super) fn add(&mut self, items: &[String]) {
        let length = items.len();
        *self.lengths.entry(length).or_default() += 1;
        let count = |length: usize| self.lengths.get(&length).copied().unwrap_or(0);
        let (own, most) = (count(length), count(self.commonest_length));
        if own > most || (own == most && length < self.commonest_length) {
            self.commonest_length = length;
        }
        for (rank, item) in (1..).zip(items) {
            self.add_item(item, FIRST_RANK / rank);
        }
    }

    fn add_item(&mut self, item: &str, weight: u64) {
        let known = self.items.get(item).copied();
        if known.is_none() && self.items.len() >= MAX_ITEMS {
            return;
        }
        if let Some(known) = known {
            self.by_rankings.remove(&(Reverse(known.rankings), item.to_owned()));
            self.by_weight.remove(&(Reverse(known.weight), item.to_owned()));
        }
        let known = known.unwrap_or_default();
        let tally = ItemTally { rankings: known.rankings + 1, weight: known.weight.saturating_add(weight) };
        self.items.insert(item.to_owned(), tally);
        self.by_rankings.insert((Reverse(tally.rankings), item.to_owned()));
        self.by_weight.insert((Reverse(tally.weight), item.to_owned()));
    }

    /// The answers of the baselines that learn from decisions, in the order of [`Baseline::learning_from`](super::Baseline::learning_from). The
    /// first two have the length of the longest ranking, at least `longest`. `None` before the first ranking.
    pub(super) fn answers(&self, longest: usize) -> Option<[AnswerValue; BASELINES_PER_FORM]> {
        let longest = *self.lengths.last_key_value()?.0.max(&longest);
        Some([
            first_items(&self.by_rankings, longest),
            first_items(&self.by_weight, longest),
            first_items(&self.by_rankings, self.commonest_length),
        ])
    }

    /// The consensus ranking: the highest-ranked items, as many as most rankings have. `None` before the first ranking.
    pub(super) fn consensus(&self) -> Option<AnswerValue> {
        (!self.lengths.is_empty()).then(|| first_items(&self.by_weight, self.commonest_length))
    }
}

fn first_items(ranked: &BTreeSet<(Reverse<u64>, String)>, length: usize) -> AnswerValue {
    AnswerValue::Ranking(ranked.iter().take(length).map(|(_, item)| item.clone()).collect())
}
