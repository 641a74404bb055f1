//! The sizes of sets of pairs, and which sums over such sets would reveal few pairs.
//!
//! Invariant: if [`reveals_few`] is false, no linear combination of the sums over the rows and over the columns of a table
//! covers one to four pairs.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{AddAssign, RangeInclusive};

/// The minimum number of pairs that a figure covers before the end of a run.
pub const MIN_INTERIM_PAIRS: u64 = 5;

/// The numbers of pairs that are few.
const FEW: RangeInclusive<u64> = 1..=MIN_INTERIM_PAIRS - 1;

/// The size of a set of pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartSize {
    /// The number of pairs.
    pub pairs: u64,
    /// Those that the model answered; all of them for a figure of no model.
    pub answered: u64,
}

impl PartSize {
    /// Whether a figure of these pairs is withheld.
    pub fn is_few(self) -> bool {
        [self.pairs, self.answered].iter().any(|count| FEW.contains(count))
    }

    /// The rest of these pairs without those of `other`.
    pub fn saturating_sub(self, other: PartSize) -> PartSize {
        PartSize {
            pairs: self.pairs.saturating_sub(other.pairs),
            answered: self.answered.saturating_sub(other.answered),
        }
    }
}

impl AddAssign for PartSize {
    fn add_assign(&mut self, other: PartSize) {
        self.pairs += other.pairs;
        self.answered += other.answered;
    }
}

impl Sum for PartSize {
    fn sum<I: Iterator<Item = PartSize>>(sizes: I) -> PartSize {
        sizes.fold(PartSize::default(), |mut sum, size| {
            sum += size;
            sum
        })
    }
}

/// For each part of a partition of pairs whether its figure is withheld. First, parts of few pairs are withheld. Then the
/// smallest other parts follow, until the withheld parts together are not few.
pub fn withheld_parts(parts: &[PartSize]) -> Vec<bool> {
    let mut withheld: Vec<bool> = parts.iter().map(|part| part.is_few()).collect();
    loop {
        let total: PartSize =
            parts.iter().zip(&withheld).filter(|(_, withheld)| **withheld).map(|(part, _)| *part).sum();
        let shown = (0..parts.len()).filter(|at| !withheld[*at] && parts[*at].pairs > 0);
        match shown.min_by_key(|at| parts[*at]).filter(|_| total.is_few()) {
            Some(smallest) => withheld[smallest] = true,
            None => return withheld,
        }
    }
}

/// For each of these numbers of pairs, which belong to the parts of a partition, whether it is withheld before the end of a
/// run. The withheld numbers together are at least [`MIN_INTERIM_PAIRS`], if any others remain.
pub fn withheld_counts(counts: &[u64]) -> Vec<bool> {
    let parts = counts.iter().map(|pairs| PartSize { pairs: *pairs, answered: *pairs });
    withheld_parts(&parts.collect::<Vec<_>>())
}

/// Whether few pairs may follow from the sums over the rows of a table and those over its columns. `rows` has the size of
/// each cell. Only the sum of all columns that are `withheld` is known.
///
/// A linear combination gives each row and each column a factor, and covers the cells where the two do not cancel. If a row
/// and a column share at least [`MIN_INTERIM_PAIRS`] pairs, the factors must cancel there, or the combination covers enough
/// pairs. The row and the column are then one group with one factor. Groups that share enough pairs are joined in the same
/// way. If no two groups that remain share pairs, every combination of few pairs is empty.
pub fn reveals_few(rows: &[Vec<PartSize>], withheld: &[bool]) -> bool {
    let has_light_link = |count: fn(&PartSize) -> u64| {
        let columns = withheld.len();
        let column = |at: usize| rows.len() + if withheld[at] { columns } else { at };
        let cells = rows.iter().enumerate().flat_map(|(row, cells)| {
            cells.iter().enumerate().map(move |(at, size)| (row, column(at), count(size)))
        });
        let cells: Vec<_> = cells.filter(|(_, _, pairs)| *pairs > 0).collect();
        let mut groups: Vec<usize> = (0..rows.len() + columns + 1).collect();
        loop {
            let mut links: BTreeMap<(usize, usize), u64> = BTreeMap::new();
            for (row, column, pairs) in &cells {
                let (one, other) = (groups[*row], groups[*column]);
                if one != other {
                    *links.entry((one.min(other), one.max(other))).or_default() += pairs;
                }
            }
            let Some(((one, other), _)) = links.iter().find(|(_, pairs)| !FEW.contains(*pairs)) else {
                return !links.is_empty();
            };
            groups.iter_mut().filter(|group| *group == other).for_each(|group| *group = *one);
        }
    };
    has_light_link(|size| size.pairs) || has_light_link(|size| size.answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pairs_take_the_smallest_other_part_with_them() {
        assert_eq!(withheld_counts(&[4, 100, 0, 7]), [true, false, false, true]);
        // Two parts of few pairs hide each other, if together they are not few.
        assert_eq!(withheld_counts(&[4, 100, 1, 7]), [true, false, true, false]);
        assert_eq!(withheld_counts(&[3]), [true]);
        assert_eq!(withheld_counts(&[]), [false; 0]);
        // Few answers are like few pairs, and no answers are not.
        let counts = |pairs, answered| PartSize { pairs, answered };
        let parts = [counts(9, 4), counts(100, 90), counts(8, 0), counts(20, 6)];
        assert_eq!(withheld_parts(&parts), [true, false, true, true]);
    }

    #[test]
    fn sums_of_rows_and_columns_reveal_few_pairs_that_link_two_groups() {
        let reveals = |rows: &[&[u64]], withheld: &[bool]| {
            let size = |pairs: &u64| PartSize { pairs: *pairs, answered: *pairs };
            let rows: Vec<Vec<PartSize>> = rows.iter().map(|row| row.iter().map(size).collect()).collect();
            reveals_few(&rows, withheld)
        };
        // The second column minus the second row is the cell of two pairs.
        assert!(reveals(&[&[100, 2], &[0, 50]], &[false; 2]));
        // With a fourth cell, it follows no more.
        assert!(!reveals(&[&[100, 2], &[60, 50]], &[false; 2]));
        assert!(!reveals(&[&[100, 0], &[0, 50]], &[false; 2]));
        // Two cells of three pairs link the column of six to different rows.
        assert!(reveals(&[&[100, 3, 0], &[0, 3, 50]], &[false; 3]));
        // Three and three link two groups by six pairs.
        assert!(!reveals(&[&[100, 3, 0], &[3, 40, 3], &[0, 0, 70]], &[true, false, true]));
        assert!(reveals(&[&[100, 3, 0], &[1, 40, 3], &[0, 0, 70]], &[false; 3]));
        // One row: the parts, of which those that are withheld count together.
        assert!(reveals(&[&[100, 4, 4]], &[false; 3]));
        assert!(!reveals(&[&[100, 4, 4]], &[false, true, true]));
        assert!(!reveals(&[], &[false; 2]));
        // Few answers are like few pairs.
        let size = |pairs, answered| PartSize { pairs, answered };
        assert!(reveals_few(&[vec![size(90, 90), size(80, 3)]], &[false; 2]));
        assert!(!reveals_few(&[vec![size(90, 90), size(80, 0)]], &[false; 2]));
    }
}
