//! Distances to vectors.
//!
//! Terms are added in the order of the argument's columns, whatever the number of rows is.

use tabular_program::{Columns, DistanceFunction, Kind, Values};

use super::arguments::{Constant, constants};
use super::{Block, Operation};
use crate::math::Float;

/// Rows that are computed together, or vectors for a single row.
const LANES: usize = 16;
/// Columns of a row that are added in a turn: a loop in Wasm costs as much as a column.
const TURN: usize = 5;
/// Vectors for which rows are computed together.
const VECTORS: usize = 4;

/// See [`tabular_program::Step::Distances`].
pub(super) struct Distances {
    function: DistanceFunction,
    from: Columns,
    /// The components of the vectors: see [`in_blocks`].
    components: Values,
    to: Columns,
}

impl Distances {
    pub(super) fn new(function: DistanceFunction, from: Columns, vectors: Values, to: Columns) -> Self {
        let width = from.width as usize;
        let components = match vectors {
            Values::Floats { values } => Values::Floats { values: in_blocks(&values, width) },
            Values::Doubles { values } => Values::Doubles { values: in_blocks(&values, width) },
            _ => unreachable!("the program was checked: vectors have the kind of the argument"),
        };
        Self { function, from, components, to }
    }
}

/// The components of [`LANES`] vectors at a time: their first ones, then their second ones, and so on. The last vectors are followed by
/// zeros. So one row reads them in their order in memory.
fn in_blocks<T: Copy + Default>(vectors: &[T], width: usize) -> Vec<T> {
    let mut components = Vec::with_capacity(vectors.len().next_multiple_of(LANES * width.max(1)));
    for block in vectors.chunks(LANES * width.max(1)) {
        for column in 0..width {
            components
                .extend((0..LANES).map(|lane| block.get(lane * width + column).copied().unwrap_or_default()));
        }
    }
    components
}

impl Operation for Distances {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Float => self.compute::<f32>(block),
            _ => self.compute::<f64>(block),
        }
    }
}

impl Distances {
    fn compute<T: Constant + Float>(&self, block: &mut Block<'_, '_>) {
        let components = constants::<T>(&self.components);
        let count = self.to.width as usize;
        let rows = block.planes.rows;
        block.planes.map_within::<T>(self.to, |planes, results| {
            let components = components.as_chunks().0;
            let vectors = Vectors { rows, arguments: planes.read(self.from), components, count };
            match self.function {
                DistanceFunction::SumOfSquares => {
                    vectors.add(results, |difference| difference * difference);
                }
                DistanceFunction::SumOfAbsolutes => vectors.add(results, T::absolute),
                DistanceFunction::SumOfPowers { exponent } => vectors.add(results, |difference| {
                    T::from_double(libm::pow(difference.absolute().to_double(), exponent))
                }),
            }
        });
    }
}

/// The rows of a block and the vectors.
struct Vectors<'a, T> {
    rows: usize,
    arguments: &'a [T],
    components: &'a [[T; LANES]],
    count: usize,
}

impl<T: Float> Vectors<'_, T> {
    /// Sets each result to the sum of a function of the differences.
    #[inline(always)]
    fn add(&self, results: &mut [T], function: impl Fn(T) -> T) {
        let mut first = 0;
        while first + LANES <= self.rows {
            self.add_to_rows(first, results, &function);
            first += LANES;
        }
        for row in first..self.rows {
            for vector in (0..self.count).step_by(LANES) {
                self.add_to_row(row, vector, results, &function);
            }
        }
    }

    /// The components of the block of a vector, one slice for each column of the argument.
    fn block(&self, vector: usize) -> &[[T; LANES]] {
        let width = self.arguments.len() / self.rows;
        &self.components[vector / LANES * width..][..width]
    }

    /// The distances of rows from `first` on to all vectors.
    #[inline(always)]
    fn add_to_rows(&self, first: usize, results: &mut [T], function: &impl Fn(T) -> T) {
        let mut vector = 0;
        while vector < self.count {
            let mut sums = [[T::default(); LANES]; VECTORS];
            for (column, components) in self.arguments.chunks_exact(self.rows).zip(self.block(vector)) {
                let column = &column[first..first + LANES];
                let components = &components[vector % LANES..][..VECTORS];
                for lane in 0..VECTORS {
                    for row in 0..LANES {
                        sums[lane][row] = sums[lane][row] + function(column[row] - components[lane]);
                    }
                }
            }
            for (sums, vector) in sums.iter().zip(vector..self.count) {
                results[vector * self.rows + first..][..LANES].copy_from_slice(sums);
            }
            vector += VECTORS;
        }
    }

    /// The distances of a row to the vectors of a block.
    #[inline(always)]
    fn add_to_row(&self, row: usize, first: usize, results: &mut [T], function: &impl Fn(T) -> T) {
        let mut sums = [T::default(); LANES];
        let (turns, rest) = self.block(first).as_chunks::<TURN>();
        let mut column = row;
        for components in turns {
            for components in components {
                let argument = self.arguments[column];
                sums = std::array::from_fn(|lane| sums[lane] + function(argument - components[lane]));
                column += self.rows;
            }
        }
        for components in rest {
            let argument = self.arguments[column];
            sums = std::array::from_fn(|lane| sums[lane] + function(argument - components[lane]));
            column += self.rows;
        }
        if self.rows == 1
            && let Some(results) = results[first..].first_chunk_mut::<LANES>()
        {
            *results = sums;
            return;
        }
        for (sum, vector) in sums.into_iter().zip(first..self.count) {
            results[vector * self.rows + row] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_do_not_depend_on_the_number_of_rows() {
        let mut rng = fastrand::Rng::with_seed(6);
        for (width, count) in [(1, 1), (3, 5), (10, 16), (7, 37), (0, 4), (4, 0)] {
            let vectors: Vec<f32> = (0..width * count).map(|_| rng.f32() * 4.0 - 2.0).collect();
            for rows in [1, 2, 15, 16, 17, 48] {
                let arguments: Vec<f32> = (0..width * rows).map(|_| rng.f32() * 4.0 - 2.0).collect();
                let mut found = vec![f32::NAN; count * rows];
                let components = in_blocks(&vectors, width);
                let components = components.as_chunks().0;
                let vectors_of_block = Vectors { rows, arguments: &arguments, components, count };
                vectors_of_block.add(&mut found, |difference| difference * difference);
                for vector in 0..count {
                    for row in 0..rows {
                        let mut sum = 0.0;
                        for column in 0..width {
                            let difference =
                                arguments[column * rows + row] - vectors[vector * width + column];
                            sum += difference * difference;
                        }
                        assert_eq!(
                            found[vector * rows + row],
                            sum,
                            "{width} columns, {count} vectors, {rows} rows"
                        );
                    }
                }
            }
        }
    }
}
