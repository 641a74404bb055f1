//! Compares answers with the substrate's, row by row.
//!
//! Invariants: the agreement of a row depends on its two answers only, not on any metric.

use super::answers::{AnswerColumn, Answers};

/// How an answer compares with the substrate's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnswerAgreement {
    /// The same label, set of labels or JSON value, or the same first element of rankings; also two empty rankings.
    Same,
    /// A different label, set or value, or a different first element; also an empty and a non-empty ranking.
    Different,
    /// The absolute difference of two numbers.
    Distance(f64),
    /// Only the substrate has an answer.
    Unanswered,
    /// The substrate has no answer.
    NoReference,
}

impl AnswerAgreement {
    /// Whether the answers agree; `None` for numbers and where the substrate has no answer.
    pub fn agrees(self) -> Option<bool> {
        match self {
            AnswerAgreement::Same => Some(true),
            AnswerAgreement::Different | AnswerAgreement::Unanswered => Some(false),
            AnswerAgreement::Distance(_) | AnswerAgreement::NoReference => None,
        }
    }
}

impl Answers {
    /// Compares each row with the substrate's answer to the same row. Both must have the same form.
    pub fn agreements(&self, substrate: &Answers) -> Vec<AnswerAgreement> {
        let (own, substrate) = (self.nominal(), substrate.nominal());
        own.nominal_agreements(&substrate)
    }

    /// The same for answers that are neither sets nor JSON values.
    fn nominal_agreements(&self, substrate: &Answers) -> Vec<AnswerAgreement> {
        let agreement = |row: usize| match (substrate.reason(row), self.reason(row)) {
            (Some(_), _) => AnswerAgreement::NoReference,
            (None, Some(_)) => AnswerAgreement::Unanswered,
            (None, None) => match (&self.decisions, &substrate.decisions) {
                (AnswerColumn::Numbers(own), AnswerColumn::Numbers(theirs)) => {
                    AnswerAgreement::Distance((own[row] - theirs[row]).abs())
                }
                _ if self.first(row) == substrate.first(row) => AnswerAgreement::Same,
                _ => AnswerAgreement::Different,
            },
        };
        (0..self.rows()).map(agreement).collect()
    }

    /// The label of a row, or the first element of its ranking; `None` for an empty ranking and for numbers.
    fn first(&self, row: usize) -> Option<&str> {
        match &self.decisions {
            AnswerColumn::Labels { names, codes } => Some(names.value(codes[row] as usize)),
            AnswerColumn::Rankings { names, offsets, codes } => {
                let ranked = &codes[offsets[row] as usize..offsets[row + 1] as usize];
                ranked.first().map(|code| names.value(*code as usize))
            }
            AnswerColumn::Numbers(_) | AnswerColumn::LabelSets { .. } | AnswerColumn::Json { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Names, Reason};

    fn answers(decisions: AnswerColumn, unanswered: &[u32]) -> Answers {
        let unanswered = unanswered.iter().map(|row| (*row, Reason::Abstained(String::new()))).collect();
        Answers { unanswered, ..Answers::from_values(decisions) }
    }

    #[test]
    fn labels_are_compared_by_name_not_by_code() {
        let own = AnswerColumn::Labels { names: Names::from(vec!["a", "b"]), codes: vec![0, 1, 0, 0, 0] };
        let theirs = AnswerColumn::Labels { names: Names::from(vec!["b", "a"]), codes: vec![1, 1, 1, 1, 1] };
        let agreements = answers(own, &[2, 3]).agreements(&answers(theirs, &[3, 4]));
        let wanted = [
            AnswerAgreement::Same,
            AnswerAgreement::Different,
            AnswerAgreement::Unanswered,
            AnswerAgreement::NoReference,
            AnswerAgreement::NoReference,
        ];
        assert_eq!(agreements, wanted);
        assert_eq!(wanted.map(AnswerAgreement::agrees), [Some(true), Some(false), Some(false), None, None]);
    }

    #[test]
    fn rankings_are_compared_by_their_first_element() {
        let names = || Names::from(vec!["a", "b", "c"]);
        let own =
            AnswerColumn::Rankings { names: names(), offsets: vec![0, 2, 3, 3, 4], codes: vec![0, 1, 2, 0] };
        let theirs =
            AnswerColumn::Rankings { names: names(), offsets: vec![0, 2, 4, 4, 4], codes: vec![0, 2, 1, 2] };
        let agreements = answers(own, &[]).agreements(&answers(theirs, &[]));
        assert_eq!(
            agreements,
            [
                AnswerAgreement::Same,
                AnswerAgreement::Different,
                AnswerAgreement::Same,
                AnswerAgreement::Different
            ]
        );
    }

    #[test]
    fn sets_and_json_values_are_compared_as_a_whole() {
        let sets = |sets: &[&[&str]]| {
            let set = |set: &&[&str]| set.iter().map(|label| (*label).to_owned()).collect();
            Answers::from_label_sets(&sets.iter().map(set).collect::<Vec<_>>())
        };
        let own = sets(&[&["a", "b"], &["a"], &[], &[]]);
        let theirs = sets(&[&["a", "b"], &["a", "b"], &["a"], &[]]);
        let (same, different) = (AnswerAgreement::Same, AnswerAgreement::Different);
        assert_eq!(own.agreements(&theirs), [same, different, different, same]);
        let own = Answers::from_json([r#"{"a":1}"#, "null"]);
        let theirs = Answers::from_json([r#"{"a":1.0}"#, "null"]);
        assert_eq!(own.agreements(&theirs), [different, same]);
    }

    #[test]
    fn numbers_are_compared_by_distance() {
        let numbers = |numbers: &[f64]| AnswerColumn::Numbers(numbers.to_vec());
        let agreements =
            answers(numbers(&[1.0, 5.0, 2.0]), &[2]).agreements(&answers(numbers(&[3.5, 5.0, 2.0]), &[]));
        assert_eq!(
            agreements,
            [AnswerAgreement::Distance(2.5), AnswerAgreement::Distance(0.0), AnswerAgreement::Unanswered]
        );
        assert_eq!(agreements[0].agrees(), None);
    }
}
