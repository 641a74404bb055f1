//! Follows rows down a tree by comparing features with thresholds, without ranks.
//!
//! A step takes longer than one of [`traversal`](super::traversal), but no rank is found before it. An ensemble with few trees
//! compares a row with few of its thresholds, so that this is faster. Rows are interleaved as in `traversal`. Nodes hold byte offsets, so
//! that a step multiplies nothing.

use tabular_program::{Ensemble, FloatValues, Test};

use super::USUAL_ROWS;
use super::traversal::{Depth, LANES};

/// Steps between two checks whether all walks have ended, after as many steps as the mean path has.
const STRIDE: u32 = 2;
/// Marks the column of a node that sends missing values to its second child. Columns have an even number of bytes.
const TAKES_MISSING: u32 = 1;

/// The nodes of all trees of an ensemble.
pub(super) enum ThresholdNodes {
    Floats(Nodes<f32>),
    Doubles(Nodes<f64>),
}

/// Nodes with thresholds of one precision.
pub(super) struct Nodes<T> {
    nodes: Vec<Node<T>>,
    /// The number of each leaf within its tree; 0 for other nodes.
    leaves: Vec<u32>,
    /// One more than the greatest feature.
    features: usize,
    /// Whether some node sends missing values to its second child.
    takes_missing: bool,
}

#[derive(Clone, Copy)]
struct Node<T> {
    /// The greatest value that goes to the second child; NaN in a leaf, as no value is at most NaN.
    threshold: T,
    /// Where the column of the feature begins in a block of the usual number of rows, in bytes; and [`TAKES_MISSING`] if missing
    /// values go to the second child, too.
    column: u32,
    /// Where the first child is among the nodes of all trees, in bytes; in a leaf the leaf itself.
    child: u32,
}

/// A feature's value.
pub(super) trait Number: Copy + PartialOrd {
    const NAN: Self;

    /// The thresholds, if they are of this kind.
    fn values(values: &FloatValues) -> Option<&[Self]>;
}

macro_rules! number {
    ($type:ident, $variant:ident) => {
        impl Number for $type {
            const NAN: Self = $type::NAN;

            fn values(values: &FloatValues) -> Option<&[Self]> {
                match values {
                    FloatValues::$variant { values } => Some(values),
                    _ => None,
                }
            }
        }
    };
}
number!(f32, Floats);
number!(f64, Doubles);

impl ThresholdNodes {
    /// The nodes of an ensemble; nothing if its nodes compare more than numbers: memberships and values near zero.
    pub(super) fn new(ensemble: &Ensemble) -> Option<Self> {
        match ensemble.tests.first()?.thresholds() {
            FloatValues::Floats { .. } => Nodes::new(ensemble).map(Self::Floats),
            FloatValues::Doubles { .. } => Nodes::new(ensemble).map(Self::Doubles),
        }
    }
}

impl<T: Number> Nodes<T> {
    fn new(ensemble: &Ensemble) -> Option<Self> {
        let mut tests = Vec::with_capacity(ensemble.tests.len());
        for test in &ensemble.tests {
            let Test::Order { feature, thresholds, missing, zero_missing: false } = test else { return None };
            tests.push((u16::try_from(*feature).ok()?, T::values(thresholds)?, *missing));
        }
        let size = size_of::<Node<T>>() as u32;
        u32::try_from(ensemble.nodes.len()).ok()?.checked_mul(size)?;
        let column = |feature: u16| u32::from(feature) * (USUAL_ROWS * size_of::<T>()) as u32;
        let mut result = Self {
            nodes: Vec::with_capacity(ensemble.nodes.len()),
            leaves: Vec::with_capacity(ensemble.nodes.len()),
            features: tests.iter().map(|(feature, ..)| usize::from(*feature) + 1).max()?,
            takes_missing: false,
        };
        for tree in &ensemble.trees {
            let root = result.nodes.len() as u32;
            for index in root..root + tree.nodes {
                let node = ensemble.nodes[index as usize];
                if node.is_leaf() {
                    // The first feature that is compared, so that it can be read.
                    let column = column(tests[0].0);
                    result.nodes.push(Node { threshold: T::NAN, column, child: index * size });
                    result.leaves.push(node.child);
                } else {
                    let (feature, thresholds, missing) = tests[usize::from(node.column)];
                    // A rank is at most `rank` exactly if the value is at most the threshold of that number.
                    let threshold = thresholds[usize::from(node.rank) - 1];
                    let takes_missing = missing <= node.rank;
                    result.takes_missing |= takes_missing;
                    let mark = if takes_missing { TAKES_MISSING } else { 0 };
                    let child = (root + node.child) * size;
                    result.nodes.push(Node { threshold, column: column(feature) | mark, child });
                    result.leaves.push(0);
                }
            }
        }
        Some(result)
    }

    /// The node that a row goes to, as a byte offset. Without `MISSING` no node sends missing values to its second child; with `USUAL`
    /// the block has the usual number of rows.
    ///
    /// # Safety
    /// `node` is the byte offset of a node. `values` is a row of the first of enough columns for each feature, which have `rows` rows.
    #[inline(always)]
    unsafe fn step<const MISSING: bool, const USUAL: bool>(
        &self,
        node: u32,
        values: *const T,
        rows: usize,
    ) -> u32 {
        debug_assert!((node as usize) < size_of_val(&self.nodes[..]));
        // SAFETY: the caller vouches for `node`.
        let node = unsafe { &*self.nodes.as_ptr().byte_add(node as usize) };
        let column = if MISSING { node.column & !TAKES_MISSING } else { node.column } as usize;
        let column = if USUAL { column } else { column / USUAL_ROWS * rows };
        // SAFETY: the caller vouches for the columns.
        let value = unsafe { *values.byte_add(column) };
        let mut second = value <= node.threshold;
        if MISSING {
            second |= (node.column & TAKES_MISSING != 0) & value.partial_cmp(&value).is_none();
        }
        node.child + if second { size_of::<Node<T>>() as u32 } else { 0 }
    }

    /// The number of a leaf by its byte offset.
    fn leaf(&self, node: u32) -> u32 {
        self.leaves[node as usize / size_of::<Node<T>>()]
    }

    /// The leaf of a tree that each row reaches. `features` holds one column after the other.
    pub(super) fn find_leaves(&self, root: usize, depth: &Depth, features: &[T], leaves: &mut [u32]) {
        match (self.takes_missing, leaves.len() == USUAL_ROWS) {
            (true, true) => self.find_leaves_of::<true, true>(root, depth, features, leaves),
            (true, false) => self.find_leaves_of::<true, false>(root, depth, features, leaves),
            (false, true) => self.find_leaves_of::<false, true>(root, depth, features, leaves),
            (false, false) => self.find_leaves_of::<false, false>(root, depth, features, leaves),
        }
    }

    fn find_leaves_of<const MISSING: bool, const USUAL: bool>(
        &self,
        root: usize,
        depth: &Depth,
        features: &[T],
        leaves: &mut [u32],
    ) {
        let rows = leaves.len();
        assert!(root < self.nodes.len() && features.len() >= self.features * rows, "features of all rows");
        let root = (root * size_of::<Node<T>>()) as u32;
        let mut first = 0;
        while first + LANES <= rows {
            let mut nodes = [root; LANES];
            let values = features[first..].as_ptr();
            let advance = |nodes: &mut [u32; LANES]| {
                for (lane, node) in nodes.iter_mut().enumerate() {
                    // SAFETY: a step leads from a node to a node, as the program's check found, and `root` is one. The rows and
                    // columns were checked above.
                    *node = unsafe { self.step::<MISSING, USUAL>(*node, values.add(lane), rows) };
                }
            };
            let (mut left, mut steps) = (depth.greatest, depth.mean.max(1));
            while left > 0 {
                steps = steps.min(left);
                left -= steps;
                for _ in 1..steps {
                    advance(&mut nodes);
                }
                let before = nodes;
                advance(&mut nodes);
                // Only a leaf leads to itself.
                if nodes == before {
                    break;
                }
                steps = STRIDE;
            }
            for (leaf, node) in leaves[first..].iter_mut().zip(nodes) {
                *leaf = self.leaf(node);
            }
            first += LANES;
        }
        for (row, leaf) in leaves.iter_mut().enumerate().skip(first) {
            let mut node = root;
            loop {
                // SAFETY: as above.
                let next = unsafe { self.step::<MISSING, USUAL>(node, features[row..].as_ptr(), rows) };
                if next == node {
                    break;
                }
                node = next;
            }
            *leaf = self.leaf(node);
        }
    }
}
