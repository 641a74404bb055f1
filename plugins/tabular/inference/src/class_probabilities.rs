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
                let usual = answers.unanswered.is_empty().then(|| self.usual_floats(rows, scores)).flatten();
                match usual {
                    Some(values) => self.usual(rows, values),
                    None => self.collect(answers, rows, |class, row| f64::from(scores[class * rows + row])),
                }
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
        if answers.unanswered.is_empty()
            && let Some(values) = self.usual_values(rows, &score)
        {
            return self.usual(rows, values);
        }
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

    /// The probabilities of all classes in all rows.
    fn usual(&self, rows: usize, values: Vec<f64>) -> Probabilities {
        Probabilities {
            names: self.names.clone(),
            offsets: multiples(self.count, rows + 1),
            codes: self.repeated_codes(rows),
            values,
        }
    }

    /// The probabilities; `None` if those of a row do not add up to 1 as they are.
    #[inline(always)]
    fn usual_values(&self, rows: usize, score: &impl Fn(usize, usize) -> f64) -> Option<Vec<f64>> {
        let mut values = vec![0.0; rows * self.count];
        let mut sums = vec![0.0_f64; rows];
        for class in 0..self.count {
            let rows = values.chunks_exact_mut(self.count).zip(&mut sums);
            for (row, (values, sum)) in rows.enumerate() {
                let value = score(class, row).clamp(0.0, 1.0);
                *sum += value;
                values[class] = value;
            }
        }
        sums.iter().fold(true, |all, sum| all & is_one(*sum)).then_some(values)
    }

    /// The same from scores of 32 bits, for few classes in a third of the time.
    fn usual_floats(&self, rows: usize, scores: &[f32]) -> Option<Vec<f64>> {
        match self.count {
            2 => values_of_classes::<2>(rows, scores),
            3 => values_of_classes::<3>(rows, scores),
            4 => values_of_classes::<4>(rows, scores),
            _ => self.usual_values(rows, &|class, row| f64::from(scores[class * rows + row])),
        }
    }

    /// The codes of all classes, again for each row.
    fn repeated_codes(&self, rows: usize) -> Vec<u32> {
        let cells = rows * self.count;
        let mut codes = Vec::with_capacity(cells);
        codes.extend((0..self.count as u32).take(cells));
        while codes.len() < cells {
            let more = codes.len().min(cells - codes.len());
            codes.extend_from_within(..more);
        }
        codes
    }
}

/// Rows of a turn: a loop in Wasm costs as much as a row.
const TURN: usize = 16;

/// The probabilities of `N` classes from one column of scores for each; `None` if those of a row do not add up to 1 as they are.
fn values_of_classes<const N: usize>(rows: usize, scores: &[f32]) -> Option<Vec<f64>> {
    let mut columns = scores.chunks_exact(rows.max(1));
    let columns: [&[f32]; N] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    let mut values = vec![0.0; rows * N];
    let mut are_usual = true;
    let (turns, rest) = values.as_chunks_mut::<N>().0.as_chunks_mut::<TURN>();
    let mut first = 0;
    for turn in turns {
        let columns: [&[f32; TURN]; N] =
            columns.map(|column| column[first..].first_chunk().unwrap_or(&[0.0; TURN]));
        let mut sums = [0.0; TURN];
        for row in 0..TURN {
            for class in 0..N {
                let value = f64::from(columns[class][row]).clamp(0.0, 1.0);
                turn[row][class] = value;
                sums[row] += value;
            }
        }
        are_usual &= sums.iter().fold(true, |all, sum| all & is_one(*sum));
        first += TURN;
    }
    for (row, values) in (first..).zip(rest) {
        *values = columns.map(|column| f64::from(column[row]).clamp(0.0, 1.0));
        are_usual &= is_one(values.iter().fold(0.0, |sum, value| sum + value));
    }
    are_usual.then_some(values)
}

/// The first multiples of a number.
fn multiples(number: usize, count: usize) -> Vec<u32> {
    let number = number as u32;
    let mut multiples = vec![0; count];
    let (turns, rest) = multiples.as_chunks_mut::<TURN>();
    let first = (turns.len() * TURN) as u32;
    for (start, turn) in (0..).zip(turns) {
        for (index, multiple) in (0..).zip(turn) {
            *multiple = (start * TURN as u32 + index) * number;
        }
    }
    for (index, multiple) in (first..).zip(rest) {
        *multiple = index * number;
    }
    multiples
}

/// Whether a sum of probabilities needs no correction. NaN is none.
fn is_one(sum: f64) -> bool {
    (sum - 1.0).abs() <= CONTRACT_TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_classes_have_the_probabilities_of_many() {
        for rows in [1, 15, 16, 17, 50] {
            // The last value makes the sum of a row too large, by little or much, or no number.
            for odd in [0.0, 9e-7, 2e-6, 0.5, -0.2, f32::NAN] {
                let mut scores: Vec<f32> = (0..rows).map(|row| row as f32 / rows as f32).collect();
                scores.extend((0..rows).map(|row| 1.0 - row as f32 / rows as f32));
                scores.resize(3 * rows, 0.0);
                scores[3 * rows - 1 - rows / 3] = odd;
                let classes = Classes {
                    names: Text { offsets: vec![0], bytes: Vec::new() },
                    count: 3,
                    output: 0,
                    is_binary: false,
                };
                let many = classes.usual_values(rows, &|class, row| f64::from(scores[class * rows + row]));
                assert_eq!(classes.usual_floats(rows, &scores), many, "{rows} rows, {odd}");
            }
        }
    }

    #[test]
    fn multiples_begin_with_zero() {
        assert_eq!(multiples(3, 4), [0, 3, 6, 9]);
        assert_eq!(multiples(2, 40), (0..40).map(|index| 2 * index).collect::<Vec<u32>>());
    }
}
