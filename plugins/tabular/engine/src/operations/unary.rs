//! Functions of one value.

use tabular_program::{Columns, Kind, UnaryFunction};

use super::arguments::apply;
use super::{Block, Operation};
use crate::math::Float;
use crate::planes::Cell;

/// See [`tabular_program::Step::Unary`].
pub(super) struct Unary {
    pub(super) function: UnaryFunction,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Unary {
    fn run(&self, block: &mut Block<'_, '_>) {
        let (from, to) = (self.from, self.to);
        match (self.function, from.kind) {
            (UnaryFunction::Not, _) => {
                block.planes.map_within::<u8>(to, |planes, results| {
                    apply(planes.read(from), results, |value| value ^ 1)
                });
            }
            (_, Kind::Integer) => {
                let function = integer_function(self.function);
                block
                    .planes
                    .map_within::<i64>(to, |planes, results| apply(planes.read(from), results, function));
            }
            (function, Kind::Float) if function.is_predicate() => self.test::<f32>(block),
            (function, _) if function.is_predicate() => self.test::<f64>(block),
            (_, Kind::Float) => self.map::<f32>(block),
            _ => self.map::<f64>(block),
        }
    }
}

fn integer_function(function: UnaryFunction) -> fn(i64) -> i64 {
    match function {
        UnaryFunction::Negative => i64::wrapping_neg,
        UnaryFunction::Absolute => i64::wrapping_abs,
        UnaryFunction::Relu => |value| value.max(0),
        _ => i64::signum,
    }
}

impl Unary {
    fn test<T: Cell + Float>(&self, block: &mut Block<'_, '_>) {
        let function = self.function;
        block.planes.map_across::<u8>(self.to, |planes, results| {
            apply(planes.read::<T>(self.from), results, |value| {
                let value = value.to_double();
                u8::from(match function {
                    UnaryFunction::IsInfinite { negative, positive } => {
                        (negative && value == f64::NEG_INFINITY) || (positive && value == f64::INFINITY)
                    }
                    _ => value.is_nan(),
                })
            });
        });
    }

    fn map<T: Cell + Float>(&self, block: &mut Block<'_, '_>) {
        block.planes.map_within::<T>(self.to, |planes, results| {
            map_reals(self.function, planes.read(self.from), results);
        });
    }
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn map_reals<T: Float>(function: UnaryFunction, values: &[T], results: &mut [T]) {
    let (zero, one) = (T::default(), T::from_double(1.0));
    // A function that is computed in 64 bits.
    let mut wide = |function: &dyn Fn(f64) -> f64| {
        apply(values, results, |value: T| T::from_double(function(value.to_double())));
    };
    match function {
        UnaryFunction::Exponential => {
            results.copy_from_slice(values);
            T::rounded_exponentials(results);
        }
        UnaryFunction::Logarithm => apply(values, results, Float::logarithm),
        UnaryFunction::Tanh => wide(&libm::tanh),
        UnaryFunction::Erf => wide(&libm::erf),
        UnaryFunction::Floor => wide(&libm::floor),
        UnaryFunction::Ceiling => wide(&libm::ceil),
        UnaryFunction::Round => wide(&libm::rint),
        UnaryFunction::Sine => wide(&libm::sin),
        UnaryFunction::Cosine => wide(&libm::cos),
        UnaryFunction::Softplus => wide(&|value| value.max(0.0) + libm::log1p(libm::exp(-value.abs()))),
        UnaryFunction::Sigmoid => wide(&|value| 1.0 / (1.0 + libm::exp(-value))),
        UnaryFunction::Elu { alpha } => {
            wide(&|value| if value > 0.0 { value } else { f64::from(alpha) * libm::expm1(value) });
        }
        UnaryFunction::Selu { alpha, gamma } => {
            let (alpha, gamma) = (f64::from(alpha), f64::from(gamma));
            wide(&|value| if value > 0.0 { gamma * value } else { gamma * alpha * libm::expm1(value) });
        }
        UnaryFunction::Negative => apply(values, results, |value| -value),
        UnaryFunction::Absolute => apply(values, results, Float::absolute),
        UnaryFunction::SquareRoot => apply(values, results, Float::square_root),
        UnaryFunction::Reciprocal => apply(values, results, |value| one / value),
        UnaryFunction::Relu => apply(values, results, |value| if value < zero { zero } else { value }),
        UnaryFunction::Sign => apply(values, results, |value| {
            if value > zero {
                one
            } else if value < zero {
                -one
            } else {
                value + zero
            }
        }),
        UnaryFunction::LeakyRelu { alpha } => {
            let alpha = T::from_double(f64::from(alpha));
            apply(values, results, |value| if value < zero { alpha * value } else { value });
        }
        UnaryFunction::HardSigmoid { alpha, beta } => {
            let (alpha, beta) = (T::from_double(f64::from(alpha)), T::from_double(f64::from(beta)));
            apply(values, results, |value| {
                let value = alpha * value + beta;
                if value < zero {
                    zero
                } else if value > one {
                    one
                } else {
                    value
                }
            });
        }
        UnaryFunction::Softsign => apply(values, results, |value| value / (one + value.absolute())),
        UnaryFunction::Not | UnaryFunction::IsNan | UnaryFunction::IsInfinite { .. } => {
            unreachable!("the program was checked: the function takes floats to floats")
        }
    }
}
