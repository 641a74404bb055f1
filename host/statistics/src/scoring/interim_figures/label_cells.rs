//! Decides which cells of a confusion matrix may be shown before the end of a run.
//!
//! A person who decides knows the earlier decisions. So the pairs with one label of the substrate, a row of the matrix, are a known
//! set.
//!
//! Invariants:
//! - No figure of a row with few pairs follows from the shown cells and the numbers of agreeing, differing and unanswered pairs:
//!   the rows that are withheld are not few together.
//! - The withheld cells of the shown rows are not few together either, separately for agreeing, differing and unanswered pairs.
//! - The same holds for the difference of two reports, because a cell is shown only if this is so in each block of windows.

use std::collections::{BTreeMap, BTreeSet};

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

/// For each cell of all pairs whether it may be shown. `blocks` have the cells of each block of windows that a report may add. A
/// cell without pairs in a block is shown there if its row is: otherwise it would tell that none of few pairs is in it.
pub fn shown_label_cells(cells: &[LabelCell<'_>], blocks: &[Vec<LabelCell<'_>>]) -> Vec<bool> {
    let blocks: Vec<ShownCells<'_>> = blocks.iter().map(|cells| ShownCells::new(cells)).collect();
    let all = ShownCells::new(cells);
    cells.iter().map(|cell| all.shows(cell) && blocks.iter().all(|block| block.shows(cell))).collect()
}

/// Which cells of one confusion matrix may be shown.
struct ShownCells<'a> {
    withheld_rows: BTreeSet<&'a str>,
    /// The withheld cells of the other rows, by the labels of model and substrate.
    withheld_cells: BTreeSet<(Option<&'a str>, &'a str)>,
}

impl<'a> ShownCells<'a> {
    fn new(cells: &[LabelCell<'a>]) -> ShownCells<'a> {
        let mut rows: BTreeMap<&str, PartSize> = BTreeMap::new();
        for cell in cells {
            let answered = if cell.model.is_some() { cell.pairs } else { 0 };
            *rows.entry(cell.substrate).or_default() += PartSize { pairs: cell.pairs, answered };
        }
        let withheld = withheld_parts(&rows.values().copied().collect::<Vec<_>>());
        let withheld_rows = rows.keys().zip(withheld).filter(|(_, is_withheld)| *is_withheld);
        let mut shown = ShownCells {
            withheld_rows: withheld_rows.map(|(row, _)| *row).collect(),
            withheld_cells: BTreeSet::new(),
        };
        let kind = |cell: &LabelCell<'_>| cell.model.map(|model| model == cell.substrate);
        for wanted in [Some(true), Some(false), None] {
            let is_own =
                |cell: &&LabelCell<'_>| kind(cell) == wanted && !shown.withheld_rows.contains(cell.substrate);
            let own: Vec<&LabelCell<'a>> = cells.iter().filter(is_own).collect();
            let withheld = withheld_counts(&own.iter().map(|cell| cell.pairs).collect::<Vec<_>>());
            let withheld = own.into_iter().zip(withheld).filter(|(_, is_withheld)| *is_withheld);
            shown.withheld_cells.extend(withheld.map(|(cell, _)| (cell.model, cell.substrate)));
        }
        shown
    }

    fn shows(&self, cell: &LabelCell<'_>) -> bool {
        !self.withheld_rows.contains(cell.substrate)
            && !self.withheld_cells.contains(&(cell.model, cell.substrate))
    }
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
        assert_eq!(shown_label_cells(&two, &[]), [false; 4]);
        let three = [&two[..], &[cell(Some("c"), "c", 9), cell(Some("d"), "d", 40)]].concat();
        // The second cell is the only one of differing pairs in a shown row.
        assert_eq!(shown_label_cells(&three, &[]), [true, false, false, false, false, true]);
        let even = [cell(Some("a"), "a", 15), cell(Some("b"), "a", 5), cell(Some("b"), "b", 6)];
        assert_eq!(shown_label_cells(&even, &[]), [true; 3]);
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
        assert_eq!(shown_label_cells(&cells, &[]), [false, false, false, true, false, true, false, false]);
        assert_eq!(shown_label_cells(&[], &[]), [false; 0]);
    }

    /// A report adds five pairs. A reader knows the decisions, so the counts of the label of one of them would tell its answer.
    #[test]
    fn a_label_of_few_pairs_of_a_block_is_withheld() {
        let first = vec![cell(Some("a"), "a", 40), cell(Some("b"), "b", 20), cell(Some("b"), "a", 9)];
        let added = |answer| vec![cell(Some("a"), "a", 4), cell(Some(answer), "b", 1)];
        let total = |answer| {
            let mut all = vec![cell(Some("a"), "a", 44), cell(Some("b"), "a", 9)];
            match answer {
                "b" => all.push(cell(Some("b"), "b", 21)),
                _ => all.extend([cell(Some("b"), "b", 20), cell(Some("a"), "b", 1)]),
            }
            all
        };
        assert_eq!(shown_label_cells(&first, std::slice::from_ref(&first)), [true; 3]);
        for answer in ["a", "b"] {
            let cells = total(answer);
            assert!(shown_label_cells(&cells, &[]).contains(&true));
            let shown = shown_label_cells(&cells, &[first.clone(), added(answer)]);
            assert_eq!(shown, vec![false; cells.len()], "the only pair of a label answered {answer}");
        }
        // A label that the block does not have is shown.
        let others = [cell(Some("c"), "c", 30), cell(Some("d"), "d", 30)];
        let known = |cells: Vec<LabelCell<'static>>| [cells, others.to_vec()].concat();
        let shown = shown_label_cells(&known(total("b")), &[known(first), added("b")]);
        assert_eq!(shown, [false, false, false, true, true]);
    }

    /// The cells of pairs that are given by the indices of the labels of model and substrate, and their number.
    fn sums<'c>(counts: impl Iterator<Item = &'c (usize, usize, u64)>) -> Vec<LabelCell<'static>> {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut matrix = BTreeMap::new();
        for (model, substrate, pairs) in counts {
            *matrix.entry((NAMES.get(*model).copied(), NAMES[*substrate])).or_insert(0) += pairs;
        }
        matrix.into_iter().map(|((model, substrate), pairs)| cell(model, substrate, pairs)).collect()
    }

    proptest! {
        /// Of each block, as the difference of two reports, what is shown is a figure of many pairs, and so is the rest.
        #[test]
        fn no_figure_of_a_label_of_few_pairs_of_a_block_follows(
            blocks in prop::collection::vec(
                prop::collection::vec((0..4_usize, 0..3_usize, prop_oneof![1..4_u64, 1..40_u64]), 1..9),
                1..4,
            )
        ) {
            let is_block = |block: &&Vec<(usize, usize, u64)>| {
                block.iter().map(|(_, _, pairs)| pairs).sum::<u64>() >= MIN_INTERIM_PAIRS
            };
            let blocks: Vec<_> = blocks.iter().filter(is_block).collect();
            let cells = sums(blocks.iter().copied().flatten());
            let blocks: Vec<_> = blocks.into_iter().map(|block| sums(block.iter())).collect();
            let shown = shown_label_cells(&cells, &blocks);
            let shown = cells.iter().zip(shown).filter(|(_, is_shown)| *is_shown);
            let keys: BTreeSet<_> = shown.map(|(cell, _)| (cell.model, cell.substrate)).collect();
            for block in &blocks {
                let count = |is_counted: &dyn Fn(&LabelCell<'_>) -> bool| {
                    block.iter().filter(|cell| is_counted(cell)).map(|cell| cell.pairs).sum::<u64>()
                };
                let is_few = |pairs: u64| (1..MIN_INTERIM_PAIRS).contains(&pairs);
                for (model, substrate) in &keys {
                    prop_assert!(!is_few(count(&|cell| cell.substrate == *substrate)));
                    prop_assert!(!is_few(count(&|cell| cell.model == *model && cell.substrate == *substrate)));
                }
                let has_shown_cell = |cell: &LabelCell<'_>| keys.iter().any(|(_, substrate)| *substrate == cell.substrate);
                let others = count(&|cell| !has_shown_cell(cell));
                prop_assert!(keys.is_empty() || !is_few(others), "{keys:?} {block:?}");
            }
        }

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
            let shown = shown_label_cells(&cells, &[]);
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
