//! Outputs of a lowered model as answers.

use tabular_engine::{Answers as Outputs, Failure, OutputColumns, doubles};
use tabular_program::{AnswerRule, PROBABILITY_TOLERANCE, Scores};
use understudy_sdk::{Answer, AnswerValues, Answers, Labels, Reason, Text, WithConfidence, collect_answers};

use crate::label_columns::LabelColumns;
use crate::label_positions::LabelPositions;

/// The answers to `rows` rows. `label_positions` has the positions of labels that are indices.
pub(crate) fn answers(
    rule: &AnswerRule,
    label_positions: Option<&[u32]>,
    rows: u32,
    outputs: &Outputs<'_>,
) -> Answers {
    let failures = &outputs.failures[..];
    match rule {
        AnswerRule::Number { output } => {
            let numbers = Numbers::new(outputs, *output, rows);
            if failures.is_empty()
                && let Some(values) = numbers.finite_column()
            {
                let values = AnswerValues::Numbers(values);
                return Answers { values, confidence: None, probabilities: None, unanswered: Vec::new() };
            }
            collect(rows, failures, |row| Ok(numbers.get(0, row)))
        }
        AnswerRule::Label { output, names, scores } => {
            let label = |row: usize| label(outputs, *output, names, row);
            let Some(Scores { output: scores, labels, .. }) = scores else {
                return collect(rows, failures, label);
            };
            let numbers = Numbers::new(outputs, *scores, rows);
            if labels.is_empty() {
                return collect(rows, failures, |row| {
                    with_confidence(label(row)?, numbers.get(numbers.largest(row), row))
                });
            }
            let mut positions = LabelPositions::new(outputs, *output, labels, label_positions);
            if names.is_empty() {
                if let Some(answers) = positions.all().and_then(|positions| {
                    LabelColumns { positions, scores: &numbers, failures, labels }.answers(true)
                }) {
                    return answers;
                }
                return collect_labels(rows, failures, labels, true, |row| {
                    let position = positions.get(row)?;
                    Ok((position, numbers.get(position, row)))
                });
            }
            collect(rows, failures, |row| {
                let position = positions.get(row)?;
                with_confidence(label(row)?, numbers.get(position, row))
            })
        }
        AnswerRule::LargestScore { output, labels, confidence, .. } => {
            let numbers = Numbers::new(outputs, *output, rows);
            let positions = numbers.largest_columns();
            let columns = LabelColumns { positions, scores: &numbers, failures, labels };
            if let Some(answers) = columns.answers(*confidence) {
                return answers;
            }
            collect_labels(rows, failures, labels, *confidence, |row| {
                let column = numbers.largest(row);
                let score = numbers.get(column, row);
                if score.is_nan() {
                    return Err(Reason::Failed("the largest score is NaN".to_owned()));
                }
                Ok((column, score))
            })
        }
        AnswerRule::Ranking { output, labels, count } => {
            let numbers = Numbers::new(outputs, *output, rows);
            collect(rows, failures, |row| {
                let mut ranked: Vec<(f64, usize)> =
                    (0..labels.len()).map(|column| (numbers.get(column, row), column)).collect();
                if ranked.iter().any(|(score, _)| score.is_nan()) {
                    return Err(Reason::Failed("a score is NaN".to_owned()));
                }
                // The sort keeps the order of equal scores.
                ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
                let ranked = ranked.iter().take(*count as usize);
                Ok(ranked.map(|(_, column)| &labels[*column][..]).collect::<Vec<&str>>())
            })
        }
        AnswerRule::Threshold { output, threshold, labels, confidence } => {
            let numbers = Numbers::new(outputs, *output, rows);
            collect_labels(rows, failures, labels, *confidence, |row| {
                let score = numbers.get(0, row);
                if score.is_nan() {
                    return Err(Reason::Failed("the score is NaN".to_owned()));
                }
                let above = score >= *threshold;
                Ok((usize::from(above), if above { score } else { 1.0 - score }))
            })
        }
    }
}

/// Collects answers row by row. Rows in `failures` have none.
fn collect<A: Answer>(
    rows: u32,
    failures: &[Failure],
    mut answer: impl FnMut(usize) -> Result<A, Reason>,
) -> Answers {
    let mut failures = failures.iter().peekable();
    collect_answers(rows, |row| match failures.next_if(|failure| failure.row as usize == row) {
        Some(failure) => Err(Reason::Failed(failure.message.clone())),
        None => answer(row),
    })
}

/// A label without a position or a code.
pub(crate) const UNKNOWN: u32 = u32::MAX;

/// Collects labels row by row, by their positions in a list of all labels and their scores, which are confidences if
/// `has_confidence`. Names get their codes in the order in which rows first answer them, as in [`collect`].
fn collect_labels(
    rows: u32,
    failures: &[Failure],
    labels: &[String],
    has_confidence: bool,
    mut answer: impl FnMut(usize) -> Result<(usize, f64), Reason>,
) -> Answers {
    let mut names = Text { offsets: vec![0], bytes: Vec::new() };
    let mut known: Vec<u32> = vec![UNKNOWN; labels.len()];
    let mut codes = Vec::with_capacity(rows as usize);
    let mut confidences = Vec::with_capacity(if has_confidence { rows as usize } else { 0 });
    let mut unanswered = Vec::new();
    let mut failures = failures.iter().peekable();
    for row in 0..rows {
        let answered = match failures.next_if(|failure| failure.row == row) {
            Some(failure) => Err(Reason::Failed(failure.message.clone())),
            None => answer(row as usize),
        };
        let answered = answered.and_then(|(position, score)| {
            Ok((position, if has_confidence { confidence(score)? } else { 0.0 }))
        });
        let (code, confidence) = match answered {
            Ok((position, confidence)) => {
                if known[position] == UNKNOWN {
                    known[position] = code(&mut names, &labels[position]);
                }
                (known[position], confidence)
            }
            Err(reason) => {
                unanswered.push((row, reason));
                (0, 0.0)
            }
        };
        codes.push(code);
        if has_confidence {
            confidences.push(confidence);
        }
    }
    let values = AnswerValues::Labels(Labels { names, codes });
    let confidence = has_confidence.then_some(confidences);
    Answers { values, confidence, probabilities: None, unanswered }
}

/// The code of a name, which is added if it is new.
pub(crate) fn code(names: &mut Text, name: &str) -> u32 {
    let is_same = |ends: &[u32]| &names.bytes[ends[0] as usize..ends[1] as usize] == name.as_bytes();
    if let Some(code) = names.offsets.windows(2).position(is_same) {
        return code as u32;
    }
    names.bytes.extend_from_slice(name.as_bytes());
    names.offsets.push(names.bytes.len() as u32);
    names.offsets.len() as u32 - 2
}

/// The score of a label as a confidence.
fn confidence(score: f64) -> Result<f64, Reason> {
    if (-PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE).contains(&score) {
        Ok(score.clamp(0.0, 1.0))
    } else {
        Err(Reason::Failed(format!("the score of the label is {score}, expected a probability from 0 to 1")))
    }
}

/// A label with its score as the confidence.
fn with_confidence<A>(answer: A, score: f64) -> Result<WithConfidence<A>, Reason> {
    Ok(WithConfidence { answer, confidence: confidence(score)? })
}

/// The label of a row.
pub(crate) fn label<'a>(
    outputs: &'a Outputs<'_>,
    output: u32,
    names: &'a [String],
    row: usize,
) -> Result<std::borrow::Cow<'a, str>, Reason> {
    let value = match outputs.outputs.get(output as usize) {
        Some(OutputColumns::Texts(cells)) => return Ok(outputs.texts.get(cells[row]).into()),
        Some(OutputColumns::Integers(values)) => values[row],
        Some(OutputColumns::Booleans(values)) => i64::from(values[row]),
        _ => unreachable!("the model was checked: the output holds labels"),
    };
    if names.is_empty() {
        return Ok(value.to_string().into());
    }
    match usize::try_from(value).ok().and_then(|index| names.get(index)) {
        Some(name) => Ok(name.into()),
        None => Err(Reason::Failed(format!("the class {value} has no label; there are {}", names.len()))),
    }
}

/// Whether all numbers are finite.
fn are_finite(values: &[f64]) -> bool {
    // The product of a finite number and zero is zero.
    let mut products = [0.0; 8];
    let (turns, rest) = values.as_chunks::<8>();
    for values in turns {
        for lane in 0..8 {
            products[lane] += values[lane] * 0.0;
        }
    }
    products.iter().all(|product| *product == 0.0) && rest.iter().all(|value| value.is_finite())
}

/// The numbers of an output.
pub(crate) struct Numbers<'a> {
    values: &'a OutputColumns,
    rows: usize,
    columns: usize,
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(outputs: &'a Outputs<'_>, output: u32, rows: u32) -> Self {
        let values = &outputs.outputs[output as usize];
        let cells = match values {
            OutputColumns::Floats(values) => values.len(),
            OutputColumns::Doubles(values) => values.len(),
            OutputColumns::Integers(values) => values.len(),
            _ => unreachable!("the model was checked: the output holds numbers"),
        };
        let rows = rows as usize;
        Self { values, rows, columns: cells / rows.max(1) }
    }

    pub(crate) fn get(&self, column: usize, row: usize) -> f64 {
        let cell = column * self.rows + row;
        match self.values {
            OutputColumns::Floats(values) => f64::from(values[cell]),
            OutputColumns::Doubles(values) => values[cell],
            OutputColumns::Integers(values) => values[cell] as f64,
            _ => unreachable!("the model was checked: the output holds numbers"),
        }
    }

    /// The output.
    pub(crate) fn values(&self) -> &OutputColumns {
        self.values
    }

    /// The first column; `None` if a number is not finite.
    fn finite_column(&self) -> Option<Vec<f64>> {
        let values = match self.values {
            OutputColumns::Floats(values) => doubles(&values[..self.rows]),
            OutputColumns::Doubles(values) => values[..self.rows].to_vec(),
            _ => return None,
        };
        are_finite(&values).then_some(values)
    }

    /// The number of a row in a column of its own, for all rows.
    pub(crate) fn of_columns(&self, columns: &[u32]) -> Vec<f64> {
        fn gather<T: Copy>(values: &[T], columns: &[u32], to: impl Fn(T) -> f64) -> Vec<f64> {
            let cell = |(row, column): (usize, &u32)| to(values[*column as usize * columns.len() + row]);
            columns.iter().enumerate().map(cell).collect()
        }
        match self.values {
            OutputColumns::Floats(values) => gather(values, columns, f64::from),
            OutputColumns::Doubles(values) => gather(values, columns, |value| value),
            OutputColumns::Integers(values) => gather(values, columns, |value| value as f64),
            _ => unreachable!("the model was checked: the output holds numbers"),
        }
    }

    /// [`largest`](Self::largest) of all rows.
    fn largest_columns(&self) -> Vec<u32> {
        fn largest<T: Copy + PartialOrd>(values: &[T], rows: usize) -> Vec<u32> {
            let mut positions = vec![0; rows];
            let mut columns = values.chunks_exact(rows.max(1));
            let mut best = columns.next().unwrap_or_default().to_vec();
            for (column, values) in (1..).zip(columns) {
                for ((position, best), value) in positions.iter_mut().zip(&mut best).zip(values) {
                    let is_larger = *value > *best;
                    *position = if is_larger { column } else { *position };
                    *best = if is_larger { *value } else { *best };
                }
            }
            positions
        }
        match self.values {
            OutputColumns::Floats(values) => largest(values, self.rows),
            OutputColumns::Doubles(values) => largest(values, self.rows),
            OutputColumns::Integers(values) => largest(values, self.rows),
            _ => unreachable!("the model was checked: the output holds numbers"),
        }
    }

    /// The column of the largest number, the first of equal ones.
    fn largest(&self, row: usize) -> usize {
        let mut largest = 0;
        for column in 1..self.columns {
            if self.get(column, row) > self.get(largest, row) {
                largest = column;
            }
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_by_position_are_collected_like_other_labels() {
        let labels = ["a", "b", "a", "c"].map(str::to_owned);
        let failures = [Failure { row: 1, message: "it failed".to_owned() }];
        // An unknown label, and a score that is no confidence, have no code.
        let answer = |row: usize| match [2, 0, 3, 1, 0, 3, 1][row] {
            0 if row == 4 => Err(Reason::Failed("unknown".to_owned())),
            position => Ok((position, [0.5, 0.5, 1.5, 1.0, 0.5, 0.25, 1.0 + 1e-9][row])),
        };
        for has_confidence in [true, false] {
            let found = collect_labels(7, &failures, &labels, has_confidence, answer);
            let expected = if has_confidence {
                collect(7, &failures, |row| {
                    let (position, score) = answer(row)?;
                    with_confidence(&labels[position][..], score)
                })
            } else {
                collect(7, &failures, |row| Ok(&labels[answer(row)?.0][..]))
            };
            assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
    }
}
