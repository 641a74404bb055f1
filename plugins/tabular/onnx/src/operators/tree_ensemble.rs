//! `TreeEnsemble`, which replaces the older tree operators since version 5 of `ai.onnx.ml`.

use std::collections::{HashMap, VecDeque};

use tabular_lowering::trees::{Condition, TreeNode, TreeNodes};
use tabular_program::{Aggregate, MAX_PLANE_COLUMNS, ScoreTransform, Values};

use super::call::{Call, one};
use super::tree_attributes::{feature, missing};
use super::trees::{Combination, regression, tree_features};
use crate::error::Fault;
use crate::graph_lowering::Value;
use crate::tensor;

/// `TreeEnsemble`.
pub(super) fn tree_ensemble(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let features = tree_features(call)?;
    let targets = call.integer("n_targets").unwrap_or(0);
    let targets = match u32::try_from(targets) {
        Ok(targets) if targets > 0 && targets <= MAX_PLANE_COLUMNS => targets,
        _ => {
            let most = MAX_PLANE_COLUMNS;
            return Err(format!("n_targets is {targets}, expected a number from 1 to {most}").into());
        }
    };
    let trees = Nodes::read(call)?.trees(call, features.columns.width, targets)?;
    let (aggregate, average) = match call.integer("aggregate_function").unwrap_or(1) {
        0 => (Aggregate::Sum, true),
        1 => (Aggregate::Sum, false),
        2 => (Aggregate::Minimum, false),
        3 => (Aggregate::Maximum, false),
        other => return Err(format!("aggregate_function {other} does not exist").into()),
    };
    let transform = match call.integer("post_transform").unwrap_or(0) {
        0 => ScoreTransform::None,
        1 => ScoreTransform::Softmax,
        2 => ScoreTransform::Logistic,
        3 => ScoreTransform::SoftmaxZero,
        4 => ScoreTransform::Probit,
        other => return Err(format!("post_transform {other} does not exist").into()),
    };
    let combination = Combination { aggregate, average, base: Vec::new(), transform };
    one(regression(call, &features, trees, targets as usize, combination)?)
}

/// The attributes of inner nodes and leaves.
struct Nodes {
    conditions: Vec<Condition>,
    features: Vec<i64>,
    tracks: Vec<i64>,
    /// The child for true, and whether it is a leaf.
    yes: Vec<(i64, bool)>,
    no: Vec<(i64, bool)>,
    leaf_targets: Vec<i64>,
    leaf_weights: Vec<f64>,
}

impl Nodes {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let tensor = |name: &str| {
            let found = call.tensor_attribute(name)?;
            found.map(|found| found.values).ok_or_else(|| Fault::from(format!("attribute {name} is missing")))
        };
        let splits = tensor::doubles(&tensor("nodes_splits")?)?;
        let Values::Integers { values: modes } = tensor("nodes_modes")? else {
            return Err("attribute nodes_modes has no integers".into());
        };
        let mut sets: VecDeque<Vec<f64>> = match call.tensor_attribute("membership_values")? {
            // Each set ends with NaN.
            Some(constant) => {
                let values = tensor::doubles(&constant.values)?;
                values.split(|value| value.is_nan()).map(<[f64]>::to_vec).collect()
            }
            None => VecDeque::new(),
        };
        if modes.len() != splits.len() {
            return Err(format!("it has {} modes and {} splits", modes.len(), splits.len()).into());
        }
        let mut conditions = Vec::with_capacity(modes.len());
        for (mode, split) in modes.into_iter().zip(splits) {
            conditions.push(match mode {
                0 => Condition::LessOrEqual(split),
                1 => Condition::Less(split),
                2 => Condition::GreaterOrEqual(split),
                3 => Condition::Greater(split),
                4 => Condition::Equal(split),
                5 => Condition::NotEqual(split),
                6 => match sets.pop_front() {
                    Some(set) => Condition::Member { set, truncating: false },
                    None => return Err("membership_values has fewer sets than there are nodes".into()),
                },
                other => return Err(format!("mode {other} does not exist").into()),
            });
        }
        let children = |ids: &str, leaves: &str| -> Vec<(i64, bool)> {
            let leaves = call.integer_list(leaves).iter().map(|leaf| *leaf != 0);
            call.integer_list(ids).iter().copied().zip(leaves).collect()
        };
        let count = conditions.len();
        let nodes = Self {
            conditions,
            features: call.integer_list("nodes_featureids").to_vec(),
            tracks: call.integer_list("nodes_missing_value_tracks_true").to_vec(),
            yes: children("nodes_truenodeids", "nodes_trueleafs"),
            no: children("nodes_falsenodeids", "nodes_falseleafs"),
            leaf_targets: call.integer_list("leaf_targetids").to_vec(),
            leaf_weights: tensor::doubles(&tensor("leaf_weights")?)?,
        };
        let lengths = [nodes.features.len(), nodes.yes.len(), nodes.no.len()];
        if lengths.iter().any(|length| *length != count) {
            return Err(format!("its lists of nodes have different lengths: {count} and {lengths:?}").into());
        }
        if nodes.leaf_targets.len() != nodes.leaf_weights.len() {
            return Err("its lists of leaves have different lengths".into());
        }
        Ok(nodes)
    }

    fn trees(&self, call: &Call<'_>, features: u32, targets: u32) -> Result<Vec<TreeNodes>, Fault> {
        call.integer_list("tree_roots").iter().map(|root| self.tree(*root, features, targets)).collect()
    }

    /// The tree below a node.
    fn tree(&self, root: i64, features: u32, targets: u32) -> Result<TreeNodes, Fault> {
        let mut tree = Vec::new();
        // Places of inner nodes and of leaves.
        let mut places: HashMap<(i64, bool), usize> = HashMap::new();
        let mut open = Vec::new();
        let mut place = |id: i64, is_leaf: bool, tree: &mut TreeNodes, open: &mut Vec<(usize, i64, bool)>| {
            *places.entry((id, is_leaf)).or_insert_with(|| {
                tree.push(TreeNode::Leaf(Vec::new()));
                open.push((tree.len() - 1, id, is_leaf));
                tree.len() - 1
            })
        };
        place(root, false, &mut tree, &mut open);
        while let Some((position, id, is_leaf)) = open.pop() {
            if is_leaf {
                tree[position] = self.leaf(id, targets)?;
                continue;
            }
            let index = match usize::try_from(id) {
                Ok(index) if index < self.conditions.len() => index,
                _ => return Err(format!("node {id} does not exist").into()),
            };
            let condition = self.conditions[index].clone();
            let [yes, no] = [self.yes[index], self.no[index]]
                .map(|(id, is_leaf)| place(id, is_leaf, &mut tree, &mut open));
            let tracks_true = self.tracks.get(index).is_some_and(|tracks| *tracks == 1);
            let missing = missing(&condition, tracks_true);
            let feature = feature(self.features[index], features)?;
            tree[position] = TreeNode::Branch { feature, condition, missing, yes, no };
        }
        Ok(tree)
    }

    fn leaf(&self, id: i64, targets: u32) -> Result<TreeNode, Fault> {
        let leaf = usize::try_from(id).ok().filter(|leaf| *leaf < self.leaf_weights.len());
        let Some(leaf) = leaf else {
            return Err(format!("leaf {id} does not exist").into());
        };
        match u32::try_from(self.leaf_targets[leaf]) {
            Ok(target) if target < targets => Ok(TreeNode::Leaf(vec![(target, self.leaf_weights[leaf])])),
            _ => Err(format!("leaf {id} belongs to target {} of {targets}", self.leaf_targets[leaf]).into()),
        }
    }
}
