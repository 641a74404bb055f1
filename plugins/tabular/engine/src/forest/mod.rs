//! Tree ensembles, prepared to run.
//!
//! A block of rows is run in three phases: the ranks of all features are found ([`ranks`]), then each tree in turn finds
//! the leaf of each row, then the values of the leaves are added ([`sums`]). There are four ways to find leaves, which
//! give the same leaves:
//!
//! - [`threshold_traversal`] follows the rows down the tree, several at a time, and needs no ranks;
//! - [`traversal`] does so with ranks;
//! - [`node_evaluation`] evaluates every node for a tile of rows at a time, from the leaves to the root, without a branch;
//! - [`oblivious_trees`] evaluates one test a level, for trees whose nodes of one level have the same test.
//!
//! [`leaf_search`] chooses among them: the first one by ensemble, the others by tree, and all by the number of rows.
//!
//! Invariants:
//! - Values are added in the order of the trees, one row at a time: sums do not depend on the way, the block or the
//!   machine.

mod leaf_search;
mod node_evaluation;
mod oblivious_trees;
mod ranks;
mod row_tile;
mod sums;
mod threshold_traversal;
mod traversal;

use std::borrow::Cow;

use tabular_program::{Ensemble, FloatValues};

use leaf_search::LeafSearch;
use node_evaluation::BottomUp;
use oblivious_trees::Oblivious;
use ranks::{RankTests, Ranks};
use sums::Sums;
use threshold_traversal::ThresholdNodes;
use traversal::{Depth, TraversalNodes};

pub(crate) use ranks::Features;

/// The rows of a block of a model with few columns.
const USUAL_ROWS: usize = 128;

/// An ensemble, prepared to run.
pub(crate) struct Forest {
    tests: RankTests,
    walk: TraversalNodes,
    /// The nodes with their thresholds, if leaves are ever found without ranks.
    thresholds: Option<ThresholdNodes>,
    /// The time to find the ranks of a row of many.
    rank_time: f64,
    /// The steps of walks through all trees.
    steps: f64,
    bottom_up: BottomUp,
    oblivious: Oblivious,
    trees: Vec<PreparedTree>,
    /// Whether leaves are found without ranks: for a few rows, and for the usual number.
    without_ranks: [bool; 2],
    /// How the leaves of each tree are found for the usual number of rows.
    usual_ways: Vec<LeafSearch>,
    /// The trees in the order of their depth.
    by_depth: Vec<u32>,
    sums: Sums,
}

/// Where the parts of a tree are.
struct PreparedTree {
    /// Index of the root among all nodes.
    root: usize,
    /// The length of the paths from the root to the leaves.
    depth: Depth,
    /// Index among the trees that can be evaluated bottom-up, if it is one of them.
    bottom_up: Option<usize>,
    /// Index among the oblivious trees, if it is one of them.
    oblivious: Option<usize>,
}

/// Buffers of a run, kept for the next one.
#[derive(Default)]
pub(crate) struct Scratch {
    ranks: Ranks,
    leaves: Vec<u32>,
    bottom_up: node_evaluation::Slots,
    floats: Vec<f32>,
    doubles: Vec<f64>,
}

/// Where the sums of a run go: one column for each target, of the kind of the leaf values.
pub(crate) enum Results<'a> {
    Floats(&'a mut [f32]),
    Doubles(&'a mut [f64]),
}

impl Forest {
    /// Prepares an ensemble that was checked.
    pub(crate) fn new(ensemble: Ensemble) -> Self {
        let tests = RankTests::new(&ensemble);
        let walk = TraversalNodes::new(&ensemble);
        let mut bottom_up = BottomUp::default();
        let mut oblivious = Oblivious::default();
        let mut root = 0;
        let trees = ensemble
            .trees
            .iter()
            .map(|tree| {
                let nodes = &ensemble.nodes[root..root + tree.nodes as usize];
                let prepared = PreparedTree {
                    root,
                    depth: Depth::new(nodes),
                    bottom_up: bottom_up.add(nodes, &tests),
                    oblivious: oblivious.add(nodes, &tests),
                };
                root += nodes.len();
                prepared
            })
            .collect::<Vec<_>>();
        let mut by_depth: Vec<u32> = (0..trees.len() as u32).collect();
        by_depth.sort_by_key(|tree| trees[*tree as usize].depth.greatest);
        let mut forest = Self {
            tests,
            walk,
            thresholds: None,
            rank_time: leaf_search::rank_time(&ensemble),
            steps: trees.iter().map(|tree| tree.depth.expected).sum(),
            bottom_up,
            oblivious,
            trees,
            without_ranks: [false; 2],
            usual_ways: Vec::new(),
            by_depth,
            sums: Sums::default(),
        };
        forest.without_ranks = [1, USUAL_ROWS].map(|rows| forest.is_faster_without_ranks(rows));
        if forest.without_ranks.contains(&true) {
            forest.thresholds = ThresholdNodes::new(&ensemble);
        }
        forest.usual_ways = forest.ways(USUAL_ROWS);
        forest.sums = Sums::new(ensemble);
        forest
    }

    /// Writes the sums of `rows` rows. `features` holds one column after the other, `results` too.
    pub(crate) fn run(
        &self,
        features: Features<'_>,
        rows: usize,
        results: Results<'_>,
        scratch: &mut Scratch,
    ) {
        let [of_few, of_usual] = self.without_ranks;
        let without_ranks = match rows {
            // The times of both are in proportion to the number of rows.
            _ if rows < traversal::LANES => of_few,
            USUAL_ROWS => of_usual,
            _ => self.thresholds.is_some() && self.is_faster_without_ranks(rows),
        };
        if let Some(thresholds) = &self.thresholds
            && without_ranks
        {
            self.run_without_ranks(thresholds, features, rows, results, scratch);
            return;
        }
        let ways = match rows {
            // Few rows are walked even if there is no tree.
            _ if rows < traversal::LANES => Cow::default(),
            USUAL_ROWS => Cow::Borrowed(&self.usual_ways[..]),
            _ => Cow::Owned(self.ways(rows)),
        };
        let walks = rows < traversal::LANES || ways.contains(&LeafSearch::Walk);
        let bytes = ways.iter().any(|way| *way != LeafSearch::Walk);
        scratch.ranks.find(&self.tests, features, rows, walks, bytes);
        match (results, &self.sums.start) {
            (Results::Floats(results), FloatValues::Floats { .. }) => {
                let mut scores = std::mem::take(&mut scratch.floats);
                self.sum_trees(&ways, results, &mut scores, rows, scratch);
                scratch.floats = scores;
            }
            (Results::Doubles(results), FloatValues::Doubles { .. }) => {
                let mut scores = std::mem::take(&mut scratch.doubles);
                self.sum_trees(&ways, results, &mut scores, rows, scratch);
                scratch.doubles = scores;
            }
            _ => unreachable!("the program was checked: results have the kind of the leaf values"),
        }
    }

    /// Whether comparing features with thresholds takes less time than ranks and the fastest way with them.
    fn is_faster_without_ranks(&self, rows: usize) -> bool {
        let direct = leaf_search::threshold_time(rows, self.trees.len(), self.steps);
        let ranks = leaf_search::ranks_time(rows, self.rank_time);
        if direct <= ranks {
            return true;
        }
        let search = |tree: &PreparedTree| {
            let (nodes, levels) = self.sizes(tree);
            leaf_search::fastest(rows, tree.depth.expected, nodes, levels).1
        };
        direct < ranks + self.trees.iter().map(search).sum::<f64>()
    }

    fn run_without_ranks(
        &self,
        thresholds: &ThresholdNodes,
        features: Features<'_>,
        rows: usize,
        results: Results<'_>,
        scratch: &mut Scratch,
    ) {
        scratch.leaves.resize(rows, 0);
        let Scratch { leaves, floats, doubles, .. } = scratch;
        match results {
            Results::Floats(results) => self.sum_leaves(thresholds, features, results, floats, leaves),
            Results::Doubles(results) => self.sum_leaves(thresholds, features, results, doubles, leaves),
        }
    }

    /// Adds all trees, whose leaves are found without ranks.
    fn sum_leaves<T: sums::Value>(
        &self,
        thresholds: &ThresholdNodes,
        features: Features<'_>,
        results: &mut [T],
        scores: &mut Vec<T>,
        leaves: &mut [u32],
    ) {
        let rows = leaves.len();
        if let [tree] = &self.trees[..] {
            find_leaves(thresholds, tree, features, leaves);
            if self.sums.write_single(leaves, results) {
                return;
            }
        }
        self.sums.begin(scores, rows);
        for (index, tree) in self.trees.iter().enumerate() {
            find_leaves(thresholds, tree, features, leaves);
            self.sums.add(index, leaves, scores);
        }
        self.sums.finish(scores, rows, results);
    }

    /// How the leaves of each tree are found.
    fn ways(&self, rows: usize) -> Vec<LeafSearch> {
        let way = |tree: &PreparedTree| {
            let (nodes, levels) = self.sizes(tree);
            leaf_search::fastest(rows, tree.depth.expected, nodes, levels).0
        };
        self.trees.iter().map(way).collect()
    }

    /// The number of tests of a tree if it can be evaluated bottom-up, and of its levels if it is oblivious.
    fn sizes(&self, tree: &PreparedTree) -> (Option<usize>, Option<usize>) {
        (
            tree.bottom_up.map(|index| self.bottom_up.tests(index)),
            tree.oblivious.map(|index| self.oblivious.levels(index)),
        )
    }

    /// Adds all trees, whose leaves are found with ranks.
    fn sum_trees<T: sums::Value>(
        &self,
        ways: &[LeafSearch],
        results: &mut [T],
        scores: &mut Vec<T>,
        rows: usize,
        scratch: &mut Scratch,
    ) {
        if rows < traversal::LANES {
            self.sums.begin(scores, rows);
            self.add_trees_to_rows(rows, scores, scratch);
            self.sums.finish(scores, rows, results);
            return;
        }
        scratch.leaves.resize(rows, 0);
        if let ([tree], [way]) = (&self.trees[..], ways) {
            self.find_leaves_by_rank(tree, *way, scratch);
            if self.sums.write_single(&scratch.leaves, results) {
                return;
            }
        }
        self.sums.begin(scores, rows);
        for (index, (tree, way)) in self.trees.iter().zip(ways).enumerate() {
            self.find_leaves_by_rank(tree, *way, scratch);
            self.sums.add(index, &scratch.leaves, scores);
        }
        self.sums.finish(scores, rows, results);
    }

    fn find_leaves_by_rank(&self, tree: &PreparedTree, way: LeafSearch, scratch: &mut Scratch) {
        let Scratch { ranks, leaves, bottom_up: slots, .. } = scratch;
        match (way, tree.bottom_up, tree.oblivious) {
            (LeafSearch::Oblivious, _, Some(oblivious)) => {
                self.oblivious.find_leaves(oblivious, ranks, leaves);
            }
            (LeafSearch::BottomUp, Some(bottom_up), _) => {
                self.bottom_up.find_leaves(bottom_up, ranks, slots, leaves);
            }
            _ => self.walk.find_leaves_of_rows(tree.root, tree.depth.greatest, ranks, leaves),
        }
    }

    /// Adds all trees to a few rows: several trees of like depth are walked at a time.
    fn add_trees_to_rows<T: sums::Value>(&self, rows: usize, scores: &mut [T], scratch: &mut Scratch) {
        scratch.leaves.resize(self.trees.len(), 0);
        for row in 0..rows {
            let ranks = scratch.ranks.row(row);
            for group in self.by_depth.chunks(traversal::LANES) {
                // A group that is not full walks its first tree several times.
                let tree = |lane: usize| *group.get(lane).unwrap_or(&group[0]) as usize;
                let roots = std::array::from_fn(|lane| self.trees[tree(lane)].root);
                let depth = group.last().map_or(0, |deepest| self.trees[*deepest as usize].depth.greatest);
                for (lane, leaf) in
                    self.walk.find_leaves_of_trees(&roots, depth, ranks).into_iter().enumerate()
                {
                    scratch.leaves[tree(lane)] = leaf;
                }
            }
            self.sums.add_row(row, rows, &scratch.leaves, scores);
        }
    }
}

/// Finds the leaves of a tree without ranks.
fn find_leaves(thresholds: &ThresholdNodes, tree: &PreparedTree, features: Features<'_>, leaves: &mut [u32]) {
    match (thresholds, features) {
        (ThresholdNodes::Floats(nodes), Features::Floats(features)) => {
            nodes.find_leaves(tree.root, &tree.depth, features, leaves);
        }
        (ThresholdNodes::Doubles(nodes), Features::Doubles(features)) => {
            nodes.find_leaves(tree.root, &tree.depth, features, leaves);
        }
        _ => unreachable!("the program was checked: features have the kind of the thresholds"),
    }
}

#[cfg(test)]
mod tests;
