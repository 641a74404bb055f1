//! The latest answers of a model, from which one that is many answers old is taken.
//!
//! Invariants:
//! - Once there are as many answers as the longest lag, each answer is taken once. So the answers that are taken are as
//!   independent of each other as those of the model.
//! - Lags are prime, so that they are no multiple of a short cycle, such as that of sensors that report in turn.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::answer_history::AnswerValue;

/// The lags, ascending. The longest one that the number of answers allows applies.
const LAGS: [usize; 8] = [1, 2, 3, 7, 13, 31, 61, 127];

/// The longest lag.
pub const LONGEST_LAG: usize = LAGS[LAGS.len() - 1];

/// The latest answers, at most [`LONGEST_LAG`], the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaggedAnswers(VecDeque<AnswerValue>);

impl LaggedAnswers {
    /// Adds an answer, which is later than those that were added.
    pub fn add(&mut self, answer: &AnswerValue) {
        if self.0.len() == LONGEST_LAG {
            self.0.pop_front();
        }
        self.0.push_back(answer.clone());
    }

    /// The answer that is as many answers old as the lag; `None` before the first.
    pub fn earlier(&self) -> Option<&AnswerValue> {
        let lag = LAGS.into_iter().rfind(|lag| *lag <= self.0.len())?;
        self.0.get(self.0.len() - lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lag_that_is_possible_applies() {
        let mut answers = LaggedAnswers::default();
        assert_eq!(answers.earlier(), None);
        let mut taken = Vec::new();
        for number in 0..1000 {
            answers.add(&AnswerValue::Number(f64::from(number)));
            let Some(AnswerValue::Number(earlier)) = answers.earlier() else { panic!("no answer") };
            taken.push(number - *earlier as i32 + 1);
        }
        // After one, two, three, six, seven answers and so on.
        assert_eq!(
            [0, 1, 2, 5, 6, 12, 30, 60, 126, 999].map(|at| taken[at]),
            [1, 2, 3, 3, 7, 13, 31, 61, 127, 127]
        );
        assert_eq!(answers.0.len(), LONGEST_LAG);
    }
}
