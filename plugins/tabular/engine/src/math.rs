//! Functions of floats that give the same bits on every machine.
//!
//! A function of a 32-bit float is computed in 64 bits and rounded. Scores' exponentials and powers are those of glibc, which ONNX Runtime
//! and XGBoost call; see [`exponential`] and [`power`](mod@power).

mod exponential;
mod logarithm;
mod power;

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

/// A float. Its operations round in its own precision.
pub(crate) trait Float:
    Copy
    + PartialOrd
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Rem<Output = Self>
    + Neg<Output = Self>
{
    fn to_double(self) -> f64;

    fn from_double(value: f64) -> Self;

    fn absolute(self) -> Self;

    fn square_root(self) -> Self;

    fn exponential(self) -> Self;

    /// Replaces values by exponentials that are as exact as their type allows.
    fn rounded_exponentials(values: &mut [Self]);

    fn logarithm(self) -> Self;

    fn power(self, exponent: Self) -> Self;

    fn is_nan(self) -> bool;
}

macro_rules! float {
    ($type:ty, $exponential:path, $rounded_exponentials:path, $logarithm:path, $power:path) => {
        impl Float for $type {
            fn to_double(self) -> f64 {
                f64::from(self)
            }

            fn from_double(value: f64) -> Self {
                value as Self
            }

            fn absolute(self) -> Self {
                self.abs()
            }

            fn square_root(self) -> Self {
                // A correctly rounded instruction on every machine.
                self.sqrt()
            }

            fn exponential(self) -> Self {
                $exponential(self)
            }

            fn rounded_exponentials(values: &mut [Self]) {
                $rounded_exponentials(values);
            }

            fn logarithm(self) -> Self {
                $logarithm(self)
            }

            fn power(self, exponent: Self) -> Self {
                $power(self, exponent)
            }

            fn is_nan(self) -> bool {
                self.is_nan()
            }
        }
    };
}
float!(f32, exponential::exponential, exponential::rounded_exponentials, logarithm::logarithm, power::power);
float!(f64, libm::exp, double_exponentials, libm::log, libm::pow);

fn double_exponentials(values: &mut [f64]) {
    values.iter_mut().for_each(|value| *value = libm::exp(*value));
}

/// The exponential as glibc has it.
pub(crate) fn exp<T: Float>(value: T) -> T {
    value.exponential()
}

/// The natural logarithm.
pub(crate) fn log<T: Float>(value: T) -> T {
    value.logarithm()
}

/// The power.
pub(crate) fn power<T: Float>(base: T, exponent: T) -> T {
    base.power(exponent)
}

/// Replaces values by their exponentials as glibc has them.
pub(crate) fn exponentials(values: &mut [f32]) {
    exponential::exponentials(values);
}

/// Values of a turn of [`logistics`].
const TURN: usize = 16;

/// Replaces `x` by `1 / (1 + exp(-|x|))`, mirrored for negative `x`, with the roundings of ONNX Runtime.
pub(crate) fn logistics(values: &mut [f32]) {
    for values in values.chunks_mut(TURN) {
        let mut upper = [0.0; TURN];
        let upper = &mut upper[..values.len()];
        upper_logistics(values, upper);
        for (value, upper) in values.iter_mut().zip(upper) {
            *value = if *value < 0.0 { 1.0 - *upper } else { *upper };
        }
    }
}

/// Replaces values, and their negatives in `opposites`, as [`logistics`] does: both have the same exponential.
pub(crate) fn logistics_of_opposites(values: &mut [f32], opposites: &mut [f32]) {
    for (values, opposites) in values.chunks_mut(TURN).zip(opposites.chunks_mut(TURN)) {
        let mut upper = [0.0; TURN];
        let upper = &mut upper[..values.len()];
        upper_logistics(values, upper);
        for ((value, opposite), upper) in values.iter_mut().zip(opposites).zip(upper) {
            let lower = 1.0 - *upper;
            *opposite = if *value > 0.0 { lower } else { *upper };
            *value = if *value < 0.0 { lower } else { *upper };
        }
    }
}

/// Writes `1 / (1 + exp(-|x|))`.
#[inline(always)]
fn upper_logistics(values: &[f32], results: &mut [f32]) {
    for (result, value) in results.iter_mut().zip(values) {
        *result = -value.abs();
    }
    exponentials(results);
    for result in results {
        *result = 1.0 / (1.0 + *result);
    }
}

/// The inverse of the normal distribution function, by Winitzki's approximation of the inverse error function, with the
/// constants of ONNX Runtime.
pub(crate) fn probit(value: f32) -> f32 {
    #[expect(clippy::approx_constant, reason = "the constant of ONNX Runtime")]
    const PI: f32 = 3.14159;
    const SHAPE: f32 = 0.147;
    let argument = 2.0 * value - 1.0;
    let sign = if argument < 0.0 { -1.0 } else { 1.0 };
    let logarithm = log((1.0 - argument) * (1.0 + argument));
    let half = 2.0 / (PI * SHAPE) + 0.5 * logarithm;
    let rest = 1.0 / SHAPE * logarithm;
    let root = -half + (half * half - rest).sqrt();
    std::f32::consts::SQRT_2 * (sign * root.sqrt())
}
