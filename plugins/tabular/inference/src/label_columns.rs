//! Labels with confidences, column by column: the usual case, that all rows have an answer.
//!
//! [`collect_labels`](crate::answers) gives the same answers row by row, which takes several times as long.

use tabular_engine::Failure;
use tabular_program::PROBABILITY_TOLERANCE;
use understudy_sdk::{AnswerValues, Answers, Labels, Text};

use crate::answers::{Numbers, UNKNOWN, code};

/// The labels of all rows, and their scores.
pub(crate) struct LabelColumns<'a> {
    /// The position of each row's label in `labels`, which is also the column of its score; or [`UNKNOWN`].
    pub(crate) positions: Vec<u32>,
    pub(crate) scores: &'a Numbers<'a>,
    pub(crate) failures: &'a [Failure],
    pub(crate) labels: &'a [String],
}

impl LabelColumns<'_> {
    /// The answers; the scores are confidences if `has_confidence`. `None` if a row has no answer: it failed, its label is unknown,
    /// or its score is NaN or no confidence.
    pub(crate) fn answers(&self, has_confidence: bool) -> Option<Answers> {
        if !self.failures.is_empty() || self.positions.contains(&UNKNOWN) {
            return None;
        }
        let mut scores = self.scores.of_columns(&self.positions);
        let (least, greatest) = if has_confidence {
            (-PROBABILITY_TOLERANCE, 1.0 + PROBABILITY_TOLERANCE)
        } else {
            (f64::NEG_INFINITY, f64::INFINITY)
        };
        if !scores.iter().fold(true, |all, score| all & (*score >= least) & (*score <= greatest)) {
            return None;
        }
        let confidence = has_confidence.then(|| {
            scores.iter_mut().for_each(|score| *score = score.clamp(0.0, 1.0));
            scores
        });
        let mut names = Text { offsets: vec![0], bytes: Vec::new() };
        let codes = self.codes(&mut names);
        let values = AnswerValues::Labels(Labels { names, codes });
        Some(Answers { values, confidence, probabilities: None, unanswered: Vec::new() })
    }

    /// The codes of the labels. Names get theirs in the order in which rows first answer them.
    fn codes(&self, names: &mut Text) -> Vec<u32> {
        let mut codes = vec![UNKNOWN; self.labels.len()];
        let mut left = codes.len();
        for position in &self.positions {
            let position = *position as usize;
            if codes[position] == UNKNOWN {
                codes[position] = code(names, &self.labels[position]);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        self.positions.iter().map(|position| codes[*position as usize]).collect()
    }
}
