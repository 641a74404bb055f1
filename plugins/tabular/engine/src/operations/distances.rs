//! Distances to vectors.
//!
//! Terms are added in the order of the argument's columns, whatever the number of rows is.

use tabular_program::{Columns, DistanceFunction, Kind, Values};

use super::arguments::{Constant, constants};
use super::{Block, Operation};
use crate::math::Float;

/// Rows that are computed together, or vectors for a single row.
const LANES: usize = 16;
/// Vectors for which rows are computed together.
const VECTORS: usize = 4;

/// See [`tabular_program::Step::Distances`].
pub(super) struct Distances {
    function: DistanceFunction,
    from: Columns,
    /// The components of the vectors: the first ones of all vectors, then the second ones, and so on.
    components: Values,
    to: Columns,
}

impl Distances {
    pub(super) fn new(function: DistanceFunction, from: Columns, vectors: Values, to: Columns) -> Self {
        let width = from.width as usize;
        let components = match vectors {
            Values::Floats { values } => Values::Floats { values: transposed(&values, width) },
            Values::Doubles { values } => Values::Doubles { values: transposed(&values, width) },
            _ => unreachable!("the program was checked: vectors have the kind of the argument"),
        };
        Self { function, from, components, to }
    }
}

fn transposed<T: Copy>(vectors: &[T], width: usize) -> Vec<T> {
    let column = |index: usize| vectors.iter().skip(index).step_by(width).copied();
    (0..width).flat_map(column).collect()
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
    components: &'a [T],
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
            let mut vector = 0;
            while vector + LANES <= self.count {
                self.add_to_row::<LANES>(row, vector, results, &function);
                vector += LANES;
            }
            while vector < self.count {
                self.add_to_row::<1>(row, vector, results, &function);
                vector += 1;
            }
        }
    }

    /// The components of the vectors, one slice for each column of the argument.
    fn terms(&self) -> impl Iterator<Item = (&[T], &[T])> {
        // Without vectors there is nothing to compute, but a slice needs a length.
        self.arguments.chunks_exact(self.rows).zip(self.components.chunks_exact(self.count.max(1)))
    }

    /// The distances of rows from `first` on to all vectors.
    #[inline(always)]
    fn add_to_rows(&self, first: usize, results: &mut [T], function: &impl Fn(T) -> T) {
        let mut vector = 0;
        while vector < self.count {
            let mut sums = [[T::default(); LANES]; VECTORS];
            for (column, components) in self.terms() {
                let column = &column[first..first + LANES];
                // The last sums of all are computed with a component that is not stored.
                let components: [T; VECTORS] =
                    std::array::from_fn(|lane| components[(vector + lane).min(self.count - 1)]);
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

    /// The distances of a row to `N` vectors.
    #[inline(always)]
    fn add_to_row<const N: usize>(
        &self,
        row: usize,
        first: usize,
        results: &mut [T],
        function: &impl Fn(T) -> T,
    ) {
        let mut sums = [T::default(); N];
        for (column, components) in self.terms() {
            let components = &components[first..first + N];
            for lane in 0..N {
                sums[lane] = sums[lane] + function(column[row] - components[lane]);
            }
        }
        for (lane, sum) in sums.into_iter().enumerate() {
            results[(first + lane) * self.rows + row] = sum;
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
                let components = transposed(&vectors, width);
                let vectors_of_block =
                    Vectors { rows, arguments: &arguments, components: &components, count };
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
