use fastrand::Rng;
use tabular_program::{
    Aggregate, Columns, FloatValues, Input, Instruction, Kind, Node, Output, Program, Step, Test, Tree,
};

use super::*;
use crate::{Buffers, Model, OutputColumns, Source, SourceColumn};

/// What a row gets by the definition of a program.
fn reference(ensemble: &Ensemble, row: &[f32]) -> Vec<f32> {
    let mut ranks = Vec::new();
    for test in &ensemble.tests {
        let x = row[test.feature() as usize];
        match test {
            Test::Order { thresholds: FloatValues::Floats { values }, missing, zero_missing, .. } => {
                let below = values.iter().filter(|threshold| **threshold < x).count() as u16 + 1;
                let is_missing = x.is_nan() || (*zero_missing && x.abs() <= 1e-35);
                ranks.push(if is_missing { *missing } else { below });
            }
            Test::Membership { members: FloatValues::Floats { values }, sets, bits, truncating, .. } => {
                let x = if *truncating { x.trunc() } else { x };
                let other = values.len() + usize::from(x.is_nan());
                let code = values.iter().position(|member| *member == x).unwrap_or(other);
                let stride = sets.div_ceil(8) as usize;
                ranks.extend(
                    (0..*sets as usize)
                        .map(|set| 2 - u16::from(bits[code * stride + set / 8] >> (set % 8) & 1)),
                );
            }
            _ => unreachable!(),
        }
    }
    let (FloatValues::Floats { values: start }, FloatValues::Floats { values }) =
        (&ensemble.start, &ensemble.values)
    else {
        unreachable!()
    };
    let mut sums = start.clone();
    let (mut nodes, mut values) = (&ensemble.nodes[..], &values[..]);
    for tree in &ensemble.trees {
        let mut node = nodes[0];
        while !node.is_leaf() {
            let second = ranks[usize::from(node.column)] <= node.rank;
            node = nodes[node.child as usize + usize::from(second)];
        }
        let targets = match tree.target {
            Some(target) => target as usize..target as usize + 1,
            None => 0..sums.len(),
        };
        let width = targets.len();
        for (sum, value) in sums[targets].iter_mut().zip(&values[node.child as usize * width..]) {
            *sum = match ensemble.aggregate {
                Aggregate::Sum => *sum + value,
                Aggregate::Minimum => sum.min(*value),
                Aggregate::Maximum => sum.max(*value),
            };
        }
        nodes = &nodes[tree.nodes as usize..];
        values = &values[tree.leaves as usize * width..];
    }
    sums
}

/// A tree with random tests, grown to a depth of at most `depth`; `same` gives all nodes of a level the same test.
fn tree(rng: &mut Rng, greatest: &[u16], depth: usize, same: bool) -> Vec<Node> {
    let test = |rng: &mut Rng| {
        let column = rng.usize(..greatest.len());
        (column as u16, rng.u16(1..=greatest[column]))
    };
    let levels: Vec<(u16, u16)> = (0..depth).map(|_| test(rng)).collect();
    let mut nodes = vec![Node { column: 0, rank: 0, child: 0 }];
    let mut open = vec![(0, 0)];
    let mut leaves = 0;
    while let Some((index, level)) = open.pop() {
        let inner = level < depth && (same || rng.u8(..10) > 0);
        if inner {
            let (column, rank) = if same { levels[level] } else { test(rng) };
            nodes[index] = Node { column, rank, child: nodes.len() as u32 };
            open.extend([(nodes.len() + 1, level + 1), (nodes.len(), level + 1)]);
            nodes.extend([Node { column: 0, rank: 0, child: 0 }; 2]);
        } else {
            nodes[index].child = leaves;
            leaves += 1;
        }
    }
    nodes
}

fn ensemble(rng: &mut Rng, targets: usize, trees: usize, depth: usize) -> Ensemble {
    let order = |rng: &mut Rng, feature, count: usize, missing, zero_missing| {
        let mut values: Vec<f32> =
            (0..count).map(|_| (rng.f32() * 16.0 - 8.0).round() / 4.0 + rng.f32()).collect();
        values.sort_by(f32::total_cmp);
        values.dedup();
        let missing = if missing { 1 } else { values.len() as u16 + 1 };
        Test::Order { feature, thresholds: FloatValues::Floats { values }, missing, zero_missing }
    };
    let tests = vec![
        order(rng, 0, 1, false, false),
        order(rng, 0, 12, true, false),
        order(rng, 1, 700, false, false),
        order(rng, 1, 700, true, true),
        Test::Membership {
            feature: 2,
            members: FloatValues::Floats { values: vec![-1.0, 0.0, 2.0] },
            sets: 9,
            bits: (0..10).map(|_| rng.u8(..)).collect(),
            truncating: true,
        },
    ];
    let greatest: Vec<u16> = tests
        .iter()
        .flat_map(|test| {
            let greatest = if test.rank_columns() == 1 { test.thresholds().len() as u16 } else { 1 };
            std::iter::repeat_n(greatest, test.rank_columns())
        })
        .collect();
    let mut result = Ensemble {
        start: FloatValues::Floats { values: (0..targets).map(|_| rng.f32()).collect() },
        tests,
        ..Ensemble::default()
    };
    let mut values = Vec::new();
    for _ in 0..trees {
        let depth = rng.usize(0..=depth);
        let same = rng.bool() && depth <= 8;
        let nodes = tree(rng, &greatest, depth, same);
        let leaves = nodes.iter().filter(|node| node.is_leaf()).count();
        let target = if rng.bool() { Some(rng.u32(..targets as u32)) } else { None };
        let width = if target.is_some() { 1 } else { targets };
        values.extend((0..leaves * width).map(|_| rng.f32() - 0.5));
        result.trees.push(Tree { nodes: nodes.len() as u32, leaves: leaves as u32, target });
        result.nodes.extend(nodes);
    }
    result.values = FloatValues::Floats { values };
    result
}

fn sums(model: &Model, rows: &[[f32; 3]]) -> Vec<Vec<f32>> {
    let columns: Vec<Vec<f32>> =
        (0..3).map(|feature| rows.iter().map(|row| row[feature]).collect()).collect();
    let sources: Vec<SourceColumn> =
        columns.iter().map(|values| SourceColumn { values: Source::Floats(values), missing: &[] }).collect();
    let answers = model.run(rows.len(), &sources, &mut Buffers::default()).unwrap();
    let OutputColumns::Floats(values) = &answers.outputs[0] else { unreachable!() };
    (0..rows.len()).map(|row| values.chunks_exact(rows.len()).map(|column| column[row]).collect()).collect()
}

#[test]
fn sums_match_the_definition_for_any_number_of_rows() {
    let mut rng = Rng::with_seed(1);
    for targets in 1..=5 {
        for aggregate in [Aggregate::Sum, Aggregate::Minimum, Aggregate::Maximum] {
            for (trees, depth) in [(20, 0), (20, 3), (20, 6), (20, 14), (0, 0)] {
                let mut ensemble = ensemble(&mut rng, targets, trees, depth);
                ensemble.aggregate = aggregate;
                let from = Columns { kind: Kind::Float, start: 0, width: 3 };
                let to = Columns { kind: Kind::Float, start: 3, width: targets as u32 };
                let program = Program {
                    inputs: vec![Input { name: "X".to_owned(), columns: from }],
                    outputs: vec![Output { name: "Y".to_owned(), columns: to }],
                    planes: [0, 0, 3 + targets as u32, 0, 0],
                    steps: vec![Instruction {
                        origin: "Trees".to_owned(),
                        step: Step::Trees { from, ensemble: 0, to },
                    }],
                    ensembles: vec![ensemble.clone()],
                };
                let model = Model::new(Program::from_bytes(&program.to_bytes()).unwrap()).unwrap();
                let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1e-36, 2.5, -1.7];
                let rows: Vec<[f32; 3]> = (0..300)
                    .map(|_| {
                        [0; 3].map(|_| match rng.usize(..16) {
                            index if index < 8 => special[index],
                            _ => rng.f32() * 8.0 - 4.0,
                        })
                    })
                    .collect();
                let expected: Vec<Vec<f32>> = rows.iter().map(|row| reference(&ensemble, row)).collect();
                for count in [1, 2, 7, 8, 31, 33, 129, 300] {
                    assert_eq!(
                        sums(&model, &rows[..count]),
                        expected[..count],
                        "{count} rows, {trees} trees, depth {depth}"
                    );
                }
            }
        }
    }
}

/// An ensemble that compares numbers alone.
fn ordered_ensemble(rng: &mut Rng, trees: usize, depth: usize) -> Ensemble {
    let tests: Vec<Test> = [(0, 1, true), (1, 12, false), (2, 700, true), (1, 40, true)]
        .map(|(feature, count, takes_missing)| {
            let mut values: Vec<f32> =
                (0..count).map(|_| (rng.f32() * 16.0 - 8.0).round() / 4.0 + rng.f32()).collect();
            values.push(0.0);
            values.sort_by(f32::total_cmp);
            values.dedup();
            // A missing value goes to the second child of all, some or no nodes.
            let missing =
                if takes_missing { rng.u16(1..=values.len() as u16) } else { values.len() as u16 + 1 };
            Test::Order { feature, thresholds: FloatValues::Floats { values }, missing, zero_missing: false }
        })
        .into();
    let greatest: Vec<u16> = tests.iter().map(|test| test.thresholds().len() as u16).collect();
    let mut ensemble = Ensemble { tests, ..Ensemble::default() };
    let mut values = Vec::new();
    for _ in 0..trees {
        let nodes = tree(rng, &greatest, depth, false);
        let leaves = nodes.iter().filter(|node| node.is_leaf()).count();
        values.extend((0..leaves).map(|_| rng.f32() - 0.5));
        ensemble.trees.push(Tree { nodes: nodes.len() as u32, leaves: leaves as u32, target: Some(0) });
        ensemble.nodes.extend(nodes);
    }
    ensemble.start = FloatValues::Floats { values: vec![0.25] };
    ensemble.values = FloatValues::Floats { values };
    ensemble
}

#[test]
fn thresholds_and_ranks_lead_to_the_same_leaves() {
    let mut rng = Rng::with_seed(4);
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1e-36, 2.5, -1.7];
    for (trees, depth) in [(1, 0), (1, 3), (1, 13), (7, 5), (30, 1)] {
        for rows in [1, 2, 7, 8, 9, 64, 127] {
            let ensemble = ordered_ensemble(&mut rng, trees, depth);
            let thresholds = ThresholdNodes::new(&ensemble).unwrap();
            let mut forest = Forest::new(ensemble.clone());
            forest.thresholds = None;
            let features: Vec<f32> = (0..3 * rows)
                .map(|_| match rng.usize(..24) {
                    index if index < 8 => special[index],
                    _ => rng.f32() * 8.0 - 4.0,
                })
                .collect();
            let mut scratch = Scratch::default();
            let (mut with_ranks, mut without) = (vec![0.0; rows], vec![0.0; rows]);
            let columns = Features::Floats(&features);
            forest.run(columns, rows, Results::Floats(&mut with_ranks), &mut scratch);
            let results = Results::Floats(&mut without);
            forest.run_without_ranks(&thresholds, columns, rows, results, &mut scratch);
            assert_eq!(with_ranks, without, "{trees} trees, depth {depth}, {rows} rows");
            for (row, sum) in without.iter().enumerate() {
                let row: Vec<f32> = features.chunks_exact(rows).map(|column| column[row]).collect();
                assert_eq!(*sum, reference(&ensemble, &row)[0]);
            }
        }
    }
}

#[test]
fn a_tree_is_followed_without_ranks_and_a_large_ensemble_with_them() {
    let mut rng = Rng::with_seed(5);
    assert!(Forest::new(ordered_ensemble(&mut rng, 1, 5)).thresholds.is_some());
    assert!(Forest::new(ordered_ensemble(&mut rng, 200, 5)).thresholds.is_none());
    assert!(ThresholdNodes::new(&ensemble(&mut rng, 1, 1, 3)).is_none(), "it has a membership");
}
