//! Follows rows down a tree by comparing features with thresholds, without ranks.
//!
//! A step takes longer than one of [`traversal`](super::traversal), but no rank is found before it. An ensemble with few trees
//! compares a row with few of its thresholds, so that this is faster. Rows are interleaved as in `traversal`.

use tabular_program::{Ensemble, FloatValues, Test};

use super::traversal::{LANES, STRIDE};

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
    feature: u16,
    /// Whether missing values go to the second child, too.
    takes_missing: bool,
    /// The first child, counted over all trees; in a leaf the leaf itself.
    child: u32,
}

/// A feature's value.
pub(super) trait Number: Copy + PartialOrd {
    const NAN: Self;

    /// The thresholds, if they are of this kind.
    fn of(values: &FloatValues) -> Option<&[Self]>;
}

macro_rules! number {
    ($type:ident, $variant:ident) => {
        impl Number for $type {
            const NAN: Self = $type::NAN;

            fn of(values: &FloatValues) -> Option<&[Self]> {
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
            tests.push((u16::try_from(*feature).ok()?, T::of(thresholds)?, *missing));
        }
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
                    let feature = tests[0].0;
                    result.nodes.push(Node {
                        threshold: T::NAN,
                        feature,
                        takes_missing: false,
                        child: index,
                    });
                    result.leaves.push(node.child);
                } else {
                    let (feature, thresholds, missing) = tests[usize::from(node.column)];
                    // A rank is at most `rank` exactly if the value is at most the threshold of that number.
                    let threshold = thresholds[usize::from(node.rank) - 1];
                    let takes_missing = missing <= node.rank;
                    result.takes_missing |= takes_missing;
                    result.nodes.push(Node { threshold, feature, takes_missing, child: root + node.child });
                    result.leaves.push(0);
                }
            }
        }
        Some(result)
    }

    /// The node that a row goes to. Without `MISSING` no node sends missing values to its second child.
    ///
    /// # Safety
    /// `node` is the index of a node, `row` is below `rows`, and `features` has a column of `rows` values for each feature.
    #[inline(always)]
    unsafe fn step<const MISSING: bool>(&self, node: u32, features: &[T], rows: usize, row: usize) -> u32 {
        debug_assert!((node as usize) < self.nodes.len());
        // SAFETY: the caller vouches for `node`.
        let node = unsafe { self.nodes.get_unchecked(node as usize) };
        let cell = usize::from(node.feature) * rows + row;
        debug_assert!(cell < features.len());
        // SAFETY: the caller vouches for the columns.
        let value = unsafe { *features.get_unchecked(cell) };
        let mut second = value <= node.threshold;
        if MISSING {
            second |= node.takes_missing & value.partial_cmp(&value).is_none();
        }
        node.child + u32::from(second)
    }

    /// The leaf of a tree that each row reaches. `features` holds one column after the other.
    pub(super) fn find_leaves(&self, root: usize, depth: u32, features: &[T], leaves: &mut [u32]) {
        if self.takes_missing {
            self.find_leaves_of::<true>(root, depth, features, leaves);
        } else {
            self.find_leaves_of::<false>(root, depth, features, leaves);
        }
    }

    fn find_leaves_of<const MISSING: bool>(
        &self,
        root: usize,
        depth: u32,
        features: &[T],
        leaves: &mut [u32],
    ) {
        let rows = leaves.len();
        assert!(root < self.nodes.len() && features.len() >= self.features * rows, "features of all rows");
        let mut first = 0;
        while first + LANES <= rows {
            let mut nodes = [root as u32; LANES];
            let mut left = depth;
            while left > 0 {
                let steps = left.min(STRIDE);
                left -= steps;
                let before = nodes;
                for _ in 0..steps {
                    for (lane, node) in nodes.iter_mut().enumerate() {
                        // SAFETY: a step leads from a node to a node, as the program's check found, and `root` is one. The
                        // rows and columns were checked above.
                        *node = unsafe { self.step::<MISSING>(*node, features, rows, first + lane) };
                    }
                }
                if nodes == before {
                    break;
                }
            }
            for (leaf, node) in leaves[first..].iter_mut().zip(nodes) {
                *leaf = self.leaves[node as usize];
            }
            first += LANES;
        }
        for (row, leaf) in leaves.iter_mut().enumerate().skip(first) {
            let mut node = root as u32;
            loop {
                // SAFETY: as above.
                let next = unsafe { self.step::<MISSING>(node, features, rows, row) };
                if next == node {
                    break;
                }
                node = next;
            }
            *leaf = self.leaves[node as usize];
        }
    }
}
