//! Which disagreements are looked at: a sample of each stratum, the same whenever it is drawn again.
//!
//! Pure. Always holds: what is drawn depends on the rows, the strata and the seed, and not on the order in which rows come;
//! within a stratum every row is as likely as any other; of each stratum no more rows are held than may be drawn.

use std::collections::BinaryHeap;

use sha2::{Digest as _, Sha256};

/// What the rows belong to that no stratum holds.
pub const ELSEWHERE: &str = "elsewhere";
/// Sets this use of a seed apart from any other.
const DOMAIN: &[u8] = b"understudy review v1\n";

/// A part of the disagreements. A row belongs to the first that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    /// What it is called.
    pub name: String,
    /// The values that all have to be there: a condition and one of its values, by their indices.
    pub terms: Vec<(usize, usize)>,
}

/// What tells a row from all others: its id, and its observed time in microseconds, since an id may be used again.
pub type Key = (String, i64);

/// A row that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The index of its stratum; that of [`ELSEWHERE`] is behind the others.
    pub stratum: usize,
    /// Which row.
    pub key: Key,
}

/// Draws rows.
pub struct Sampler<'s> {
    strata: &'s [Stratum],
    seed: Sha256,
    most: usize,
    /// Of each stratum the rows with the least hashes, the greatest of them at the top.
    held: Vec<BinaryHeap<([u8; 32], Key)>>,
    counts: Vec<u64>,
}

impl<'s> Sampler<'s> {
    /// Draws at most `most` rows.
    pub fn new(strata: &'s [Stratum], seed: &str, most: usize) -> Sampler<'s> {
        let mut begun = Sha256::new();
        begun.update(DOMAIN);
        begun.update(seed.as_bytes());
        begun.update(b"\n");
        let all = strata.len() + 1;
        Sampler { strata, seed: begun, most, held: vec![BinaryHeap::new(); all], counts: vec![0; all] }
    }

    /// A disagreement. `value` gives the index of its value of a condition.
    pub fn add(&mut self, (id, observed): (&str, i64), value: impl Fn(usize) -> usize) {
        let holds = |stratum: &Stratum| stratum.terms.iter().all(|(condition, of)| value(*condition) == *of);
        let at = self.strata.iter().position(holds).unwrap_or(self.strata.len());
        self.counts[at] += 1;
        let mut hash = self.seed.clone();
        hash.update(id.as_bytes());
        hash.update(b"\n");
        hash.update(observed.to_string().as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let held = &mut self.held[at];
        if held.len() < self.most || held.peek().is_some_and(|(greatest, _)| hash < *greatest) {
            held.push((hash, (id.to_owned(), observed)));
            if held.len() > self.most {
                held.pop();
            }
        }
    }

    /// How many disagreements each stratum has, [`ELSEWHERE`] last; and what was drawn, one of each stratum in turn, so that
    /// whoever stops early has seen of each.
    pub fn finish(self) -> (Vec<u64>, Vec<Drawn>) {
        let sorted = self.held.into_iter().map(|held| held.into_sorted_vec().into_iter());
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

    /// The values of the two conditions of a row.
    fn values(row: usize) -> [usize; 2] {
        [row % 3, row % 5]
    }

    fn drawn(rows: impl Iterator<Item = usize>, seed: &str, most: usize) -> (Vec<u64>, Vec<Drawn>) {
        let strata = strata();
        let mut sampler = Sampler::new(&strata, seed, most);
        rows.for_each(|row| sampler.add((&format!("id-{row}"), 7), |condition| values(row)[condition]));
        sampler.finish()
    }

    #[test]
    fn small_strata_are_not_missed() {
        let (counts, rows) = drawn(0..300, "seed", 10);
        assert_eq!(counts, [20, 80, 0, 200]);
        let of = |stratum| rows.iter().filter(|row| row.stratum == stratum).count();
        assert_eq!([of(0), of(1), of(2), of(3)], [4, 3, 0, 3]);
        assert_eq!(rows.iter().take(3).map(|row| row.stratum).collect::<Vec<_>>(), [0, 1, 3]);
        let (_, all) = drawn(0..300, "seed", 1000);
        assert_eq!(all.iter().map(|row| &row.key).collect::<BTreeSet<_>>().len(), 300);
    }

    #[test]
    fn another_seed_draws_others_and_a_longer_draw_has_the_shorter_one() {
        let (_, ten) = drawn(0..300, "seed", 10);
        assert_ne!(ten, drawn(0..300, "other", 10).1);
        let (_, twenty) = drawn(0..300, "seed", 20);
        assert!(ten.iter().all(|row| twenty.contains(row)));
    }

    #[test]
    fn every_row_of_a_stratum_is_as_likely() {
        // Of 200 rows elsewhere 3 are drawn by each of 2,000 seeds: each row 30 times, with a standard deviation of 5.4.
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
        fn the_order_of_rows_does_not_matter(order in Just((0..60).collect::<Vec<_>>()).prop_shuffle(), most in 0..70usize) {
            prop_assert_eq!(drawn(order.into_iter(), "seed", most), drawn(0..60, "seed", most));
        }
    }
}
