//! What baselines learn from: the answer of a comparator or a model, in any form but that of a label.
//!
//! Invariant: equal answers have equal values, because sets are sorted and JSON is canonical.

use serde::{Deserialize, Serialize};

/// The most distinct items of rankings, or distinct sets or JSON values, that a history counts. Later ones are ignored.
pub(super) const MAX_ITEMS: usize = 10_000;

/// What a comparator or a model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnswerValue {
    /// A finite number.
    Number(f64),
    /// Distinct items, best first.
    Ranking(Vec<String>),
    /// A set of labels, sorted by their bytes.
    LabelSet(Vec<String>),
    /// A JSON value in its canonical form.
    Json(String),
}

impl AnswerValue {
    /// The number of ranked items; 0 for a number.
    pub fn items(&self) -> usize {
        match self {
            AnswerValue::Number(_) | AnswerValue::LabelSet(_) | AnswerValue::Json(_) => 0,
            AnswerValue::Ranking(items) => items.len(),
        }
    }
}
