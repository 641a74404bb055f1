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
