//! Outputs of a lowered model as answers.

use tabular_engine::{Answers as Outputs, Failure, OutputColumns};
use tabular_program::{AnswerRule, PROBABILITY_TOLERANCE, Scores};
use understudy_sdk::{Answer, Answers, Reason, WithConfidence, collect_answers};

/// The answers to `rows` rows.
pub(crate) fn answers(rule: &AnswerRule, rows: u32, outputs: &Outputs<'_>) -> Answers {
    let failures = &outputs.failures[..];
    match rule {
        AnswerRule::Number { output } => {
            let numbers = Numbers::new(outputs, *output, rows);
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
            let positions = LabelPositions::new(outputs, *output, labels);
            collect(rows, failures, |row| {
                let Some(column) = positions.get(row) else {
                    let value = self::label(outputs, *output, &[], row)?;
                    return Err(Reason::Failed(format!("the label {value:?} has no score")));
                };
                let label = if names.is_empty() { labels[column][..].into() } else { label(row)? };
                with_confidence(label, numbers.get(column, row))
            })
        }
        AnswerRule::LargestScore { output, labels, confidence, .. } => {
            let numbers = Numbers::new(outputs, *output, rows);
            let largest = |row: usize| {
                let column = numbers.largest(row);
                let score = numbers.get(column, row);
                if score.is_nan() {
                    return Err(Reason::Failed("the largest score is NaN".to_owned()));
                }
                Ok((&labels[column][..], score))
            };
            if *confidence {
                collect(rows, failures, |row| {
                    let (label, score) = largest(row)?;
                    with_confidence(label, score)
                })
            } else {
                collect(rows, failures, |row| Ok(largest(row)?.0))
            }
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
            let side = |row: usize| {
                let score = numbers.get(0, row);
                if score.is_nan() {
                    return Err(Reason::Failed("the score is NaN".to_owned()));
                }
                Ok((score >= *threshold, score))
            };
            if *confidence {
                collect(rows, failures, |row| {
                    let (above, score) = side(row)?;
                    with_confidence(&labels[usize::from(above)][..], if above { score } else { 1.0 - score })
                })
            } else {
                collect(rows, failures, |row| Ok(&labels[usize::from(side(row)?.0)][..]))
            }
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

/// A label with its score as the confidence.
fn with_confidence<A>(answer: A, score: f64) -> Result<WithConfidence<A>, Reason> {
    if (-PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE).contains(&score) {
        Ok(WithConfidence { answer, confidence: score.clamp(0.0, 1.0) })
    } else {
        Err(Reason::Failed(format!("the score of the label is {score}, expected a probability from 0 to 1")))
    }
}

/// The label of a row.
fn label<'a>(
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

/// The labels of rows, as positions in a list of all labels.
enum LabelPositions<'a> {
    /// The labels are integers: those of the list as numbers, and those of the rows.
    Integers(Vec<Option<i64>>, &'a [i64]),
    Others {
        outputs: &'a Outputs<'a>,
        output: u32,
        labels: &'a [String],
    },
}

impl<'a> LabelPositions<'a> {
    fn new(outputs: &'a Outputs<'a>, output: u32, labels: &'a [String]) -> Self {
        match &outputs.outputs[output as usize] {
            // Comparing numbers takes less time than writing each of them as a text.
            OutputColumns::Integers(values) => {
                Self::Integers(labels.iter().map(|label| integer(label)).collect(), values)
            }
            _ => Self::Others { outputs, output, labels },
        }
    }

    /// The position of a row's label, if it is in the list.
    fn get(&self, row: usize) -> Option<usize> {
        match self {
            Self::Integers(labels, values) => labels.iter().position(|label| *label == Some(values[row])),
            Self::Others { outputs, output, labels } => {
                let value = label(outputs, *output, &[], row).ok()?;
                labels.iter().position(|label| *label == value)
            }
        }
    }
}

/// The integer whose usual text this is.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_usual = text == "0" || !digits.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_usual)
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
    use super::integer;

    #[test]
    fn texts_of_integers_are_their_usual_ones() {
        for (text, number) in
            [("0", Some(0)), ("-7", Some(-7)), ("10", Some(10)), ("9223372036854775807", Some(i64::MAX))]
        {
            assert_eq!(integer(text), number, "{text}");
        }
        for text in ["", "-", "+1", "01", "-0", "-+1", "1.0", "9223372036854775808", "a"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }
}
