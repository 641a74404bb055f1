//! Counts of equal answers within input classes, for a bounded number of input classes: those with the smallest hashes.
//!
//! Invariants:
//! - The kept input classes and their counts do not depend on the order of insertion or on merging. The sample is the
//!   longest run of input classes, in the order of their hashes, that fits the capacity.
//! - An input class that was evicted never returns, so the counts of a kept input class are complete.
//! - The totals cover all pairs, whether their input class is kept or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The counts of one input class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputClassCounts {
    /// The number of decisions by the hash of the answer and the hash of the rater; 0 without a rater.
    pub answers: BTreeMap<(u64, u64), u64>,
    /// For each model: the pairs in which it gave the substrate's answer.
    pub equal: Vec<u64>,
}

impl InputClassCounts {
    /// The number of decisions.
    pub fn decisions(&self) -> u64 {
        self.answers.values().sum()
    }

    fn merge(&mut self, other: &InputClassCounts) {
        for (answer, count) in &other.answers {
            *self.answers.entry(*answer).or_default() += count;
        }
        merge_counts(&mut self.equal, &other.equal);
    }
}

/// A pair as its input class sees it.
#[derive(Clone, Copy, Debug)]
pub struct InputClassDecision<'p> {
    /// The hash of the input class.
    pub class: u64,
    /// The hash of the substrate's answer.
    pub answer: u64,
    /// The hash of the rater; 0 without a rater.
    pub rater: u64,
    /// For each model whether it gave the substrate's answer.
    pub equal: &'p [bool],
}

/// The input classes with the smallest hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputClassSample {
    classes: BTreeMap<u64, InputClassCounts>,
    /// The smallest hash of an evicted input class. Input classes with this hash or a greater one are not kept.
    evicted_from: Option<u64>,
    /// The number of counts in `classes`.
    entries: usize,
    /// All pairs.
    pairs: u64,
    /// For each model: the pairs in which it gave the substrate's answer.
    equal: Vec<u64>,
}

impl InputClassSample {
    /// Adds a pair. The sample keeps at most `capacity` counts of answers.
    pub fn add(&mut self, decision: InputClassDecision<'_>, capacity: usize) {
        self.pairs += 1;
        add_equal(&mut self.equal, decision.equal);
        if !self.keeps(decision.class) {
            return;
        }
        let class = self.classes.entry(decision.class).or_default();
        let count = class.answers.entry((decision.answer, decision.rater)).or_insert_with(|| {
            self.entries += 1;
            0
        });
        *count += 1;
        add_equal(&mut class.equal, decision.equal);
        self.evict(capacity);
    }

    /// Adds all pairs of `other`.
    pub fn merge(&mut self, other: &InputClassSample, capacity: usize) {
        self.pairs += other.pairs;
        merge_counts(&mut self.equal, &other.equal);
        if let Some(hash) = other.evicted_from {
            self.evict_from(hash);
        }
        for (hash, counts) in &other.classes {
            if self.keeps(*hash) {
                let own = self.classes.entry(*hash).or_default();
                let before = own.answers.len();
                own.merge(counts);
                self.entries += own.answers.len() - before;
            }
        }
        self.evict(capacity);
    }

    fn keeps(&self, hash: u64) -> bool {
        self.evicted_from.is_none_or(|evicted| hash < evicted)
    }

    /// Evicts the input classes with the greatest hashes until the rest fits.
    fn evict(&mut self, capacity: usize) {
        while self.entries > capacity {
            let Some((hash, counts)) = self.classes.pop_last() else { return };
            self.entries -= counts.answers.len();
            self.evicted_from = Some(hash);
        }
    }

    /// Evicts all input classes from `hash` on.
    fn evict_from(&mut self, hash: u64) {
        if self.keeps(hash) {
            let evicted = self.classes.split_off(&hash);
            self.entries -= evicted.values().map(|counts| counts.answers.len()).sum::<usize>();
            self.evicted_from = Some(hash);
        }
    }

    /// The kept input classes, in the order of their hashes.
    pub fn classes(&self) -> impl Iterator<Item = (u64, &InputClassCounts)> {
        self.classes.iter().map(|(hash, counts)| (*hash, counts))
    }

    /// Whether every input class is kept.
    pub fn is_complete(&self) -> bool {
        self.evicted_from.is_none()
    }

    /// The number of all pairs.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The number of all pairs in which a model gave the substrate's answer.
    pub fn equal(&self, model: usize) -> u64 {
        self.equal.get(model).copied().unwrap_or(0)
    }
}

/// Adds one to the count of each model that gave the substrate's answer.
pub(super) fn add_equal(counts: &mut Vec<u64>, equal: &[bool]) {
    counts.resize(equal.len(), 0);
    counts.iter_mut().zip(equal).for_each(|(count, equal)| *count += u64::from(*equal));
}

/// Adds counts by model.
pub(super) fn merge_counts(counts: &mut Vec<u64>, more: &[u64]) {
    counts.resize(counts.len().max(more.len()), 0);
    counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
}

#[cfg(test)]
mod tests {
    use bincode::config::standard;
    use bincode::serde::{decode_from_slice, encode_to_vec};
    use proptest::prelude::*;

    use super::*;
    use crate::hash::splitmix64;

    /// A pair: input class, answer, rater, and whether each of two models agrees.
    type Pair = (u64, u64, u64, [bool; 2]);

    fn sample(pairs: &[Pair], capacity: usize) -> InputClassSample {
        let mut sample = InputClassSample::default();
        for (class, answer, rater, equal) in pairs {
            let class = splitmix64(*class);
            sample.add(InputClassDecision { class, answer: *answer, rater: *rater, equal }, capacity);
        }
        sample
    }

    /// The sample by its definition: all input classes in the order of their hashes, as far as they fit.
    fn definition(pairs: &[Pair], capacity: usize) -> BTreeMap<u64, InputClassCounts> {
        let mut all: BTreeMap<u64, InputClassCounts> = BTreeMap::new();
        for (class, answer, rater, equal) in pairs {
            let counts = all.entry(splitmix64(*class)).or_default();
            *counts.answers.entry((*answer, *rater)).or_default() += 1;
            add_equal(&mut counts.equal, equal);
        }
        let mut entries = 0;
        let fits = |(_, counts): &(u64, InputClassCounts)| {
            entries += counts.answers.len();
            entries <= capacity
        };
        all.into_iter().take_while(fits).collect()
    }

    fn pairs() -> impl Strategy<Value = Vec<Pair>> {
        prop::collection::vec((0u64..60, 0u64..4, 0u64..3, any::<[bool; 2]>()), 0..400)
    }

    proptest! {
        #[test]
        fn order_batches_merges_and_evictions_change_nothing(pairs in pairs(), cuts in prop::collection::vec(0usize..400, 0..4), capacity in 1usize..200) {
            let whole = sample(&pairs, capacity);
            let expected = definition(&pairs, capacity);
            prop_assert_eq!(&whole.classes, &expected);
            prop_assert_eq!(whole.pairs(), pairs.len() as u64);
            prop_assert_eq!(whole.equal(1), pairs.iter().filter(|pair| pair.3[1]).count() as u64);
            prop_assert!(whole.entries <= capacity);
            let mut backwards = pairs.clone();
            backwards.reverse();
            prop_assert_eq!(&sample(&backwards, capacity), &whole);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(pairs.len())).collect();
            cuts.extend([0, pairs.len()]);
            cuts.sort_unstable();
            let mut merged = InputClassSample::default();
            for range in cuts.windows(2).rev() {
                merged.merge(&sample(&backwards[range[0]..range[1]], capacity), capacity);
            }
            prop_assert_eq!(&merged, &whole);
            let bytes = encode_to_vec(&whole, standard()).unwrap();
            let (again, _): (InputClassSample, usize) = decode_from_slice(&bytes, standard()).unwrap();
            prop_assert_eq!(again, whole);
        }
    }

    #[test]
    fn a_input_class_that_does_not_fit_ends_the_sample() {
        let large: Vec<Pair> = (0..10).map(|answer| (0, answer, 0, [false; 2])).collect();
        let sample = sample(&large, 9);
        assert!(!sample.is_complete() && sample.classes().count() == 0);
        assert_eq!(sample.pairs(), 10);
    }

    #[test]
    fn a_sample_is_complete_until_a_input_class_is_evicted() {
        let pairs: Vec<Pair> = (0..3).map(|class| (class, 0, 0, [false; 2])).collect();
        assert!(sample(&pairs, 3).is_complete());
        assert!(!sample(&pairs, 2).is_complete());
    }
}
