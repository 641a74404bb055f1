//! Class probabilities from the scores of a lowered model.

use tabular_engine::{Answers as Outputs, OutputColumns};
use tabular_program::{AnswerRule, SCORE_SUM_TOLERANCE, Scores};
use understudy_sdk::{Answers, Probabilities, Reason, Text};

use crate::answers::Numbers;

/// How far a sum may be from 1 for the contract. Rows beyond it are divided by their sum.
const CONTRACT_TOLERANCE: f64 = 1e-6;

/// The classes of a rule.
pub(crate) struct Classes {
    names: Text,
    count: usize,
    /// The output of the scores.
    output: u32,
    /// Whether the only score is the probability of the second class.
    is_binary: bool,
}

impl Classes {
    /// The classes of a rule; `None` if its answers have no probabilities.
    pub(crate) fn new(rule: &AnswerRule) -> Option<Self> {
        let classes = rule.classes()?;
        let (output, is_binary) = match rule {
            AnswerRule::Label { scores: Some(Scores { output, .. }), .. }
            | AnswerRule::LargestScore { output, .. } => (*output, false),
            AnswerRule::Threshold { output, .. } => (*output, true),
            _ => return None,
        };
        let mut names = Text { offsets: vec![0], bytes: Vec::new() };
        for class in &classes {
            names.bytes.extend_from_slice(class.as_bytes());
            names.offsets.push(names.bytes.len() as u32);
        }
        Some(Self { names, count: classes.len(), output, is_binary })
    }

    /// Adds the probabilities to the answers of `rows` rows. A row whose probabilities do not add up to 1 becomes
    /// unanswered.
    pub(crate) fn add_to(&self, answers: &mut Answers, rows: u32, outputs: &Outputs<'_>) {
        let rows = rows as usize;
        // Each kind of numbers has a loop of its own.
        let probabilities = match (&outputs.outputs[self.output as usize], self.is_binary) {
            (OutputColumns::Floats(scores), false) => {
                self.collect(answers, rows, |class, row| f64::from(scores[class * rows + row]))
            }
            (OutputColumns::Doubles(scores), false) => {
                self.collect(answers, rows, |class, row| scores[class * rows + row])
            }
            _ => {
                let numbers = Numbers::new(outputs, self.output, rows as u32);
                self.collect(answers, rows, |class, row| match (self.is_binary, class) {
                    (true, 0) => 1.0 - numbers.get(0, row),
                    (true, _) => numbers.get(0, row),
                    (false, class) => numbers.get(class, row),
                })
            }
        };
        answers.probabilities = Some(probabilities);
    }

    #[inline(always)]
    fn collect(
        &self,
        answers: &mut Answers,
        rows: usize,
        score: impl Fn(usize, usize) -> f64,
    ) -> Probabilities {
        let mut unanswered = Vec::new();
        let mut known = std::mem::take(&mut answers.unanswered).into_iter().peekable();
        let cells = rows * self.count;
        let (mut codes, mut values) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        for row in 0..rows {
            if let Some(reason) = known.next_if(|(at, _)| *at as usize == row) {
                unanswered.push(reason);
            } else {
                let start = values.len();
                let mut sum = 0.0;
                for class in 0..self.count {
                    let value = score(class, row).clamp(0.0, 1.0);
                    sum += value;
                    values.push(value);
                }
                let distance = (sum - 1.0_f64).abs();
                if distance <= SCORE_SUM_TOLERANCE {
                    if distance > CONTRACT_TOLERANCE {
                        values[start..].iter_mut().for_each(|value| *value /= sum);
                    }
                    codes.extend(0..self.count as u32);
                } else {
                    values.truncate(start);
                    let why = format!("the probabilities of the classes add up to {sum}, expected 1");
                    unanswered.push((row as u32, Reason::Failed(why)));
                }
            }
            offsets.push(codes.len() as u32);
        }
        answers.unanswered = unanswered;
        Probabilities { names: self.names.clone(), offsets, codes, values }
    }
}
