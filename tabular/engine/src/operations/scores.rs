//! Norms and transformations of scores, as `ai.onnx.ml` defines them and ONNX Runtime rounds them.

use tabular_form::{Columns, Norm, ScoreTransform};

use super::{Block, Operation};
use crate::math::{exp, logistic, probit};

/// See [`tabular_form::Step::Transform`].
pub(super) struct Transform {
    pub(super) transform: ScoreTransform,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Transform {
    fn run(&self, block: &mut Block<'_, '_>) {
        map_rows(self.from, self.to, block, |scores| transform_scores(self.transform, scores));
    }
}

/// See [`tabular_form::Step::Normalize`].
pub(super) struct Normalize {
    pub(super) norm: Norm,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Normalize {
    fn run(&self, block: &mut Block<'_, '_>) {
        map_rows(self.from, self.to, block, |values| normalize(self.norm, values));
    }
}

/// Changes the values of each row.
fn map_rows(from: Columns, to: Columns, block: &mut Block<'_, '_>, change: impl Fn(&mut [f32])) {
    let rows = block.planes.rows;
    let mut row_values = vec![0.0; from.width as usize];
    block.planes.map_within::<f32>(to, |planes, results| {
        let values = planes.read(from);
        for row in 0..rows {
            for (column, value) in row_values.iter_mut().enumerate() {
                *value = values[column * rows + row];
            }
            change(&mut row_values);
            for (column, value) in row_values.iter().enumerate() {
                results[column * rows + row] = *value;
            }
        }
    });
}

/// Transforms the scores of a row.
pub(super) fn transform_scores(transform: ScoreTransform, scores: &mut [f32]) {
    match transform {
        ScoreTransform::None => {}
        ScoreTransform::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
        ScoreTransform::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
        ScoreTransform::Softmax => {
            let greatest = greatest(scores);
            let mut sum = 0.0;
            for score in &mut *scores {
                *score = exp(*score - greatest);
                sum += *score;
            }
            scores.iter_mut().for_each(|score| *score /= sum);
        }
        ScoreTransform::SoftmaxZero => {
            let greatest = greatest(scores);
            let zero = exp(-greatest);
            let mut sum = 0.0;
            for score in &mut *scores {
                if score.abs() > 1e-7 {
                    *score = exp(*score - greatest);
                    sum += *score;
                } else {
                    *score *= zero;
                }
            }
            scores.iter_mut().for_each(|score| *score /= sum);
        }
    }
}

fn greatest(scores: &[f32]) -> f32 {
    scores.iter().fold(-f32::MAX, |greatest, score| if *score > greatest { *score } else { greatest })
}

fn normalize(norm: Norm, values: &mut [f32]) {
    match norm {
        Norm::Maximum => {
            let greatest = greatest(values);
            if greatest != 0.0 {
                values.iter_mut().for_each(|value| *value /= greatest);
            }
        }
        Norm::Absolute => {
            let sum: f32 = values.iter().fold(0.0, |sum, value| sum + value.abs());
            if sum != 0.0 {
                values.iter_mut().for_each(|value| *value /= sum);
            }
        }
        Norm::Euclidean => {
            let sum: f32 = values.iter().fold(0.0, |sum, value| sum + value * value);
            if sum != 0.0 {
                for value in values {
                    let root = (*value * *value / sum).sqrt();
                    *value = if *value < 0.0 { -root } else { root };
                }
            }
        }
    }
}
