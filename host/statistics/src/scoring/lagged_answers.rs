//! The latest answers of a model, from which an earlier one is taken.
//!
//! Invariants:
//! - Apart from the beginning, each answer is taken once. So the answers that are taken are as independent of each other as those
//!   of the model.
//! - Sensors that report in turn, however many, are rarely compared with themselves.

use serde::{Deserialize, Serialize};

use super::answer_value::AnswerValue;
use crate::hash::splitmix64;

/// The number of answers in a block, a prime.
const BLOCK: usize = 127;

/// The lags in the first block, ascending. The longest one that the number of answers allows applies.
const FIRST_LAGS: [usize; 7] = [1, 2, 3, 7, 13, 31, 61];

/// The latest answers: those of the block before the current one, and those of the current block so far.
///
/// The answer at position j of a block is compared with the one at position (a j + b) mod 127 of the block before. The factor a
/// is from 1 to 126 and b from 0 to 126, and both change from block to block. As 127 is a prime, each position is taken once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaggedAnswers {
    /// The number of complete blocks.
    blocks: u64,
    previous: Vec<AnswerValue>,
    current: Vec<AnswerValue>,
}

impl LaggedAnswers {
    /// Adds an answer, which is later than those that were added.
    pub fn add(&mut self, answer: &AnswerValue) {
        self.current.push(answer.clone());
        if self.current.len() == BLOCK {
            self.previous = std::mem::take(&mut self.current);
            self.blocks += 1;
        }
    }

    /// The earlier answer that the next answer is compared with; `None` before the first.
    pub fn earlier(&self) -> Option<&AnswerValue> {
        let position = self.current.len();
        if self.blocks == 0 {
            let lag = FIRST_LAGS.into_iter().rfind(|lag| *lag <= position)?;
            return self.current.get(position - lag);
        }
        self.previous.get(earlier_position(self.blocks, position))
    }
}

/// The position in the block before that the answer at this position is compared with.
fn earlier_position(block: u64, position: usize) -> usize {
    let hash = splitmix64(block);
    let (factor, shift) = (1 + hash % (BLOCK as u64 - 1), (hash >> 32) % BLOCK as u64);
    ((factor * position as u64 + shift) % BLOCK as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each of some answers, which of them it is compared with.
    fn taken(number: usize) -> Vec<usize> {
        let mut answers = LaggedAnswers::default();
        assert_eq!(answers.earlier(), None);
        let next = |at: usize| {
            answers.add(&AnswerValue::Number(at as f64));
            let Some(AnswerValue::Number(earlier)) = answers.earlier() else { panic!("no answer") };
            *earlier as usize
        };
        (0..number).map(next).collect()
    }

    #[test]
    fn the_longest_lag_that_is_possible_applies_at_the_beginning() {
        let taken = taken(126);
        let lags = [0, 1, 2, 5, 6, 12, 30, 60, 125].map(|at| at + 1 - taken[at]);
        assert_eq!(lags, [1, 2, 3, 3, 7, 13, 31, 61, 61]);
    }

    #[test]
    fn each_answer_of_the_block_before_is_taken_once() {
        let taken = taken(127 * 9);
        for block in 1..9 {
            let mut own = taken[127 * block - 1..127 * (block + 1) - 1].to_vec();
            assert!(!own.is_sorted(), "block {block} is in another order");
            own.sort_unstable();
            assert_eq!(own, (127 * (block - 1)..127 * block).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sensors_in_turn_are_rarely_compared_with_themselves() {
        let taken = taken(127 * 80);
        for sensors in [2, 3, 7, 61, 126, 127, 128, 254] {
            let (all, own) = (127.., &taken[127 - 1..]);
            let same = all.zip(own).filter(|(at, earlier)| at % sensors == **earlier % sensors).count();
            let share = same as f64 / own.len() as f64;
            assert!(share < 2.0 / sensors as f64, "{sensors}: {share}");
        }
    }
}
