//! Linear algebra for tests: what follows from the sums that reports show.

use super::part_size::MIN_INTERIM_PAIRS;

/// The modulus of the elimination, a prime.
const PRIME: i64 = 1_000_003;

/// Sums over cells, each with a factor for each cell.
#[derive(Clone, Default)]
pub struct KnownSums {
    /// Rows in echelon form modulo [`PRIME`], each with the index of its first factor that is not zero.
    rows: Vec<(usize, Vec<i64>)>,
}

impl KnownSums {
    /// Adds a sum.
    pub fn add(&mut self, mut sum: Vec<i64>) {
        for (pivot, row) in &self.rows {
            let factor = sum[*pivot];
            if factor != 0 {
                for (number, known) in sum.iter_mut().zip(row) {
                    *number = (*number - factor * known % PRIME + PRIME) % PRIME;
                }
            }
        }
        let Some(pivot) = sum.iter().position(|number| *number != 0) else { return };
        // By Fermat: the power PRIME - 2.
        let (inverse, _) = (0..20).fold((1, sum[pivot]), |(product, power), bit| {
            let product = if (PRIME - 2) >> bit & 1 == 1 { product * power % PRIME } else { product };
            (product, power * power % PRIME)
        });
        self.rows.push((pivot, sum.iter().map(|number| number * inverse % PRIME).collect()));
        self.rows.sort_unstable();
    }

    /// Cells with few pairs together, to which a combination of the sums is confined; `None` if there is no such combination.
    /// `pairs` are the numbers of pairs of the cells.
    pub fn few(&self, pairs: &[u64]) -> Option<Vec<usize>> {
        let small: Vec<usize> =
            (0..pairs.len()).filter(|cell| (1..MIN_INTERIM_PAIRS).contains(&pairs[*cell])).collect();
        let mut sets: Vec<(usize, Vec<usize>)> = vec![(0, Vec::new())];
        while let Some((next, set)) = sets.pop() {
            let total: u64 = set.iter().map(|cell| pairs[*cell]).sum();
            let mut is_maximal = true;
            for (at, cell) in small.iter().enumerate().filter(|(_, cell)| !set.contains(cell)) {
                if total + pairs[*cell] < MIN_INTERIM_PAIRS {
                    is_maximal = false;
                    if at >= next {
                        sets.push((at + 1, [set.as_slice(), &[*cell]].concat()));
                    }
                }
            }
            if is_maximal && !set.is_empty() && self.has_combination_within(&set) {
                return Some(set);
            }
        }
        None
    }

    /// Whether some combination of the sums is not zero, but zero outside of `cells`.
    fn has_combination_within(&self, cells: &[usize]) -> bool {
        // Factors of the other cells come first. A row with a later first factor is such a combination.
        let cells_in_order = |sum: &[i64]| -> Vec<i64> {
            let others = (0..sum.len()).filter(|cell| !cells.contains(cell));
            others.chain(cells.iter().copied()).map(|cell| sum[cell]).collect()
        };
        let mut reordered = KnownSums::default();
        self.rows.iter().for_each(|(_, sum)| reordered.add(cells_in_order(sum)));
        reordered.rows.iter().any(|(pivot, sum)| *pivot >= sum.len() - cells.len())
    }
}

#[test]
fn combinations_within_few_pairs_are_found() {
    let mut known = KnownSums::default();
    known.add(vec![1, 1, 0, 1]);
    known.add(vec![1, 1, 1, 0]);
    // The difference has the last two cells.
    assert_eq!(known.few(&[9, 9, 2, 2]), Some(vec![2, 3]));
    assert_eq!(known.few(&[9, 9, 2, 3]), None);
    known.add(vec![1, 0, 0, 1]);
    assert_eq!(known.few(&[9, 4, 2, 3]), Some(vec![1]));
    assert_eq!(known.few(&[9, 9, 2, 3]), None);
}
