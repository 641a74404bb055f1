//! The trees of `TreeEnsembleClassifier` and `TreeEnsembleRegressor`, as their attributes describe them.

use std::collections::HashMap;

use tabular_lowering::trees::{Condition, Missing, TreeNode, TreeNodes};
use tabular_program::{Kind, Values};

use super::call::Call;
use crate::error::Fault;
use crate::tensor;

/// A list of numbers in an attribute of floats, or in a tensor since version 3.
pub(super) fn numbers(call: &Call<'_>, name: &str) -> Result<Vec<f64>, Fault> {
    match call.tensor_attribute(&format!("{name}_as_tensor"))? {
        Some(constant) => match constant.values {
            Values::Floats { .. } | Values::Doubles { .. } => tensor::doubles(&constant.values),
            other => Err(format!("attribute {name}_as_tensor has the kind {:?}", other.kind()).into()),
        },
        None => Ok(call.float_list(name).iter().map(|value| f64::from(*value)).collect()),
    }
}

/// Trees, and where the nodes of the attributes are in them.
pub(super) struct AttributeTrees {
    pub(super) trees: Vec<TreeNodes>,
    /// Tree and index of each node, by its tree id and node id.
    places: HashMap<(i64, i64), (usize, usize)>,
}

impl AttributeTrees {
    /// Reads the attributes of nodes.
    pub(super) fn read(call: &Call<'_>, features: u32) -> Result<Self, Fault> {
        let tree_ids = call.integer_list("nodes_treeids");
        let node_ids = call.integer_list("nodes_nodeids");
        let feature_ids = call.integer_list("nodes_featureids");
        let modes = call.text_list("nodes_modes")?;
        let thresholds = numbers(call, "nodes_values")?;
        let yes = call.integer_list("nodes_truenodeids");
        let no = call.integer_list("nodes_falsenodeids");
        let tracks = call.integer_list("nodes_missing_value_tracks_true");
        let count = tree_ids.len();
        let lengths = [node_ids.len(), feature_ids.len(), modes.len(), thresholds.len(), yes.len(), no.len()];
        if lengths.iter().any(|length| *length != count) {
            return Err(format!("its lists of nodes have different lengths: {count} and {lengths:?}").into());
        }
        let (mut trees, places) = places(tree_ids, node_ids)?;
        for index in 0..count {
            let id = |node| format!("node {node} of tree {}", tree_ids[index]);
            let (tree, position) = places[&(tree_ids[index], node_ids[index])];
            let child = |node: i64| match places.get(&(tree_ids[index], node)) {
                Some((_, position)) => Ok(*position),
                None => Err(format!("{} has a child {node}, which does not exist", id(node_ids[index]))),
            };
            let threshold = thresholds[index];
            let condition = match &modes[index][..] {
                "LEAF" => {
                    trees[tree][position] = TreeNode::Leaf(Vec::new());
                    continue;
                }
                "BRANCH_LEQ" => Condition::LessOrEqual(threshold),
                "BRANCH_LT" => Condition::Less(threshold),
                "BRANCH_GTE" => Condition::GreaterOrEqual(threshold),
                "BRANCH_GT" => Condition::Greater(threshold),
                "BRANCH_EQ" => Condition::Equal(threshold),
                "BRANCH_NEQ" => Condition::NotEqual(threshold),
                other => return Err(format!("{} has the mode {other:?}", id(node_ids[index])).into()),
            };
            let tracks_true = tracks.get(index).is_some_and(|tracks| *tracks == 1);
            trees[tree][position] = TreeNode::Branch {
                feature: feature(feature_ids[index], features)?,
                missing: missing(&condition, tracks_true),
                condition,
                yes: child(yes[index])?,
                no: child(no[index])?,
            };
        }
        Ok(Self { trees, places })
    }

    /// Adds the weights of leaves. `prefix` is `class` or `target`.
    pub(super) fn add_weights(
        &mut self,
        call: &Call<'_>,
        prefix: &str,
        targets: u32,
    ) -> Result<Vec<Weight>, Fault> {
        let list = |name: &str| call.integer_list(&format!("{prefix}_{name}"));
        let (tree_ids, node_ids, ids) = (list("treeids"), list("nodeids"), list("ids"));
        let weights = numbers(call, &format!("{prefix}_weights"))?;
        if [node_ids.len(), ids.len(), weights.len()].iter().any(|length| *length != tree_ids.len()) {
            return Err("its lists of weights have different lengths".into());
        }
        let mut added = Vec::with_capacity(weights.len());
        for (index, value) in weights.into_iter().enumerate() {
            let Some((tree, node)) = self.places.get(&(tree_ids[index], node_ids[index])) else {
                return Err(format!(
                    "tree {} has no node {}, which has a weight",
                    tree_ids[index], node_ids[index]
                )
                .into());
            };
            let target = match u32::try_from(ids[index]) {
                Ok(target) if target < targets => target,
                _ => return Err(format!("a weight belongs to target {} of {targets}", ids[index]).into()),
            };
            // ONNX Runtime ignores weights of other nodes, and all weights of a leaf but the first of a single target.
            match &mut self.trees[*tree][*node] {
                TreeNode::Leaf(values) if targets > 1 || values.is_empty() => values.push((target, value)),
                _ => {}
            }
            added.push(Weight { target, value });
        }
        Ok(added)
    }
}

/// A weight of a leaf.
pub(super) struct Weight {
    pub(super) target: u32,
    pub(super) value: f64,
}

/// Trees of as many leaves as there are nodes, and the places of the nodes. The first node of a tree is its root.
#[expect(clippy::type_complexity, reason = "the two parts of AttributeTrees")]
fn places(
    tree_ids: &[i64],
    node_ids: &[i64],
) -> Result<(Vec<TreeNodes>, HashMap<(i64, i64), (usize, usize)>), Fault> {
    let mut trees: Vec<TreeNodes> = Vec::new();
    let mut places = HashMap::with_capacity(tree_ids.len());
    let mut positions: HashMap<i64, usize> = HashMap::new();
    for (tree_id, node_id) in tree_ids.iter().zip(node_ids) {
        let tree = *positions.entry(*tree_id).or_insert_with(|| {
            trees.push(Vec::new());
            trees.len() - 1
        });
        if places.insert((*tree_id, *node_id), (tree, trees[tree].len())).is_some() {
            return Err(format!("node {node_id} of tree {tree_id} is listed twice").into());
        }
        trees[tree].push(TreeNode::Leaf(Vec::new()));
    }
    Ok((trees, places))
}

/// A feature's column.
pub(super) fn feature(id: i64, features: u32) -> Result<u32, Fault> {
    match u32::try_from(id) {
        Ok(feature) if feature < features => Ok(feature),
        _ => Err(format!("a node compares feature {id} of {features}").into()),
    }
}

/// Where NaN goes: to the child for true if the node says so, and otherwise where the comparison with NaN leads.
pub(super) fn missing(condition: &Condition, tracks_true: bool) -> Missing {
    if tracks_true || matches!(condition, Condition::NotEqual(_)) { Missing::Yes } else { Missing::No }
}

/// The kind in which trees compare features of a kind and add weights.
pub(super) fn tree_kind(features: Kind) -> Kind {
    if features == Kind::Double { Kind::Double } else { Kind::Float }
}
