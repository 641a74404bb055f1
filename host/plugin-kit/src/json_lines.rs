//! Rows and pairs of answers in files of JSON Lines.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use understudy_sandbox::InputField;
use understudy_study::AnswerForm;

use crate::cell::{Row, decode_rows};
use crate::pair::{ExpectedAnswer, Pair};

/// A line that is no row, pair or test.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to write.
    pub why: String,
}

pub(crate) fn fault(line: usize, why: impl Into<String>) -> LineError {
    LineError { line, why: why.into() }
}

/// The fault of a line whose JSON is not what it should be. `place` ends with `: `, or is empty for the whole line.
pub(crate) fn json_fault(line: usize, place: &str, error: &serde_json::Error, advice: &str) -> LineError {
    // The JSON has one line, so its line number would only confuse.
    let error = error.to_string().replace(" at line 1 column ", " at column ");
    fault(line, format!("{place}{error}; write {advice}"))
}

/// The lines with text, by their number from 1.
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim().is_empty())
}

/// Reads rows of the fields that a plugin reads, one JSON object a line, `most` of them at most.
///
/// # Errors
/// If a line is no row.
pub fn read_rows(fields: &[InputField], text: &str, most: usize) -> Result<Vec<Row>, LineError> {
    let (numbers, objects): (Vec<usize>, Vec<&str>) = numbered_lines(text).take(most).unzip();
    decode_rows(fields, &objects).map_err(|(index, why)| fault(numbers[index], why))
}

/// A pair of answers as a line has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairInput {
    // A missing key is no answer; `null` is the JSON value.
    #[serde(default, deserialize_with = "present")]
    model: Option<Json>,
    confidence: Option<f64>,
    #[serde(default)]
    probabilities: BTreeMap<String, f64>,
    comparator: Json,
}

/// Reads a value that is there: `null` is a value, too.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads pairs of answers, one JSON object a line, for a metric that accepts `forms`. Returns the first form that all
/// answers have, too.
///
/// # Errors
/// If a line is no pair, or if no form fits all answers.
pub fn read_pairs(forms: &[AnswerForm], text: &str) -> Result<(AnswerForm, Vec<Pair>), LineError> {
    let mut inputs = Vec::new();
    for (number, line) in numbered_lines(text) {
        inputs.push((number, pair_input(number, line)?));
    }
    pairs_of_first_form(forms, &inputs)
}

pub(crate) fn pair_input(line: usize, text: &str) -> Result<PairInput, LineError> {
    let advice = r#"{"model": "a", "comparator": "b"}"#;
    serde_json::from_str(text).map_err(|error| json_fault(line, "the pair: ", &error, advice))
}

/// The pairs of the first form that all answers have.
pub(crate) fn pairs_of_first_form(
    forms: &[AnswerForm],
    inputs: &[(usize, PairInput)],
) -> Result<(AnswerForm, Vec<Pair>), LineError> {
    let mut first_fault = None;
    for form in forms {
        match pairs(*form, inputs) {
            Ok(pairs) => return Ok((*form, pairs)),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    Err(first_fault.unwrap_or_else(|| fault(1, "the metric accepts no form")))
}

/// The pairs, if all answers have a form.
fn pairs(form: AnswerForm, inputs: &[(usize, PairInput)]) -> Result<Vec<Pair>, LineError> {
    let pair = |(line, input): &(usize, PairInput)| {
        let read = |who: &str, value: &Json| {
            ExpectedAnswer::from_json(form, value).ok_or_else(|| {
                let hint = if value.is_null() { "; leave the key out if there is no answer" } else { "" };
                fault(*line, format!("`{who}` is {value}, expected {}{hint}", form.with_article()))
            })
        };
        Ok(Pair {
            model: input.model.as_ref().map(|model| read("model", model)).transpose()?,
            confidence: input.confidence,
            probabilities: input.probabilities.clone(),
            comparator: read("comparator", &input.comparator)?,
        })
    };
    inputs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use understudy_study::FieldKind;

    use super::*;

    #[test]
    fn rows_and_pairs_are_read_with_their_lines() {
        let fields = [InputField { name: "nights".to_owned(), kind: FieldKind::Integer, required: false }];
        let text = "{\"nights\": 1}\n\n{\"nights\": 2}\n{\"nights\": \"3\"}\n";
        assert_eq!(read_rows(&fields, text, 2).map(|rows| rows.len()), Ok(2));
        let row_error = read_rows(&fields, text, 3).expect_err("the fourth line is no row");
        assert_eq!(row_error.to_string(), "line 4: field `nights`: expected an integer, found \"3\"");

        let forms = [AnswerForm::Label, AnswerForm::Number];
        let text = "{\"model\": 1, \"comparator\": 2}\n{\"comparator\": 2}\n";
        let (form, pairs) = read_pairs(&forms, text).expect("they are pairs of numbers");
        assert_eq!((form, pairs.len(), pairs[1].model.is_none()), (AnswerForm::Number, 2, true));
        let pair_error = read_pairs(&forms, "\n{\"model\": 1}").expect_err("it has no comparator");
        assert_eq!(
            pair_error.to_string(),
            "line 2: the pair: missing field `comparator` at column 12; write {\"model\": \"a\", \"comparator\": \"b\"}"
        );
    }
}
