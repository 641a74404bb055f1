//! Counts sets of labels or JSON values, from which the baselines of such answers follow.
//!
//! Invariants:
//! - The commonest answer and the frequent labels depend on the set of answers, not on their order, unless there are more
//!   than [`MAX_ITEMS`] distinct ones or more than [`MAX_BYTES`] of text. Then the first ones are counted.
//! - Memory is bounded by these two.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::answer_value::{AnswerValue, MAX_ITEMS};

/// The number of bytes of the texts that are counted.
const MAX_BYTES: usize = 16 << 20;

/// The answers so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct NominalAnswerCounts {
    /// The number of answers.
    count: u64,
    /// The number of each answer, by its text.
    counts: BTreeMap<String, (u64, AnswerValue)>,
    /// The texts, the most frequent first.
    by_count: BTreeSet<(Reverse<u64>, String)>,
    /// The number of sets with each label.
    labels: BTreeMap<String, u64>,
    /// The bytes of the texts and labels that are counted.
    bytes: usize,
    /// The last answer.
    pub(super) last: Option<AnswerValue>,
}

impl NominalAnswerCounts {
    /// Adds a set of labels or a JSON value.
    pub(super) fn add(&mut self, answer: &AnswerValue) {
        self.count += 1;
        self.last = Some(answer.clone());
        let text = match answer {
            AnswerValue::LabelSet(labels) => {
                labels.iter().for_each(|label| self.add_label(label));
                serde_json::to_string(labels).expect("text can be JSON")
            }
            AnswerValue::Json(text) => text.clone(),
            AnswerValue::Number(_) | AnswerValue::Ranking(_) => return,
        };
        if !self.counts.contains_key(&text) {
            if !self.has_room(self.counts.len(), text.len()) {
                return;
            }
            // The answer is kept beside its text.
            self.bytes += 2 * text.len();
        }
        let (known, _) = self.counts.entry(text.clone()).or_insert_with(|| (0, answer.clone()));
        *known += 1;
        let known = *known;
        self.by_count.remove(&(Reverse(known - 1), text.clone()));
        self.by_count.insert((Reverse(known), text));
    }

    /// The most frequent answer; `None` without answers.
    pub(super) fn commonest(&self) -> Option<AnswerValue> {
        let (_, text) = self.by_count.first()?;
        self.counts.get(text).map(|(_, answer)| answer.clone())
    }

    /// The labels of at least half of the sets; `None` if the answers are not sets.
    pub(super) fn frequent_labels(&self) -> Option<AnswerValue> {
        if !matches!(self.last, Some(AnswerValue::LabelSet(_))) {
            return None;
        }
        let frequent = self.labels.iter().filter(|(_, sets)| 2 * **sets >= self.count);
        Some(AnswerValue::LabelSet(frequent.map(|(label, _)| label.clone()).collect()))
    }

    fn add_label(&mut self, label: &str) {
        if let Some(sets) = self.labels.get_mut(label) {
            *sets += 1;
        } else if self.has_room(self.labels.len(), label.len()) {
            self.bytes += label.len();
            self.labels.insert(label.to_owned(), 1);
        }
    }

    fn has_room(&self, distinct: usize, bytes: usize) -> bool {
        distinct < MAX_ITEMS && self.bytes + bytes <= MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_beyond_the_maximum_are_not_counted() {
        let mut history = NominalAnswerCounts::default();
        let json = |number: usize| AnswerValue::Json(number.to_string());
        (0..MAX_ITEMS + 3).for_each(|number| history.add(&json(number)));
        assert_eq!((history.counts.len(), history.count), (MAX_ITEMS, MAX_ITEMS as u64 + 3));
        history.add(&json(MAX_ITEMS + 1));
        history.add(&json(7));
        assert_eq!(history.commonest(), Some(json(7)));

        let mut history = NominalAnswerCounts::default();
        let long = |letter: &str| AnswerValue::Json(format!("\"{}\"", letter.repeat(MAX_BYTES / 3)));
        ["a", "b", "b"].iter().for_each(|letter| history.add(&long(letter)));
        assert_eq!(history.counts.len(), 1, "the second one is too long");
        assert_eq!(history.commonest(), Some(long("a")));
        assert_eq!(history.last, Some(long("b")));
    }
}
