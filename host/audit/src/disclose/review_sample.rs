//! Draws a reproducible, stratified random sample of disagreements for review.
//!
//! Invariants: the sample depends on the rows, the strata and the seed only, not on the order of the rows.
//! Within a stratum every row is equally likely. Each stratum holds at most as many rows as may be drawn.

use std::collections::BinaryHeap;

use sha2::{Digest as _, Sha256};

use crate::disclose::decided_rows::RowKey;
use understudy_study::Micros;

/// The name of the stratum for rows that no other stratum contains.
pub const ELSEWHERE: &str = "elsewhere";
/// Prefix of the hashed text, so that the same seed gives unrelated hashes elsewhere.
const DOMAIN: &[u8] = b"understudy review v1\n";

/// A stratum of the disagreements. A row belongs to the first stratum that contains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    /// The name.
    pub name: String,
    /// The required values: the index of a condition and of one of its values. A row must have all of them.
    pub terms: Vec<(usize, usize)>,
}

/// A row of the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The index of its stratum; that of [`ELSEWHERE`] is the last.
    pub stratum: usize,
    /// The key of the row.
    pub key: RowKey,
}

/// Draws a sample.
pub struct Sampler<'s> {
    strata: &'s [Stratum],
    seed: Sha256,
    most: usize,
    /// Per stratum: the rows with the smallest hashes, the largest of them at the top.
    smallest: Vec<BinaryHeap<([u8; 32], RowKey)>>,
    counts: Vec<u64>,
}

impl<'s> Sampler<'s> {
    /// A sampler that draws at most `most` rows.
    pub fn new(strata: &'s [Stratum], seed: &str, most: usize) -> Sampler<'s> {
        let mut begun = Sha256::new();
        begun.update(DOMAIN);
        begun.update(seed.as_bytes());
        begun.update(b"\n");
        let all = strata.len() + 1;
        Sampler { strata, seed: begun, most, smallest: vec![BinaryHeap::new(); all], counts: vec![0; all] }
    }

    /// Adds a disagreement. `value` returns the index of its value of a condition.
    pub fn add(&mut self, (id, observed): (&str, Micros), value: impl Fn(usize) -> usize) {
        let holds = |stratum: &Stratum| stratum.terms.iter().all(|(condition, of)| value(*condition) == *of);
        let at = self.strata.iter().position(holds).unwrap_or(self.strata.len());
        self.counts[at] += 1;
        let mut hash = self.seed.clone();
        hash.update(id.as_bytes());
        hash.update(b"\n");
        hash.update(observed.0.to_string().as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let held = &mut self.smallest[at];
        if held.len() < self.most || held.peek().is_some_and(|(greatest, _)| hash < *greatest) {
            held.push((hash, (id.to_owned(), observed)));
            if held.len() > self.most {
                held.pop();
            }
        }
    }

    /// The number of disagreements per stratum, [`ELSEWHERE`] last, and the sample. The sample takes one row
    /// of each stratum in turn, so that its beginning covers all strata.
    pub fn finish(self) -> (Vec<u64>, Vec<Drawn>) {
        let sorted = self.smallest.into_iter().map(|held| held.into_sorted_vec().into_iter());
        let mut left: Vec<_> = sorted.collect();
        let mut drawn = Vec::new();
        loop {
            let before = drawn.len();
            for (stratum, rows) in left.iter_mut().enumerate() {
                if drawn.len() < self.most
                    && let Some((_, key)) = rows.next()
                {
                    drawn.push(Drawn { stratum, key });
                }
            }
            if drawn.len() == before {
                return (self.counts, drawn);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn strata() -> Vec<Stratum> {
        let stratum =
            |name: &str, terms: &[(usize, usize)]| Stratum { name: name.to_owned(), terms: terms.to_vec() };
        vec![stratum("a 1 and b 2", &[(0, 1), (1, 2)]), stratum("a 1", &[(0, 1)]), stratum("b 7", &[(1, 7)])]
    }

    /// The indices of the two conditions' values.
    fn values(row: usize) -> [usize; 2] {
        [row % 3, row % 5]
    }

    fn drawn(rows: impl Iterator<Item = usize>, seed: &str, most: usize) -> (Vec<u64>, Vec<Drawn>) {
        let strata = strata();
        let mut sampler = Sampler::new(&strata, seed, most);
        rows.for_each(|row| {
            sampler.add((&format!("id-{row}"), Micros(7)), |condition| values(row)[condition])
        });
        sampler.finish()
    }

    #[test]
    fn small_strata_are_sampled_too() {
        let (counts, rows) = drawn(0..300, "seed", 10);
        assert_eq!(counts, [20, 80, 0, 200]);
        let of = |stratum| rows.iter().filter(|row| row.stratum == stratum).count();
        assert_eq!([of(0), of(1), of(2), of(3)], [4, 3, 0, 3]);
        assert_eq!(rows.iter().take(3).map(|row| row.stratum).collect::<Vec<_>>(), [0, 1, 3]);
        let (_, all) = drawn(0..300, "seed", 1000);
        assert_eq!(all.iter().map(|row| &row.key).collect::<BTreeSet<_>>().len(), 300);
    }

    #[test]
    fn another_seed_gives_another_sample_and_a_larger_sample_contains_the_smaller() {
        let (_, ten) = drawn(0..300, "seed", 10);
        assert_ne!(ten, drawn(0..300, "other", 10).1);
        let (_, twenty) = drawn(0..300, "seed", 20);
        assert!(ten.iter().all(|row| twenty.contains(row)));
    }

    #[test]
    fn every_row_of_a_stratum_is_equally_likely() {
        // Each of 2,000 seeds draws 3 of the 200 rows elsewhere: each row 30 times, with a standard deviation
        // of 5.4.
        let mut times = vec![0; 300];
        for seed in 0..2000 {
            for row in drawn(0..300, &seed.to_string(), 10).1.iter().filter(|row| row.stratum == 3) {
                times[row.key.0[3..].parse::<usize>().expect("a number")] += 1;
            }
        }
        let elsewhere: Vec<_> = times.iter().enumerate().filter(|(row, _)| row % 3 != 1).collect();
        assert_eq!(elsewhere.len(), 200);
        assert!(elsewhere.iter().all(|(_, times)| (6..=60).contains(*times)), "{elsewhere:?}");
    }

    proptest! {
        #[test]
        fn the_sample_does_not_depend_on_the_order_of_rows(order in Just((0..60).collect::<Vec<_>>()).prop_shuffle(), most in 0..70usize) {
            prop_assert_eq!(drawn(order.into_iter(), "seed", most), drawn(0..60, "seed", most));
        }
    }
}
