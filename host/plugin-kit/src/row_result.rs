//! What a plugin returns for one row, in a form that can be shown and compared.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use understudy_records::batch::{AnswerColumn, Answers, Names, Reason};

/// What a plugin returns for one row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowResult {
    /// An answer, or the components of a metric by name.
    Answer {
        /// The value.
        value: Json,
        /// The confidence that the plugin reports.
        confidence: Option<f64>,
        /// The probability of each class; empty if the plugin reports none.
        probabilities: BTreeMap<String, f64>,
    },
    /// No answer. The text is the reason, such as `abstained: the segment is unknown`.
    Unanswered(String),
    /// The plugin failed: a trap, an exceeded limit, or an answer that the host refuses.
    Broken(String),
}

impl RowResult {
    /// An answer without a confidence and probabilities.
    pub fn value(value: Json) -> RowResult {
        RowResult::Answer { value, confidence: None, probabilities: BTreeMap::new() }
    }

    /// Whether two results are the same to the bit. Two zeros of different sign are not.
    pub fn is_identical(&self, other: &RowResult) -> bool {
        // Numbers have their shortest exact text.
        self.to_string() == other.to_string()
    }

    /// The results in answers, one per row. Reasons of the host are failures.
    pub(crate) fn from_answers(answers: &Answers) -> Vec<RowResult> {
        (0..answers.rows()).map(|row| RowResult::at_row(answers, row)).collect()
    }

    fn at_row(answers: &Answers, row: usize) -> RowResult {
        match answers.reason(row) {
            Some(Reason::Broke(why)) => return RowResult::Broken(why.clone()),
            Some(reason) => return RowResult::Unanswered(reason.to_string()),
            None => {}
        }
        let listed = |names: &Names, offsets: &[u32], codes: &[u32]| {
            let codes = &codes[offsets[row] as usize..offsets[row + 1] as usize];
            codes.iter().map(|code| names.value(*code as usize)).collect::<Json>()
        };
        let value = match &answers.decisions {
            AnswerColumn::Labels { names, codes } => Json::from(names.value(codes[row] as usize)),
            AnswerColumn::Numbers(numbers) => Json::from(numbers[row]),
            AnswerColumn::Rankings { names, offsets, codes }
            | AnswerColumn::LabelSets { names, offsets, codes } => listed(names, offsets, codes),
            AnswerColumn::Json { texts, codes } => {
                let text = texts.value(codes[row] as usize);
                serde_json::from_str(text).expect("the sandbox validates JSON answers")
            }
        };
        let confidence =
            answers.confidence.as_ref().map(|values| values[row]).filter(|value| !value.is_nan());
        let classes = answers.probabilities.iter().flat_map(|classes| classes.row(row));
        let probabilities = classes.map(|(class, value)| (class.to_owned(), value)).collect();
        RowResult::Answer { value, confidence, probabilities }
    }
}

impl fmt::Display for RowResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RowResult::Answer { value, confidence, probabilities } => {
                write!(f, "{value}")?;
                if let Some(confidence) = confidence {
                    write!(f, " with the confidence {}", Json::from(*confidence))?;
                }
                if !probabilities.is_empty() {
                    write!(f, " with the probabilities {}", serde_json::json!(probabilities))?;
                }
                Ok(())
            }
            RowResult::Unanswered(reason) => write!(f, "no answer ({reason})"),
            RowResult::Broken(why) => write!(f, "a failure ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_shown_and_compared_to_the_bit() {
        let mut answers = Answers::from_numbers(vec![0.0, -0.0, 0.1, 1.0, 2.0]);
        answers.confidence = Some(vec![f64::NAN, f64::NAN, 0.5, f64::NAN, f64::NAN]);
        answers.unanswered = vec![
            (3, Reason::Abstained("too far".to_owned())),
            (4, Reason::Broke("`decide` panicked".to_owned())),
        ];
        let results = RowResult::from_answers(&answers);
        let shown: Vec<String> = results.iter().map(ToString::to_string).collect();
        let expected = [
            "0.0",
            "-0.0",
            "0.1 with the confidence 0.5",
            "no answer (abstained: too far)",
            "a failure (`decide` panicked)",
        ];
        assert_eq!(shown, expected);
        assert!(!results[0].is_identical(&results[1]));
        assert!(results[0].is_identical(&RowResult::value(Json::from(0.0))));
    }

    #[test]
    fn lists_have_the_names_of_the_row() {
        let rankings = Answers::from_rankings(&[vec!["b".into(), "a".into()], vec![]]);
        let results = RowResult::from_answers(&rankings);
        assert_eq!(results.iter().map(ToString::to_string).collect::<Vec<_>>(), [r#"["b","a"]"#, "[]"]);
    }
}
