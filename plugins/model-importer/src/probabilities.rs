//! Whether the scores of a model are probabilities, found by trying it on rows.
//!
//! No format says it: a linear classifier without a transformation calls its margins probabilities, too. So the model
//! answers the [probe rows](crate::probe_rows). A row of an actual run that still has a score outside of 0 to 1 is
//! unanswered, with the reason.

use tabular_engine::OutputColumns;
use tabular_program::{PROBABILITY_TOLERANCE, Program};

use crate::probe_rows::{self, ROWS};

/// Whether all scores of an output lie between 0 and 1.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn are_probabilities(program: &Program, output: usize) -> Result<bool, String> {
    let results = probe_rows::run(program)?;
    let scores: Vec<f64> = match results.outputs.get(output) {
        Some(OutputColumns::Floats(values)) => values.iter().map(|value| f64::from(*value)).collect(),
        Some(OutputColumns::Doubles(values)) => values.clone(),
        _ => return Ok(false),
    };
    let range = -PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE;
    let is_probability = |score: &f64| score.is_nan() || range.contains(score);
    let has_failed = |cell: usize| results.failures[cell % ROWS].is_some();
    Ok(scores.iter().enumerate().all(|(cell, score)| has_failed(cell) || is_probability(score)))
}
