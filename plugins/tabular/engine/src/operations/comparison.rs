//! Comparisons, and choices by them.

use tabular_program::{Columns, Comparison, Kind, Operand};

use super::arguments::{Argument, Constant, Line, argument, zip};
use super::{Block, Operation};
use crate::text::TextRef;

/// See [`tabular_program::Step::Compare`].
pub(super) struct Compare {
    pub(super) comparison: Comparison,
    pub(super) left: Operand,
    pub(super) right: Operand,
    pub(super) to: Columns,
}

impl Operation for Compare {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.left.kind() {
            Kind::Integer => self.compare::<i64>(block),
            Kind::Float => self.compare::<f32>(block),
            _ => self.compare::<f64>(block),
        }
    }
}

impl Compare {
    fn compare<T: Constant + PartialOrd>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        block.planes.map_across::<u8>(self.to, |planes, results| {
            let [left, right] = [&self.left, &self.right]
                .map(|operand| argument::<T>(operand, |columns| planes.read(columns)));
            compare(self.comparison, rows, left, right, results);
        });
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn compare<T: PartialOrd + Copy>(
    comparison: Comparison,
    rows: usize,
    left: Argument<'_, T>,
    right: Argument<'_, T>,
    results: &mut [u8],
) {
    match comparison {
        Comparison::Equal => zip(rows, left, right, results, |left, right| u8::from(left == right)),
        Comparison::Less => zip(rows, left, right, results, |left, right| u8::from(left < right)),
        Comparison::LessOrEqual => zip(rows, left, right, results, |left, right| u8::from(left <= right)),
        Comparison::Greater => zip(rows, left, right, results, |left, right| u8::from(left > right)),
        Comparison::GreaterOrEqual => zip(rows, left, right, results, |left, right| u8::from(left >= right)),
    }
}

/// See [`tabular_program::Step::Choose`].
pub(super) struct Choose {
    pub(super) condition: Columns,
    pub(super) then: Operand,
    pub(super) otherwise: Operand,
    pub(super) to: Columns,
}

impl Operation for Choose {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.to.kind {
            Kind::Integer => self.choose::<i64>(block),
            Kind::Float => self.choose::<f32>(block),
            Kind::Double => self.choose::<f64>(block),
            _ => self.choose::<TextRef>(block),
        }
    }
}

impl Choose {
    fn choose<T: Constant>(&self, block: &mut Block<'_, '_>) {
        // Both alternatives are copied, one after the other: a condition is of another kind than the result.
        let rows = block.planes.rows;
        block.planes.map_within::<T>(self.to, |planes, results| {
            let otherwise = argument(&self.otherwise, |columns| planes.read(columns));
            zip(rows, otherwise, otherwise, results, |value, _| value);
        });
        let conditions = block.planes.read::<u8>(self.condition).to_vec();
        block.planes.map_within::<T>(self.to, |planes, results| {
            let then = argument(&self.then, |columns| planes.read(columns));
            for (column, results) in results.chunks_exact_mut(rows).enumerate() {
                let first = if conditions.len() == rows { 0 } else { column * rows };
                let conditions = &conditions[first..first + rows];
                // Without a branch: conditions are often as good as random.
                match then.column(column, rows) {
                    Line::Column(values) => {
                        for ((result, value), condition) in results.iter_mut().zip(values).zip(conditions) {
                            *result = if *condition != 0 { *value } else { *result };
                        }
                    }
                    Line::Constant(value) => {
                        for (result, condition) in results.iter_mut().zip(conditions) {
                            *result = if *condition != 0 { value } else { *result };
                        }
                    }
                }
            }
        });
    }
}
