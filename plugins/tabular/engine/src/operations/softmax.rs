//! The softmax along an axis.

use tabular_program::{Axis, Columns, Kind};

use super::reduction::Line;
use super::{Block, Operation};
use crate::math::{Float, exp, log};
use crate::planes::{Cell, Planes};

/// See [`tabular_program::Step::Softmax`].
pub(super) struct Softmax {
    pub(super) logarithm: bool,
    pub(super) from: Columns,
    pub(super) axis: Axis,
    pub(super) to: Columns,
}

impl Operation for Softmax {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Float => self.compute::<f32>(block.planes),
            _ => self.compute::<f64>(block.planes),
        }
    }
}

impl Softmax {
    fn compute<T: Cell + Float>(&self, planes: &mut Planes) {
        let rows = planes.rows;
        let zero = T::default();
        planes.map_within::<T>(self.to, |planes, results| {
            let values = planes.read(self.from);
            let (mut greatest, mut sums) = (vec![zero; rows], vec![zero; rows]);
            for reduced in 0..self.axis.reduced() as usize {
                let line = Line::new(values, self.axis, reduced, rows);
                greatest.copy_from_slice(line.column(0));
                for position in 1..line.length {
                    for (greatest, value) in greatest.iter_mut().zip(line.column(position)) {
                        *greatest = if *value > *greatest { *value } else { *greatest };
                    }
                }
                sums.fill(zero);
                for position in 0..line.length {
                    let results = &mut results[line.column_index(position) * rows..][..rows];
                    for (row, value) in line.column(position).iter().enumerate() {
                        let difference = *value - greatest[row];
                        let exponential = exp(difference);
                        results[row] = if self.logarithm { difference } else { exponential };
                        sums[row] = sums[row] + exponential;
                    }
                }
                for position in 0..line.length {
                    let results = &mut results[line.column_index(position) * rows..][..rows];
                    for (result, sum) in results.iter_mut().zip(&sums) {
                        *result = if self.logarithm { *result - log(*sum) } else { *result / *sum };
                    }
                }
            }
        });
    }
}
