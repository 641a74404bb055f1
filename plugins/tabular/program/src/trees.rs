//! Tree ensembles.
//!
//! # Tests and ranks
//! A node does not compare values, it compares ranks. Each feature's thresholds are sorted, and the *rank* of a value is
//! one more than the number of thresholds below it. So `x <= thresholds[i]` holds exactly if the rank of `x` is at most
//! `i + 1`, whatever the precision of the thresholds. All other comparisons and set memberships are expressed by
//! ranks, too, and a missing value has a rank of its own: a node is one comparison of small integers.
//!
//! A [`Test`] says how the ranks of one feature are found. It makes one or more *rank columns*. Nodes refer to rank
//! columns by their number, counted over all tests of the ensemble.

use crate::codec::{choice, record};
use crate::columns::Kind;

/// The largest number of thresholds of one [`Test`]: ranks have 16 bits.
pub const MAX_THRESHOLDS: usize = u16::MAX as usize - 1;

choice! {
    /// How the values of the leaves that a row reaches are combined.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Aggregate {
        /// Added in the order of the trees, in the precision of the leaf values.
        #[default]
        0 Sum,
        /// The smallest.
        1 Minimum,
        /// The largest.
        2 Maximum,
    }
}

record! {
    /// A tree ensemble.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Ensemble {
        /// How leaf values are combined.
        pub aggregate: Aggregate,
        /// The value of each target before the first tree. Its kind is that of the leaf values.
        pub start: FloatValues,
        /// How the rank columns are found.
        pub tests: Vec<Test>,
        /// The trees, in the order in which their values are added.
        pub trees: Vec<Tree>,
        /// The nodes of all trees, in the order of the trees.
        pub nodes: Vec<Node>,
        /// The values of all leaves, in the order of the trees. A leaf of a tree with one target has one value, other
        /// leaves have one for each target.
        pub values: FloatValues,
    }
}

impl Ensemble {
    /// The number of targets.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.start.len()
    }

    /// The number of rank columns.
    #[must_use]
    pub fn rank_columns(&self) -> usize {
        self.tests.iter().map(Test::rank_columns).sum()
    }
}

record! {
    /// The size of a tree.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Tree {
        /// Number of nodes, at least 1. The first node is the root.
        pub nodes: u32,
        /// Number of leaves. Node and leaf numbers are counted within the tree.
        pub leaves: u32,
        /// The target that the leaves have a value for; absent if they have one for each target.
        pub target: Option<u32>,
    }
}

impl Tree {
    /// The number of leaf values of the tree, in an ensemble of `targets` targets.
    #[must_use]
    pub fn leaf_values(&self, targets: usize) -> usize {
        match self.target {
            Some(_) => self.leaves as usize,
            None => self.leaves as usize * targets,
        }
    }
}

record! {
    /// A node of a tree.
    ///
    /// A row goes on to node `child + 1` if its rank in the column is at most `rank`, and to node `child` otherwise.
    /// Both come after the node. A node with rank 0 is a leaf, whose number is `child`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Node {
        /// The rank column. 0 in a leaf.
        pub column: u16,
        /// The greatest rank that goes to node `child + 1`. 0 in a leaf.
        pub rank: u16,
        /// The node to which other ranks go. In a leaf, its number.
        pub child: u32,
    }
}

impl Node {
    /// Whether the node is a leaf.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        self.rank == 0
    }
}

choice! {
    /// Floats of one precision: the values of leaves, or the numbers that a feature is compared with.
    #[derive(Clone, Debug, PartialEq)]
    pub enum FloatValues {
        /// 32-bit floats.
        0 Floats {
            /// The values.
            values: Vec<f32>,
        },
        /// 64-bit floats.
        1 Doubles {
            /// The values.
            values: Vec<f64>,
        },
    }
}

impl Default for FloatValues {
    fn default() -> Self {
        Self::Floats { values: Vec::new() }
    }
}

impl FloatValues {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Floats { values } => values.len(),
            Self::Doubles { values } => values.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind of the sums of leaf values, and of the features that thresholds are compared with.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Floats { .. } => Kind::Float,
            Self::Doubles { .. } => Kind::Double,
        }
    }
}

choice! {
    /// How the ranks of a feature are found.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Test {
        /// One rank column: one more than the number of thresholds below the value.
        0 Order {
            /// The feature, counted from the first column that the ensemble reads.
            feature: u32,
            /// The thresholds, strictly ascending, at most [`MAX_THRESHOLDS`].
            thresholds: FloatValues,
            /// The rank of a missing value, from 1 to one more than the number of thresholds.
            missing: u16,
            /// Whether a value of at most 1e-35 either side of zero is missing as well. (LightGBM calls it
            /// `zero_as_missing`.)
            zero_missing: bool,
        },
        /// One rank column for each of several sets: 1 for a member and 2 for other values.
        1 Membership {
            /// The feature, counted from the first column that the ensemble reads.
            feature: u32,
            /// The numbers that are in at least one set, strictly ascending, at most [`MAX_THRESHOLDS`].
            members: FloatValues,
            /// The number of sets.
            sets: u32,
            /// One row of bits for each of `members`, then one for other values, then one for missing ones. A row has
            /// a bit for each set, which is 1 if the value is a member, and ends with zeros up to a whole byte. The first
            /// set is the lowest bit.
            bits: Vec<u8>,
            /// Whether a value is cut to a whole number towards zero first.
            truncating: bool,
        },
    }
}

impl Test {
    /// The feature.
    #[must_use]
    pub fn feature(&self) -> u32 {
        match self {
            Self::Order { feature, .. } | Self::Membership { feature, .. } => *feature,
        }
    }

    /// The numbers that the feature is compared with.
    #[must_use]
    pub fn thresholds(&self) -> &FloatValues {
        match self {
            Self::Order { thresholds, .. } => thresholds,
            Self::Membership { members, .. } => members,
        }
    }

    /// The number of rank columns.
    #[must_use]
    pub fn rank_columns(&self) -> usize {
        match self {
            Self::Order { .. } => 1,
            Self::Membership { sets, .. } => *sets as usize,
        }
    }
}
