//! Checks tree ensembles.

use crate::trees::{Ensemble, FloatValues, MAX_THRESHOLDS, Node, Test, Tree};

/// Checks everything that the engine's walks rely on: a walk that starts at a root and follows children ends at a leaf
/// of the same tree, whatever the ranks are.
pub(crate) fn check(ensemble: &Ensemble) -> Result<(), String> {
    for test in &ensemble.tests {
        check_test(test)?;
    }
    let rank_columns: u64 = ensemble.tests.iter().map(|test| test.rank_columns() as u64).sum();
    if rank_columns > u64::from(u16::MAX) + 1 {
        return Err(format!("{rank_columns} rank columns are more than {}", u64::from(u16::MAX) + 1));
    }
    // The greatest rank that a node may compare with, by rank column.
    let greatest: Vec<u16> = ensemble
        .tests
        .iter()
        .flat_map(|test| {
            let greatest = match test {
                Test::Order { thresholds, .. } => thresholds.len() as u16,
                Test::Membership { .. } => 1,
            };
            std::iter::repeat_n(greatest, test.rank_columns())
        })
        .collect();
    if ensemble.values.kind() != ensemble.start.kind() {
        return Err("leaf values and start have different kinds".to_owned());
    }
    let targets = ensemble.targets();
    if targets == 0 {
        return Err("there is no target".to_owned());
    }
    let mut nodes = &ensemble.nodes[..];
    let mut values = 0_u64;
    for (index, tree) in ensemble.trees.iter().enumerate() {
        if tree.nodes as usize > nodes.len() {
            return Err(format!("tree {index} has more nodes than there are"));
        }
        let (own, rest) = nodes.split_at(tree.nodes as usize);
        nodes = rest;
        check_tree(tree, own, &greatest).map_err(|fault| format!("tree {index}: {fault}"))?;
        values += match tree.target {
            Some(target) if target as usize >= targets => {
                return Err(format!("tree {index} has no target {target}"));
            }
            Some(_) => u64::from(tree.leaves),
            None => u64::from(tree.leaves) * targets as u64,
        };
    }
    if !nodes.is_empty() {
        return Err(format!("{} nodes belong to no tree", nodes.len()));
    }
    if values != ensemble.values.len() as u64 {
        return Err(format!("there are {} leaf values, expected {values}", ensemble.values.len()));
    }
    Ok(())
}

fn check_test(test: &Test) -> Result<(), String> {
    let thresholds = test.thresholds();
    let ascending = match thresholds {
        FloatValues::Floats { values } => is_ascending(values),
        FloatValues::Doubles { values } => is_ascending(values),
    };
    if !ascending {
        return Err("thresholds are not ascending".to_owned());
    }
    if thresholds.len() > MAX_THRESHOLDS {
        return Err(format!("{} thresholds are more than {MAX_THRESHOLDS}", thresholds.len()));
    }
    match test {
        Test::Order { missing, .. } => {
            if (1..=thresholds.len() + 1).contains(&usize::from(*missing)) {
                Ok(())
            } else {
                Err(format!("a missing value has rank {missing}"))
            }
        }
        Test::Membership { members, sets, bits, .. } => {
            let row = u64::from(*sets).div_ceil(8);
            if bits.len() as u64 == row * (members.len() as u64 + 2) {
                Ok(())
            } else {
                Err("the bits of the sets have another size".to_owned())
            }
        }
    }
}

/// Whether numbers are strictly ascending, and none is NaN.
fn is_ascending<T: PartialOrd>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] < pair[1])
        && values.iter().all(|value| value.partial_cmp(value).is_some())
}

fn check_tree(tree: &Tree, nodes: &[Node], greatest: &[u16]) -> Result<(), String> {
    if nodes.is_empty() {
        return Err("there is no node".to_owned());
    }
    for (index, node) in nodes.iter().enumerate() {
        let child = node.child as usize;
        if node.is_leaf() {
            if node.child >= tree.leaves || node.column != 0 {
                return Err(format!("node {index} is no valid leaf"));
            }
        } else if child <= index || child + 1 >= nodes.len() {
            return Err(format!("the children of node {index} are not after it"));
        } else {
            match greatest.get(usize::from(node.column)) {
                None => return Err(format!("node {index} has no rank column {}", node.column)),
                Some(greatest) if node.rank > *greatest => {
                    return Err(format!("node {index} compares with rank {} of {greatest}", node.rank));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}
