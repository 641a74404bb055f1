use neural_engine::NeuralEngine;
use tabular_engine::{Buffers, Model, SourceColumn};
use tabular_program::Values;

use super::*;
use crate::graph_lowering::Preference;
use crate::tensor::Constant;

mod case_file;
mod conformance;
mod hostile_files;
#[path = "../../../../tests/tests/hostile_models/protocol_buffer.rs"]
#[expect(dead_code, reason = "the whole-system tests use the others")]
mod protocol_buffer;

use case_file::{Case, OwnedColumn, by_row};

/// What a case's model answers.
struct CaseAnswers {
    /// The values of each output, one row after the other.
    outputs: Vec<Values>,
    /// Whether the neural engine computes a part of them.
    is_neural: bool,
}

/// What a case's model answers, or why it cannot be imported. The inputs from `constants` on become constants.
fn answers(case: &Case, constants: usize, preference: Preference) -> Result<CaseAnswers, OnnxError> {
    let mut proto = proto::Model::parse(&case.model)?;
    let names: Vec<String> = proto.graph.inputs.iter().map(|input| input.name.clone()).collect();
    for (name, input) in names.into_iter().zip(&case.inputs).skip(constants) {
        proto.graph.initializers.push(proto::Tensor { name, ..input.clone() });
    }
    let program = graph_lowering::lower_with(&proto, preference)?.program;
    let is_neural = program.has_subgraphs();
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    let model =
        Model::with_graphs(program, &NeuralEngine).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let inputs: Vec<Constant> =
        case.inputs[..constants].iter().map(Constant::parse).collect::<Result<_, _>>()?;
    let rows = inputs.first().map_or(1, |input| input.dimensions.first().copied().unwrap_or(1));
    let columns: Vec<OwnedColumn> =
        inputs.iter().flat_map(|input| OwnedColumn::columns(input, rows)).collect();
    let sources: Vec<SourceColumn> = columns.iter().map(OwnedColumn::source).collect();
    let expected: usize = model.inputs().iter().map(|input| input.columns.width as usize).sum();
    if inputs.iter().any(|input| input.dimensions.first() != Some(&rows)) || sources.len() != expected {
        return Err(OnnxError::Graph { fault: "its inputs have different numbers of rows".into() });
    }
    let answers = model.run(rows, &sources, &mut Buffers::default()).unwrap();
    if let Some(failure) = answers.failures.first() {
        return Err(OnnxError::Graph { fault: format!("row {}: {}", failure.row, failure.message).into() });
    }
    let all: Vec<Values> = (0..answers.outputs.len()).map(|output| by_row(&answers, output, rows)).collect();
    // Rows that are answered one by one have the same answers.
    let mut buffers = Buffers::default();
    for row in 0..rows.min(5) {
        let single: Vec<OwnedColumn> = columns.iter().map(|column| column.row(row)).collect();
        let sources: Vec<SourceColumn> = single.iter().map(OwnedColumn::source).collect();
        let answers = model.run(1, &sources, &mut buffers).unwrap();
        for (output, all) in all.iter().enumerate() {
            let one = by_row(&answers, output, 1);
            let width = one.len();
            let positions: Vec<u32> = (row * width..(row + 1) * width).map(|cell| cell as u32).collect();
            let difference = case_file::difference(&one, &tensor::select(all, &positions));
            assert_eq!(difference.bits, 0, "{}: row {row} alone", case.name);
        }
    }
    Ok(CaseAnswers { outputs: all, is_neural })
}
