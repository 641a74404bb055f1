//! Follows rows down a tree by comparing features with thresholds, without ranks.
//!
//! A step takes longer than one of [`traversal`](super::traversal), but no rank is found before it. An ensemble with few trees
//! compares a row with few of its thresholds, so that this is faster. Rows are interleaved as in `traversal`. Walks are pointers, and
//! nodes hold byte offsets, so that a step multiplies nothing.

use tabular_program::{Ensemble, FloatValues, Test};

use super::USUAL_ROWS;
use super::traversal::{Depth, LANES};

/// Steps up to a check whether all walks have ended, after about as many steps as the mean path has.
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
    /// How far the first child is from this node, in bytes; 0 in a leaf, which leads to itself. The second child is the next node.
    child: u32,
    /// The number of a leaf within its tree; 0 for other nodes.
    leaf: u32,
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
                    result.nodes.push(Node { threshold: T::NAN, column, child: 0, leaf: node.child });
                } else {
                    let (feature, thresholds, missing) = tests[usize::from(node.column)];
                    // A rank is at most `rank` exactly if the value is at most the threshold of that number.
                    let threshold = thresholds[usize::from(node.rank) - 1];
                    let takes_missing = missing <= node.rank;
                    result.takes_missing |= takes_missing;
                    let mark = if takes_missing { TAKES_MISSING } else { 0 };
                    // Children follow their parents, as the program's check found.
                    let child = (root + node.child - index) * size;
                    result.nodes.push(Node { threshold, column: column(feature) | mark, child, leaf: 0 });
                }
            }
        }
        Some(result)
    }

    /// The node that a row goes to. Without `MISSING` no node sends missing values to its second child; with `USUAL` the block has the
    /// usual number of rows.
    ///
    /// # Safety
    /// `node` is a node of an ensemble. `values` is a row of the first of enough columns for each feature, which have `rows` rows.
    #[inline(always)]
    unsafe fn step<const MISSING: bool, const USUAL: bool>(
        node: *const Node<T>,
        values: *const T,
        rows: usize,
    ) -> *const Node<T> {
        // SAFETY: the caller vouches for `node`.
        let Node { threshold, column: marked, child, .. } = unsafe { *node };
        let column = if MISSING { marked & !TAKES_MISSING } else { marked } as usize;
        let column = if USUAL { column } else { column / USUAL_ROWS * rows };
        // SAFETY: the caller vouches for the columns.
        let value = unsafe { *values.byte_add(column) };
        let mut is_second = value <= threshold;
        if MISSING {
            is_second |= (marked & TAKES_MISSING != 0) & value.partial_cmp(&value).is_none();
        }
        // SAFETY: both children are nodes of the ensemble; a leaf leads to itself, since no value is at most NaN.
        unsafe { node.byte_add(child as usize + usize::from(is_second) * size_of::<Node<T>>()) }
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
        let root = &raw const self.nodes[root];
        let mut first = 0;
        while first + LANES <= rows {
            let mut nodes = [root; LANES];
            let values = features[first..].as_ptr();
            let advance = |nodes: &mut [*const Node<T>; LANES]| {
                for (lane, node) in nodes.iter_mut().enumerate() {
                    // SAFETY: a step leads from a node to a node, as the program's check found, and `root` is one. The rows and
                    // columns were checked above.
                    *node = unsafe { Self::step::<MISSING, USUAL>(*node, values.add(lane), rows) };
                }
            };
            // Pairs of steps: a loop in Wasm costs as much as a step of one walk.
            for _ in 0..depth.mean / 2 {
                advance(&mut nodes);
                advance(&mut nodes);
            }
            let mut left = depth.greatest.saturating_sub(depth.mean / 2 * 2);
            while left > 0 {
                left = left.saturating_sub(STRIDE);
                advance(&mut nodes);
                let before = nodes;
                advance(&mut nodes);
                // Only a leaf leads to itself. Comparing the arrays as such would write them to memory.
                let mut moved = 0;
                for lane in 0..LANES {
                    moved |= nodes[lane].addr() ^ before[lane].addr();
                }
                if moved == 0 {
                    break;
                }
            }
            for (leaf, node) in leaves[first..first + LANES].iter_mut().zip(nodes) {
                // SAFETY: as above.
                *leaf = unsafe { (*node).leaf };
            }
            first += LANES;
        }
        for (row, leaf) in leaves.iter_mut().enumerate().skip(first) {
            let mut node = root;
            loop {
                // SAFETY: as above.
                let next = unsafe { Self::step::<MISSING, USUAL>(node, features[row..].as_ptr(), rows) };
                if next == node {
                    break;
                }
                node = next;
            }
            // SAFETY: as above.
            *leaf = unsafe { (*node).leaf };
        }
    }
}
