//! Counts of answer pairs with a bounded number of keys: a bottom-k sketch, which keeps the keys with the
//! smallest hashes.
//!
//! Invariants:
//! - Which keys are kept, and their counts, do not depend on the order of insertion: a key that is kept was
//!   never evicted, so its count is complete.
//! - The total count of evicted keys and the total count of equal answers are exact.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The model's answer (`None` if it gave none) and the substrate's answer.
pub type AnswerKey = (Option<String>, String);

/// The number of pairs for each combination of the model's answer and the substrate's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct BottomKCounts {
    counts: BTreeMap<AnswerKey, u64>,
    /// The hash of each key in `counts`, so that the greatest is found fast.
    hashes: BTreeSet<(u64, AnswerKey)>,
    other: u64,
    same: u64,
}

/// The serialized form: without the hashes, which are computed again on reading.
#[derive(Serialize, Deserialize)]
struct Stored {
    counts: Vec<(AnswerKey, u64)>,
    other: u64,
    same: u64,
}

impl From<Stored> for BottomKCounts {
    fn from(stored: Stored) -> BottomKCounts {
        let hashes = stored.counts.iter().map(|(answers, _)| (hash(answers), answers.clone())).collect();
        let Stored { counts, other, same } = stored;
        BottomKCounts { counts: counts.into_iter().collect(), hashes, other, same }
    }
}

impl From<BottomKCounts> for Stored {
    fn from(matrix: BottomKCounts) -> Stored {
        let BottomKCounts { counts, other, same, .. } = matrix;
        Stored { counts: counts.into_iter().collect(), other, same }
    }
}

impl BottomKCounts {
    /// The maximum number of distinct answer pairs that are counted separately.
    pub const CAPACITY: usize = 1024;

    /// Adds `count` pairs with these answers.
    pub fn add(&mut self, answers: AnswerKey, count: u64) {
        if answers.0.as_ref() == Some(&answers.1) {
            self.same += count;
        }
        self.keep(answers, count);
    }

    fn keep(&mut self, answers: AnswerKey, count: u64) {
        if let Some(known) = self.counts.get_mut(&answers) {
            *known += count;
            return;
        }
        let hashed = (hash(&answers), answers);
        if self.counts.len() >= Self::CAPACITY {
            if self.hashes.last().is_some_and(|last| *last < hashed) {
                self.other += count;
                return;
            }
            if let Some((_, last)) = self.hashes.pop_last() {
                self.other += self.counts.remove(&last).unwrap_or(0);
            }
        }
        self.counts.insert(hashed.1.clone(), count);
        self.hashes.insert(hashed);
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &BottomKCounts) {
        other.counts.iter().for_each(|(answers, count)| self.keep(answers.clone(), *count));
        self.other += other.other;
        self.same += other.same;
    }

    /// The kept answer pairs with their counts, in the order of the names; pairs without a model answer come
    /// first.
    pub fn iter(&self) -> impl Iterator<Item = (&AnswerKey, u64)> {
        self.counts.iter().map(|(answers, count)| (answers, *count))
    }

    /// The number of pairs whose answers are not counted separately.
    pub fn other(&self) -> u64 {
        self.other
    }

    /// The number of pairs in which both answers are equal, whether counted separately or not.
    pub fn agreeing(&self) -> u64 {
        self.same
    }
}

fn hash((model, substrate): &AnswerKey) -> u64 {
    let model = model.as_ref().map_or(String::new(), |model| format!("+{model}"));
    xxh3_64(format!("{}\n{model}{substrate}", model.len()).as_bytes())
}

#[cfg(test)]
mod tests {
    use bincode::config::standard;
    use bincode::serde::{decode_from_slice, encode_to_vec};
    use proptest::prelude::*;

    use super::*;

    fn answers(number: u64) -> AnswerKey {
        ((!number.is_multiple_of(3)).then(|| format!("s{}", number / 7)), format!("s{}", number % 1500))
    }

    proptest! {
        #[test]
        fn order_and_merging_change_nothing(numbers in prop::collection::vec(0u64..4000, 0..6000), cut in 0usize..6000) {
            let add = |numbers: &[u64]| {
                let mut matrix = BottomKCounts::default();
                numbers.iter().for_each(|number| matrix.add(answers(*number), 1));
                matrix
            };
            let whole = add(&numbers);
            let mut backwards = numbers.clone();
            backwards.reverse();
            prop_assert_eq!(&add(&backwards), &whole);
            let (one, other) = numbers.split_at(cut.min(numbers.len()));
            let mut merged = add(other);
            merged.merge(&add(one));
            prop_assert_eq!(&merged, &whole);
            let counted: u64 = whole.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(counted + whole.other(), numbers.len() as u64);
            let same = numbers.iter().map(|number| answers(*number)).filter(|(model, substrate)| model.as_ref() == Some(substrate));
            prop_assert_eq!(whole.agreeing(), same.count() as u64);
            prop_assert!(whole.iter().count() <= BottomKCounts::CAPACITY);
            let bytes = encode_to_vec(&whole, standard()).unwrap();
            let (again, _): (BottomKCounts, usize) = decode_from_slice(&bytes, standard()).unwrap();
            prop_assert_eq!(again, whole);
        }
    }

    #[test]
    fn kept_keys_have_complete_counts() {
        let mut matrix = BottomKCounts::default();
        for round in 0..3 {
            (0..3000).for_each(|number| matrix.add((None, format!("{number}")), 1 + round));
        }
        assert!(matrix.iter().all(|(_, count)| count == 6));
        assert_eq!(matrix.other(), (3000 - BottomKCounts::CAPACITY as u64) * 6);
    }

    #[test]
    fn the_kept_keys_do_not_depend_on_the_order_of_their_names() {
        let mut matrix = BottomKCounts::default();
        (0..4096).for_each(|number| matrix.add((None, format!("{number:04}")), 1));
        let low = matrix.iter().filter(|((_, substrate), _)| substrate.as_str() < "2048").count();
        // Half of 1,024, with a standard deviation of 14.
        assert!((450..=574).contains(&low), "{low}");
    }

    #[test]
    fn equal_answers_are_counted_whether_kept_or_not() {
        let (mut matrix, mut other) = (BottomKCounts::default(), BottomKCounts::default());
        (0..3000).for_each(|number| matrix.add((Some(format!("{number}")), format!("{number}")), 1));
        (0..3000).for_each(|number| other.add((Some(format!("{number}")), format!("{}", number / 2)), 1));
        assert_eq!((matrix.agreeing(), other.agreeing()), (3000, 1));
        matrix.merge(&other);
        assert_eq!(matrix.agreeing(), 3001);
    }
}
