//! Joins blocks for the values of one condition, until the figure of the commonest value reveals nothing about few pairs.
//!
//! Invariants:
//! - A figure of a value covers whole joined blocks.
//! - No combination of the figures of values in joined blocks with those of the single blocks and their scopes has few pairs.
//! - Later windows change no joined blocks that are closed.

use std::ops::Range;

use super::part_size::{PartSize, reveals_few, withheld_parts};

/// Consecutive blocks over which the figures of values are known.
pub struct ValueBlock {
    /// The indices of the blocks.
    pub blocks: Range<usize>,
    /// For each value whether its figure is withheld.
    pub withheld: Vec<bool>,
}

/// The joined blocks of a condition, in order of time.
pub struct ValueBlocks {
    closed: Vec<ValueBlock>,
    /// The parts of the blocks after the last closed one: for each part the number of pairs by value.
    open: Vec<Vec<PartSize>>,
    /// The sum of the open parts by value.
    totals: Vec<PartSize>,
    /// The number of blocks.
    blocks: usize,
}

impl ValueBlocks {
    /// No blocks, for a condition with this number of values.
    pub fn new(values: usize) -> ValueBlocks {
        ValueBlocks {
            closed: Vec::new(),
            open: Vec::new(),
            totals: vec![PartSize::default(); values],
            blocks: 0,
        }
    }

    /// For each value whether its figure is withheld in the next block; `None` if the block has to be joined with others.
    /// `values` are the numbers of pairs of the block by value.
    pub fn withheld_alone(&self, values: &[PartSize]) -> Option<Vec<bool>> {
        let withheld = withheld_parts(values);
        (self.open.is_empty() && shows_any(values, &withheld)).then_some(withheld)
    }

    /// Adds a block that is not joined.
    pub fn add_alone(&mut self, withheld: Vec<bool>) {
        self.closed.push(ValueBlock { blocks: self.blocks..self.blocks + 1, withheld });
        self.blocks += 1;
    }

    /// Adds a block with these parts to the open ones, and closes them if this is possible.
    pub fn join(&mut self, parts: Vec<Vec<PartSize>>) {
        self.blocks += 1;
        for part in &parts {
            self.totals.iter_mut().zip(part).for_each(|(total, more)| *total += *more);
        }
        self.open.extend(parts);
        let withheld = withheld_parts(&self.totals);
        if shows_any(&self.totals, &withheld) && !reveals_few(&self.open, &withheld) {
            self.closed.push(ValueBlock { blocks: self.first_open()..self.blocks, withheld });
            self.open.clear();
            self.totals.fill(PartSize::default());
        }
    }

    /// The joined blocks. Those that are still open are withheld, and so is a last block without figures if `has_rest` is
    /// true.
    pub fn finish(mut self, has_rest: bool) -> Vec<ValueBlock> {
        let blocks = self.first_open()..self.blocks + usize::from(has_rest);
        if !blocks.is_empty() {
            let withheld = self.totals.iter().map(|total| has_rest || total.pairs > 0).collect();
            self.closed.push(ValueBlock { blocks, withheld });
        }
        self.closed
    }

    /// The index of the first block after the closed ones.
    fn first_open(&self) -> usize {
        self.closed.last().map_or(0, |block| block.blocks.end)
    }
}

/// Whether any value with pairs has a figure, or no value has pairs. The smallest values are withheld first, so this is the
/// commonest one.
fn shows_any(values: &[PartSize], withheld: &[bool]) -> bool {
    values.iter().zip(withheld).any(|(value, withheld)| value.pairs > 0 && !withheld)
        || values.iter().all(|value| value.pairs == 0)
}
