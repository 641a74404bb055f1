//! Operators on each element.

use tabular_program::{Kind, Values};

use super::call::{NetCall, NetInput, float};
use super::shape::{self, NetShape};
use super::{LoweredNode, Refusal};
use crate::graph_lowering::Value;
use crate::proto::encoding::AttributeValue;
use crate::tensor;

/// The kinds of the arguments and of the result of an operator.
#[derive(Clone, Copy)]
pub(super) enum OperatorSignature {
    /// A float from a float, with float attributes and their defaults.
    Unary(&'static str, &'static [(&'static str, f32)]),
    /// A float from two floats.
    Binary(&'static str),
    /// A float from any number of floats.
    Variadic(&'static str),
    /// A boolean from two floats or integers.
    Comparison(&'static str),
    /// A boolean from booleans.
    Logic(&'static str),
    /// `Gelu`, exact or with a hyperbolic tangent.
    Gelu,
    /// `x * sigmoid(alpha * x)`.
    Swish,
    /// `x * tanh(softplus(x))`.
    Mish,
}

/// The signature of an operator.
pub(super) fn signature(name: &str) -> Option<OperatorSignature> {
    use OperatorSignature::{Binary, Comparison, Logic, Unary, Variadic};
    const ALPHA: &str = "alpha";
    Some(match name {
        "Abs" => Unary("Abs", &[]),
        "Acos" => Unary("Acos", &[]),
        "Asin" => Unary("Asin", &[]),
        "Atan" => Unary("Atan", &[]),
        "Ceil" => Unary("Ceil", &[]),
        "Cos" => Unary("Cos", &[]),
        "Elu" => Unary("Elu", &[(ALPHA, 1.0)]),
        "Erf" => Unary("Erf", &[]),
        "Exp" => Unary("Exp", &[]),
        "Floor" => Unary("Floor", &[]),
        "HardSigmoid" => Unary("HardSigmoid", &[(ALPHA, 0.2), ("beta", 0.5)]),
        "HardSwish" => Unary("HardSwish", &[]),
        "Identity" => Unary("Identity", &[]),
        "LeakyRelu" => Unary("LeakyRelu", &[(ALPHA, 0.01)]),
        "Log" => Unary("Log", &[]),
        "Neg" => Unary("Neg", &[]),
        "Reciprocal" => Unary("Reciprocal", &[]),
        "Relu" => Unary("Relu", &[]),
        "Round" => Unary("Round", &[]),
        "Sigmoid" => Unary("Sigmoid", &[]),
        "Sin" => Unary("Sin", &[]),
        "Softplus" => Unary("Softplus", &[]),
        "Softsign" => Unary("Softsign", &[]),
        "Sqrt" => Unary("Sqrt", &[]),
        "Tan" => Unary("Tan", &[]),
        "Tanh" => Unary("Tanh", &[]),
        "Add" => Binary("Add"),
        "Div" => Binary("Div"),
        "Mul" => Binary("Mul"),
        "PRelu" => Binary("PRelu"),
        "Pow" => Binary("Pow"),
        "Sub" => Binary("Sub"),
        "Max" => Variadic("Max"),
        "Mean" => Variadic("Mean"),
        "Min" => Variadic("Min"),
        "Sum" => Variadic("Sum"),
        "Equal" => Comparison("Equal"),
        "Greater" => Comparison("Greater"),
        "GreaterOrEqual" => Comparison("GreaterOrEqual"),
        "Less" => Comparison("Less"),
        "LessOrEqual" => Comparison("LessOrEqual"),
        "And" => Logic("And"),
        "Not" => Logic("Not"),
        "Or" => Logic("Or"),
        "Xor" => Logic("Xor"),
        "Gelu" => OperatorSignature::Gelu,
        "Swish" => OperatorSignature::Swish,
        "Mish" => OperatorSignature::Mish,
        _ => return None,
    })
}

/// Writes an operator that has this signature.
pub(super) fn lower(mut net: NetCall<'_, '_>, signature: OperatorSignature) -> LoweredNode {
    let count = net.call.inputs.len();
    let (kind, shape) = match signature {
        OperatorSignature::Unary(..)
        | OperatorSignature::Gelu
        | OperatorSignature::Swish
        | OperatorSignature::Mish => (Kind::Float, net.floats(0)?),
        OperatorSignature::Binary("PRelu") => {
            let from = net.floats(0)?;
            // The slope is broadcast to the argument, never the other way round.
            if shape::broadcast(&from, &net.floats(1)?)? != from {
                return Err(format!("its slope does not fit {}", shape::text(&from)).into());
            }
            (Kind::Float, from)
        }
        OperatorSignature::Binary(_) => (Kind::Float, shape::broadcast(&net.floats(0)?, &net.floats(1)?)?),
        OperatorSignature::Variadic(_) => {
            let mut shape = net.floats(0)?;
            for index in 1..count {
                shape = shape::broadcast(&shape, &net.floats(index)?)?;
            }
            (Kind::Float, shape)
        }
        OperatorSignature::Comparison(_) => (Kind::Boolean, compared(&net)?),
        OperatorSignature::Logic(_) => {
            let mut shape = net.of_kinds(0, &[Kind::Boolean])?;
            for index in 1..count {
                shape = shape::broadcast(&shape, &net.of_kinds(index, &[Kind::Boolean])?)?;
            }
            (Kind::Boolean, shape)
        }
    };
    let arguments = net.arguments();
    match signature {
        OperatorSignature::Unary(operator, defaults) => {
            let attribute = |(name, default): &(&'static str, f32)| {
                (*name, AttributeValue::Float(net.call.float(name).unwrap_or(*default)))
            };
            let attributes = defaults.iter().map(attribute).collect();
            net.last(operator, arguments, attributes);
        }
        OperatorSignature::Binary(operator)
        | OperatorSignature::Variadic(operator)
        | OperatorSignature::Comparison(operator)
        | OperatorSignature::Logic(operator) => net.last(operator, arguments, Vec::new()),
        OperatorSignature::Gelu => {
            let approximate = match net.call.text("approximate")? {
                None | Some("none") => "none",
                Some("tanh") => "tanh",
                Some(other) => return Err(format!("approximate is {other:?}, expected none or tanh").into()),
            };
            net.last("Gelu", arguments, vec![("approximate", AttributeValue::Text(approximate))]);
        }
        OperatorSignature::Swish => {
            let alpha = net.call.float("alpha").unwrap_or(1.0);
            let scaled = net.inner("Mul", vec![NetInput::Argument(0), float(alpha)], Vec::new());
            let gate = net.inner("Sigmoid", vec![scaled], Vec::new());
            net.last("Mul", vec![NetInput::Argument(0), gate], Vec::new());
        }
        OperatorSignature::Mish => {
            let soft = net.inner("Softplus", vec![NetInput::Argument(0)], Vec::new());
            let gate = net.inner("Tanh", vec![soft], Vec::new());
            net.last("Mul", vec![NetInput::Argument(0), gate], Vec::new());
        }
    }
    net.part(vec![(kind, shape)])
}

/// The shape of a comparison of two arguments of one kind.
fn compared(net: &NetCall<'_, '_>) -> Result<NetShape, Refusal> {
    let kinds = [Kind::Float, Kind::Integer];
    let (left, right) = (net.of_kinds(0, &kinds)?, net.of_kinds(1, &kinds)?);
    if net.kind(0)? != net.kind(1)? {
        return Err("it compares values of different kinds".into());
    }
    Ok(shape::broadcast(&left, &right)?)
}

/// `Where`.
pub(super) fn choose(mut net: NetCall<'_, '_>) -> LoweredNode {
    let condition = net.of_kinds(0, &[Kind::Boolean])?;
    let kinds = [Kind::Float, Kind::Integer];
    let (then, otherwise) = (net.of_kinds(1, &kinds)?, net.of_kinds(2, &kinds)?);
    let kind = net.kind(1)?;
    if kind != net.kind(2)? {
        return Err("it chooses between values of different kinds".into());
    }
    let shape = shape::broadcast(&shape::broadcast(&condition, &then)?, &otherwise)?;
    let arguments = net.arguments();
    net.last("Where", arguments, Vec::new());
    net.part(vec![(kind, shape)])
}

/// `Cast` to 32-bit floats.
pub(super) fn cast(mut net: NetCall<'_, '_>) -> LoweredNode {
    const FLOAT: i64 = 1;
    let shape = net.of_kinds(0, &[Kind::Float, Kind::Integer, Kind::Boolean])?;
    if net.call.integer("to") != Some(FLOAT) {
        return Err(Refusal::Kind("a cast to another type than float32 is not supported here".into()));
    }
    net.last("Cast", vec![NetInput::Argument(0)], vec![("to", AttributeValue::Integer(FLOAT))]);
    net.part(vec![(Kind::Float, shape)])
}

/// `Clip` between constants.
pub(super) fn clip(mut net: NetCall<'_, '_>) -> LoweredNode {
    let shape = net.floats(0)?;
    let mut inputs = vec![NetInput::Argument(0)];
    for (index, name) in [(1, "min"), (2, "max")] {
        let bound = if net.call.has(index) {
            match net.call.constant(index)?.values {
                Values::Floats { values } if values.len() == 1 => Some(values[0]),
                _ => return Err(format!("its {name} is no single float").into()),
            }
        } else {
            net.call.float(name)
        };
        inputs.push(bound.map_or(NetInput::Absent, float));
    }
    net.last("Clip", inputs, Vec::new());
    net.part(vec![(Kind::Float, shape)])
}

/// `Dropout` outside of training: its argument.
pub(super) fn dropout(mut net: NetCall<'_, '_>) -> LoweredNode {
    let shape = net.floats(0)?;
    let training = match net.call.inputs.get(2) {
        Some(Some(Value::Constant(constant))) => tensor::doubles(&constant.values)? != [0.0],
        Some(Some(_)) => true,
        _ => false,
    };
    if training {
        return Err("training mode is not supported".into());
    }
    if net.call.node.outputs.iter().skip(1).any(|output| !output.is_empty()) {
        return Err("its mask is not supported".into());
    }
    net.last("Identity", vec![NetInput::Argument(0)], Vec::new());
    net.part(vec![(Kind::Float, shape)])
}
