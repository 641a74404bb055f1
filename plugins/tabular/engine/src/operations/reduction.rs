//! Values along an axis that become one.

use tabular_program::{Axis, Columns, Kind, ReduceFunction};

use super::{Block, Operation};
use crate::math::{Float, exp, log};
use crate::planes::{Cell, Planes};

/// The columns along an axis, for one element of the other dimensions.
pub(super) struct Line<'a, T> {
    values: &'a [T],
    first: usize,
    step: usize,
    rows: usize,
    pub(super) length: usize,
}

impl<'a, T> Line<'a, T> {
    /// The line that becomes the column `reduced`.
    pub(super) fn new(values: &'a [T], axis: Axis, reduced: usize, rows: usize) -> Self {
        let (length, inner) = (axis.length as usize, axis.inner as usize);
        let first = reduced / inner * length * inner + reduced % inner;
        Self { values, first, step: inner, rows, length }
    }

    /// The column at a position of the axis.
    pub(super) fn column(&self, position: usize) -> &'a [T] {
        &self.values[self.column_index(position) * self.rows..][..self.rows]
    }

    /// The index of the column at a position of the axis.
    pub(super) fn column_index(&self, position: usize) -> usize {
        self.first + position * self.step
    }

    /// The columns in order.
    fn columns(&self) -> impl Iterator<Item = &'a [T]> {
        (0..self.length).map(|position| self.column(position))
    }
}

/// See [`tabular_program::Step::Reduce`].
pub(super) struct Reduce {
    pub(super) function: ReduceFunction,
    pub(super) from: Columns,
    pub(super) axis: Axis,
    pub(super) to: Columns,
}

impl Operation for Reduce {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Float => self.reduce::<f32>(block.planes, reduce_reals),
            Kind::Double => self.reduce::<f64>(block.planes, reduce_reals),
            _ => self.reduce::<i64>(block.planes, reduce_integers),
        }
    }
}

impl Reduce {
    fn reduce<T: Cell>(&self, planes: &mut Planes, reduce: fn(ReduceFunction, &Line<'_, T>, &mut [T])) {
        let rows = planes.rows;
        planes.map_within::<T>(self.to, |planes, results| {
            let values = planes.read(self.from);
            for (reduced, results) in results.chunks_exact_mut(rows).enumerate() {
                reduce(self.function, &Line::new(values, self.axis, reduced, rows), results);
            }
        });
    }
}

/// Combines the columns of a line from left to right.
#[inline(always)]
fn fold<T: Copy>(line: &Line<'_, T>, results: &mut [T], start: T, combine: impl Fn(T, T) -> T) {
    results.fill(start);
    for column in line.columns() {
        for (result, value) in results.iter_mut().zip(column) {
            *result = combine(*result, *value);
        }
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn reduce_reals<T: Float>(function: ReduceFunction, line: &Line<'_, T>, results: &mut [T]) {
    let zero = T::default();
    match function {
        ReduceFunction::Sum => fold(line, results, zero, |sum, value| sum + value),
        ReduceFunction::Mean => {
            fold(line, results, zero, |sum, value| sum + value);
            let length = T::from_double(line.length as f64);
            map(results, |sum| sum / length);
        }
        ReduceFunction::Minimum => fold(line, results, T::from_double(f64::INFINITY), |least, value| {
            if value < least || value.is_nan() { value } else { least }
        }),
        ReduceFunction::Maximum => {
            fold(line, results, T::from_double(f64::NEG_INFINITY), |greatest, value| {
                if value > greatest || value.is_nan() { value } else { greatest }
            })
        }
        ReduceFunction::Product => fold(line, results, T::from_double(1.0), |product, value| product * value),
        ReduceFunction::SumOfSquares => fold(line, results, zero, |sum, value| sum + value * value),
        ReduceFunction::SumOfAbsolutes => fold(line, results, zero, |sum, value| sum + value.absolute()),
        ReduceFunction::EuclideanNorm => {
            fold(line, results, zero, |sum, value| sum + value * value);
            map(results, Float::square_root);
        }
        ReduceFunction::LogarithmOfSum => {
            fold(line, results, zero, |sum, value| sum + value);
            map(results, log);
        }
        ReduceFunction::LogarithmOfExponentials => {
            let mut greatest = vec![zero; results.len()];
            fold(line, &mut greatest, T::from_double(f64::NEG_INFINITY), |greatest, value| {
                if value > greatest { value } else { greatest }
            });
            // Without a finite largest value the differences would be NaN.
            map(
                &mut greatest,
                |value| if value.absolute() < T::from_double(f64::INFINITY) { value } else { zero },
            );
            results.fill(zero);
            for column in line.columns() {
                for ((result, value), greatest) in results.iter_mut().zip(column).zip(&greatest) {
                    *result = *result + exp(*value - *greatest);
                }
            }
            for (result, greatest) in results.iter_mut().zip(&greatest) {
                *result = log(*result) + *greatest;
            }
        }
    }
}

fn map<T: Copy>(values: &mut [T], function: impl Fn(T) -> T) {
    for value in values {
        *value = function(*value);
    }
}

fn reduce_integers(function: ReduceFunction, line: &Line<'_, i64>, results: &mut [i64]) {
    match function {
        ReduceFunction::Minimum => fold(line, results, i64::MAX, i64::min),
        ReduceFunction::Maximum => fold(line, results, i64::MIN, i64::max),
        ReduceFunction::Product => fold(line, results, 1, i64::wrapping_mul),
        ReduceFunction::SumOfSquares => {
            fold(line, results, 0, |sum, value| sum.wrapping_add(value.wrapping_mul(value)));
        }
        ReduceFunction::SumOfAbsolutes => {
            fold(line, results, 0, |sum, value| sum.wrapping_add(value.wrapping_abs()))
        }
        ReduceFunction::Mean => {
            fold(line, results, 0, i64::wrapping_add);
            map(results, |sum| sum / line.length as i64);
        }
        _ => fold(line, results, 0, i64::wrapping_add),
    }
}

/// See [`tabular_program::Step::Position`].
pub(super) struct Position {
    pub(super) largest: bool,
    pub(super) last: bool,
    pub(super) from: Columns,
    pub(super) axis: Axis,
    pub(super) to: Columns,
}

impl Operation for Position {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Float => self.find_across::<f32>(block.planes),
            Kind::Double => self.find_across::<f64>(block.planes),
            _ => {
                let rows = block.planes.rows;
                block.planes.map_within::<i64>(self.to, |planes, results| {
                    self.find(planes.read(self.from), rows, results);
                });
            }
        }
    }
}

/// Rows whose positions are found together.
const TILE: usize = 16;

impl Position {
    fn find_across<T: Cell + PartialOrd>(&self, planes: &mut Planes) {
        let rows = planes.rows;
        planes.map_across::<i64>(self.to, |planes, results| {
            self.find(planes.read::<T>(self.from), rows, results)
        });
    }

    fn find<T: Copy + PartialOrd>(&self, values: &[T], rows: usize, results: &mut [i64]) {
        for (reduced, results) in results.chunks_exact_mut(rows).enumerate() {
            let line = Line::new(values, self.axis, reduced, rows);
            let mut first = 0;
            while first + TILE <= rows {
                self.find_tile::<T, TILE>(&line, first, results);
                first += TILE;
            }
            while first < rows {
                self.find_tile::<T, 1>(&line, first, results);
                first += 1;
            }
        }
    }

    /// The positions of `N` rows from `first` on, which stay in registers.
    #[inline(always)]
    fn find_tile<T: Copy + PartialOrd, const N: usize>(
        &self,
        line: &Line<'_, T>,
        first: usize,
        results: &mut [i64],
    ) {
        let tile = |position: usize| -> [T; N] {
            let column = &line.column(position)[first..first + N];
            std::array::from_fn(|row| column[row])
        };
        let (mut best, mut positions) = (tile(0), [0_u32; N]);
        for position in 1..line.length {
            let values = tile(position);
            for row in 0..N {
                let (value, known) = (values[row], best[row]);
                let is_better = if self.largest { value > known } else { value < known };
                let is_first_number =
                    known.partial_cmp(&known).is_none() & value.partial_cmp(&value).is_some();
                let is_chosen = is_better | is_first_number | (self.last & (value == known));
                positions[row] = if is_chosen { position as u32 } else { positions[row] };
                best[row] = if is_chosen { value } else { known };
            }
        }
        for (result, position) in results[first..].iter_mut().zip(positions) {
            *result = i64::from(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_match_the_definition_for_any_number_of_rows() {
        let mut rng = fastrand::Rng::with_seed(9);
        let columns = |kind, width| Columns { kind, start: 0, width };
        for length in 1..6 {
            let axis = Axis { outer: 2, length, inner: 3 };
            let (from, to) = (columns(Kind::Float, 6 * length), columns(Kind::Integer, 6));
            for (largest, last, rows) in [true, false].into_iter().flat_map(|largest| {
                [true, false]
                    .into_iter()
                    .flat_map(move |last| [1, 15, 16, 37].map(|rows| (largest, last, rows)))
            }) {
                let values: Vec<f32> = (0..from.width as usize * rows)
                    .map(|_| [f32::NAN, 0.0, -0.0, 1.0, 2.0, f32::INFINITY][rng.usize(..6)])
                    .collect();
                let mut found = vec![-1; to.width as usize * rows];
                Position { largest, last, from, axis, to }.find(&values, rows, &mut found);
                for (cell, found) in found.iter().enumerate() {
                    let (reduced, row) = (cell / rows, cell % rows);
                    let line = Line::new(&values, axis, reduced, rows);
                    // NaN loses against every number.
                    let key = |position: usize| {
                        let value = line.column(position)[row];
                        let value = if largest { value } else { -value };
                        if value.is_nan() { None } else { Some(value + 0.0) }
                    };
                    let mut expected = 0;
                    for position in 1..length as usize {
                        let is_equal = last && key(position).is_some() && key(position) == key(expected);
                        if key(position) > key(expected) || is_equal {
                            expected = position;
                        }
                    }
                    assert_eq!(*found, expected as i64, "{length} values, {rows} rows");
                }
            }
        }
    }
}
