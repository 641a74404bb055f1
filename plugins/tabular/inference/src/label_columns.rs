//! Labels with confidences, column by column: the usual case, that all rows have an answer.
//!
//! [`collect_labels`](crate::answers) gives the same answers row by row, which takes several times as long.

use tabular_engine::{Failure, OutputColumns};
use tabular_program::PROBABILITY_TOLERANCE;
use understudy_sdk::{AnswerValues, Answers, Labels, Text};

use crate::answers::{Numbers, UNKNOWN, code};

/// Rows of a turn: a loop in Wasm costs as much as a row.
const TURN: usize = 16;

/// The labels of all rows, and their scores.
pub(crate) struct LabelColumns<'a> {
    /// The position of each row's label in `labels`, which is also the column of its score; or [`UNKNOWN`].
    pub(crate) positions: Vec<u32>,
    pub(crate) scores: &'a Numbers<'a>,
    pub(crate) failures: &'a [Failure],
    pub(crate) labels: &'a [String],
}

/// The scores that a label may have.
#[derive(Clone, Copy)]
struct Bounds {
    least: f64,
    greatest: f64,
}

impl LabelColumns<'_> {
    /// The answers; the scores are confidences if `has_confidence`. `None` if a row has no answer: it failed, its label is unknown,
    /// or its score is NaN or no confidence.
    pub(crate) fn answers(&self, has_confidence: bool) -> Option<Answers> {
        if !self.failures.is_empty() {
            return None;
        }
        let bounds = if has_confidence {
            Bounds { least: -PROBABILITY_TOLERANCE, greatest: 1.0 + PROBABILITY_TOLERANCE }
        } else {
            Bounds { least: f64::NEG_INFINITY, greatest: f64::INFINITY }
        };
        let (names, codes) = self.names();
        let (codes, scores) = match (self.scores.values(), self.labels.len()) {
            (OutputColumns::Floats(scores), 2) => self.few_labels::<2>(scores, &codes, bounds),
            (OutputColumns::Floats(scores), 3) => self.few_labels::<3>(scores, &codes, bounds),
            (OutputColumns::Floats(scores), 4) => self.few_labels::<4>(scores, &codes, bounds),
            _ => self.many_labels(&codes, bounds),
        }?;
        let values = AnswerValues::Labels(Labels { names, codes });
        let confidence = has_confidence.then_some(scores);
        Some(Answers { values, confidence, probabilities: None, unanswered: Vec::new() })
    }

    /// The codes of all rows and their scores, within 0 and 1. `codes` has the code of each position.
    fn many_labels(&self, codes: &[u32], bounds: Bounds) -> Option<(Vec<u32>, Vec<f64>)> {
        if self.positions.contains(&UNKNOWN) {
            return None;
        }
        let mut scores = self.scores.of_columns(&self.positions);
        let is_within = |score: &f64| (*score >= bounds.least) & (*score <= bounds.greatest);
        if !scores.iter().fold(true, |all, score| all & is_within(score)) {
            return None;
        }
        scores.iter_mut().for_each(|score| *score = score.clamp(0.0, 1.0));
        Some((self.positions.iter().map(|position| codes[*position as usize]).collect(), scores))
    }

    /// [`many_labels`](Self::many_labels) of `N` labels with scores of 32 bits: in one pass, by comparing instead of by index.
    fn few_labels<const N: usize>(
        &self,
        scores: &[f32],
        codes: &[u32],
        bounds: Bounds,
    ) -> Option<(Vec<u32>, Vec<f64>)> {
        let rows = self.positions.len();
        let codes: [u32; N] = codes.try_into().ok()?;
        let mut columns = scores.chunks_exact(rows.max(1));
        let columns: [&[f32]; N] = std::array::from_fn(|_| columns.next().unwrap_or_default());
        if columns.iter().any(|column| column.len() != rows) {
            return None;
        }
        let choice =
            Choice { codes, least: least_float(bounds.least), greatest: -least_float(-bounds.greatest) };
        let (mut found, mut clamped) = (vec![0_u32; rows], vec![0.0_f64; rows]);
        let mut are_valid = true;
        let (turns, rest) = self.positions.as_chunks::<TURN>();
        let (found_turns, found_rest) = found.as_chunks_mut::<TURN>();
        let (clamped_turns, clamped_rest) = clamped.as_chunks_mut::<TURN>();
        let mut first = 0;
        for ((positions, found), clamped) in turns.iter().zip(found_turns).zip(clamped_turns) {
            let columns = columns.map(|column| column[first..].first_chunk().unwrap_or(&[0.0; TURN]));
            are_valid &= choice.write(positions, columns, found, clamped);
            first += TURN;
        }
        for ((position, found), (row, clamped)) in
            rest.iter().zip(found_rest).zip((first..).zip(clamped_rest))
        {
            let column = columns.get(*position as usize)?;
            are_valid &= (column[row] >= choice.least) & (column[row] <= choice.greatest);
            *found = choice.codes[*position as usize];
            *clamped = f64::from(column[row].clamp(0.0, 1.0));
        }
        are_valid.then_some((found, clamped))
    }

    /// The names, and the code of each position. Names get theirs in the order in which rows first answer them.
    fn names(&self) -> (Text, Vec<u32>) {
        let mut names = Text { offsets: vec![0], bytes: Vec::new() };
        let mut codes = vec![UNKNOWN; self.labels.len()];
        let mut left = codes.len();
        for position in &self.positions {
            let Some(known) = codes.get_mut(*position as usize) else { break };
            if *known == UNKNOWN {
                *known = code(&mut names, &self.labels[*position as usize]);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        (names, codes)
    }
}

/// How the label and the score of a row are found by the position of its label.
struct Choice<const N: usize> {
    codes: [u32; N],
    least: f32,
    greatest: f32,
}

#[cfg(target_arch = "wasm32")]
impl<const N: usize> Choice<N> {
    /// Writes the codes of the labels, and their scores from `columns` within 0 and 1. Returns whether all are valid.
    #[inline(always)]
    fn write(
        &self,
        positions: &[u32; TURN],
        columns: [&[f32; TURN]; N],
        codes: &mut [u32; TURN],
        scores: &mut [f64; TURN],
    ) -> bool {
        use std::arch::wasm32::{
            f32x4_ge, f32x4_le, f32x4_pmax, f32x4_pmin, f32x4_splat, f64x2_promote_low_f32x4, i32x4_eq,
            i64x2_shuffle, u32x4_all_true, u32x4_lt, u32x4_splat, v128, v128_and, v128_bitselect, v128_load,
            v128_store,
        };
        let mut are_valid = u32x4_splat(u32::MAX);
        for four in 0..TURN / 4 {
            // SAFETY: four rows from `4 * four` on are within the arrays.
            let load = |values: *const v128| unsafe { v128_load(values.add(four)) };
            let position = load(positions.as_ptr().cast());
            let (mut code, mut score) = (u32x4_splat(self.codes[0]), load(columns[0].as_ptr().cast()));
            for (label, column) in columns.iter().enumerate().skip(1) {
                let is_label = i32x4_eq(position, u32x4_splat(label as u32));
                code = v128_bitselect(u32x4_splat(self.codes[label]), code, is_label);
                score = v128_bitselect(load(column.as_ptr().cast()), score, is_label);
            }
            are_valid = v128_and(are_valid, u32x4_lt(position, u32x4_splat(N as u32)));
            are_valid = v128_and(are_valid, f32x4_ge(score, f32x4_splat(self.least)));
            are_valid = v128_and(are_valid, f32x4_le(score, f32x4_splat(self.greatest)));
            let score = f32x4_pmin(f32x4_pmax(score, f32x4_splat(0.0)), f32x4_splat(1.0));
            // SAFETY: as above.
            unsafe {
                v128_store(codes.as_mut_ptr().cast::<v128>().add(four), code);
                let scores = scores.as_mut_ptr().cast::<v128>().add(2 * four);
                v128_store(scores, f64x2_promote_low_f32x4(score));
                v128_store(scores.add(1), f64x2_promote_low_f32x4(i64x2_shuffle::<1, 0>(score, score)));
            }
        }
        u32x4_all_true(are_valid)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<const N: usize> Choice<N> {
    fn write(
        &self,
        positions: &[u32; TURN],
        columns: [&[f32; TURN]; N],
        codes: &mut [u32; TURN],
        scores: &mut [f64; TURN],
    ) -> bool {
        (0..TURN).all(|row| {
            let label = positions[row] as usize;
            let Some(column) = columns.get(label) else { return false };
            codes[row] = self.codes[label];
            scores[row] = f64::from(column[row].clamp(0.0, 1.0));
            (column[row] >= self.least) & (column[row] <= self.greatest)
        })
    }
}

/// The least float that is at least a number.
fn least_float(number: f64) -> f32 {
    let float = number as f32;
    if f64::from(float) < number { float.next_up() } else { float }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_are_chosen_as_many_are() {
        let labels = ["a", "b", "c"].map(str::to_owned);
        let special = [-0.0, 1.0 + 1e-6, 1.0 + 9e-6, 1.00002, -9e-6, -2e-5, f32::NAN, f32::INFINITY];
        for rows in [1, 15, 16, 33] {
            for odd in 0..=special.len() {
                let mut values: Vec<f32> = (0..3 * rows).map(|cell| (cell * 5 % 17) as f32 / 16.0).collect();
                if let Some(special) = special.get(odd) {
                    values[odd * 7 % (3 * rows)] = *special;
                }
                for unknown in [None, Some(rows / 2)] {
                    let mut positions: Vec<u32> = (0..rows).map(|row| (row * row % 3) as u32).collect();
                    if let Some(row) = unknown {
                        positions[row] = UNKNOWN;
                    }
                    let outputs = tabular_engine::Answers {
                        outputs: vec![OutputColumns::Floats(values.clone())],
                        failures: Vec::new(),
                        texts: tabular_engine::Texts::default(),
                    };
                    let scores = Numbers::new(&outputs, 0, rows as u32);
                    let columns = LabelColumns { positions, scores: &scores, failures: &[], labels: &labels };
                    for bounds in [
                        Bounds { least: -PROBABILITY_TOLERANCE, greatest: 1.0 + PROBABILITY_TOLERANCE },
                        Bounds { least: f64::NEG_INFINITY, greatest: f64::INFINITY },
                    ] {
                        let few = columns.few_labels::<3>(&values, &[2, 0, 1], bounds);
                        let many = columns.many_labels(&[2, 0, 1], bounds);
                        assert_eq!(format!("{few:?}"), format!("{many:?}"), "{rows} rows, {odd}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_least_float_is_at_least_the_number() {
        for number in [-1e-5, 1.0 + 1e-5, -1.0 - 1e-5, 0.0, 1.0, 0.1, f64::INFINITY, f64::NEG_INFINITY] {
            let float = least_float(number);
            assert!(f64::from(float) >= number, "{number}");
            assert!(f64::from(float.next_down()) < number || float == f32::NEG_INFINITY, "{number}");
        }
    }
}
