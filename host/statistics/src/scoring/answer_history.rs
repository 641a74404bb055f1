//! Collects the answers of the comparator or of a model before an instant, from which the baselines answer.
//!
//! Invariants:
//! - Means, medians, items and lengths depend on the set of answers, not on their order. There are two exceptions.
//!   With more than [`MAX_BINS`](super::running_median::MAX_BINS) distinct numbers, the order may change the median
//!   within its error. With more than [`MAX_ITEMS`](super::answer_value::MAX_ITEMS) items, the first ones are counted.
//! - The last value is that of the last call of [`AnswerHistory::add`], so answers are added in the order of time.
//! - Memory is bounded: at most [`MAX_ITEMS`](super::answer_value::MAX_ITEMS) items are counted. Later items are ignored.

use serde::{Deserialize, Serialize};

use super::answer_value::AnswerValue;
use super::baseline::BASELINES_PER_FORM;
use super::exact_sum::ExactSum;
use super::nominal_answer_counts::NominalAnswerCounts;
use super::ranking_history::RankingHistory;
use super::running_median::RunningMedian;

/// The answers so far, all in the same form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerHistory {
    numbers: NumberHistory,
    rankings: RankingHistory,
    nominal: NominalAnswerCounts,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct NumberHistory {
    count: u64,
    sum: ExactSum,
    median: RunningMedian,
    last: f64,
}

impl AnswerHistory {
    /// Adds an answer, which is not before any answer that was added.
    pub fn add(&mut self, answer: &AnswerValue) {
        match answer {
            AnswerValue::Number(number) => {
                self.numbers.count += 1;
                self.numbers.sum.add(*number);
                self.numbers.median.add(*number);
                self.numbers.last = *number;
            }
            AnswerValue::Ranking(items) => self.rankings.add(items),
            AnswerValue::LabelSet(_) | AnswerValue::Json(_) => self.nominal.add(answer),
        }
    }

    /// The answer of each baseline that learns from decisions, in the order of [`Baseline::learning_from`](super::Baseline::learning_from). `longest` is the
    /// number of items of the longest answer of the model so far. `None` before the first answer in the history.
    pub fn answers(&self, longest: usize) -> Option<[AnswerValue; BASELINES_PER_FORM]> {
        let NumberHistory { count, sum, median, last } = &self.numbers;
        if let Some(median) = median.value() {
            let mean = (sum.value() / *count as f64).clamp(f64::MIN, f64::MAX);
            return Some([mean, median, *last].map(AnswerValue::Number));
        }
        if let Some(commonest) = self.nominal.commonest() {
            let last = self.nominal.last.clone().unwrap_or_else(|| commonest.clone());
            return Some([commonest.clone(), last, self.nominal.frequent_labels().unwrap_or(commonest)]);
        }
        self.rankings.answers(longest)
    }

    /// The median of the numbers, or the consensus ranking; `None` before the first answer.
    pub fn usual_answer(&self) -> Option<AnswerValue> {
        if let Some(median) = self.numbers.median.value() {
            return Some(AnswerValue::Number(median));
        }
        if let Some(commonest) = self.nominal.commonest() {
            return Some(commonest);
        }
        self.rankings.consensus()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::answer_value::MAX_ITEMS;

    fn set(labels: &[&str]) -> AnswerValue {
        AnswerValue::LabelSet(labels.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn sets_have_a_commonest_a_last_and_one_of_frequent_labels() {
        let found = history(&[set(&["a", "b"]), set(&["a", "c"]), set(&["a", "b"]), set(&["c"]), set(&[])]);
        // `b` and `c` are in two of five sets.
        assert_eq!(found.answers(0), Some([set(&["a", "b"]), set(&[]), set(&["a"])]));
        assert_eq!(found.usual_answer(), Some(set(&["a", "b"])));
        assert_eq!(history(&[set(&["b"]), set(&["a", "b"])]).answers(0).unwrap()[2], set(&["a", "b"]));
        assert_eq!(history(&[set(&[])]).answers(0), Some([set(&[]), set(&[]), set(&[])]));
        let json = |text: &str| AnswerValue::Json(text.to_owned());
        let found = history(&[json("1"), json("2"), json("2"), json("1")]);
        assert_eq!(
            found.answers(0),
            Some([json("1"), json("1"), json("1")]),
            "the least of equally frequent ones"
        );
    }

    fn ranking(items: &[&str]) -> AnswerValue {
        AnswerValue::Ranking(items.iter().map(|item| (*item).to_owned()).collect())
    }

    fn history(decisions: &[AnswerValue]) -> AnswerHistory {
        let mut history = AnswerHistory::default();
        decisions.iter().for_each(|decision| history.add(decision));
        history
    }

    #[test]
    fn numbers_have_a_mean_a_median_and_a_last_value() {
        assert_eq!(AnswerHistory::default().answers(0), None);
        let numbers =
            |numbers: &[f64]| history(&numbers.iter().copied().map(AnswerValue::Number).collect::<Vec<_>>());
        assert_eq!(
            numbers(&[0.1, 0.2, 0.6]).answers(0),
            Some([0.9 / 3.0, 0.2, 0.6].map(AnswerValue::Number))
        );
        let large = numbers(&[f64::MAX; 3]).answers(0).unwrap();
        assert!(matches!(large[0], AnswerValue::Number(mean) if mean.is_finite()));
    }

    #[test]
    fn items_are_ordered_by_rankings_or_by_reciprocal_ranks() {
        // `a` is in four rankings and never first; `b` is in three and always first.
        let found = history(&[
            ranking(&["b", "a"]),
            ranking(&["b", "a"]),
            ranking(&["b", "a"]),
            ranking(&["c", "d", "a"]),
        ]);
        let [commonest, highest, of_usual_length] = found.answers(0).unwrap();
        assert_eq!([commonest, highest], [ranking(&["a", "b", "c"]), ranking(&["b", "a", "c"])]);
        // Three of four rankings have two items.
        assert_eq!(of_usual_length, ranking(&["a", "b"]));
        let [commonest, highest, of_usual_length] = found.answers(9).unwrap();
        assert_eq!([commonest, highest], [ranking(&["a", "b", "c", "d"]), ranking(&["b", "a", "c", "d"])]);
        assert_eq!(of_usual_length, ranking(&["a", "b"]));
    }

    #[test]
    fn the_usual_answer_is_the_median_or_the_consensus_ranking() {
        assert_eq!(AnswerHistory::default().usual_answer(), None);
        let numbers = [7.0, 1.0, 2.0].map(AnswerValue::Number);
        assert_eq!(history(&numbers).usual_answer(), Some(AnswerValue::Number(2.0)));
        // Most lists have two items, and one long list does not change that.
        let found = history(&[
            ranking(&["b", "a"]),
            ranking(&["b", "c"]),
            ranking(&["b", "a"]),
            ranking(&["d", "c", "a", "e", "f"]),
        ]);
        assert_eq!(found.usual_answer(), Some(ranking(&["b", "a"])));
        assert_eq!(history(&[ranking(&[])]).usual_answer(), Some(ranking(&[])));
    }

    #[test]
    fn rankings_without_items_are_decisions() {
        let mut found = history(&[ranking(&[])]);
        assert_eq!(found.answers(3), Some([(); 3].map(|()| ranking(&[]))));
        found.add(&ranking(&["a"]));
        assert_eq!(found.answers(0), Some([ranking(&["a"]), ranking(&["a"]), ranking(&[])]));
        found.add(&ranking(&["b"]));
        assert_eq!(found.answers(0).unwrap()[2], ranking(&["a"]));
    }

    #[test]
    fn items_beyond_the_maximum_are_ignored() {
        let mut history = AnswerHistory::default();
        for item in 0..MAX_ITEMS + 3 {
            history.add(&ranking(&[&format!("{item:06}")]));
        }
        assert_eq!(history.answers(usize::MAX).unwrap()[0].items(), MAX_ITEMS);
        history.add(&ranking(&["new"]));
        history.add(&ranking(&["000007"]));
        assert_eq!(history.answers(1).unwrap()[0], ranking(&["000007"]));
    }

    proptest! {
        #[test]
        fn all_but_the_last_value_do_not_depend_on_the_order(
            lists in prop::collection::vec(prop::collection::hash_set("[a-f]", 0..5), 1..20),
            numbers in prop::collection::vec(-1e9..1e9, 1..20),
            seed: u64,
        ) {
            let lists: Vec<_> =
                lists.into_iter().map(|list| AnswerValue::Ranking(list.into_iter().collect())).collect();
            let sets: Vec<_> = lists
                .iter()
                .map(|list| match list {
                    AnswerValue::Ranking(items) => {
                        let mut labels = items.clone();
                        labels.sort_unstable();
                        AnswerValue::LabelSet(labels)
                    }
                    other => other.clone(),
                })
                .collect();
            let numbers: Vec<_> = numbers.into_iter().map(AnswerValue::Number).collect();
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut shuffled = |decisions: &[AnswerValue]| {
                let mut shuffled = decisions.to_vec();
                rng.shuffle(&mut shuffled);
                history(&shuffled).answers(0).unwrap()
            };
            prop_assert_eq!(shuffled(&lists), history(&lists).answers(0).unwrap());
            let (found, expected) = (shuffled(&sets), history(&sets).answers(0).unwrap());
            prop_assert_eq!((&found[0], &found[2]), (&expected[0], &expected[2]));
            let (found, expected) = (shuffled(&numbers), history(&numbers).answers(0).unwrap());
            prop_assert_eq!(&found[..2], &expected[..2]);
        }
    }
}
