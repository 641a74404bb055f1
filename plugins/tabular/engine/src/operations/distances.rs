//! Distances to vectors.

use tabular_program::{Columns, DistanceFunction, Kind, Values};

use super::arguments::{Constant, constants};
use super::{Block, Operation};
use crate::math::Float;

/// See [`tabular_program::Step::Distances`].
pub(super) struct Distances {
    pub(super) function: DistanceFunction,
    pub(super) from: Columns,
    pub(super) vectors: Values,
    pub(super) to: Columns,
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
        let rows = block.planes.rows;
        let width = self.from.width as usize;
        block.planes.map_within::<T>(self.to, |planes, results| {
            results.fill(T::default());
            if width == 0 {
                return;
            }
            let arguments = planes.read(self.from);
            let vectors = constants::<T>(&self.vectors).chunks_exact(width);
            for (results, vector) in results.chunks_exact_mut(rows).zip(vectors) {
                match self.function {
                    DistanceFunction::SumOfSquares => {
                        add(rows, arguments, vector, results, |difference| difference * difference)
                    }
                    DistanceFunction::SumOfAbsolutes => add(rows, arguments, vector, results, T::absolute),
                    DistanceFunction::SumOfPowers { exponent } => {
                        add(rows, arguments, vector, results, |difference| {
                            T::from_double(libm::pow(difference.absolute().to_double(), exponent))
                        })
                    }
                }
            }
        });
    }
}

/// Adds a function of each difference to the results.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn add<T: Float>(rows: usize, arguments: &[T], vector: &[T], results: &mut [T], function: impl Fn(T) -> T) {
    for (column, component) in arguments.chunks_exact(rows).zip(vector) {
        for (result, argument) in results.iter_mut().zip(column) {
            *result = *result + function(*argument - *component);
        }
    }
}
