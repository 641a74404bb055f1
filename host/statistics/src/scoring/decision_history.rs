//! The decisions before an instant, from which the baselines answer: the mean, the last value and the commonest items.
//!
//! Invariants:
//! - The mean and the items depend on the set of decisions, not on their order. The last value is that of the last call of
//!   [`DecisionHistory::add`], so decisions are added in the order of time.
//! - Memory is bounded: at most [`MAX_ITEMS`] items are counted. Later items are ignored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;
use understudy_study::AnswerForm;

/// The maximum number of items of rankings that are counted.
pub const MAX_ITEMS: usize = 10_000;

/// The weight of the first item of a ranking. The item at rank r has this weight divided by r, rounded down. Weights are
/// whole numbers, so sums are exact.
const FIRST_RANK: u64 = 1 << 32;

/// A model without inputs: it answers from the decisions before the snapshot alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The items of the earlier rankings by the sum of their reciprocal ranks.
    CommonestItems,
    /// The mean of the earlier numbers.
    Mean,
    /// The latest of the earlier numbers.
    LastValue,
}

impl Baseline {
    /// The baselines of a form of answers. Labels have none: their gain is that over the commonest label of all pairs.
    pub fn for_form(form: AnswerForm) -> &'static [Baseline] {
        match form {
            AnswerForm::Label => &[],
            AnswerForm::Number => &[Baseline::Mean, Baseline::LastValue],
            AnswerForm::Ranking => &[Baseline::CommonestItems],
        }
    }

    /// What the baseline answers, as it follows the word `giving` in a sentence.
    pub fn answer(self) -> &'static str {
        match self {
            Baseline::CommonestItems => "the commonest items of the earlier decisions",
            Baseline::Mean => "the mean of the earlier decisions",
            Baseline::LastValue => "the last of the earlier decisions",
        }
    }
}

/// What a comparator answered for one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DecidedValue {
    /// A finite number.
    Number(f64),
    /// Distinct items, best first.
    Ranking(Vec<String>),
}

/// The decisions so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionHistory {
    /// The numbers so far.
    numbers: u64,
    sum: ExactSum,
    last: f64,
    /// For each counted item the sum of its weights.
    weights: BTreeMap<String, u64>,
    /// The same items, the greatest weight first, then by name.
    ranked: BTreeSet<(Reverse<u64>, String)>,
}

impl DecisionHistory {
    /// Adds a decision, which is not before any decision that was added.
    pub fn add(&mut self, decision: &DecidedValue) {
        match decision {
            DecidedValue::Number(number) => {
                self.numbers += 1;
                self.sum.add(*number);
                self.last = *number;
            }
            DecidedValue::Ranking(items) => {
                for (rank, item) in (1..).zip(items) {
                    self.add_item(item, FIRST_RANK / rank);
                }
            }
        }
    }

    fn add_item(&mut self, item: &str, weight: u64) {
        if let Some(sum) = self.weights.get_mut(item) {
            self.ranked.remove(&(Reverse(*sum), item.to_owned()));
            *sum = sum.saturating_add(weight);
            self.ranked.insert((Reverse(*sum), item.to_owned()));
        } else if self.weights.len() < MAX_ITEMS {
            self.weights.insert(item.to_owned(), weight);
            self.ranked.insert((Reverse(weight), item.to_owned()));
        }
    }

    /// The mean and the last number; `None` before the first number.
    pub fn numbers(&self) -> Option<[f64; 2]> {
        let mean = self.sum.value() / self.numbers as f64;
        (self.numbers > 0).then_some([mean.clamp(f64::MIN, f64::MAX), self.last])
    }

    /// The commonest items, best first, at most `length`; `None` before the first item.
    pub fn items(&self, length: usize) -> Option<Vec<String>> {
        let items = self.ranked.iter().take(length).map(|(_, item)| item.clone());
        (!self.ranked.is_empty()).then(|| items.collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranking(items: &[&str]) -> DecidedValue {
        DecidedValue::Ranking(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn numbers_have_a_mean_and_a_last_value() {
        let mut history = DecisionHistory::default();
        assert_eq!(history.numbers(), None);
        for number in [0.1, 0.2, 0.6] {
            history.add(&DecidedValue::Number(number));
        }
        assert_eq!(history.numbers(), Some([0.9 / 3.0, 0.6]));
        history.add(&DecidedValue::Number(f64::MAX));
        history.add(&DecidedValue::Number(f64::MAX));
        history.add(&DecidedValue::Number(f64::MAX));
        assert!(history.numbers().is_some_and(|[mean, _]| mean.is_finite()));
    }

    #[test]
    fn items_are_ordered_by_reciprocal_ranks_and_then_by_name() {
        let mut history = DecisionHistory::default();
        assert_eq!(history.items(3), None);
        history.add(&ranking(&["b", "a", "c"]));
        history.add(&ranking(&["d", "a"]));
        // a has 1/2 + 1/2, b and d have 1 each, c has 1/3.
        assert_eq!(history.items(9).unwrap(), ["a", "b", "d", "c"]);
        assert_eq!(history.items(2).unwrap(), ["a", "b"]);
        history.add(&ranking(&["c"]));
        assert_eq!(history.items(1).unwrap(), ["c"]);
    }

    #[test]
    fn items_beyond_the_maximum_are_ignored() {
        let mut history = DecisionHistory::default();
        for item in 0..MAX_ITEMS + 3 {
            history.add(&ranking(&[&format!("{item:06}")]));
        }
        assert_eq!(history.items(usize::MAX).unwrap().len(), MAX_ITEMS);
        history.add(&ranking(&["new"]));
        history.add(&ranking(&["000007"]));
        assert_eq!(history.items(1).unwrap(), ["000007"]);
    }

    proptest! {
        #[test]
        fn mean_and_items_do_not_depend_on_the_order(
            lists in prop::collection::vec(prop::collection::hash_set("[a-f]", 0..5), 0..20),
            numbers in prop::collection::vec(-1e9..1e9, 1..20),
            seed: u64,
        ) {
            let lists = lists.into_iter().map(|list| DecidedValue::Ranking(list.into_iter().collect()));
            let mut decisions: Vec<_> = lists.chain(numbers.into_iter().map(DecidedValue::Number)).collect();
            let history = |decisions: &[DecidedValue]| {
                let mut history = DecisionHistory::default();
                decisions.iter().for_each(|decision| history.add(decision));
                (history.items(9), history.numbers().map(|[mean, _]| mean))
            };
            let expected = history(&decisions);
            fastrand::Rng::with_seed(seed).shuffle(&mut decisions);
            prop_assert_eq!(history(&decisions), expected);
        }
    }
}
