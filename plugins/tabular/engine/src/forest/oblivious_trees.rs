//! Evaluates one test a level, for trees whose nodes of one level all have the same test. CatBoost grows such trees.
//!
//! The leaf's number is made of the results of the tests, the root's as its highest bit.

use tabular_program::Node;

use super::ranks::{RankTests, Ranks};
use super::row_tile::{self, TILE, Tile};

/// The most levels of a tree: leaf numbers are bytes.
const LEVELS: usize = 8;

/// The trees that are oblivious.
#[derive(Default)]
pub(super) struct Oblivious {
    /// Byte column and greatest byte that goes to the second child, from the root down.
    levels: Vec<(u32, u8)>,
    /// The end of each tree's levels.
    ends: Vec<usize>,
}

impl Oblivious {
    /// Adds a tree. Returns its index, or nothing if it is not oblivious.
    pub(super) fn add(&mut self, nodes: &[Node], tests: &RankTests) -> Option<usize> {
        let mut level = vec![nodes[0]];
        let mut found = Vec::new();
        while !level[0].is_leaf() {
            let (column, rank) = (level[0].column, level[0].rank);
            let same = level.iter().all(|node| node.column == column && node.rank == rank);
            if !same || found.len() == LEVELS {
                return None;
            }
            found.push(tests.byte_test(level[0]));
            let children = level.iter().flat_map(|node| [node.child as usize, node.child as usize + 1]);
            level = children.map(|child| nodes[child]).collect();
        }
        let numbered = level.iter().zip(0..).all(|(node, number)| node.is_leaf() && node.child == number);
        if !numbered || found.is_empty() {
            return None;
        }
        self.levels.extend(found);
        self.ends.push(self.levels.len());
        Some(self.ends.len() - 1)
    }

    /// The number of levels of a tree.
    pub(super) fn levels(&self, tree: usize) -> usize {
        self.levels_of(tree).len()
    }

    fn levels_of(&self, tree: usize) -> &[(u32, u8)] {
        let start = if tree == 0 { 0 } else { self.ends[tree - 1] };
        &self.levels[start..self.ends[tree]]
    }

    /// The leaf that each row reaches.
    pub(super) fn find_leaves(&self, tree: usize, ranks: &Ranks, leaves: &mut [u32]) {
        let levels = self.levels_of(tree);
        for (index, leaves) in leaves.chunks_mut(TILE).enumerate() {
            let numbers = evaluate(levels, ranks.tile(index));
            for (leaf, number) in leaves.iter_mut().zip(numbers.as_flattened()) {
                *leaf = u32::from(*number);
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn evaluate(levels: &[(u32, u8)], tiles: &[Tile]) -> Tile {
    let mut numbers = row_tile::splat(0);
    for (byte_column, byte) in levels {
        row_tile::append_bit(&tiles[*byte_column as usize], *byte, &mut numbers);
    }
    numbers
}
