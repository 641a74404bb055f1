//! Rows on which a model is tried when it is imported: small, usual and huge numbers.

use neural_engine::NeuralEngine;
use tabular_engine::{Buffers, Model, OutputColumns, Source, SourceColumn};
use tabular_program::{Kind, Program};

/// The numbers of the rows. Each column also gets them shifted against the others, so that columns differ.
const NUMBERS: [f64; 16] =
    [0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 10.0, -25.0, 100.0, 1e3, -1e3, 1e4, -1e4, 1e6, -1e6, 7.25];

/// The number of rows.
pub(crate) const ROWS: usize = 2 * NUMBERS.len();

/// What a program computes from the rows.
pub(crate) struct ProbeResults {
    /// The values of each output, one column after the other.
    pub(crate) outputs: Vec<OutputColumns>,
    /// For each row, why it has no answer.
    pub(crate) failures: [Option<String>; ROWS],
}

/// Runs a program on the rows.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn run(program: &Program) -> Result<ProbeResults, String> {
    let model = Model::with_graphs(program.clone(), &NeuralEngine).map_err(|error| error.to_string())?;
    let columns: Vec<Kind> = program.input_kinds().collect();
    let number = |row: usize, column: usize| {
        let shift = if row < NUMBERS.len() { 0 } else { 5 * column };
        NUMBERS[(row + shift) % NUMBERS.len()]
    };
    let doubles: Vec<Vec<f64>> =
        (0..columns.len()).map(|column| (0..ROWS).map(|row| number(row, column)).collect()).collect();
    let integers: Vec<Vec<i64>> =
        doubles.iter().map(|numbers| numbers.iter().map(|number| *number as i64).collect()).collect();
    let booleans: Vec<u8> = (0..ROWS).map(|row| (row % 2) as u8).collect();
    let offsets = vec![0; ROWS + 1];
    let source = |(column, kind): (usize, &Kind)| {
        let values = match kind {
            Kind::Boolean => Source::Booleans(&booleans),
            Kind::Integer => Source::Integers(&integers[column]),
            Kind::Float | Kind::Double => Source::Doubles(&doubles[column]),
            Kind::Text => Source::Texts { offsets: &offsets, bytes: &[] },
        };
        SourceColumn { values, missing: &[] }
    };
    let sources: Vec<_> = columns.iter().enumerate().map(source).collect();
    let mut buffers = Buffers::default();
    let answers = model.run(ROWS, &sources, &mut buffers).map_err(|error| error.to_string())?;
    let mut failures = [const { None }; ROWS];
    for failure in answers.failures {
        failures[failure.row as usize] = Some(failure.message);
    }
    Ok(ProbeResults { outputs: answers.outputs, failures })
}

/// Tries a program with subgraphs. What the importer does not foresee in them fails here instead of in a study.
///
/// # Errors
/// If the program cannot be run, or no row has an answer.
pub(crate) fn try_subgraphs(program: &Program) -> Result<(), String> {
    if !program.has_subgraphs() {
        return Ok(());
    }
    match run(program)?.failures.into_iter().collect::<Option<Vec<String>>>() {
        Some(failures) => Err(format!(
            "the model answers none of the rows that it was tried on: {}; check the model with onnxruntime",
            failures[0]
        )),
        None => Ok(()),
    }
}
