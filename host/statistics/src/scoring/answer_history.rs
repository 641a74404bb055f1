//! Collects the answers of the comparator or of a model before an instant, from which the baselines answer.
//!
//! Invariants:
//! - Means, medians, items and lengths depend on the set of answers, not on their order. There are two exceptions.
//!   With more than [`MAX_BINS`](super::running_median::MAX_BINS) distinct numbers, the order may change the median
//!   within its error. With more than [`MAX_ITEMS`] items, the first ones are counted.
//! - The last value is that of the last call of [`AnswerHistory::add`], so answers are added in the order of time.
//! - Memory is bounded: at most [`MAX_ITEMS`] items are counted. Later items are ignored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer_value::{AnswerValue, MAX_ITEMS};
use super::exact_sum::ExactSum;
use super::nominal_history::NominalHistory;
use super::running_median::RunningMedian;
use understudy_study::AnswerForm;

/// The weight of the first item of a ranking. The item at rank r has this weight divided by r, rounded down. Weights are
/// whole numbers, so sums are exact.
const FIRST_RANK: u64 = 1 << 32;

/// A model without inputs: it answers from earlier answers alone. These are in a [`LearningSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The items by the number of earlier rankings that have them, as many as the longest ranking so far has.
    CommonestItems,
    /// The items by the sum of their reciprocal ranks in the earlier rankings, as many as the longest ranking so far
    /// has.
    HighestRankedItems,
    /// The commonest items, as many as most earlier rankings have.
    CommonestLength,
    /// The mean of the earlier numbers.
    Mean,
    /// The median of the earlier numbers.
    Median,
    /// The latest of the earlier numbers.
    LastValue,
    /// The highest-ranked items, as many as most earlier rankings have.
    ConsensusRanking,
    /// An answer of the block before, or a later one at the beginning: see `lagged_answers`.
    EarlierAnswer,
    /// The most frequent set of labels or JSON value, the least text of equally frequent ones.
    CommonestAnswer,
    /// The labels of at least half of the sets.
    FrequentLabels,
}

/// The answers that baselines learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LearningSet {
    /// All earlier decisions.
    AllPairs,
    /// The earlier decisions of the pairs that the model answered.
    AnsweredPairs,
    /// The earlier answers of the model itself. A model whose answers do not depend on the snapshots has no gain over
    /// them, whatever the metric.
    OwnAnswers,
}

/// The number of baselines that learn from decisions, for a form of answers that has any.
pub const BASELINES_PER_FORM: usize = 3;

/// The number of baselines that learn from the model's own answers, for the same forms.
pub const OWN_BASELINES: usize = 2;

impl LearningSet {
    /// The answers in words: `the earlier decisions`.
    pub fn words(self) -> &'static str {
        match self {
            LearningSet::AllPairs => "the earlier decisions",
            LearningSet::AnsweredPairs => "the earlier decisions of answered pairs",
            LearningSet::OwnAnswers => "the model's own earlier answers",
        }
    }

    /// The index of the first of its baselines among all of a model.
    pub fn first_index(self) -> usize {
        match self {
            LearningSet::AllPairs => 0,
            LearningSet::AnsweredPairs => BASELINES_PER_FORM,
            LearningSet::OwnAnswers => 2 * BASELINES_PER_FORM,
        }
    }
}

impl Baseline {
    /// The baselines of a form of answers that learn from a set. Labels have none: their gain is that over the commonest
    /// label of all pairs.
    pub fn learning_from(set: LearningSet, form: AnswerForm) -> &'static [Baseline] {
        const OWN_NUMBERS: [Baseline; OWN_BASELINES] = [Baseline::Median, Baseline::EarlierAnswer];
        const OWN_RANKINGS: [Baseline; OWN_BASELINES] = [Baseline::ConsensusRanking, Baseline::EarlierAnswer];
        const OWN_NOMINAL: [Baseline; OWN_BASELINES] = [Baseline::CommonestAnswer, Baseline::EarlierAnswer];
        match (set, form) {
            (LearningSet::OwnAnswers, AnswerForm::Label) => &[],
            (LearningSet::OwnAnswers, AnswerForm::Number) => &OWN_NUMBERS,
            (LearningSet::OwnAnswers, AnswerForm::Ranking) => &OWN_RANKINGS,
            (LearningSet::OwnAnswers, AnswerForm::LabelSet | AnswerForm::Json) => &OWN_NOMINAL,
            (LearningSet::AllPairs | LearningSet::AnsweredPairs, form) => Baseline::for_form(form),
        }
    }

    fn for_form(form: AnswerForm) -> &'static [Baseline] {
        const NUMBERS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::Mean, Baseline::Median, Baseline::LastValue];
        const RANKINGS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::CommonestItems, Baseline::HighestRankedItems, Baseline::CommonestLength];
        const LABEL_SETS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::CommonestAnswer, Baseline::LastValue, Baseline::FrequentLabels];
        // Only sets have labels.
        const JSON: [Baseline; 2] = [Baseline::CommonestAnswer, Baseline::LastValue];
        match form {
            AnswerForm::Label => &[],
            AnswerForm::Number => &NUMBERS,
            AnswerForm::Ranking => &RANKINGS,
            AnswerForm::LabelSet => &LABEL_SETS,
            AnswerForm::Json => &JSON,
        }
    }

    /// What the baseline answers from a set, as it follows the word `giving` in a sentence.
    pub fn answer(self, set: LearningSet) -> String {
        let answer = match self {
            Baseline::CommonestItems => "the commonest items",
            Baseline::HighestRankedItems => "the highest-ranked items",
            Baseline::CommonestLength => "a list of the commonest length with the commonest items",
            Baseline::Mean => "the mean",
            Baseline::Median => "the median",
            Baseline::LastValue => "the last",
            Baseline::ConsensusRanking => "the consensus ranking",
            Baseline::EarlierAnswer => "one",
            Baseline::CommonestAnswer => "the commonest",
            Baseline::FrequentLabels => "the labels of at least half",
        };
        format!("{answer} of {}", set.words())
    }
}

/// The answers so far, all in the same form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerHistory {
    numbers: NumberHistory,
    rankings: RankingHistory,
    nominal: NominalHistory,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct NumberHistory {
    count: u64,
    sum: ExactSum,
    median: RunningMedian,
    last: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct RankingHistory {
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

    /// The answer of each baseline that learns from decisions, in the order of [`Baseline::learning_from`]. `longest` is the
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
        let rankings = &self.rankings;
        let longest = rankings.lengths.last_key_value()?.0.max(&longest);
        let first = |ranked: &BTreeSet<(Reverse<u64>, String)>, length: usize| {
            AnswerValue::Ranking(ranked.iter().take(length).map(|(_, item)| item.clone()).collect())
        };
        Some([
            first(&rankings.by_rankings, *longest),
            first(&rankings.by_weight, *longest),
            first(&rankings.by_rankings, rankings.commonest_length),
        ])
    }
}

impl AnswerHistory {
    /// The median of the numbers, or the consensus ranking; `None` before the first answer.
    pub fn usual_answer(&self) -> Option<AnswerValue> {
        if let Some(median) = self.numbers.median.value() {
            return Some(AnswerValue::Number(median));
        }
        if let Some(commonest) = self.nominal.commonest() {
            return Some(commonest);
        }
        let RankingHistory { lengths, by_weight, commonest_length, .. } = &self.rankings;
        let items = by_weight.iter().take(*commonest_length).map(|(_, item)| item.clone());
        (!lengths.is_empty()).then(|| AnswerValue::Ranking(items.collect()))
    }
}

impl RankingHistory {
    fn add(&mut self, items: &[String]) {
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
