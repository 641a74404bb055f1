use fastrand::Rng;
use tabular_engine::{Buffers, Model, OutputColumns, Source, SourceColumn};
use tabular_program::{MAX_THRESHOLDS, Step};

use super::*;
use crate::ProgramBuilder;

/// A tree of random conditions, of at most `depth` levels.
fn tree(rng: &mut Rng, depth: usize, order_only: bool) -> TreeNodes {
    let mut nodes = vec![TreeNode::Leaf(Vec::new())];
    let mut open = vec![(0, depth)];
    while let Some((index, depth)) = open.pop() {
        if depth == 0 || rng.u8(..8) == 0 {
            let values = (0..rng.usize(..4)).map(|_| (rng.u32(..3), f64::from(rng.f32()))).collect();
            nodes[index] = TreeNode::Leaf(values);
            continue;
        }
        let mut threshold =
            f64::from([-1.5, -0.0, 0.0, 1.0, 2.0, f32::INFINITY, f32::NEG_INFINITY, 3.25][rng.usize(..8)]);
        let missing = match rng.usize(..if order_only { 5 } else { 2 }) {
            0 => Missing::Yes,
            1 => Missing::No,
            2 => Missing::AsZero,
            3 => Missing::ZeroYes,
            _ => Missing::ZeroNo,
        };
        if missing > Missing::AsZero && threshold == f64::NEG_INFINITY {
            threshold = 0.5;
        }
        let condition = match rng.usize(..if order_only { 4 } else { 7 }) {
            0 => Condition::LessOrEqual(threshold),
            1 => Condition::Less(threshold),
            2 => Condition::GreaterOrEqual(threshold),
            3 => Condition::Greater(threshold),
            4 => Condition::Equal(threshold),
            5 => Condition::NotEqual(threshold),
            _ => Condition::Member { set: vec![threshold, 1.0, -3.0], truncating: rng.bool() },
        };
        let (yes, no) = (nodes.len(), nodes.len() + 1);
        nodes[index] = TreeNode::Branch { feature: rng.u32(..2), condition, missing, yes, no };
        nodes.extend([TreeNode::Leaf(Vec::new()), TreeNode::Leaf(Vec::new())]);
        open.extend([(yes, depth - 1), (no, depth - 1)]);
    }
    nodes
}

fn holds(condition: &Condition, missing: Missing, x: f64) -> bool {
    let x = match missing {
        Missing::Yes if x.is_nan() => return true,
        Missing::No if x.is_nan() => return false,
        Missing::ZeroYes if x.is_nan() || x.abs() <= 1e-35 => return true,
        Missing::ZeroNo if x.is_nan() || x.abs() <= 1e-35 => return false,
        Missing::AsZero if x.is_nan() => 0.0,
        _ => x,
    };
    match condition {
        Condition::LessOrEqual(threshold) => x <= *threshold,
        Condition::Less(threshold) => x < *threshold,
        Condition::GreaterOrEqual(threshold) => x >= *threshold,
        Condition::Greater(threshold) => x > *threshold,
        Condition::Equal(number) => x == *number,
        Condition::NotEqual(number) => x != *number,
        Condition::Member { set, truncating } => set.contains(&if *truncating { x.trunc() } else { x }),
    }
}

fn expected(model: &TreeModel, row: [f64; 2]) -> Vec<f64> {
    let mut sums = model.start.clone();
    for nodes in &model.trees {
        let mut node = &nodes[0];
        while let TreeNode::Branch { feature, condition, missing, yes, no } = node {
            node = &nodes[if holds(condition, *missing, row[*feature as usize]) { *yes } else { *no }];
        }
        let TreeNode::Leaf(values) = node else { unreachable!() };
        for (target, value) in values {
            let sum = &mut sums[*target as usize];
            *sum = if model.values == Kind::Double {
                *sum + value
            } else {
                f64::from(*sum as f32 + *value as f32)
            };
        }
    }
    sums
}

fn run(model: &TreeModel, rows: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let mut builder = ProgramBuilder::new();
    let from = builder.input("X", model.features, 2).unwrap();
    let to = builder.columns(model.values, model.start.len()).unwrap();
    let ensemble = builder.ensemble(lower(model).unwrap());
    builder.step("Trees", Step::Trees { from, ensemble, to });
    builder.output("Y", to);
    let prepared = Model::new(builder.finish().unwrap()).unwrap();
    let columns = [0, 1].map(|feature| rows.iter().map(|row| row[feature]).collect::<Vec<f64>>());
    let sources =
        columns.each_ref().map(|values| SourceColumn { values: Source::Doubles(values), missing: &[] });
    let answers = prepared.run(rows.len(), &sources, &mut Buffers::default()).unwrap();
    let values: Vec<f64> = match &answers.outputs[0] {
        OutputColumns::Floats(values) => values.iter().map(|value| f64::from(*value)).collect(),
        OutputColumns::Doubles(values) => values.clone(),
        other => panic!("{other:?}"),
    };
    (0..rows.len()).map(|row| values.chunks_exact(rows.len()).map(|column| column[row]).collect()).collect()
}

#[test]
fn lowered_trees_send_every_value_where_the_described_ones_do() {
    let mut rng = Rng::with_seed(2);
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1e-40,
        -1e-36,
        1.0,
        -1.5,
        1.5,
        2.0,
        -3.0,
        -3.5,
        3.25,
    ];
    // Whole numbers of 32 bits, so that both kinds of features take them as they are.
    let rows: Vec<[f64; 2]> = special
        .iter()
        .flat_map(|one| special.map(|other| [f64::from(*one as f32), f64::from(other as f32)]))
        .collect();
    for round in 0..60 {
        let model = TreeModel {
            features: if rng.bool() { Kind::Float } else { Kind::Double },
            values: if rng.bool() { Kind::Float } else { Kind::Double },
            aggregate: Aggregate::Sum,
            start: vec![0.5, 0.0, -1.0],
            trees: (0..6).map(|_| tree(&mut rng, 5, round % 2 == 0)).collect(),
        };
        let expected: Vec<Vec<f64>> = rows.iter().map(|row| expected(&model, *row)).collect();
        assert_eq!(run(&model, &rows), expected, "{model:?}");
    }
}

fn branch(yes: usize, no: usize) -> TreeNode {
    TreeNode::Branch { feature: 0, condition: Condition::Less(1.0), missing: Missing::No, yes, no }
}

fn fault(tree: TreeNodes) -> String {
    let model = TreeModel {
        features: Kind::Float,
        values: Kind::Float,
        aggregate: Aggregate::Sum,
        start: vec![0.0],
        trees: vec![vec![TreeNode::Leaf(Vec::new())], tree],
    };
    lower(&model).unwrap_err().to_string()
}

#[test]
fn what_is_no_tree_is_refused() {
    let leaf = || TreeNode::Leaf(vec![(0, 1.0)]);
    assert_eq!(fault(vec![]), "tree 1: there is no node");
    assert_eq!(fault(vec![branch(0, 1), leaf()]), "tree 1: it has a cycle through node 0");
    assert_eq!(fault(vec![branch(1, 2), branch(2, 0), leaf()]), "tree 1: it has a cycle through node 0");
    assert_eq!(fault(vec![branch(1, 7), leaf()]), "tree 1: node 0 has no child 7");
    // Each node leads to the next one twice: 2^30 leaves.
    let mut shared: TreeNodes = (1..=30).map(|next| branch(next, next)).collect();
    shared.push(leaf());
    assert_eq!(fault(shared), "tree 1: 31 nodes share too many of their children");
    assert_eq!(fault(vec![TreeNode::Leaf(vec![(1, 1.0)])]), "tree 1: there is no target 1");
}

#[test]
fn thresholds_of_a_feature_may_exceed_the_ranks_of_a_column() {
    let count = MAX_THRESHOLDS + 10;
    let trees: Vec<TreeNodes> = (0..count)
        .map(|number| {
            vec![
                TreeNode::Branch {
                    feature: 0,
                    condition: Condition::LessOrEqual(number as f64),
                    missing: Missing::No,
                    yes: 1,
                    no: 2,
                },
                TreeNode::Leaf(vec![(0, 1.0)]),
                TreeNode::Leaf(vec![]),
            ]
        })
        .collect();
    let model = TreeModel {
        features: Kind::Double,
        values: Kind::Double,
        aggregate: Aggregate::Sum,
        start: vec![0.0],
        trees,
    };
    let rows = [[-1.0, 0.0], [0.0, 0.0], [65_533.5, 0.0], [65_540.0, 0.0], [1e9, 0.0], [f64::NAN, 0.0]];
    let expected = rows.map(|[x, _]| vec![(0..count).filter(|number| x <= *number as f64).count() as f64]);
    assert_eq!(run(&model, &rows), expected);
    // More rows are run bottom-up.
    let repeated: Vec<Vec<f64>> = expected.iter().cycle().take(180).cloned().collect();
    assert_eq!(run(&model, &rows.repeat(30)), repeated);
}

#[test]
fn chains_of_equalities_become_sets() {
    let equal = |number: usize, missing| TreeNode::Branch {
        feature: 0,
        condition: Condition::Equal(number as f64),
        missing,
        yes: 4,
        no: number,
    };
    let nodes = vec![
        equal(1, Missing::No),
        equal(2, Missing::Yes),
        equal(3, Missing::No),
        TreeNode::Leaf(vec![(0, 1.0)]),
        TreeNode::Leaf(vec![(0, 2.0)]),
    ];
    let model = TreeModel {
        features: Kind::Float,
        values: Kind::Double,
        aggregate: Aggregate::Sum,
        start: vec![0.0],
        trees: vec![nodes],
    };
    assert_eq!(lower(&model).unwrap().nodes.len(), 3);
    let rows = [0.0, 1.0, 2.0, 3.0, 4.0, 2.5, f64::NAN].map(|x| [x, 0.0]);
    let expected = [1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 2.0].map(|sum| vec![sum]);
    assert_eq!(run(&model, &rows), expected);
}
