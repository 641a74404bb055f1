//! Evaluates every node of a tree for a tile of rows at a time, from the leaves to the root.
//!
//! The result of a leaf is its number, that of another node the result of the child to which the row goes. A node costs
//! one comparison and one selection of a tile of bytes, and nothing depends on where the rows go. The leaves of a node
//! with two leaves have adjacent numbers, so its result is the first number, or one more.

use tabular_program::Node;

use super::ranks::{RankTests, Ranks};
use super::row_tile::{self, TILE, Tile};

/// The most leaves of a tree: their numbers are bytes.
const LEAVES: usize = 256;
/// The slots of leaves and of other nodes.
const SLOTS: usize = 2 * LEAVES;

/// The trees that can be evaluated bottom-up.
#[derive(Default)]
pub(super) struct BottomUp {
    /// Nodes with two leaves.
    pairs: Vec<Pair>,
    /// Other nodes, children before their parents.
    selections: Vec<Selection>,
    trees: Vec<Range>,
}

/// The nodes of a tree: where they end.
#[derive(Clone, Copy, Default)]
struct Range {
    pairs: usize,
    selections: usize,
}

/// A node with two leaves. Its result is `leaf`, or one more for rows with bytes up to `byte`.
#[derive(Clone, Copy)]
struct Pair {
    byte_column: u32,
    byte: u8,
    leaf: u8,
    slot: u16,
}

/// Another node.
#[derive(Clone, Copy)]
struct Selection {
    byte_column: u32,
    byte: u8,
    /// The slot of the child to which rows with bytes above `byte` go.
    above: u16,
    /// The slot of the child to which other rows go.
    others: u16,
    slot: u16,
}

/// Results of nodes, a tile of rows each. The first [`LEAVES`] are those of the leaves.
pub(super) struct Slots(Vec<Tile>);

impl Default for Slots {
    fn default() -> Self {
        let leaves = (0..SLOTS).map(|leaf| row_tile::splat(leaf.min(LEAVES - 1) as u8));
        Self(leaves.collect())
    }
}

impl BottomUp {
    /// Adds a tree. Returns its index, or nothing if it cannot be evaluated bottom-up.
    pub(super) fn add(&mut self, nodes: &[Node], tests: &RankTests) -> Option<usize> {
        let leaves = nodes.iter().filter(|node| node.is_leaf()).count();
        let small = nodes.iter().filter(|node| node.is_leaf()).all(|leaf| (leaf.child as usize) < LEAVES);
        if leaves > LEAVES || nodes.len() - leaves >= LEAVES || !small {
            return None;
        }
        // Children come after their parents, so the last node is evaluated first.
        let mut slots = vec![0_u16; nodes.len()];
        let mut next = LEAVES as u16;
        for (index, node) in nodes.iter().enumerate().rev() {
            if node.is_leaf() {
                slots[index] = node.child as u16;
                continue;
            }
            let (byte_column, byte) = tests.byte_test(*node);
            let child = node.child as usize;
            let (above, others) = (nodes[child], nodes[child + 1]);
            if above.is_leaf() && others.is_leaf() && others.child == above.child + 1 {
                self.pairs.push(Pair { byte_column, byte, leaf: above.child as u8, slot: next });
            } else {
                let (above, others) = (slots[child], slots[child + 1]);
                self.selections.push(Selection { byte_column, byte, above, others, slot: next });
            }
            slots[index] = next;
            next += 1;
        }
        self.trees.push(Range { pairs: self.pairs.len(), selections: self.selections.len() });
        Some(self.trees.len() - 1)
    }

    /// The number of tests of a tree.
    pub(super) fn tests(&self, tree: usize) -> usize {
        let (pairs, selections) = self.nodes(tree);
        pairs.len() + selections.len()
    }

    fn nodes(&self, tree: usize) -> (&[Pair], &[Selection]) {
        let start = if tree == 0 { Range::default() } else { self.trees[tree - 1] };
        let end = self.trees[tree];
        (&self.pairs[start.pairs..end.pairs], &self.selections[start.selections..end.selections])
    }

    /// The leaf that each row reaches.
    pub(super) fn find_leaves(&self, tree: usize, ranks: &Ranks, slots: &mut Slots, leaves: &mut [u32]) {
        let (pairs, selections) = self.nodes(tree);
        // The root is evaluated last. A tree without tests has one leaf.
        let count = pairs.len() + selections.len();
        let root = if count == 0 { 0 } else { LEAVES + count - 1 };
        for (index, leaves) in leaves.chunks_mut(TILE).enumerate() {
            evaluate_pairs(pairs, ranks.tile(index), &mut slots.0);
            evaluate_selections(selections, ranks.tile(index), &mut slots.0);
            for (leaf, byte) in leaves.iter_mut().zip(slots.0[root].as_flattened()) {
                *leaf = u32::from(*byte);
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn evaluate_pairs(pairs: &[Pair], tiles: &[Tile], slots: &mut [Tile]) {
    for pair in pairs {
        let bytes = &tiles[pair.byte_column as usize];
        slots[usize::from(pair.slot)] = row_tile::next_if_at_most(bytes, pair.byte, pair.leaf);
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn evaluate_selections(selections: &[Selection], tiles: &[Tile], slots: &mut [Tile]) {
    for selection in selections {
        let bytes = &tiles[selection.byte_column as usize];
        let (above, others) = (&slots[usize::from(selection.above)], &slots[usize::from(selection.others)]);
        let result = row_tile::select(bytes, selection.byte, above, others);
        slots[usize::from(selection.slot)] = result;
    }
}
