//! Matrix products.
//!
//! Products are added in the order of the argument's columns, then the bias, whatever the number of rows is.

use tabular_program::{Columns, Kind, Values};

use super::arguments::{Constant, constants};
use super::{Block, Operation};
use crate::math::Float;

/// Rows that are computed together, or results of a single row.
const ROWS: usize = 16;
/// Arguments of a row that are added in a turn: a loop in Wasm costs as much as an argument.
const TURN: usize = 8;
/// Results of a row that are computed together.
const RESULTS: usize = 4;

/// See [`tabular_program::Step::Linear`].
pub(super) struct Linear {
    pub(super) from: Columns,
    pub(super) weights: Values,
    pub(super) bias: Values,
    pub(super) groups: u32,
    pub(super) to: Columns,
}

impl Operation for Linear {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.to.kind {
            Kind::Float => self.multiply::<f32>(block, multiply_reals),
            Kind::Double => self.multiply::<f64>(block, multiply_reals),
            _ => self.multiply::<i64>(block, multiply_integers),
        }
    }
}

impl Linear {
    fn multiply<T: Constant>(
        &self,
        block: &mut Block<'_, '_>,
        multiply: fn(usize, &[T], Matrix<'_, T>, &mut [T]),
    ) {
        let rows = block.planes.rows;
        let width = (self.to.width / self.groups) as usize;
        let inner = (self.from.width / self.groups) as usize;
        if width == 0 {
            return;
        }
        let matrix = Matrix { weights: constants(&self.weights), bias: constants(&self.bias), width };
        block.planes.map_within::<T>(self.to, |planes, results| {
            let arguments = planes.read(self.from);
            for (group, results) in results.chunks_exact_mut(width * rows).enumerate() {
                multiply(rows, &arguments[group * inner * rows..][..inner * rows], matrix, results);
            }
        });
    }
}

/// A matrix of `width` columns, stored row by row, and a bias.
#[derive(Clone, Copy)]
struct Matrix<'a, T> {
    weights: &'a [T],
    bias: &'a [T],
    width: usize,
}

fn multiply_integers(rows: usize, arguments: &[i64], matrix: Matrix<'_, i64>, results: &mut [i64]) {
    for (index, results) in results.chunks_exact_mut(rows).enumerate() {
        results.fill(0);
        for (column, weights) in arguments.chunks_exact(rows).zip(matrix.weights.chunks_exact(matrix.width)) {
            for (result, argument) in results.iter_mut().zip(column) {
                *result = result.wrapping_add(argument.wrapping_mul(weights[index]));
            }
        }
        let bias = matrix.bias.get(index).copied().unwrap_or(0);
        for result in results {
            *result = result.wrapping_add(bias);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn multiply_reals<T: Float>(rows: usize, arguments: &[T], matrix: Matrix<'_, T>, results: &mut [T]) {
    let mut first = 0;
    while first + ROWS <= rows {
        multiply_tile::<T, ROWS>(rows, first, arguments, matrix, results);
        first += ROWS;
    }
    if rows == 1 {
        multiply_row(arguments, matrix, results);
        return;
    }
    while first + 4 <= rows {
        multiply_tile::<T, 4>(rows, first, arguments, matrix, results);
        first += 4;
    }
    while first < rows {
        multiply_tile::<T, 1>(rows, first, arguments, matrix, results);
        first += 1;
    }
}

/// The results of one row, which are adjacent.
#[inline(always)]
fn multiply_row<T: Float>(arguments: &[T], matrix: Matrix<'_, T>, results: &mut [T]) {
    let mut first = 0;
    while first + ROWS <= matrix.width {
        multiply_lanes::<T, ROWS>(first, arguments, matrix, results);
        first += ROWS;
    }
    while first + 4 <= matrix.width {
        multiply_lanes::<T, 4>(first, arguments, matrix, results);
        first += 4;
    }
    match matrix.width - first {
        3 => multiply_lanes::<T, 3>(first, arguments, matrix, results),
        2 => multiply_lanes::<T, 2>(first, arguments, matrix, results),
        1 => multiply_lanes::<T, 1>(first, arguments, matrix, results),
        _ => {}
    }
}

/// `N` results of one row from `first` on. Their sums stay in registers.
#[inline(always)]
fn multiply_lanes<T: Float, const N: usize>(
    first: usize,
    arguments: &[T],
    matrix: Matrix<'_, T>,
    results: &mut [T],
) {
    let mut sums = [T::default(); N];
    let mut add = |argument: T, weights: &[T]| {
        for lane in 0..N {
            sums[lane] = sums[lane] + argument * weights[lane];
        }
    };
    let (turns, rest) = arguments.as_chunks::<TURN>();
    let (weights, last) = matrix.weights.split_at(turns.len() * TURN * matrix.width);
    for (arguments, weights) in turns.iter().zip(weights.chunks_exact(TURN * matrix.width)) {
        for (index, argument) in arguments.iter().enumerate() {
            add(*argument, &weights[index * matrix.width + first..][..N]);
        }
    }
    for (argument, weights) in rest.iter().zip(last.chunks_exact(matrix.width)) {
        add(*argument, &weights[first..first + N]);
    }
    for (lane, sum) in sums.into_iter().enumerate() {
        results[first + lane] = matrix.bias.get(first + lane).map_or(sum, |bias| sum + *bias);
    }
}

/// The results of `N` rows from `first` on.
#[inline(always)]
fn multiply_tile<T: Float, const N: usize>(
    rows: usize,
    first: usize,
    arguments: &[T],
    matrix: Matrix<'_, T>,
    results: &mut [T],
) {
    let mut index = 0;
    while index + RESULTS <= matrix.width {
        multiply_part::<T, N, RESULTS>(rows, first, index, arguments, matrix, results);
        index += RESULTS;
    }
    match matrix.width - index {
        3 => multiply_part::<T, N, 3>(rows, first, index, arguments, matrix, results),
        2 => multiply_part::<T, N, 2>(rows, first, index, arguments, matrix, results),
        1 => multiply_part::<T, N, 1>(rows, first, index, arguments, matrix, results),
        _ => {}
    }
}

/// `R` results from `index` on of `N` rows from `first` on. Their sums stay in registers.
#[inline(always)]
fn multiply_part<T: Float, const N: usize, const R: usize>(
    rows: usize,
    first: usize,
    index: usize,
    arguments: &[T],
    matrix: Matrix<'_, T>,
    results: &mut [T],
) {
    let mut sums = [[T::default(); N]; R];
    for (column, weights) in arguments.chunks_exact(rows).zip(matrix.weights.chunks_exact(matrix.width)) {
        let (column, weights) = (&column[first..first + N], &weights[index..index + R]);
        for lane in 0..R {
            for row in 0..N {
                sums[lane][row] = sums[lane][row] + column[row] * weights[lane];
            }
        }
    }
    for (lane, sums) in sums.iter().enumerate() {
        let results = &mut results[(index + lane) * rows + first..][..N];
        match matrix.bias.get(index + lane) {
            Some(bias) => {
                for row in 0..N {
                    results[row] = sums[row] + *bias;
                }
            }
            None => results.copy_from_slice(sums),
        }
    }
}
