//! Norms and transformations of scores, as `ai.onnx.ml` defines them and ONNX Runtime rounds them.
//!
//! A transformation works on whole columns, in the order of the columns for each row.

use tabular_program::{Columns, Norm, ScoreTransform};

use super::{Block, Operation};
use crate::math::{exp, exponentials, logistics, logistics_of_opposites, probit};

/// See [`tabular_program::Step::Transform`].
pub(super) struct Transform {
    pub(super) transform: ScoreTransform,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Transform {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        block.planes.map_within::<f32>(self.to, |planes, results| {
            results.copy_from_slice(planes.read(self.from));
            transform_scores(self.transform, rows, results);
        });
    }
}

/// See [`tabular_program::Step::Normalize`].
pub(super) struct Normalize {
    pub(super) norm: Norm,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Normalize {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        block.planes.map_within::<f32>(self.to, |planes, results| {
            results.copy_from_slice(planes.read(self.from));
            normalize(self.norm, rows, results);
        });
    }
}

/// Transforms scores: one column of `rows` rows for each class.
pub(super) fn transform_scores(transform: ScoreTransform, rows: usize, scores: &mut [f32]) {
    match transform {
        ScoreTransform::None => {}
        ScoreTransform::Logistic => match scores.split_at_mut(scores.len() / 2) {
            (first, second) if first.len() == rows && are_opposite(first, second) => {
                logistics_of_opposites(first, second);
            }
            (first, second) => {
                logistics(first);
                logistics(second);
            }
        },
        ScoreTransform::Probit => scores.iter_mut().for_each(|score| *score = probit(*score)),
        ScoreTransform::Softmax => {
            let greatest = greatest(rows, scores);
            for column in scores.chunks_exact_mut(rows) {
                for (score, greatest) in column.iter_mut().zip(&greatest) {
                    *score -= *greatest;
                }
                exponentials(column);
            }
            let sums = fold(rows, scores, 0.0, |sum, score| sum + score);
            divide(rows, scores, &sums);
        }
        ScoreTransform::SoftmaxZero => {
            let greatest = greatest(rows, scores);
            let mut sums = vec![0.0; rows];
            for column in scores.chunks_exact_mut(rows) {
                for ((score, greatest), sum) in column.iter_mut().zip(&greatest).zip(&mut sums) {
                    if score.abs() > 1e-7 {
                        *score = exp(*score - *greatest);
                        *sum += *score;
                    } else {
                        *score *= exp(-*greatest);
                    }
                }
            }
            divide(rows, scores, &sums);
        }
    }
}

/// Whether each score is the negative of the other one, as those of a model with two classes are.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn are_opposite(first: &[f32], second: &[f32]) -> bool {
    let are_opposite = |(one, other): (&f32, &f32)| one.to_bits() ^ other.to_bits() == 1 << 31;
    first.len() == second.len() && first.iter().zip(second).fold(true, |all, pair| all & are_opposite(pair))
}

/// Combines the values of each row in the order of the columns.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn fold(rows: usize, values: &[f32], start: f32, combine: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let mut results = vec![start; rows];
    for column in values.chunks_exact(rows) {
        for (result, value) in results.iter_mut().zip(column) {
            *result = combine(*result, *value);
        }
    }
    results
}

fn greatest(rows: usize, values: &[f32]) -> Vec<f32> {
    fold(rows, values, -f32::MAX, |greatest, value| if value > greatest { value } else { greatest })
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn divide(rows: usize, values: &mut [f32], divisors: &[f32]) {
    for column in values.chunks_exact_mut(rows) {
        for (value, divisor) in column.iter_mut().zip(divisors) {
            *value /= *divisor;
        }
    }
}

/// Divides by a norm; a norm of 0 is taken for 1.
fn normalize(norm: Norm, rows: usize, values: &mut [f32]) {
    let mut norms = match norm {
        Norm::Maximum => greatest(rows, values),
        Norm::Absolute => fold(rows, values, 0.0, |sum, value| sum + value.abs()),
        Norm::Euclidean => fold(rows, values, 0.0, |sum, value| sum + value * value),
    };
    norms.iter_mut().filter(|norm| **norm == 0.0).for_each(|norm| *norm = 1.0);
    if norm != Norm::Euclidean {
        divide(rows, values, &norms);
        return;
    }
    for column in values.chunks_exact_mut(rows) {
        for (value, norm) in column.iter_mut().zip(&norms) {
            let root = (*value * *value / *norm).sqrt();
            *value = if *value < 0.0 { -root } else { root };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_two_classes_have_the_bits_of_the_logistic_function() {
        let mut rng = fastrand::Rng::with_seed(4);
        let special = [0.0, -0.0, 1e-40, f32::INFINITY, f32::NAN, 104.0];
        for rows in [1, 7, 40] {
            let first: Vec<f32> = (0..rows)
                .map(|row| special.get(row).copied().unwrap_or_else(|| rng.f32() * 60.0 - 30.0))
                .collect();
            let opposite: Vec<f32> = first.iter().map(|score| -score).collect();
            let mut other = opposite.clone();
            other[rows - 1] = 0.5;
            for (second, is_opposite) in [(&opposite, true), (&other, false)] {
                assert_eq!(are_opposite(&first, second), is_opposite);
                let mut scores = [&first[..], second].concat();
                let logistic = |score: f32| {
                    let upper = 1.0 / (1.0 + exp(-score.abs()));
                    if score < 0.0 { 1.0 - upper } else { upper }
                };
                let expected: Vec<u32> = scores.iter().map(|score| logistic(*score).to_bits()).collect();
                transform_scores(ScoreTransform::Logistic, rows, &mut scores);
                let found: Vec<u32> = scores.iter().map(|score| score.to_bits()).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
