//! Sets of labels and JSON values as labels: two answers are either equal or not.
//!
//! Invariant: two rows have the same label if and only if they have the same answer.

use std::borrow::Cow;

use super::name_dictionary::Dictionary;
use super::{AnswerColumn, Answers, Names};

impl Answers {
    /// The answers with the text of each set of labels, a JSON array, or of each JSON value as its label. Other answers are as
    /// they are.
    pub fn nominal(&self) -> Cow<'_, Answers> {
        let decisions = match &self.decisions {
            AnswerColumn::Labels { .. } | AnswerColumn::Numbers(_) | AnswerColumn::Rankings { .. } => {
                return Cow::Borrowed(self);
            }
            AnswerColumn::Json { texts, codes } => {
                AnswerColumn::Labels { names: texts.clone(), codes: codes.clone() }
            }
            AnswerColumn::LabelSets { names, offsets, codes } => {
                let sets = offsets.windows(2).map(|ends| &codes[ends[0] as usize..ends[1] as usize]);
                let texts: Vec<String> = sets.map(|codes| set_text(names, codes)).collect();
                let mut distinct = Dictionary::default();
                let codes = texts.iter().map(|text| distinct.code(text)).collect();
                AnswerColumn::Labels { names: distinct.finish(), codes }
            }
        };
        Cow::Owned(Answers {
            decisions,
            confidence: self.confidence.clone(),
            probabilities: None,
            unanswered: self.unanswered.clone(),
        })
    }
}

/// A set of labels as a JSON array.
fn set_text(names: &Names, codes: &[u32]) -> String {
    let labels: Vec<&str> = codes.iter().map(|code| names.value(*code as usize)).collect();
    serde_json::to_string(&labels).expect("text can be JSON")
}
