//! Whether the scores of a model are probabilities, found by trying it on rows.
//!
//! No format says it: a linear classifier without a transformation calls its margins probabilities, too. So the model
//! answers the [probe rows](crate::probe_rows). A row of an actual run that still has a score outside of 0 to 1, or
//! scores that do not add up to 1 like those of all these rows, is unanswered, with the reason.

use tabular_engine::OutputColumns;
use tabular_program::{PROBABILITY_TOLERANCE, Program, SCORE_SUM_TOLERANCE};

use crate::probe_rows::{self, ROWS};

/// The values that scores have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreRange {
    /// Not all of them are from 0 to 1.
    Other,
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
    Ok(score_range(program, output)? != ScoreRange::Other)
}

/// The values of the scores of an output.
///
/// # Errors
/// If the program cannot be run.
pub(crate) fn score_range(program: &Program, output: usize) -> Result<ScoreRange, String> {
    let results = probe_rows::run(program)?;
    let scores: Vec<f64> = match results.outputs.get(output) {
        Some(OutputColumns::Floats(values)) => values.iter().map(|value| f64::from(*value)).collect(),
        Some(OutputColumns::Doubles(values)) => values.clone(),
        _ => return Ok(ScoreRange::Other),
    };
    let range = -PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE;
    let is_probability = |score: &f64| score.is_nan() || range.contains(score);
    let has_failed = |row: usize| results.failures[row].is_some();
    if !scores.iter().enumerate().all(|(cell, score)| has_failed(cell % ROWS) || is_probability(score)) {
        return Ok(ScoreRange::Other);
    }
    // The scores lie column by column.
    let sum = |row: usize| scores.iter().skip(row).step_by(ROWS).sum::<f64>();
    let is_distribution =
        |row: usize| has_failed(row) || sum(row).is_nan() || (sum(row) - 1.0).abs() <= SCORE_SUM_TOLERANCE;
    Ok(match (0..ROWS).all(is_distribution) {
        true => ScoreRange::Distribution,
        false => ScoreRange::UnitInterval,
    })
}
