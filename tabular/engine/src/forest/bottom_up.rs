//! Evaluates every node of a tree for a tile of rows at a time, from the leaves to the root.
//!
//! The result of a leaf is its number, that of another node the result of the child to which the row goes. A node costs
//! one comparison and one selection of 32 bytes, and nothing depends on where the rows go.

use tabular_form::Node;

use super::ranks::{RankTests, Ranks};

/// Rows that are evaluated together.
pub(super) const TILE: usize = 32;
/// The most leaves of a tree: their numbers are bytes.
const LEAVES: usize = 256;

/// The trees that can be evaluated bottom-up.
#[derive(Default)]
pub(super) struct BottomUp {
    operations: Vec<Operation>,
    /// The end of each tree's operations.
    ends: Vec<usize>,
}

/// The evaluation of a node. Its result is in the next slot.
#[derive(Clone, Copy)]
struct Operation {
    byte_column: u32,
    byte: u8,
    /// The slot of the child to which rows with bytes above `byte` go.
    above: u16,
    /// The slot of the child to which other rows go.
    others: u16,
}

/// Results of nodes, a tile of rows each. The first [`LEAVES`] are those of the leaves.
pub(super) struct Slots(Vec<[u8; TILE]>);

impl Default for Slots {
    fn default() -> Self {
        let leaves = (0..2 * LEAVES).map(|leaf| [leaf.min(LEAVES - 1) as u8; TILE]);
        Self(leaves.collect())
    }
}

impl BottomUp {
    /// Adds a tree. Returns its index, or nothing if it cannot be evaluated bottom-up.
    pub(super) fn add(&mut self, nodes: &[Node], tests: &RankTests) -> Option<usize> {
        let leaves = nodes.iter().filter(|node| node.is_leaf()).count();
        let leaf_numbers =
            nodes.iter().filter(|node| node.is_leaf()).all(|leaf| (leaf.child as usize) < LEAVES);
        if leaves > LEAVES || nodes.len() - leaves >= LEAVES || !leaf_numbers {
            return None;
        }
        // Children come after their parents, so the last node is evaluated first.
        let mut slots = vec![0_u16; nodes.len()];
        let mut next = LEAVES as u16;
        for (index, node) in nodes.iter().enumerate().rev() {
            if node.is_leaf() {
                slots[index] = node.child as u16;
            } else {
                let (byte_column, byte) = tests.byte_test(*node);
                let child = node.child as usize;
                self.operations.push(Operation {
                    byte_column,
                    byte,
                    above: slots[child],
                    others: slots[child + 1],
                });
                slots[index] = next;
                next += 1;
            }
        }
        self.ends.push(self.operations.len());
        Some(self.ends.len() - 1)
    }

    /// The number of tests of a tree.
    pub(super) fn tests(&self, tree: usize) -> usize {
        self.operations(tree).len()
    }

    fn operations(&self, tree: usize) -> &[Operation] {
        let start = if tree == 0 { 0 } else { self.ends[tree - 1] };
        &self.operations[start..self.ends[tree]]
    }

    /// The leaf that each row reaches.
    pub(super) fn find_leaves(&self, tree: usize, ranks: &Ranks, slots: &mut Slots, leaves: &mut [u32]) {
        let operations = self.operations(tree);
        for (tile, leaves) in leaves.chunks_mut(TILE).enumerate() {
            evaluate(operations, ranks.tile(tile), &mut slots.0);
            // The root is evaluated last. A tree without tests has one leaf.
            let root = if operations.is_empty() { 0 } else { LEAVES + operations.len() - 1 };
            for (leaf, byte) in leaves.iter_mut().zip(&slots.0[root]) {
                *leaf = u32::from(*byte);
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn evaluate(operations: &[Operation], tile: &[u8], slots: &mut [[u8; TILE]]) {
    for (result, operation) in (LEAVES..).zip(operations) {
        let start = operation.byte_column as usize * TILE;
        let bytes = &tile[start..start + TILE];
        let above = slots[operation.above as usize];
        let others = slots[operation.others as usize];
        let slot = &mut slots[result];
        for row in 0..TILE {
            slot[row] = if bytes[row] <= operation.byte { others[row] } else { above[row] };
        }
    }
}
