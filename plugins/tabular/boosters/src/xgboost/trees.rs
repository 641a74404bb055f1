//! The trees of an XGBoost model.

use std::collections::HashMap;
use std::ops::Range;

use tabular_lowering::trees::{Condition, Missing, TreeNode, TreeNodes};

use super::Learner;
use crate::document::Value;
use crate::features::Categories;
use crate::imported_model::BoosterError;

fn error<T>(message: impl Into<String>) -> Result<T, BoosterError> {
    Err(BoosterError::new(message))
}

/// The names of categories that the model was trained with, by feature.
pub(super) fn categories(model: &Value, features: usize) -> Result<Vec<Categories>, BoosterError> {
    let mut all = vec![Categories::None; features];
    let Ok(Value::List(encodings)) = model.at("cats.enc") else { return Ok(all) };
    if encodings.len() != features {
        return error(format!("it has categories of {} features, expected {features}", encodings.len()));
    }
    for (categories, encoding) in all.iter_mut().zip(encodings) {
        let values = encoding.integers("values")?;
        if values.is_empty() {
            continue;
        }
        if encoding.get("offsets").is_none() {
            *categories = Categories::Integers(values);
            continue;
        }
        let bytes: Vec<u8> = values.iter().map(|byte| *byte as u8).collect();
        // XGBoost 3.2 counts the offsets in characters, so it cuts such names and answers other categories.
        if !bytes.is_ascii() {
            return Err(BoosterError::with_remedy(
                "the names of its categories are not all ASCII, and XGBoost cuts such names when it saves them",
                "rename the categories, and train the model again",
            ));
        }
        let offsets = encoding.integers("offsets")?;
        let mut texts = Vec::new();
        for pair in offsets.windows(2) {
            let part = usize::try_from(pair[0]).ok().zip(usize::try_from(pair[1]).ok());
            let text = part
                .and_then(|(start, end)| bytes.get(start..end))
                .map(|bytes| String::from_utf8(bytes.to_vec()));
            match text {
                Some(Ok(text)) => texts.push(text),
                _ => return error("the names of its categories are damaged"),
            }
        }
        *categories = Categories::Texts(texts);
    }
    Ok(all)
}

/// All trees.
fn listed_trees(model: &Value) -> Result<&[Value], BoosterError> {
    match model.at("trees")? {
        Value::List(trees) => Ok(trees),
        Value::Numbers(numbers) if numbers.is_empty() => Ok(&[]),
        _ => error("trees is no list of trees"),
    }
}

/// The trees that count: all of them, or those up to the best iteration if a scikit-learn wrapper stopped early.
pub(super) fn used_trees(learner: &Value, model: &Value) -> Result<Range<usize>, BoosterError> {
    let trees = listed_trees(model)?;
    if learner.at("attributes.scikit_learn").is_err() || learner.at("attributes.best_iteration").is_err() {
        return Ok(0..trees.len());
    }
    let best = usize::try_from(learner.integer("attributes.best_iteration")?).unwrap_or(usize::MAX);
    let ends = model.integers("iteration_indptr")?;
    match best.checked_add(1).and_then(|next| ends.get(next)).and_then(|end| usize::try_from(*end).ok()) {
        Some(end) if end <= trees.len() => Ok(0..end),
        _ => error(format!("its best iteration {best} does not exist")),
    }
}

/// Reads the trees. `weights` scale them, if there are any.
pub(super) fn parse(
    model: &Value,
    parts: &Learner,
    used: Range<usize>,
    weights: Option<&[f64]>,
) -> Result<Vec<TreeNodes>, BoosterError> {
    let trees = listed_trees(model)?;
    let groups = model.integers("tree_info")?;
    if groups.len() != trees.len() || weights.is_some_and(|weights| weights.len() != trees.len()) {
        return error("its lists of trees have different lengths");
    }
    let mut all = Vec::with_capacity(used.len());
    for index in used {
        let weight = weights.map_or(1.0, |weights| weights[index] as f32);
        let group = match u32::try_from(groups[index]) {
            Ok(group) if (group as usize) < parts.groups => group,
            _ => return error(format!("tree {index} belongs to sum {} of {}", groups[index], parts.groups)),
        };
        let tree = read_tree(&trees[index], parts, group, weight)
            .map_err(|error| error.at(format_args!("tree {index}")))?;
        all.push(tree);
    }
    Ok(all)
}

fn read_tree(tree: &Value, parts: &Learner, group: u32, weight: f32) -> Result<TreeNodes, BoosterError> {
    let (left, right) = (tree.integers("left_children")?, tree.integers("right_children")?);
    let (features, thresholds) = (tree.integers("split_indices")?, tree.numbers("split_conditions")?);
    let default_left = flags(tree.at("default_left")?)?;
    let count = left.len();
    let lengths = [right.len(), features.len(), thresholds.len(), default_left.len()];
    if lengths.iter().any(|length| *length != count) {
        return error(format!("its lists have different lengths: {count} and {lengths:?}"));
    }
    let declared = tree.integer("tree_param.num_nodes")?;
    if usize::try_from(declared) != Ok(count) {
        return error(format!("num_nodes is {declared}, and its lists have {count} nodes"));
    }
    let sets = category_sets(tree)?;
    let width = match usize::try_from(tree.integer("tree_param.size_leaf_vector")?) {
        Ok(0 | 1) => 1,
        Ok(width) if width == parts.groups => width,
        _ => return error("its leaves have another number of values than there are sums"),
    };
    let mut nodes = Vec::with_capacity(count);
    for index in 0..count {
        if left[index] == -1 {
            nodes.push(TreeNode::Leaf(if width == 1 {
                vec![(group, f64::from(weight * thresholds[index] as f32))]
            } else {
                leaf_vector(tree, right[index], width, weight)?
            }));
            continue;
        }
        let child =
            |child: i64| usize::try_from(child).map_err(|_| BoosterError::new(format!("a child is {child}")));
        let feature = match u32::try_from(features[index]) {
            Ok(feature) if (feature as usize) < parts.features => feature,
            _ => return error(format!("a node compares feature {} of {}", features[index], parts.features)),
        };
        let (left, right) = (child(left[index])?, child(right[index])?);
        nodes.push(match sets.get(&index) {
            // A category of the set goes right.
            Some(set) => TreeNode::Branch {
                feature,
                condition: Condition::Member { set: set.clone(), truncating: true },
                missing: if default_left[index] { Missing::No } else { Missing::Yes },
                yes: right,
                no: left,
            },
            None => TreeNode::Branch {
                feature,
                condition: Condition::Less(f64::from(thresholds[index] as f32)),
                missing: if default_left[index] { Missing::Yes } else { Missing::No },
                yes: left,
                no: right,
            },
        });
    }
    Ok(nodes)
}

/// Booleans, or numbers: any but 0 is true.
fn flags(value: &Value) -> Result<Vec<bool>, BoosterError> {
    match value {
        Value::Numbers(numbers) => Ok(numbers.iter().map(|number| *number != 0.0).collect()),
        Value::List(list) => list
            .iter()
            .map(|value| match value {
                Value::Boolean(flag) => Ok(*flag),
                Value::Number(number) => Ok(*number != 0.0),
                _ => error("default_left has a value that is no boolean"),
            })
            .collect(),
        _ => error("default_left is no list"),
    }
}

/// The values of a leaf that has one for each sum.
fn leaf_vector(tree: &Value, leaf: i64, width: usize, weight: f32) -> Result<Vec<(u32, f64)>, BoosterError> {
    let weights = tree.numbers("leaf_weights")?;
    let start = usize::try_from(leaf).ok().and_then(|leaf| leaf.checked_mul(width));
    match start.and_then(|start| weights.get(start..start.checked_add(width)?)) {
        Some(values) => {
            Ok((0..).zip(values).map(|(group, value)| (group, f64::from(weight * *value as f32))).collect())
        }
        None => error(format!("leaf {leaf} has no values")),
    }
}

/// The sets of categories, by node.
fn category_sets(tree: &Value) -> Result<HashMap<usize, Vec<f64>>, BoosterError> {
    let all = tree.numbers("categories")?;
    let (nodes, starts, sizes) = (
        tree.integers("categories_nodes")?,
        tree.integers("categories_segments")?,
        tree.integers("categories_sizes")?,
    );
    if nodes.len() != starts.len() || nodes.len() != sizes.len() {
        return error("its lists of categories have different lengths");
    }
    let mut sets = HashMap::new();
    for ((node, start), size) in nodes.iter().zip(starts).zip(sizes) {
        let range = usize::try_from(start).ok().zip(usize::try_from(size).ok());
        let set = range.and_then(|(start, size)| all.get(start..start.checked_add(size)?));
        match (usize::try_from(*node), set) {
            (Ok(node), Some(set)) => sets.insert(node, set.to_vec()),
            _ => return error(format!("the categories of node {node} are damaged")),
        };
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_categories_are_ascii() {
        let read = |text: &str| {
            let values: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
            let document = format!(
                r#"{{"cats":{{"enc":[{{"offsets":[0,{}],"values":[{}]}}]}}}}"#,
                text.chars().count(),
                values.join(",")
            );
            categories(&Value::parse(document.as_bytes()).unwrap(), 1)
        };
        assert!(matches!(&read("unik co").unwrap()[..], [Categories::Texts(texts)] if texts == &["unik co"]));
        for text in ["\u{dc}nik co", "un\u{dc}k", "\u{6771}", "co\u{1f642}"] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains("are not all ASCII"), "{message}");
        }
    }
}
