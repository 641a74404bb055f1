//! A random sample of the answers of a model so far, from which one answer at a time is drawn.
//!
//! Invariant: the sample depends on the answers and their order alone. Its randomness is a hash of the number of answers.

use serde::{Deserialize, Serialize};

use super::answer_history::AnswerValue;
use crate::hash::splitmix64;

/// The maximum number of answers in a sample.
const MAX_ANSWERS: u64 = 256;

/// A sample in which each answer so far is with the same probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerSample {
    /// The number of answers so far.
    answers: u64,
    /// The sample.
    kept: Vec<AnswerValue>,
}

impl AnswerSample {
    /// Adds an answer. Once the sample is full, the answer replaces a random one with the probability of being in a sample
    /// of all answers: J. S. Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11 (1985),
    /// algorithm R.
    pub fn add(&mut self, answer: &AnswerValue) {
        self.answers += 1;
        if self.answers <= MAX_ANSWERS {
            self.kept.push(answer.clone());
            return;
        }
        let index = splitmix64(self.answers) % self.answers;
        if index < MAX_ANSWERS {
            self.kept[index as usize].clone_from(answer);
        }
    }

    /// A random answer, which depends on the number of answers so far; `None` before the first.
    pub fn draw(&self) -> Option<&AnswerValue> {
        let kept = self.kept.len() as u64;
        (kept > 0).then(|| &self.kept[(splitmix64(!self.answers) % kept) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_bounded_and_its_answers_are_spread_over_all() {
        let mut sample = AnswerSample::default();
        assert_eq!(sample.draw(), None);
        let total = 40_000;
        // A drawn answer is uniform over the answers so far, so its number divided by theirs has the mean 1/2.
        let mut sum = 0.0;
        for number in 1..=total {
            sample.add(&AnswerValue::Number(f64::from(number)));
            let Some(AnswerValue::Number(drawn)) = sample.draw() else { panic!("no answer") };
            sum += (drawn - 0.5) / f64::from(number);
        }
        assert_eq!(sample.kept.len() as u64, MAX_ANSWERS);
        let mean = sum / f64::from(total);
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
        let oldest =
            sample.kept.iter().filter(|answer| matches!(answer, AnswerValue::Number(n) if *n <= 20_000.0));
        assert!((100..=156).contains(&oldest.count()));
    }

    #[test]
    fn one_answer_is_drawn_again_and_again() {
        let mut sample = AnswerSample::default();
        sample.add(&AnswerValue::Number(7.0));
        assert_eq!(sample.draw(), Some(&AnswerValue::Number(7.0)));
        assert_eq!(sample.draw(), sample.clone().draw());
    }
}
