//! Follows rows down a tree, several rows or several trees at a time.
//!
//! A single walk waits for memory at every node: the next node depends on the rank that the last one asked for. Walks
//! that are interleaved wait together. They have no branches: a leaf leads to itself, so all of them take as many steps
//! as the longest of them, or a few more.

use tabular_program::{Ensemble, Node};

use super::ranks::Ranks;

/// Walks at a time.
pub(super) const LANES: usize = 8;
/// Steps between two checks whether all walks have ended.
const STRIDE: u32 = 4;

/// The nodes of all trees.
pub(super) struct TraversalNodes {
    /// Children are counted over all trees. A leaf's child is itself; its rank of 0 is below all ranks.
    nodes: Vec<Node>,
    /// The number of each leaf within its tree; 0 for other nodes.
    leaves: Vec<u32>,
}

impl TraversalNodes {
    pub(super) fn new(ensemble: &Ensemble) -> Self {
        let mut nodes = Vec::with_capacity(ensemble.nodes.len());
        let mut leaves = Vec::with_capacity(ensemble.nodes.len());
        for tree in &ensemble.trees {
            let root = nodes.len() as u32;
            for index in root..root + tree.nodes {
                let node = ensemble.nodes[index as usize];
                let (leaf, child) = if node.is_leaf() { (node.child, index) } else { (0, root + node.child) };
                leaves.push(leaf);
                nodes.push(Node { child, ..node });
            }
        }
        Self { nodes, leaves }
    }

    /// The node that a row with these ranks goes to.
    ///
    /// # Safety
    /// `node` is the index of a node, and `ranks[offset..]` has a rank for each rank column. Without rank columns it has one rank.
    #[inline(always)]
    unsafe fn step(&self, node: u32, ranks: &[u16], offset: usize) -> u32 {
        debug_assert!((node as usize) < self.nodes.len());
        // SAFETY: the caller vouches for `node`.
        let node = unsafe { self.nodes.get_unchecked(node as usize) };
        let position = offset + usize::from(node.column);
        debug_assert!(position < ranks.len());
        // SAFETY: the caller vouches for the ranks. Columns of nodes were checked with the program.
        let rank = unsafe { *ranks.get_unchecked(position) };
        node.child + u32::from(rank <= node.rank)
    }

    /// The leaf that each row reaches.
    pub(super) fn find_leaves_of_rows(&self, root: usize, depth: u32, ranks: &Ranks, leaves: &mut [u32]) {
        let (words, columns) = ranks.words();
        assert!(root < self.nodes.len() && words.len() > leaves.len() * columns, "ranks of all rows");
        let last = leaves.len() - 1;
        for first in (0..leaves.len()).step_by(LANES) {
            let mut nodes = [root as u32; LANES];
            let mut offsets = [0; LANES];
            for (lane, offset) in offsets.iter_mut().enumerate() {
                *offset = (first + lane).min(last) * columns;
            }
            let advance = |nodes: &mut [u32; LANES]| {
                for lane in 0..LANES {
                    // SAFETY: a step leads from a node to a node, as the program's check found, and `root` is one; `words` has
                    // one rank more than `columns` for each row.
                    nodes[lane] = unsafe { self.step(nodes[lane], words, offsets[lane]) };
                }
            };
            let mut left = depth;
            while left > 0 {
                left = left.saturating_sub(STRIDE);
                for _ in 1..STRIDE {
                    advance(&mut nodes);
                }
                let before = nodes;
                advance(&mut nodes);
                // Only a leaf leads to itself. Comparing the arrays as such would write them to memory.
                let moved = (0..LANES).fold(0, |moved, lane| moved | (nodes[lane] ^ before[lane]));
                if moved == 0 {
                    break;
                }
            }
            for (leaf, node) in leaves[first..].iter_mut().zip(nodes) {
                *leaf = self.leaves[node as usize];
            }
        }
    }

    /// The leaf of each tree that a row with these ranks reaches.
    pub(super) fn find_leaves_of_trees(
        &self,
        roots: &[usize; LANES],
        depth: u32,
        ranks: &[u16],
    ) -> [u32; LANES] {
        assert!(roots.iter().all(|root| *root < self.nodes.len()) && !ranks.is_empty(), "roots are nodes");
        let mut nodes = roots.map(|root| root as u32);
        for _ in 0..depth {
            for node in &mut nodes {
                // SAFETY: a step leads from a node to a node, as the program's check found, and all roots are nodes; `ranks`
                // has one rank more than there are columns.
                *node = unsafe { self.step(*node, ranks, 0) };
            }
        }
        nodes.map(|node| self.leaves[node as usize])
    }
}

/// How long the paths from the root of a tree to its leaves are, in tests.
pub(super) struct Depth {
    /// The longest path.
    pub(super) greatest: u32,
    /// The mean path to a leaf, each of which is as likely as the others; rounded down.
    pub(super) mean: u32,
    /// The steps that interleaved walks take: the longest of a few paths, each to a leaf that is as likely as the others.
    pub(super) expected: f64,
}

/// How much longer the longest path of interleaved walks is than the mean path.
const LONGEST_OF_LANES: f64 = 1.25;

impl Depth {
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut depths = vec![0_u32; nodes.len()];
        let (mut greatest, mut sum, mut leaves) = (0, 0.0, 0.0);
        for (index, node) in nodes.iter().enumerate() {
            let depth = depths[index];
            greatest = greatest.max(depth);
            if node.is_leaf() {
                sum += f64::from(depth);
                leaves += 1.0;
                continue;
            }
            for child in [node.child, node.child + 1] {
                let child = &mut depths[child as usize];
                *child = (*child).max(depth + 1);
            }
        }
        let mean = sum / f64::max(leaves, 1.0);
        let expected = (LONGEST_OF_LANES * mean).min(f64::from(greatest));
        Self { greatest, mean: mean as u32, expected }
    }
}
