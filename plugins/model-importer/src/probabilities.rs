//! Whether the scores of a model are probabilities, found by trying it on rows.
//!
//! No format says it: a linear classifier without a transformation calls its margins probabilities, too. So the model
//! answers rows of small, usual and huge numbers. A row of an actual run that still has a score outside of 0 to 1, or
//! scores that do not add up to 1 like those of all these rows, is unanswered, with the reason.

use tabular_engine::{Buffers, Model, OutputColumns, Source, SourceColumn};
use tabular_program::{Kind, PROBABILITY_TOLERANCE, Program, SUM_TOLERANCE};

/// The numbers of the rows. Each column also gets them shifted against the others, so that columns differ.
const NUMBERS: [f64; 16] =
    [0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 10.0, -25.0, 100.0, 1e3, -1e3, 1e4, -1e4, 1e6, -1e6, 7.25];

/// The values that scores have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreRange {
    /// Not all of them are from 0 to 1.
    Unbounded,
    /// All are from 0 to 1.
    UnitInterval,
    /// All are from 0 to 1, and those of each row add up to 1.
    Distribution,
}

/// Whether all scores of an output lie between 0 and 1.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn are_probabilities(program: &Program, output: usize) -> Result<bool, String> {
    Ok(score_range(program, output)? != ScoreRange::Unbounded)
}

/// The values of the scores of an output.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn score_range(program: &Program, output: usize) -> Result<ScoreRange, String> {
    let model = Model::new(program.clone()).map_err(|error| error.to_string())?;
    let columns: Vec<Kind> = program.input_kinds().collect();
    let rows = 2 * NUMBERS.len();
    let number = |row: usize, column: usize| {
        let shift = if row < NUMBERS.len() { 0 } else { 5 * column };
        NUMBERS[(row + shift) % NUMBERS.len()]
    };
    let doubles: Vec<Vec<f64>> =
        (0..columns.len()).map(|column| (0..rows).map(|row| number(row, column)).collect()).collect();
    let integers: Vec<Vec<i64>> =
        doubles.iter().map(|numbers| numbers.iter().map(|number| *number as i64).collect()).collect();
    let booleans: Vec<u8> = (0..rows).map(|row| (row % 2) as u8).collect();
    let offsets = vec![0; rows + 1];
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
    let answers = model.run(rows, &sources, &mut buffers).map_err(|error| error.to_string())?;
    let has_failed = |row: usize| answers.failures.iter().any(|failure| failure.row as usize == row);
    let scores: Vec<f64> = match answers.outputs.get(output) {
        Some(OutputColumns::Floats(values)) => values.iter().map(|value| f64::from(*value)).collect(),
        Some(OutputColumns::Doubles(values)) => values.clone(),
        _ => return Ok(ScoreRange::Unbounded),
    };
    let range = -PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE;
    let is_probability = |score: &f64| score.is_nan() || range.contains(score);
    if !scores.iter().enumerate().all(|(cell, score)| has_failed(cell % rows) || is_probability(score)) {
        return Ok(ScoreRange::Unbounded);
    }
    // The scores lie column by column.
    let sum = |row: usize| scores.iter().skip(row).step_by(rows).sum::<f64>();
    let is_distribution =
        |row: usize| has_failed(row) || sum(row).is_nan() || (sum(row) - 1.0).abs() <= SUM_TOLERANCE;
    Ok(match (0..rows).all(is_distribution) {
        true => ScoreRange::Distribution,
        false => ScoreRange::UnitInterval,
    })
}
