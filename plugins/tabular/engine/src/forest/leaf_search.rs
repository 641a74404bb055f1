//! Which way of finding leaves is the fastest, by tree and number of rows.
//!
//! The weights are nanoseconds in Wasm: samples of the processor's place while `cargo xtask bench models` runs, of gradient boosting with
//! depth 6 and 31 leaves, forests with depth 8 and without a limit, single trees and oblivious ones. Only their ratios count. The
//! choice changes no result. Steps other than ensembles have one way each.

use tabular_program::{Ensemble, Test};

use super::row_tile::TILE;
use super::traversal::LANES;

/// A way of finding leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeafSearch {
    Walk,
    BottomUp,
    Oblivious,
}

/// A step of a walk, for one row: 0.9 with depth 8, 1.2 in large trees.
const WALK_STEP: f64 = 1.1;
/// The start and end of a walk, for one row.
const WALK_START: f64 = 0.5;
/// A node, for one tile of rows.
const BOTTOM_UP_NODE: f64 = 2.2;
/// A level of an oblivious tree, for one tile of rows.
const OBLIVIOUS_LEVEL: f64 = 2.1;
/// The start and end of a tree, for one tile of rows.
const TILE_START: f64 = 19.5;

/// A step of a walk with thresholds, for one row: with depth 8. It is 0.9 in larger trees, whose other way are walks with ranks.
const THRESHOLD_STEP: f64 = 0.65;
/// A step of such a walk for a row by itself, which waits for memory.
const SINGLE_STEP: f64 = 6.0;
/// The rank of a feature, for one row of many: its start, and each halving of the thresholds.
const RANK_START: f64 = 2.0;
const RANK_HALVING: f64 = 0.5;
/// How many times as long the rank of a single row takes.
const SINGLE_RANK: f64 = 4.0;

/// The time to find the ranks of a row of many.
pub(super) fn rank_time(ensemble: &Ensemble) -> f64 {
    let time = |test: &Test| {
        let search = RANK_START + RANK_HALVING * (test.thresholds().len().max(1) as f64).log2();
        search * test.rank_columns().max(1) as f64
    };
    ensemble.tests.iter().map(time).sum()
}

/// The time to find the ranks of rows, of which one of many takes `time`.
pub(super) fn ranks_time(rows: usize, time: f64) -> f64 {
    rows as f64 * if rows < LANES { SINGLE_RANK * time } else { time }
}

/// The time of walks with thresholds that take `steps` through all trees.
pub(super) fn threshold_time(rows: usize, trees: usize, steps: f64) -> f64 {
    let step = if rows < LANES { SINGLE_STEP } else { THRESHOLD_STEP };
    rows as f64 * (trees as f64 * WALK_START + steps * step)
}

/// The fastest way for a tree through which a walk takes `steps`, and its time without that of ranks. `nodes` is its number of
/// tests if it can be evaluated bottom-up, `levels` its number of levels if it is oblivious.
pub(super) fn fastest(
    rows: usize,
    steps: f64,
    nodes: Option<usize>,
    levels: Option<usize>,
) -> (LeafSearch, f64) {
    let mut fastest = (LeafSearch::Walk, rows as f64 * (WALK_START + steps * WALK_STEP));
    // Few rows are walked.
    if rows < LANES {
        return fastest;
    }
    let tiles = rows.div_ceil(TILE) as f64;
    let bottom_up = nodes.map(|nodes| (LeafSearch::BottomUp, nodes as f64 * BOTTOM_UP_NODE));
    let oblivious = levels.map(|levels| (LeafSearch::Oblivious, levels as f64 * OBLIVIOUS_LEVEL));
    for (way, tests) in [bottom_up, oblivious].into_iter().flatten() {
        let time = tiles * (TILE_START + tests);
        if time < fastest.1 {
            fastest = (way, time);
        }
    }
    fastest
}
