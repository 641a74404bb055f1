//! Counts the pairs of a window by the set of scopes that they belong to and by condition value. So every intersection and
//! every difference of scopes has a known number of pairs.
//!
//! Invariants:
//! - The same pairs give equal counts, whatever the order, the batches and the merges.
//! - Memory is bounded: beyond [`MAX_COUNTS`] counts none are kept. Whether that happens depends on the pairs alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cells::{AnswerStatus, ModelScores};

/// The maximum number of counts in a window, about 1 MB. Ten disjoint scopes and a hundred condition values need 1,100. The
/// limit is lower in tests, so that they exceed it.
const MAX_COUNTS: usize = if cfg!(test) { 200 } else { 1 << 14 };

/// The pairs of a window by set of scopes and by condition value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopeSets(Counts);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Counts {
    BySet(BTreeMap<Vec<u16>, SetCounts>),
    TooMany,
}

/// The pairs of one set of scopes, by index of the condition and index of its value.
pub type SetCounts = BTreeMap<(u16, u16), ValueCounts>;

/// The pairs of a set of scopes that have a value of a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCounts {
    /// The number of pairs.
    pub pairs: u64,
    /// For each model the pairs that it left unanswered.
    pub unanswered: Vec<u64>,
}

impl Default for ScopeSets {
    fn default() -> ScopeSets {
        ScopeSets(Counts::BySet(BTreeMap::new()))
    }
}

impl ScopeSets {
    /// Adds a pair that belongs to `scopes`, in ascending order, and has these values of the conditions. Its statuses are row
    /// `row` of `models`.
    pub fn add(&mut self, scopes: &[u16], values: &[u16], models: &[ModelScores], row: usize) {
        let Counts::BySet(sets) = &mut self.0 else { return };
        if !sets.contains_key(scopes) {
            sets.insert(scopes.to_vec(), SetCounts::new());
        }
        let Some(own) = sets.get_mut(scopes) else { return };
        let before = own.len();
        for (condition, value) in (0..).zip(values) {
            let counts = own.entry((condition, *value)).or_default();
            counts.pairs += 1;
            counts.unanswered.resize(models.len(), 0);
            for (unanswered, model) in counts.unanswered.iter_mut().zip(models) {
                *unanswered += u64::from(model.statuses[row] != AnswerStatus::Answered);
            }
        }
        if own.len() > before {
            self.limit();
        }
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &ScopeSets) {
        let Counts::BySet(sets) = &mut self.0 else { return };
        let Counts::BySet(more) = &other.0 else {
            self.0 = Counts::TooMany;
            return;
        };
        for (scopes, counts) in more {
            let own = sets.entry(scopes.clone()).or_default();
            for (place, more) in counts {
                own.entry(*place).or_default().merge(more);
            }
        }
        self.limit();
    }

    /// Each set of scopes that has pairs, with its counts; `None` if there are too many.
    pub fn sets(&self) -> Option<impl Iterator<Item = (&[u16], &SetCounts)>> {
        match &self.0 {
            Counts::BySet(sets) => Some(sets.iter().map(|(scopes, counts)| (scopes.as_slice(), counts))),
            Counts::TooMany => None,
        }
    }

    /// Drops all counts if there are too many. Counts are never removed otherwise, so the same pairs exceed the limit in any
    /// order.
    fn limit(&mut self) {
        if let Counts::BySet(sets) = &self.0
            && sets.values().map(BTreeMap::len).sum::<usize>() > MAX_COUNTS
        {
            self.0 = Counts::TooMany;
        }
    }
}

impl ValueCounts {
    fn merge(&mut self, other: &ValueCounts) {
        self.pairs += other.pairs;
        self.unanswered.resize(self.unanswered.len().max(other.unanswered.len()), 0);
        self.unanswered.iter_mut().zip(&other.unanswered).for_each(|(own, more)| *own += more);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pair: whether it belongs to the declared scope, its values of two conditions, and whether it is answered.
    type Pair = (bool, u16, u16, bool);

    fn counted(pairs: &[Pair]) -> ScopeSets {
        let mut sets = ScopeSets::default();
        for (is_inside, one, two, is_answered) in pairs {
            let statuses = vec![if *is_answered { AnswerStatus::Answered } else { AnswerStatus::Abstained }];
            let scopes: &[u16] = if *is_inside { &[0, 1] } else { &[0] };
            sets.add(scopes, &[*one, *two], &[ModelScores { statuses, scores: Vec::new() }], 0);
        }
        sets
    }

    proptest! {
        #[test]
        fn counts_match_the_pairs_in_any_order_and_vanish_beyond_the_limit(
            pairs in prop_oneof![
                prop::collection::vec((any::<bool>(), 0..3_u16, 0..4_u16, any::<bool>()), 0..40),
                prop::collection::vec((any::<bool>(), 0..90_u16, 0..90_u16, any::<bool>()), 120..200),
            ],
            cut in 0..200_usize,
        ) {
            let whole = counted(&pairs);
            let (first, second) = pairs.split_at(cut.min(pairs.len()));
            let mut merged = counted(&second.iter().rev().copied().collect::<Vec<_>>());
            merged.merge(&counted(first));
            prop_assert_eq!(&merged, &whole);
            let count = |set: &[u16], condition: u16, value: u16| {
                let chosen = pairs.iter().filter(|(is_inside, one, two, _)| {
                    *is_inside == (set.len() == 2) && [*one, *two][usize::from(condition)] == value
                });
                let unanswered = chosen.clone().filter(|pair| !pair.3).count() as u64;
                ValueCounts { pairs: chosen.count() as u64, unanswered: vec![unanswered] }
            };
            let places: std::collections::BTreeSet<_> =
                pairs.iter().flat_map(|pair| [(pair.0, 0, pair.1), (pair.0, 1, pair.2)]).collect();
            prop_assert_eq!(whole.sets().is_none(), places.len() > MAX_COUNTS);
            for (set, counts) in whole.sets().into_iter().flatten() {
                for ((condition, value), found) in counts {
                    prop_assert_eq!(found, &count(set, *condition, *value));
                }
            }
            let kept = whole.sets().map(|sets| sets.map(|(_, counts)| counts.len()).sum::<usize>());
            prop_assert!(kept.is_none_or(|kept| kept == places.len()));
        }
    }
}
