//! The trees of a CatBoost model.

use tabular_lowering::trees::{Condition, Missing, TreeNode, TreeNodes};

use super::Feature;
use crate::document::Value;
use crate::imported_model::BoosterError;

/// The greatest depth of an oblivious tree that CatBoost trains.
const MAX_DEPTH: usize = 16;

/// The trees, with leaf values for `targets` sums.
pub(super) fn parse(
    document: &Value,
    features: &[Feature],
    targets: usize,
) -> Result<Vec<TreeNodes>, BoosterError> {
    let (list, is_oblivious) = match (document.get("oblivious_trees"), document.get("trees")) {
        (Some(Value::List(list)), _) => (&list[..], true),
        (None, Some(Value::List(list))) => (&list[..], false),
        (Some(Value::Numbers(none)), _) | (None, Some(Value::Numbers(none))) if none.is_empty() => {
            (&[][..], true)
        }
        _ => return Err(BoosterError::new("it has no trees")),
    };
    let tree = |(index, tree): (usize, &Value)| {
        let nodes = if is_oblivious {
            oblivious_tree(tree, features, targets)
        } else {
            let mut nodes = Vec::new();
            add_node(tree, features, targets, &mut nodes).map(|_| nodes)
        };
        nodes.map_err(|error| error.at(format_args!("tree {index}")))
    };
    list.iter().enumerate().map(tree).collect()
}

/// A tree with one split a level. Bit `i` of a leaf's number says whether split `i` holds.
fn oblivious_tree(tree: &Value, features: &[Feature], targets: usize) -> Result<TreeNodes, BoosterError> {
    let splits = match tree.get("splits") {
        Some(Value::List(splits)) => &splits[..],
        // A tree without splits.
        None | Some(Value::Null) => &[],
        Some(Value::Numbers(none)) if none.is_empty() => &[],
        Some(_) => return Err(BoosterError::new("its splits are no list")),
    };
    let values = tree.numbers("leaf_values")?;
    let depth = splits.len();
    if depth > MAX_DEPTH || values.len() != targets << depth {
        return Err(BoosterError::new(format!(
            "it has {} leaf values for {depth} splits and {targets} sums",
            values.len()
        )));
    }
    let mut nodes = Vec::with_capacity(2 << depth);
    // The leaves that the nodes of a level lead to have these bits in common.
    let mut bits = vec![0];
    for (level, split) in splits.iter().enumerate() {
        let next = nodes.len() + bits.len();
        for position in 0..bits.len() {
            nodes.push(branch(split, features, next + 2 * position + 1, next + 2 * position)?);
        }
        bits = bits.iter().flat_map(|bits| [*bits, bits | 1 << level]).collect();
    }
    for leaf in bits {
        nodes.push(leaf_of(&values[leaf * targets..][..targets]));
    }
    Ok(nodes)
}

/// Adds a node with all that is below it. Returns its index.
fn add_node(
    node: &Value,
    features: &[Feature],
    targets: usize,
    nodes: &mut TreeNodes,
) -> Result<usize, BoosterError> {
    let index = nodes.len();
    nodes.push(TreeNode::Leaf(Vec::new()));
    nodes[index] = match node.get("value") {
        Some(Value::Number(value)) if targets == 1 => leaf_of(&[*value]),
        Some(Value::Numbers(values)) if values.len() == targets => leaf_of(values),
        Some(_) => return Err(BoosterError::new(format!("a leaf has not {targets} values"))),
        None => {
            let split = node.at("split")?;
            let no = add_node(node.at("left")?, features, targets, nodes)?;
            let yes = add_node(node.at("right")?, features, targets, nodes)?;
            branch(split, features, yes, no)?
        }
    };
    Ok(index)
}

fn leaf_of(values: &[f64]) -> TreeNode {
    TreeNode::Leaf((0..).zip(values.iter().copied()).collect())
}

fn branch(split: &Value, features: &[Feature], yes: usize, no: usize) -> Result<TreeNode, BoosterError> {
    let kind = split.text("split_type")?;
    if kind != "FloatFeature" {
        return Err(BoosterError::unsupported(format!("a split of type {kind:?}")));
    }
    let number = split.integer("float_feature_index")?;
    let feature = usize::try_from(number).ok().filter(|index| *index < features.len());
    let Some(feature) = feature else {
        return Err(BoosterError::new(format!("a split has the feature {number} of {}", features.len())));
    };
    let Value::Number(border) = split.at("border")? else {
        return Err(BoosterError::new("a border is no number"));
    };
    Ok(TreeNode::Branch {
        feature: feature as u32,
        condition: Condition::Greater(f64::from(*border as f32)),
        missing: if features[feature].missing_is_true { Missing::Yes } else { Missing::No },
        yes,
        no,
    })
}
