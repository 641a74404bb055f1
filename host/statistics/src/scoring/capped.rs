//! Counts by key, of which only so many keys are kept.
//!
//! Always holds: which keys are kept, and what they count, does not depend on the order in which they came: those with the
//! least hashes stay, and a key that stays was never away. How much was counted of the others is known, and how much was the
//! same on both sides, whether it is kept or not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// What a model said, or nothing, and what the substrate did.
pub type Said = (Option<String>, String);

/// How often a model said this where the substrate did that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Matrix {
    counts: BTreeMap<Said, u64>,
    /// The hashes of what is counted, so that the greatest is known.
    hashes: BTreeSet<(u64, Said)>,
    beyond: u64,
    same: u64,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Stored {
    counts: Vec<(Said, u64)>,
    beyond: u64,
    same: u64,
}

impl From<Stored> for Matrix {
    fn from(stored: Stored) -> Matrix {
        let hashes = stored.counts.iter().map(|(said, _)| (hash(said), said.clone())).collect();
        let Stored { counts, beyond, same } = stored;
        Matrix { counts: counts.into_iter().collect(), hashes, beyond, same }
    }
}

impl From<Matrix> for Stored {
    fn from(matrix: Matrix) -> Stored {
        let Matrix { counts, beyond, same, .. } = matrix;
        Stored { counts: counts.into_iter().collect(), beyond, same }
    }
}

impl Matrix {
    /// Pairs of answers that are told apart.
    pub const KEPT: usize = 1024;

    /// Counts `count` more of `said`.
    pub fn add(&mut self, said: Said, count: u64) {
        if said.0.as_ref() == Some(&said.1) {
            self.same += count;
        }
        self.keep(said, count);
    }

    fn keep(&mut self, said: Said, count: u64) {
        if let Some(known) = self.counts.get_mut(&said) {
            *known += count;
            return;
        }
        let hashed = (hash(&said), said);
        if self.counts.len() >= Self::KEPT {
            if self.hashes.last().is_some_and(|last| *last < hashed) {
                self.beyond += count;
                return;
            }
            if let Some((_, last)) = self.hashes.pop_last() {
                self.beyond += self.counts.remove(&last).unwrap_or(0);
            }
        }
        self.counts.insert(hashed.1.clone(), count);
        self.hashes.insert(hashed);
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Matrix) {
        other.counts.iter().for_each(|(said, count)| self.keep(said.clone(), *count));
        self.beyond += other.beyond;
        self.same += other.same;
    }

    /// What is counted, in the order of the names; nothing said comes first.
    pub fn iter(&self) -> impl Iterator<Item = (&Said, u64)> {
        self.counts.iter().map(|(said, count)| (said, *count))
    }

    /// How much was counted of what is not told apart.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// How much was counted of answers that are the same on both sides, those that are not told apart among them.
    pub fn same(&self) -> u64 {
        self.same
    }
}

fn hash((model, substrate): &Said) -> u64 {
    let model = model.as_ref().map_or(String::new(), |model| format!("+{model}"));
    xxh3_64(format!("{}\n{model}{substrate}", model.len()).as_bytes())
}

#[cfg(test)]
mod tests {
    use bincode::config::standard;
    use bincode::serde::{decode_from_slice, encode_to_vec};
    use proptest::prelude::*;

    use super::*;

    fn said(number: u64) -> Said {
        ((!number.is_multiple_of(3)).then(|| format!("s{}", number / 7)), format!("s{}", number % 1500))
    }

    proptest! {
        #[test]
        fn neither_order_nor_merging_shows(numbers in prop::collection::vec(0u64..4000, 0..6000), cut in 0usize..6000) {
            let add = |numbers: &[u64]| {
                let mut matrix = Matrix::default();
                numbers.iter().for_each(|number| matrix.add(said(*number), 1));
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
            prop_assert_eq!(counted + whole.beyond(), numbers.len() as u64);
            let same = numbers.iter().map(|number| said(*number)).filter(|(model, substrate)| model.as_ref() == Some(substrate));
            prop_assert_eq!(whole.same(), same.count() as u64);
            prop_assert!(whole.iter().count() <= Matrix::KEPT);
            let bytes = encode_to_vec(&whole, standard()).unwrap();
            let (again, _): (Matrix, usize) = decode_from_slice(&bytes, standard()).unwrap();
            prop_assert_eq!(again, whole);
        }
    }

    #[test]
    fn what_is_kept_is_counted_in_full() {
        let mut matrix = Matrix::default();
        for round in 0..3 {
            (0..3000).for_each(|number| matrix.add((None, format!("{number}")), 1 + round));
        }
        assert!(matrix.iter().all(|(_, count)| count == 6));
        assert_eq!(matrix.beyond(), (3000 - Matrix::KEPT as u64) * 6);
    }

    #[test]
    fn what_is_the_same_is_counted_whether_it_is_kept_or_not() {
        let (mut matrix, mut other) = (Matrix::default(), Matrix::default());
        (0..3000).for_each(|number| matrix.add((Some(format!("{number}")), format!("{number}")), 1));
        (0..3000).for_each(|number| other.add((Some(format!("{number}")), format!("{}", number / 2)), 1));
        assert_eq!((matrix.same(), other.same()), (3000, 1));
        matrix.merge(&other);
        assert_eq!(matrix.same(), 3001);
    }
}
