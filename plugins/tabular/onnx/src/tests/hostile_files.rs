//! Damaged and malicious files: each is refused with a message, or is a model that runs.

use fastrand::Rng;
use tabular_engine::{Buffers, Model, Source, SourceColumn};

use super::case_file;
use super::protocol_buffer::{field, file, integer_attribute, integer_list, integer_tensor, node, value};
use crate::{Kind, Program, import};

/// Imports a file and, if that succeeds, runs it on three rows.
fn try_file(file: &[u8]) -> Result<(), String> {
    let program = import(file, |_| None).map_err(|error| error.to_string())?.program;
    try_program(&program.to_bytes())
}

/// Reads a program and, if that succeeds, runs it on three rows.
fn try_program(bytes: &[u8]) -> Result<(), String> {
    let program = Program::from_bytes(bytes).map_err(|error| error.to_string())?;
    // A damaged dimension can ask for columns that fit but take long.
    if program.planes.iter().sum::<u32>() > 100_000 {
        return Ok(());
    }
    let model = Model::new(program).map_err(|error| error.to_string())?;
    let sources: Vec<SourceColumn> = model
        .inputs()
        .iter()
        .flat_map(|input| {
            let values = match input.columns.kind {
                Kind::Boolean => Source::Booleans(&[0, 1, 1]),
                Kind::Integer => Source::Integers(&[i64::MIN, 0, 7]),
                Kind::Float => Source::Floats(&[f32::NAN, f32::INFINITY, 0.5]),
                Kind::Double => Source::Doubles(&[f64::NAN, f64::NEG_INFINITY, 1e300]),
                Kind::Text => Source::Texts { offsets: &[0, 0, 2, 5], bytes: "abxyz".as_bytes() },
            };
            std::iter::repeat_n(SourceColumn { values, missing: &[] }, input.columns.width as usize)
        })
        .collect();
    model.run(3, &sources, &mut Buffers::default()).map_err(|error| error.to_string())?;
    Ok(())
}

#[test]
fn cut_and_changed_files_are_refused_or_run() {
    let mut rng = Rng::with_seed(3);
    let files: [&[u8]; 3] = [
        include_bytes!("../../tests/exports.cases.gz"),
        include_bytes!("../../tests/tree-operators.cases.gz"),
        include_bytes!("../../tests/text-operators.cases.gz"),
    ];
    let mut refused = 0;
    for (index, case) in files.iter().flat_map(|file| case_file::parse(file)).enumerate() {
        // Cases of one operator have much in common.
        if index >= 78 && index % 8 != 0 {
            continue;
        }
        let model = &case.model;
        for _ in 0..8 {
            refused += usize::from(try_file(&model[..rng.usize(..model.len())]).is_err());
        }
        for _ in 0..30 {
            let mut changed = model.clone();
            for _ in 0..rng.usize(1..4) {
                let position = rng.usize(..changed.len());
                changed[position] =
                    if rng.bool() { rng.u8(..) } else { changed[position] ^ 1 << rng.u8(..8) };
            }
            refused += usize::from(try_file(&changed).is_err());
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// What rten does with a changed net is a matter of the sandbox, so the nets are imported only.
#[test]
fn cut_and_changed_nets_are_refused_or_imported() {
    let mut rng = Rng::with_seed(5);
    let files: [&[u8]; 3] = [
        include_bytes!("../../tests/nets.cases.gz"),
        include_bytes!("../../tests/net-operators.cases.gz"),
        include_bytes!("../../tests/net-node-tests.cases.gz"),
    ];
    let mut refused = 0;
    for case in files.iter().flat_map(|file| case_file::parse(file)) {
        let model = &case.model;
        for _ in 0..40 {
            let mut changed = model[..rng.usize(model.len() / 2..=model.len())].to_vec();
            for _ in 0..rng.usize(1..4) {
                let position = rng.usize(..changed.len());
                changed[position] =
                    if rng.bool() { rng.u8(..) } else { changed[position] ^ 1 << rng.u8(..8) };
            }
            refused += usize::from(import(&changed, |_| None).is_err());
        }
        for _ in 0..80 {
            let mut changed = model.clone();
            let position = rng.usize(..changed.len());
            changed[position] = if rng.bool() { rng.u8(..) } else { 0xff };
            refused += usize::from(import(&changed, |_| None).is_err());
        }
    }
    assert!(refused > 5000, "{refused}");
}

#[test]
fn changed_programs_are_refused_or_run() {
    let mut rng = Rng::with_seed(4);
    let mut refused = 0;
    for case in case_file::parse(include_bytes!("../../tests/exports.cases.gz")) {
        let bytes = import(&case.model, |_| None).unwrap().program.to_bytes();
        for _ in 0..40 {
            let mut changed = bytes.clone();
            for _ in 0..rng.usize(1..3) {
                let position = rng.usize(..changed.len());
                changed[position] ^= 1 << rng.u8(..8);
            }
            refused += usize::from(try_program(&changed).is_err());
        }
    }
    assert!(refused > 300, "{refused}");
}

fn fault(file: &[u8]) -> String {
    import(file, |_| None).unwrap_err().to_string()
}

#[test]
fn cycles_and_unknown_values_are_refused() {
    let cycle = file(
        &[node("Add", &["X", "B"], "A", &[]), node("Neg", &["A"], "B", &[]), node("Exp", &["B"], "Y", &[])],
        &[],
    );
    assert!(fault(&cycle).starts_with("the graph of the ONNX file is invalid: it has a cycle through node"));
    let unknown = file(&[node("Neg", &["Z"], "Y", &[])], &[]);
    assert_eq!(
        fault(&unknown),
        "the graph of the ONNX file is invalid: nothing computes \"Z\", which node \"node Y\" reads; export the model again"
    );
    let twice = file(&[node("Neg", &["X"], "Y", &[]), node("Exp", &["X"], "Y", &[])], &[]);
    assert_eq!(
        fault(&twice),
        "the graph of the ONNX file is invalid: value \"Y\" is computed twice; export the model again"
    );
}

#[test]
fn unknown_operators_are_named() {
    let unknown = file(&[node("Hardmax", &["X"], "Y", &[])], &[]);
    assert_eq!(
        fault(&unknown),
        "node \"node Y\" (Hardmax): the operator is not supported; export the model without it"
    );
    let other_use = file(&[node("Conv", &["X"], "Y", &[])], &[]);
    assert_eq!(
        fault(&other_use),
        "node \"node Y\" (Conv): its argument is [rows, 2], expected one or two dimensions after rows and channels; export the model without it"
    );
}

#[test]
fn operators_that_combine_rows_are_refused() {
    let axis = integer_attribute("axis", 0);
    let softmax = file(&[node("Softmax", &["X"], "Y", &[axis])], &[]);
    assert_eq!(
        fault(&softmax),
        "node \"node Y\" (Softmax): it works along axis 0 of [rows, 2], which combines rows; export the model without it"
    );
    let product = file(&[node("Transpose", &["X"], "T", &[]), node("MatMul", &["T", "X"], "Y", &[])], &[]);
    assert_eq!(
        fault(&product),
        "node \"node Y\" (MatMul): [2, rows] is multiplied with [rows, 2]: the inner dimensions do not fit, or have rows; export the model without it"
    );
    let outer = file(&[node("Transpose", &["X"], "T", &[]), node("MatMul", &["X", "T"], "Y", &[])], &[]);
    assert!(fault(&outer).contains("it combines rows with rows: its result would be [rows, rows]"));
    let halves =
        file(&[node("Reshape", &["X", "S"], "Y", &[])], &[integer_tensor("S", &[2], &[u64::MAX, 4])]);
    assert!(fault(&halves).contains("does not fit into the shape"), "{}", fault(&halves));
}

#[test]
fn huge_dimensions_are_refused() {
    let huge = 1 << 40;
    let shape = file(
        &[node("ConstantOfShape", &["S"], "B", &[]), node("Add", &["X", "B"], "Y", &[])],
        &[integer_tensor("S", &[2], &[huge, huge])],
    );
    assert!(fault(&shape).contains("has more than 1048576 columns"), "{}", fault(&shape));
    let bomb = file(&[node("Add", &["X", "S"], "Y", &[])], &[integer_tensor("S", &[huge, huge], &[1])]);
    assert!(
        fault(&bomb).contains("it has 1 values, its dimensions require 18446744073709551615"),
        "{}",
        fault(&bomb)
    );
    let negative = file(&[node("Add", &["X", "S"], "Y", &[])], &[integer_tensor("S", &[u64::MAX], &[1])]);
    assert!(fault(&negative).contains("dimension -1 is negative"), "{}", fault(&negative));
    let expanded =
        file(&[node("Expand", &["X", "S"], "Y", &[])], &[integer_tensor("S", &[2], &[1 << 30, 2])]);
    assert!(fault(&expanded).contains("(Expand)"), "{}", fault(&expanded));
    let mut broad = file(&[node("Neg", &["X"], "Y", &[])], &[]);
    let input = value("X", &[0, 2]);
    let position = broad.windows(input.len()).position(|window| window == input).unwrap();
    broad[position + input.len() - 1] = 0x7f;
    assert!(try_file(&broad).is_ok());
}

#[test]
fn trees_that_loop_are_refused() {
    let attributes = |children: [u64; 3]| {
        let texts =
            ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"].iter().flat_map(|mode| field(9, mode)).collect::<Vec<u8>>();
        let floats = [vec![(7 << 3 | 5) as u8], 1.0_f32.to_le_bytes().to_vec()].concat().repeat(3);
        vec![
            integer_list("nodes_treeids", &[0, 0, 0]),
            integer_list("nodes_nodeids", &[0, 1, 2]),
            integer_list("nodes_featureids", &[0, 1, 0]),
            integer_list("nodes_truenodeids", &children),
            integer_list("nodes_falsenodeids", &[2, 2, 0]),
            [field(1, "nodes_modes"), texts].concat(),
            [field(1, "nodes_values"), floats].concat(),
            integer_attribute("n_targets", 1),
        ]
    };
    let tree = |children| {
        let mut tree = node("TreeEnsembleRegressor", &["X"], "Y", &attributes(children));
        tree.extend(field(7, "ai.onnx.ml"));
        file(&[tree], &[])
    };
    assert_eq!(try_file(&tree([1, 2, 0])), Ok(()));
    assert!(
        fault(&tree([1, 0, 0]))
            .ends_with("tree 0: it has a cycle through node 0; export the model without it"),
        "{}",
        fault(&tree([1, 0, 0]))
    );
    assert!(fault(&tree([1 << 31, 2, 0])).contains("has a child 2147483648, which does not exist"));
}

#[test]
fn other_files_are_refused() {
    assert_eq!(
        fault(b""),
        "the file is damaged, or it is no ONNX file: it has 0 graphs, expected 1; export the model again"
    );
    assert!(fault(b"PK\x03\x04 a zip file").starts_with("the file is damaged, or it is no ONNX file: "));
    assert_eq!(
        fault(&field(7, "")),
        "the graph of the ONNX file is invalid: it has no outputs; export the model again"
    );
    let mut graph = Vec::new();
    for _ in 0..10 {
        graph = field(1, field(5, field(6, &graph)));
    }
    assert!(fault(&field(7, graph)).contains("graphs are nested too deep"));
}
