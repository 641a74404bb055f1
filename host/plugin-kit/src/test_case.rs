//! The tests of a plugin in a file of JSON Lines, and what differs from them.
//!
//! A line for a model or comparator is `{"input": {"nights": 3}, "expected": "a"}`, or has `"unanswered": "abstained: why"`
//! in place of `expected`. `confidence` and `probabilities` are compared if they are there. A line for a metric is
//! `{"input": {"model": "a", "comparator": "b"}, "expected": {"agreements": 0}}`. A line `{"value": 0.5}` expects the value
//! of the metric over all pairs before it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use understudy_sandbox::InputField;
use understudy_study::AnswerForm;

use crate::cell::{Row, decode_rows};
use crate::json_lines::{
    LineError, PairInput, fault, json_fault, numbered_lines, pair_input, pairs_of_first_form, present,
};
use crate::pair::Pair;
use crate::row_result::RowResult;

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
    numbered_lines(text).map(|(number, line)| match serde_json::from_str(line) {
        Ok(parsed) => Ok((number, parsed)),
        Err(error) => {
            let advice = r#"a line such as {"input": {"nights": 3}, "expected": "a"}"#;
            Err(json_fault(number, "", &error, advice))
        }
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
                    json_fault(number, "`expected`: ", &error, "each component with its number")
                })?;
                inputs.push((number, input));
                components.push(expected);
            }
            (None, None, Some(value)) => {
                let value = serde_json::from_str(value.get())
                    .map_err(|error| json_fault(number, "`value`: ", &error, "a number or null"))?;
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

#[cfg(test)]
mod tests;
