//! Lowers decision trees.
//!
//! An importer describes its trees as a [`TreeModel`]: nodes with the comparison that the file has. [`lower`] expresses all
//! comparisons by ranks, puts the nodes in an order in which children follow their parents, and numbers the leaves from
//! left to right, the child for false first.
//!
//! Invariants:
//! - The lowered trees send every value, infinities and NaN included, where the described ones do.
//! - A cycle and a child outside of its tree are errors. A node that several nodes lead to is copied, within limits.

mod node_order;
mod rank_builder;

use std::fmt;

use tabular_program::{Aggregate, Ensemble, FloatValues, Kind, Node, Tree};

use node_order::{Place, order};
use rank_builder::RankBuilder;

/// The most leaf values of a model.
const MAX_VALUES: u64 = 1 << 28;

/// A tree ensemble as a model file describes it.
#[derive(Clone, Debug)]
pub struct TreeModel {
    /// Kind of the features and thresholds: float or double.
    pub features: Kind,
    /// Kind of the leaf values and their sums: float or double.
    pub values: Kind,
    /// How the values of trees are combined.
    pub aggregate: Aggregate,
    /// The value of each target before the first tree.
    pub start: Vec<f64>,
    /// The trees, in the order in which they are added.
    pub trees: Vec<TreeNodes>,
}

/// The nodes of a tree; the first one is the root. Several nodes may lead to one.
pub type TreeNodes = Vec<TreeNode>;

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum TreeNode {
    /// A node with two children.
    Branch {
        /// The column that is compared.
        feature: u32,
        /// The comparison.
        condition: Condition,
        /// Where a missing value goes.
        missing: Missing,
        /// Index of the child for true.
        yes: usize,
        /// Index of the child for false.
        no: usize,
    },
    /// A leaf, with the values that it adds to targets. Targets that are not listed get nothing.
    Leaf(Vec<(u32, f64)>),
}

/// A comparison of a value `x`. Thresholds are rounded to the kind of the features before.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `x <= threshold`.
    LessOrEqual(f64),
    /// `x < threshold`.
    Less(f64),
    /// `x >= threshold`.
    GreaterOrEqual(f64),
    /// `x > threshold`.
    Greater(f64),
    /// `x == number`.
    Equal(f64),
    /// `x != number`.
    NotEqual(f64),
    /// Whether `x` is one of the numbers.
    Member {
        /// The numbers.
        set: Vec<f64>,
        /// Whether `x` is cut to a whole number towards zero first.
        truncating: bool,
    },
}

/// Where a missing value goes. NaN is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Missing {
    /// To the child for true.
    Yes,
    /// To the child for false.
    No,
    /// Where 0 goes. Only for comparisons of order.
    AsZero,
    /// To the child for true, and so does a number of at most 1e-35 either side of zero. Only for comparisons of order.
    ZeroYes,
    /// To the child for false, and so does a number of at most 1e-35 either side of zero. Only for comparisons of order.
    ZeroNo,
}

impl Missing {
    /// The same for a node whose children are swapped.
    fn swapped(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::AsZero => Self::AsZero,
            Self::ZeroYes => Self::ZeroNo,
            Self::ZeroNo => Self::ZeroYes,
        }
    }
}

/// Why trees cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeError(String);

impl fmt::Display for TreeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TreeError {}

fn error<T>(message: impl Into<String>) -> Result<T, TreeError> {
    Err(TreeError(message.into()))
}

/// Lowers a tree ensemble.
///
/// # Errors
/// If a tree is not a tree, if a leaf names a target that does not exist, or if the model is too large.
pub fn lower(model: &TreeModel) -> Result<Ensemble, TreeError> {
    let targets = model.start.len();
    let mut ranks = RankBuilder::new(model.features);
    let mut ensemble = PendingEnsemble { targets, ..PendingEnsemble::default() };
    // The value of a target that a leaf does not list.
    let nothing = match model.aggregate {
        Aggregate::Sum => 0.0,
        Aggregate::Minimum => f64::INFINITY,
        Aggregate::Maximum => f64::NEG_INFINITY,
    };
    for (index, nodes) in model.trees.iter().enumerate() {
        let in_tree = |TreeError(fault)| TreeError(format!("tree {index}: {fault}"));
        let nodes = node_order::with_merged_sets(nodes).map_err(in_tree)?;
        let order = order(&nodes).map_err(in_tree)?;
        ensemble.add_tree(&nodes, &order, nothing, &mut ranks).map_err(in_tree)?;
    }
    let (tests, columns) = ranks.finish()?;
    let mut nodes = Vec::with_capacity(ensemble.nodes.len());
    for node in ensemble.nodes {
        nodes.push(match node {
            Pending::Leaf(number) => Node { column: 0, rank: 0, child: number },
            Pending::Branch { comparison, child } => {
                let (column, rank) = columns.find(&comparison);
                Node { column, rank, child }
            }
        });
    }
    Ok(Ensemble {
        aggregate: model.aggregate,
        start: float_values(model.values, model.start.clone()),
        tests,
        trees: ensemble.trees,
        nodes,
        values: float_values(model.values, ensemble.values),
    })
}

/// The numbers in the precision of a kind.
fn float_values(kind: Kind, values: Vec<f64>) -> FloatValues {
    if kind == Kind::Double {
        FloatValues::Doubles { values }
    } else {
        FloatValues::Floats { values: values.into_iter().map(|value| value as f32).collect() }
    }
}

/// Trees whose ranks are not known yet.
#[derive(Default)]
struct PendingEnsemble {
    targets: usize,
    trees: Vec<Tree>,
    nodes: Vec<Pending>,
    values: Vec<f64>,
}

/// A node whose rank is not known yet.
enum Pending {
    Branch { comparison: rank_builder::Comparison, child: u32 },
    Leaf(u32),
}

impl Condition {
    /// Whether the lowered node asks for the opposite.
    fn is_swapped(&self) -> bool {
        matches!(self, Self::GreaterOrEqual(_) | Self::Greater(_) | Self::NotEqual(_))
    }
}

impl PendingEnsemble {
    /// Adds a tree. A leaf may list a target several times; the values are then added one after the other, so the tree is
    /// repeated for them.
    fn add_tree(
        &mut self,
        nodes: &[TreeNode],
        order: &[Place],
        nothing: f64,
        ranks: &mut RankBuilder,
    ) -> Result<(), TreeError> {
        let leaves: Vec<&[(u32, f64)]> = order
            .iter()
            .filter_map(|place| match &nodes[place.node] {
                TreeNode::Leaf(values) => Some((place.child, &values[..])),
                TreeNode::Branch { .. } => None,
            })
            .fold(vec![&[][..]; order.len().div_ceil(2)], |mut leaves, (number, values)| {
                leaves[number as usize] = values;
                leaves
            });
        let mut pass = 0;
        loop {
            // The value of each leaf and target that is listed for the `pass`th time.
            let mut listed = Vec::new();
            for (leaf, values) in leaves.iter().enumerate() {
                for (position, (target, value)) in values.iter().enumerate() {
                    if *target as usize >= self.targets {
                        return error(format!("there is no target {target}"));
                    }
                    if values[..position].iter().filter(|(earlier, _)| earlier == target).count() == pass {
                        listed.push((leaf, *target, *value));
                    }
                }
            }
            if pass > 0 && listed.is_empty() {
                return Ok(());
            }
            self.add_values(&listed, leaves.len(), nothing)?;
            self.trees.push(Tree {
                nodes: order.len() as u32,
                leaves: leaves.len() as u32,
                target: single_target(&listed, self.targets),
            });
            for place in order {
                self.nodes.push(match &nodes[place.node] {
                    TreeNode::Leaf(_) => Pending::Leaf(place.child),
                    TreeNode::Branch { feature, condition, missing, .. } => {
                        let missing = if condition.is_swapped() { missing.swapped() } else { *missing };
                        Pending::Branch {
                            comparison: ranks.add(*feature, condition, missing)?,
                            child: place.child,
                        }
                    }
                });
            }
            pass += 1;
        }
    }

    fn add_values(
        &mut self,
        listed: &[(usize, u32, f64)],
        leaves: usize,
        nothing: f64,
    ) -> Result<(), TreeError> {
        let first = self.values.len();
        let width = if single_target(listed, self.targets).is_some() { 1 } else { self.targets };
        let length = first as u64 + leaves as u64 * width as u64;
        if length > MAX_VALUES {
            return error(format!("the leaves have {length} values, more than {MAX_VALUES}"));
        }
        self.values.resize(length as usize, nothing);
        for (leaf, target, value) in listed {
            let lane = if width == 1 { 0 } else { *target as usize };
            self.values[first + leaf * width + lane] = *value;
        }
        Ok(())
    }
}

/// The target of all values, if there is only one.
fn single_target(listed: &[(usize, u32, f64)], targets: usize) -> Option<u32> {
    let target = listed.first().map_or(0, |(_, target, _)| *target);
    (targets > 0 && listed.iter().all(|(_, other, _)| *other == target)).then_some(target)
}

#[cfg(test)]
mod tests;
