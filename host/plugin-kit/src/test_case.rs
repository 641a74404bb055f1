//! The tests of a plugin in a file of JSON Lines, and what differs from them.
//!
//! A line for a model or comparator is `{"input": {"nights": 3}, "expected": "a"}`, or has `"unanswered": "abstained: why"`
//! in place of `expected`. `confidence` and `probabilities` are compared if they are there. A line for a metric is
//! `{"input": {"model": "a", "comparator": "b"}, "expected": {"agreements": 0}}`. A line `{"value": 0.5}` expects the value
//! of the metric over all pairs before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use understudy_sandbox::InputField;
use understudy_study::AnswerForm;

use crate::cell::{Row, decode_rows};
use crate::pair::{AnswerValue, Pair};
use crate::row_result::RowResult;

/// A line that is no test.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to write.
    pub why: String,
}

fn fault(line: usize, why: impl Into<String>) -> LineError {
    LineError { line, why: why.into() }
}

/// What a test expects of a row.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Answer { value: Json, confidence: Option<f64>, probabilities: Option<BTreeMap<String, f64>> },
    Unanswered(String),
}

/// A test of a model or comparator.
#[derive(Clone, Debug, PartialEq)]
pub struct RowTest {
    /// The line in the file, from 1.
    pub line: usize,
    /// The row.
    pub row: Row,
    expected: Expected,
}

/// A test of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum PairTest {
    /// The components of a pair.
    Components {
        /// The line in the file, from 1.
        line: usize,
        /// The pair.
        pair: Pair,
        /// The expected components by name.
        expected: BTreeMap<String, f64>,
    },
    /// The value over all pairs of the lines before; `None` if it is undefined.
    Value {
        /// The line in the file, from 1.
        line: usize,
        /// The expected value.
        expected: Option<f64>,
    },
}

/// A result that is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line of the test, from 1.
    pub line: usize,
    /// The expected result.
    pub expected: String,
    /// The result.
    pub found: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'t> {
    #[serde(borrow)]
    input: Option<&'t RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    expected: Option<&'t RawValue>,
    unanswered: Option<String>,
    confidence: Option<f64>,
    probabilities: Option<BTreeMap<String, f64>>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'t RawValue>,
}

/// The lines with text, by their number from 1.
fn lines(text: &str) -> impl Iterator<Item = Result<(usize, Line<'_>), LineError>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| match serde_json::from_str(line) {
        Ok(parsed) => Ok((index + 1, parsed)),
        Err(error) => Err(fault(
            index + 1,
            format!(r#"{error}; write a line such as {{"input": {{"nights": 3}}, "expected": "a"}}"#),
        )),
    })
}

/// Reads the tests of a model or comparator that reads `fields`.
///
/// # Errors
/// If a line is no test, its input is no row, or has a field that the plugin does not read.
pub fn read_row_tests(fields: &[InputField], text: &str) -> Result<Vec<RowTest>, LineError> {
    let mut tests: Vec<(usize, &str, Expected)> = Vec::new();
    for line in lines(text) {
        let (number, line) = line?;
        let input = line.input.ok_or_else(|| fault(number, "it has no `input`; write the row there"))?.get();
        let names: BTreeMap<String, &RawValue> = serde_json::from_str(input)
            .map_err(|_| fault(number, "`input` is no JSON object; write the fields of the row"))?;
        if let Some(unknown) = names.keys().find(|name| fields.iter().all(|field| field.name != **name)) {
            let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let why = format!(
                "the plugin does not read the field `{unknown}`; it reads {}",
                if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
            );
            return Err(fault(number, why));
        }
        let expected = match (line.expected, line.unanswered) {
            (Some(value), None) => Expected::Answer {
                value: json(value),
                confidence: line.confidence,
                probabilities: line.probabilities,
            },
            (None, Some(reason)) => Expected::Unanswered(reason),
            _ => {
                return Err(fault(
                    number,
                    "write either `expected`, the answer, or `unanswered`, the reason such as \"abstained: why\"",
                ));
            }
        };
        tests.push((number, input, expected));
    }
    let inputs: Vec<&str> = tests.iter().map(|(_, input, _)| *input).collect();
    let rows = decode_rows(fields, &inputs).map_err(|(index, why)| fault(tests[index].0, why))?;
    let test = |((line, _, expected), row)| RowTest { line, row, expected };
    Ok(tests.into_iter().zip(rows).map(test).collect())
}

fn json(raw: &RawValue) -> Json {
    serde_json::from_str(raw.get()).expect("a raw value is JSON")
}

impl RowTest {
    /// What differs from the test; `None` if the result is the expected one.
    pub fn difference(&self, result: &RowResult) -> Option<Difference> {
        let (is_expected, expected) = match (&self.expected, result) {
            (Expected::Unanswered(wanted), RowResult::Unanswered(reason)) => {
                (wanted == reason, format!("no answer ({wanted})"))
            }
            (Expected::Unanswered(wanted), _) => (false, format!("no answer ({wanted})")),
            (Expected::Answer { value, confidence, probabilities }, result) => {
                let wanted = RowResult::Answer {
                    value: value.clone(),
                    confidence: *confidence,
                    probabilities: probabilities.clone().unwrap_or_default(),
                };
                let is_expected = match result {
                    RowResult::Answer { value: answer, confidence: own, probabilities: classes } => {
                        are_equal(value, answer)
                            && (confidence.is_none() || confidence == own)
                            && probabilities.as_ref().is_none_or(|wanted| wanted == classes)
                    }
                    _ => false,
                };
                (is_expected, wanted.to_string())
            }
        };
        (!is_expected).then(|| Difference { line: self.line, expected, found: result.to_string() })
    }
}

/// Whether two values are the same. Numbers are compared by value, so that 3 is 3.0.
fn are_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_equal(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| are_equal(one, other)))
        }
        _ => one == other,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairInput {
    // A missing key is no answer; `null` is the JSON value.
    #[serde(default, deserialize_with = "present")]
    model: Option<Json>,
    confidence: Option<f64>,
    #[serde(default)]
    probabilities: BTreeMap<String, f64>,
    comparator: Json,
}

/// Reads a value that is there: `null` is a value, too.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads the tests of a metric that accepts `forms`. Returns the first form that all answers have, too.
///
/// # Errors
/// If a line is no test, or if no form fits all answers.
pub fn read_pair_tests(forms: &[AnswerForm], text: &str) -> Result<(AnswerForm, Vec<PairTest>), LineError> {
    let mut inputs: Vec<(usize, PairInput)> = Vec::new();
    let mut components: Vec<BTreeMap<String, f64>> = Vec::new();
    let mut values: Vec<(usize, usize, Option<f64>)> = Vec::new();
    for line in lines(text) {
        let (number, line) = line?;
        match (line.input, line.expected, line.value) {
            (Some(input), Some(expected), None) => {
                let input = pair_input(number, input.get())?;
                let expected = serde_json::from_str(expected.get()).map_err(|error| {
                    fault(number, format!("`expected`: {error}; write each component with its number"))
                })?;
                inputs.push((number, input));
                components.push(expected);
            }
            (None, None, Some(value)) => {
                let value = serde_json::from_str(value.get())
                    .map_err(|error| fault(number, format!("`value`: {error}; write a number or null")))?;
                values.push((inputs.len(), number, value));
            }
            _ => return Err(fault(number, "write either `input` and `expected`, or only `value`")),
        }
    }
    let (form, pairs) = pairs_of_first_form(forms, &inputs)?;
    let lines = inputs.iter().map(|(line, _)| *line);
    let mut values = values.into_iter().peekable();
    let mut tests = Vec::new();
    for (at, ((pair, line), expected)) in pairs.into_iter().zip(lines).zip(components).enumerate() {
        while let Some((_, line, expected)) = values.next_if(|(before, ..)| *before == at) {
            tests.push(PairTest::Value { line, expected });
        }
        tests.push(PairTest::Components { line, pair, expected });
    }
    tests.extend(values.map(|(_, line, expected)| PairTest::Value { line, expected }));
    Ok((form, tests))
}

/// Reads pairs of answers, one JSON object a line, for a metric that accepts `forms`. Returns the first form that all
/// answers have, too.
///
/// # Errors
/// If a line is no pair, or if no form fits all answers.
pub fn read_pairs(forms: &[AnswerForm], text: &str) -> Result<(AnswerForm, Vec<Pair>), LineError> {
    let mut inputs = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        inputs.push((index + 1, pair_input(index + 1, line)?));
    }
    pairs_of_first_form(forms, &inputs)
}

fn pair_input(line: usize, text: &str) -> Result<PairInput, LineError> {
    serde_json::from_str(text).map_err(|error| {
        fault(line, format!(r#"the pair: {error}; write {{"model": "a", "comparator": "b"}}"#))
    })
}

/// The pairs of the first form that all answers have.
fn pairs_of_first_form(
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
            AnswerValue::from_json(form, value).ok_or_else(|| {
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
mod tests;
