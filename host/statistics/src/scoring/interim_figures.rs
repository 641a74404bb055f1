//! Decides which figures may be shown before the end of a run, so that nobody who still has to decide learns about a
//! single row.
//!
//! Invariants:
//! - The windows are divided into blocks, and the pairs of each block into parts. Each part has no pairs or at least
//!   [`MIN_INTERIM_PAIRS`].
//! - A figure that is shown covers whole parts. So no figure of fewer pairs follows by subtraction from one report.
//! - Later windows change neither the blocks nor the parts of earlier ones. So none follows from several reports either.
//!
//! The invariants hold for each condition, each scope, the blinded pairs and the revised pairs by themselves. Conditions
//! that nearly coincide are not compared with each other.

use std::ops::Range;

use super::cells::{Cells, Slice};
use super::{VerdictEvidence, Window};
use understudy_study::Scope;

/// The minimum number of pairs that a figure covers before the end of a run.
pub const MIN_INTERIM_PAIRS: u64 = 5;

/// Whether a figure of this many pairs is withheld.
fn is_few(pairs: u64) -> bool {
    (1..MIN_INTERIM_PAIRS).contains(&pairs)
}

/// For each part of a partition of pairs whether its figure is withheld. First, parts of fewer than
/// [`MIN_INTERIM_PAIRS`] pairs are withheld. Then the smallest other parts follow, until the withheld parts together have
/// at least that many.
fn withheld_parts(pairs: &[u64]) -> Vec<bool> {
    let mut withheld: Vec<bool> = pairs.iter().map(|pairs| is_few(*pairs)).collect();
    loop {
        let total =
            pairs.iter().zip(&withheld).filter(|(_, withheld)| **withheld).map(|(pairs, _)| pairs).sum();
        let shown = (0..pairs.len()).filter(|at| !withheld[*at] && pairs[*at] > 0);
        match shown.min_by_key(|at| pairs[*at]).filter(|_| is_few(total)) {
            Some(smallest) => withheld[smallest] = true,
            None => return withheld,
        }
    }
}

/// Divides windows with these numbers of pairs into blocks: each window is added to a block until it has at least
/// [`MIN_INTERIM_PAIRS`] pairs. Also returns the number of pairs after the last block.
fn blocks(pairs: &[u64]) -> (Vec<Range<usize>>, u64) {
    let (mut blocks, mut start, mut open) = (Vec::new(), 0, 0);
    for (at, pairs) in pairs.iter().enumerate() {
        open += pairs;
        if open >= MIN_INTERIM_PAIRS {
            blocks.push(start..at + 1);
            (start, open) = (at + 1, 0);
        }
    }
    (blocks, open)
}

fn pairs_of(cells: &Cells, window: Window, slice: Slice) -> u64 {
    cells.window(window).map_or(0, |totals| totals.pairs(slice))
}

/// The last window that a report up to `last` covers: an earlier one if the latest windows have pairs, but too few for a
/// figure. `None` if all windows together have too few.
pub fn last_covered_window(cells: &Cells, last: Window) -> Option<Window> {
    let windows: Vec<(Window, u64)> = cells
        .iter()
        .map(|(window, totals)| (window, totals.pairs(Slice::All)))
        .take_while(|(window, _)| *window <= last)
        .collect();
    let (blocks, open) = blocks(&windows.iter().map(|(_, pairs)| *pairs).collect::<Vec<_>>());
    match open {
        0 => Some(last),
        _ => blocks.last().map(|block| windows[block.end - 1].0),
    }
}

/// Which figures may be shown before the end of a run.
pub struct InterimFigures {
    blocks: Vec<Block>,
}

/// Consecutive windows with pairs. A figure covers all of them or none.
struct Block {
    windows: Vec<Window>,
    /// Whether the figure over all pairs of the block is withheld.
    all: bool,
    /// For each value of each condition whether its figure is withheld.
    values: Vec<Vec<bool>>,
    /// For each scope whether its figure is withheld.
    scopes: Vec<bool>,
    /// Whether the figures of the blinded pairs and of the others are withheld.
    blinding: bool,
}

impl InterimFigures {
    /// The figures of a run that may be shown. Windows after the last block belong to it.
    pub fn new(cells: &Cells) -> InterimFigures {
        let windows: Vec<Window> = cells.iter().map(|(window, _)| window).collect();
        let pairs: Vec<u64> = cells.iter().map(|(_, totals)| totals.pairs(Slice::All)).collect();
        let (mut ranges, open) = blocks(&pairs);
        match ranges.last_mut() {
            Some(last) => last.end = windows.len(),
            None if open > 0 => ranges.push(0..windows.len()),
            None => {}
        }
        let block = |range: Range<usize>| {
            Block::new(windows[range].to_vec(), |slice, window| pairs_of(cells, window, slice), cells)
        };
        InterimFigures { blocks: ranges.into_iter().map(block).collect() }
    }

    /// Adds the scopes and the blinded pairs.
    pub fn with_evidence(
        mut self,
        cells: &Cells,
        evidence: &VerdictEvidence,
        scopes: &[Scope],
    ) -> InterimFigures {
        for block in &mut self.blocks {
            block.add_evidence(cells, evidence, scopes);
        }
        self
    }

    /// The figures that may be shown of a part of the pairs, such as the revised ones. A figure of the other pairs would
    /// follow by subtraction, so these must not be few either.
    pub fn for_part(&self, part: &Cells, cells: &Cells) -> InterimFigures {
        let block = |block: &Block| {
            let own = Block::new(block.windows.clone(), |slice, window| pairs_of(part, window, slice), cells);
            let rest = Block::new(
                block.windows.clone(),
                |slice, window| pairs_of(cells, window, slice).saturating_sub(pairs_of(part, window, slice)),
                cells,
            );
            let either = |own: &Vec<bool>, rest: &Vec<bool>| {
                own.iter().zip(rest).map(|(own, rest)| *own || *rest).collect()
            };
            Block {
                all: own.all || rest.all,
                values: own.values.iter().zip(&rest.values).map(|(own, rest)| either(own, rest)).collect(),
                ..own
            }
        };
        InterimFigures { blocks: self.blocks.iter().map(block).collect() }
    }

    /// Whether the figure over all pairs is shown.
    pub fn shows_all(&self) -> bool {
        self.blocks.iter().all(|block| !block.all)
    }

    /// Whether the figure of a window is shown.
    pub fn shows_window(&self, window: Window) -> bool {
        self.block(window).is_none_or(|block| block.is_one_window() && !block.all)
    }

    /// Whether the figure of a value of a condition over all windows is shown.
    pub fn shows_value(&self, condition: usize, value: usize) -> bool {
        self.blocks.iter().all(|block| !block.values[condition][value])
    }

    /// Whether the figure of a value of a condition in a window is shown.
    pub fn shows_value_in_window(&self, condition: usize, value: usize, window: Window) -> bool {
        self.block(window).is_none_or(|block| block.is_one_window() && !block.values[condition][value])
    }

    /// Whether the figure of a slice over all windows is shown.
    pub fn shows(&self, slice: Slice) -> bool {
        match slice {
            Slice::All => self.shows_all(),
            Slice::Value { condition, value } => self.shows_value(condition, value),
        }
    }

    /// Whether the figure over some windows, in order of time, in a scope is shown. The windows must be whole blocks.
    /// Scope 0 is all pairs, and the declared scopes follow.
    pub fn shows_scope(&self, scope: usize, windows: &[Window]) -> bool {
        self.are_whole_blocks(windows, |block| match scope {
            0 => !block.all,
            declared => !block.scopes[declared - 1],
        })
    }

    /// Whether the figures of the blinded pairs and of the others over some windows, in order of time, are shown.
    pub fn shows_blinding(&self, windows: &[Window]) -> bool {
        self.are_whole_blocks(windows, |block| !block.blinding)
    }

    /// Whether `is_shown` holds for each block that has any of the windows, and all its windows are among them.
    /// `windows` are in order of time.
    fn are_whole_blocks(&self, windows: &[Window], is_shown: impl Fn(&Block) -> bool) -> bool {
        let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return true };
        let mut overlapping = self.blocks[self.first_block_not_before(*first)..]
            .iter()
            .take_while(|block| block.windows.first().is_some_and(|begin| begin <= last));
        overlapping.all(|block| {
            let covered = block.windows.iter().filter(|window| windows.binary_search(window).is_ok()).count();
            covered == 0 || (covered == block.windows.len() && is_shown(block))
        })
    }

    /// The index of the first block that does not end before a window.
    fn first_block_not_before(&self, window: Window) -> usize {
        self.blocks.partition_point(|block| block.windows.last().is_some_and(|last| *last < window))
    }

    /// The block of a window; `None` if the window has no pairs.
    fn block(&self, window: Window) -> Option<&Block> {
        let block = self.blocks.get(self.first_block_not_before(window));
        block.filter(|block| block.windows.contains(&window))
    }
}

impl Block {
    fn new(windows: Vec<Window>, pairs: impl Fn(Slice, Window) -> u64, cells: &Cells) -> Block {
        let total = |slice| windows.iter().map(|window| pairs(slice, *window)).sum::<u64>();
        let sizes = cells.shape().conditions.iter().enumerate();
        let values = sizes.map(|(condition, values)| {
            let totals = (0..*values).map(|value| total(Slice::Value { condition, value }));
            withheld_parts(&totals.collect::<Vec<_>>())
        });
        let (all, values) = (is_few(total(Slice::All)), values.collect());
        Block { windows, all, values, scopes: Vec::new(), blinding: false }
    }

    fn is_one_window(&self) -> bool {
        self.windows.len() == 1
    }

    /// Adds the scopes and the blinded pairs. The figure of a scope is withheld if the scope has few pairs, or if the
    /// difference between the scope and a shown figure has.
    fn add_evidence(&mut self, cells: &Cells, evidence: &VerdictEvidence, scopes: &[Scope]) {
        let total = |slice| self.windows.iter().map(|window| pairs_of(cells, *window, slice)).sum::<u64>();
        let all = total(Slice::All);
        let (mut own, mut blinded) = (vec![0; 1 + scopes.len()], 0);
        for window in self.windows.iter().filter_map(|window| evidence.windows.get(window)) {
            for (key, sums) in &window.sums {
                own[usize::from(key.scope)] += sums.pairs;
                if key.scope == 0 && key.blinded {
                    blinded += sums.pairs;
                }
            }
        }
        self.blinding = is_few(blinded) || is_few(all.saturating_sub(blinded));
        let is_withheld = |(scope, own): (&Scope, u64)| {
            let parts = scope.values.iter().flat_map(|(condition, values)| {
                let pairs = |value: usize| total(Slice::Value { condition: *condition, value });
                let sum: u64 = values.iter().map(|value| pairs(*value)).sum();
                // A scope with all pairs of its values divides the values that are withheld together.
                // Neither part of them may have few pairs.
                let withheld = self.values[*condition].iter().enumerate().filter(|(_, withheld)| **withheld);
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    withheld.map(|(value, _)| value).partition(|value| values.contains(value));
                let split = [inside, outside].map(|part| part.into_iter().map(pairs).sum::<u64>());
                [vec![sum.saturating_sub(own)], if sum == own { split.to_vec() } else { Vec::new() }].concat()
            });
            [own, all.saturating_sub(own)].into_iter().chain(parts).any(is_few)
        };
        self.scopes = scopes.iter().zip(own.split_off(1)).map(is_withheld).collect();
    }
}

#[cfg(test)]
mod tests;
