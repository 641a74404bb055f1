//! Which way of finding leaves is the fastest, by tree and number of rows.
//!
//! The weights are nanoseconds in Wasm, from forests of depth 6 and 8, forests of unlimited depth and oblivious ones; only
//! their ratios count. The choice changes no result.

use super::row_tile::TILE;

/// A way of finding leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeafSearch {
    Walk,
    BottomUp,
    Oblivious,
}

/// A step of a walk, for one row.
const WALK_STEP: f64 = 2.8;
/// The start and end of a walk, for one row.
const WALK_START: f64 = 5.0;
/// A node, for one tile of rows.
const BOTTOM_UP_NODE: f64 = 6.0;
/// A level of an oblivious tree, for one tile of rows.
const OBLIVIOUS_LEVEL: f64 = 7.0;
/// The start and end of a tree, for one tile of rows.
const TILE_START: f64 = 64.0;

/// The fastest way for a tree of that depth. `nodes` is its number of tests if it can be evaluated bottom-up, `levels` its
/// number of levels if it is oblivious.
pub(super) fn choose(rows: usize, depth: u32, nodes: Option<usize>, levels: Option<usize>) -> LeafSearch {
    let tiles = rows.div_ceil(TILE) as f64;
    let walk = rows as f64 * (WALK_START + f64::from(depth) * WALK_STEP);
    if let Some(levels) = levels {
        let oblivious = tiles * (TILE_START + levels as f64 * OBLIVIOUS_LEVEL);
        if oblivious < walk {
            return LeafSearch::Oblivious;
        }
    }
    if let Some(nodes) = nodes {
        let bottom_up = tiles * (TILE_START + nodes as f64 * BOTTOM_UP_NODE);
        if bottom_up < walk {
            return LeafSearch::BottomUp;
        }
    }
    LeafSearch::Walk
}
