//! Decides which cells of a confusion matrix may be shown before the end of a run.
//!
//! A person who decides knows the earlier decisions. So the pairs with one label of the substrate, a row of the matrix, are a known
//! set.
//!
//! Invariants:
//! - No figure of a row with few pairs follows from the shown cells and the numbers of agreeing, differing and unanswered pairs:
//!   the rows that are withheld are not few together.
//! - The withheld cells of the shown rows are not few together either, separately for agreeing, differing and unanswered pairs.

use std::collections::BTreeMap;

use super::part_size::{PartSize, withheld_counts, withheld_parts};

/// A cell of a confusion matrix.
#[derive(Clone, Copy, Debug)]
pub struct LabelCell<'a> {
    /// The model's label; `None` without an answer.
    pub model: Option<&'a str>,
    /// The substrate's label.
    pub substrate: &'a str,
    /// The number of pairs.
    pub pairs: u64,
}

/// For each cell whether it may be shown. The cells are those of all pairs.
pub fn shown_label_cells(cells: &[LabelCell<'_>]) -> Vec<bool> {
    let mut rows: BTreeMap<&str, PartSize> = BTreeMap::new();
    for cell in cells {
        let answered = if cell.model.is_some() { cell.pairs } else { 0 };
        *rows.entry(cell.substrate).or_default() += PartSize { pairs: cell.pairs, answered };
    }
    let withheld = withheld_parts(&rows.values().copied().collect::<Vec<_>>());
    let is_row_shown: BTreeMap<&str, bool> =
        rows.keys().zip(withheld).map(|(row, is_withheld)| (*row, !is_withheld)).collect();
    let mut shown = vec![false; cells.len()];
    let kind = |cell: &LabelCell<'_>| cell.model.map(|model| model == cell.substrate);
    for wanted in [Some(true), Some(false), None] {
        let own: Vec<usize> = (0..cells.len())
            .filter(|at| kind(&cells[*at]) == wanted && is_row_shown[cells[*at].substrate])
            .collect();
        let counts: Vec<u64> = own.iter().map(|at| cells[*at].pairs).collect();
        for (at, is_withheld) in own.into_iter().zip(withheld_counts(&counts)) {
            shown[at] = !is_withheld;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::part_size::MIN_INTERIM_PAIRS;
    use super::*;

    fn cell<'a>(model: Option<&'a str>, substrate: &'a str, pairs: u64) -> LabelCell<'a> {
        LabelCell { model, substrate, pairs }
    }

    #[test]
    fn a_label_of_few_pairs_takes_the_smallest_other_label_with_it() {
        let two = [
            cell(Some("a"), "a", 15),
            cell(Some("b"), "a", 2),
            cell(Some("b"), "b", 2),
            cell(Some("a"), "b", 1),
        ];
        assert_eq!(shown_label_cells(&two), [false; 4]);
        let three = [&two[..], &[cell(Some("c"), "c", 9), cell(Some("d"), "d", 40)]].concat();
        // The second cell is the only one of differing pairs in a shown row.
        assert_eq!(shown_label_cells(&three), [true, false, false, false, false, true]);
        let even = [cell(Some("a"), "a", 15), cell(Some("b"), "a", 5), cell(Some("b"), "b", 6)];
        assert_eq!(shown_label_cells(&even), [true; 3]);
    }

    #[test]
    fn agreeing_differing_and_unanswered_pairs_are_withheld_by_themselves() {
        let cells = [
            cell(Some("a"), "a", 40),
            cell(Some("b"), "a", 3),
            cell(Some("c"), "a", 7),
            cell(Some("d"), "a", 8),
            cell(Some("b"), "b", 4),
            cell(Some("a"), "b", 50),
            cell(None, "a", 6),
            cell(None, "b", 2),
        ];
        // Four agreeing pairs take the other cell of agreeing pairs with them, three differing ones the cell of seven, and so on.
        assert_eq!(shown_label_cells(&cells), [false, false, false, true, false, true, false, false]);
        assert_eq!(shown_label_cells(&[]), [false; 0]);
    }

    proptest! {
        #[test]
        fn no_figure_of_a_label_of_few_pairs_follows(
            counts in prop::collection::vec((0..4_usize, 0..4_usize, prop_oneof![1..4_u64, 1..40_u64]), 0..12)
        ) {
            let names = ["a", "b", "c"];
            let mut matrix = BTreeMap::new();
            for (model, substrate, pairs) in counts {
                *matrix.entry((names.get(model).copied(), names[substrate % 3])).or_insert(0) += pairs;
            }
            let cells: Vec<LabelCell<'_>> =
                matrix.iter().map(|((model, substrate), pairs)| cell(*model, substrate, *pairs)).collect();
            let shown = shown_label_cells(&cells);
            let row = |name: &str| cells.iter().filter(|cell| cell.substrate == name).map(|cell| cell.pairs).sum::<u64>();
            let is_shown = |name: &str| {
                cells.iter().zip(&shown).any(|(cell, is_shown)| cell.substrate == name && *is_shown)
            };
            // A shown cell is a figure of its row.
            prop_assert!(names.iter().all(|name| !is_shown(name) || row(name) >= MIN_INTERIM_PAIRS));
            // The numbers of agreeing, differing and unanswered pairs, less those shown, are figures of the other rows.
            let others: u64 = names.iter().filter(|name| !is_shown(name)).map(|name| row(name)).sum();
            prop_assert!(others == 0 || others >= MIN_INTERIM_PAIRS || !shown.contains(&true), "{cells:?} {shown:?}");
        }
    }
}
