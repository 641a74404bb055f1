//! The order of a tree's nodes.

use super::{Condition, Missing, TreeError, TreeNode, TreeNodes, error};

/// How many nodes there may be after shared ones were copied, for each node before.
const MAX_COPIES: usize = 4;

/// A node in the order of the lowered tree.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Index in the described tree.
    pub(super) node: usize,
    /// Index of the first child in the order, or the leaf's number.
    pub(super) child: u32,
}

/// The order of the lowered nodes: siblings are adjacent, and children follow their parents. A node with several parents
/// has several places.
///
/// # Errors
/// If so many nodes are shared that the tree would grow too much.
pub(super) fn order(nodes: &[TreeNode]) -> Result<Vec<Place>, TreeError> {
    let mut places = vec![Place { node: 0, child: 0 }];
    let mut leaves = 0;
    let mut open = vec![0];
    while let Some(position) = open.pop() {
        let place: Place = places[position];
        let TreeNode::Branch { condition, yes, no, .. } = &nodes[place.node] else {
            places[position].child = leaves;
            leaves += 1;
            continue;
        };
        let child = places.len();
        if child > MAX_COPIES * nodes.len() || u32::try_from(child).is_err() {
            return error(format!("{} nodes share too many of their children", nodes.len()));
        }
        places[position].child = child as u32;
        let (first, second) = if condition.is_swapped() { (*yes, *no) } else { (*no, *yes) };
        places.extend([first, second].map(|node| Place { node, child: 0 }));
        open.extend([child + 1, child]);
    }
    Ok(places)
}

/// The tree with chains of equalities merged into sets: `x == a` or else `x == b`, both of which lead to one node, become
/// the set of `a` and `b`. Exporters write sets of categories that way.
///
/// # Errors
/// If there is no node, a cycle, or a child that does not exist.
pub(super) fn with_merged_sets(nodes: &[TreeNode]) -> Result<TreeNodes, TreeError> {
    let mut merged = nodes.to_vec();
    // Children come first, so that a chain is merged from its end.
    for index in children_first(nodes)? {
        let TreeNode::Branch { no, .. } = &merged[index] else { continue };
        if let Some(node) = merged_set(&merged[index], &merged[*no]) {
            merged[index] = node;
        }
    }
    Ok(merged)
}

/// One node for a node and its child for false, if both ask whether one feature is in a set and lead to one node.
fn merged_set(node: &TreeNode, next: &TreeNode) -> Option<TreeNode> {
    let TreeNode::Branch { feature, condition, missing, yes, .. } = node else { return None };
    let TreeNode::Branch {
        feature: next_feature,
        condition: next_condition,
        missing: next_missing,
        yes: next_yes,
        no,
    } = next
    else {
        return None;
    };
    let mut set = numbers(condition)?;
    set.extend(numbers(next_condition)?);
    if feature != next_feature || yes != next_yes {
        return None;
    }
    let missing = if [*missing, *next_missing].contains(&Missing::Yes) { Missing::Yes } else { Missing::No };
    let condition = Condition::Member { set, truncating: false };
    Some(TreeNode::Branch { feature: *feature, condition, missing, yes: *yes, no: *no })
}

/// The numbers that a condition of equality names.
fn numbers(condition: &Condition) -> Option<Vec<f64>> {
    match condition {
        Condition::Equal(number) => Some(vec![*number]),
        Condition::Member { set, truncating: false } => Some(set.clone()),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Open,
    Done,
}

/// The nodes below the root, children before their parents.
fn children_first(nodes: &[TreeNode]) -> Result<Vec<usize>, TreeError> {
    if nodes.is_empty() {
        return error("there is no node");
    }
    let mut states = vec![State::Unseen; nodes.len()];
    states[0] = State::Open;
    let mut order = Vec::with_capacity(nodes.len());
    // Open nodes, and how many of their children were visited.
    let mut open = vec![(0, 0)];
    while let Some((index, visited)) = open.last_mut() {
        let child = match (&nodes[*index], *visited) {
            (TreeNode::Branch { yes, .. }, 0) => *yes,
            (TreeNode::Branch { no, .. }, 1) => *no,
            _ => {
                states[*index] = State::Done;
                order.push(*index);
                open.pop();
                continue;
            }
        };
        *visited += 1;
        match states.get(child) {
            None => return error(format!("node {index} has no child {child}")),
            Some(State::Open) => return error(format!("it has a cycle through node {child}")),
            Some(State::Done) => {}
            Some(State::Unseen) => {
                states[child] = State::Open;
                open.push((child, 0));
            }
        }
    }
    Ok(order)
}
