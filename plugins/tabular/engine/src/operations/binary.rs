//! Functions of two values.

use tabular_program::{BinaryFunction, Columns, Kind, Operand};

use super::arguments::{Argument, Constant, argument, constants, zip};
use super::{Block, Operation};
use crate::math::{Float, power};

/// See [`tabular_program::Step::Binary`].
pub(super) struct Binary {
    pub(super) function: BinaryFunction,
    pub(super) left: Operand,
    pub(super) right: Operand,
    pub(super) to: Columns,
}

impl Operation for Binary {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.to.kind {
            Kind::Boolean => self.run_on(block, combine_booleans),
            Kind::Float => self.run_on::<f32>(block, combine_reals),
            Kind::Double => self.run_on::<f64>(block, combine_reals),
            _ => {
                self.run_on(block, combine_integers);
                self.fail_divisions_by_zero(block);
            }
        }
    }
}

impl Binary {
    fn run_on<T: Constant>(
        &self,
        block: &mut Block<'_, '_>,
        combine: fn(BinaryFunction, usize, Argument<'_, T>, Argument<'_, T>, &mut [T]),
    ) {
        let rows = block.planes.rows;
        block.planes.map_within::<T>(self.to, |planes, results| {
            let [left, right] =
                [&self.left, &self.right].map(|operand| argument(operand, |columns| planes.read(columns)));
            combine(self.function, rows, left, right, results);
        });
    }

    /// Fails the rows with a division by the integer zero.
    fn fail_divisions_by_zero(&self, block: &mut Block<'_, '_>) {
        if !matches!(
            self.function,
            BinaryFunction::Divide | BinaryFunction::Modulo | BinaryFunction::Remainder
        ) {
            return;
        }
        let rows = block.planes.rows;
        let reason = || "an integer is divided by zero".to_owned();
        match &self.right {
            Operand::Columns { columns } => {
                for (cell, divisor) in block.planes.read::<i64>(*columns).iter().enumerate() {
                    if *divisor == 0 {
                        block.failures.add(cell % rows, reason);
                    }
                }
            }
            Operand::Constants { values } => {
                if constants::<i64>(values).contains(&0) {
                    for row in 0..rows {
                        block.failures.add(row, reason);
                    }
                }
            }
        }
    }
}

fn combine_booleans(
    function: BinaryFunction,
    rows: usize,
    left: Argument<'_, u8>,
    right: Argument<'_, u8>,
    results: &mut [u8],
) {
    match function {
        BinaryFunction::And => zip(rows, left, right, results, |left, right| left & right),
        BinaryFunction::Or => zip(rows, left, right, results, |left, right| left | right),
        _ => zip(rows, left, right, results, |left, right| left ^ right),
    }
}

fn combine_integers(
    function: BinaryFunction,
    rows: usize,
    left: Argument<'_, i64>,
    right: Argument<'_, i64>,
    results: &mut [i64],
) {
    let function: fn(i64, i64) -> i64 = match function {
        BinaryFunction::Add => i64::wrapping_add,
        BinaryFunction::Subtract => i64::wrapping_sub,
        BinaryFunction::Multiply => i64::wrapping_mul,
        BinaryFunction::Divide => |left, right| if right == 0 { 0 } else { left.wrapping_div(right) },
        BinaryFunction::Remainder => |left, right| if right == 0 { 0 } else { left.wrapping_rem(right) },
        BinaryFunction::Modulo => |left, right| {
            if right == 0 {
                return 0;
            }
            let rest = left.wrapping_rem(right);
            if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }
        },
        BinaryFunction::Minimum => i64::min,
        _ => i64::max,
    };
    zip(rows, left, right, results, function);
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn combine_reals<T: Float>(
    function: BinaryFunction,
    rows: usize,
    left: Argument<'_, T>,
    right: Argument<'_, T>,
    results: &mut [T],
) {
    match function {
        BinaryFunction::Add => zip(rows, left, right, results, |left, right| left + right),
        BinaryFunction::Subtract => zip(rows, left, right, results, |left, right| left - right),
        BinaryFunction::Multiply => zip(rows, left, right, results, |left, right| left * right),
        BinaryFunction::Divide => zip(rows, left, right, results, |left, right| left / right),
        BinaryFunction::Remainder => zip(rows, left, right, results, |left, right| left % right),
        BinaryFunction::Minimum => {
            zip(
                rows,
                left,
                right,
                results,
                |left, right| {
                    if left < right || left.is_nan() { left } else { right }
                },
            )
        }
        BinaryFunction::Maximum => {
            zip(
                rows,
                left,
                right,
                results,
                |left, right| {
                    if left > right || left.is_nan() { left } else { right }
                },
            )
        }
        _ => zip(rows, left, right, results, power),
    }
}
