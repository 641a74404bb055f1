//! Operators of dense nets.

use tabular_program::{BinaryFunction, Comparison, Kind, Operand, Step};

use super::call::{Call, one};
use super::elementwise;
use crate::error::Fault;
use crate::graph_lowering::Value;
use crate::shape::{self, Dim};
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// `BatchNormalization` with constant statistics: `(x - mean) / sqrt(variance + epsilon) * scale + bias`.
pub(super) fn batch_normalization(call: &mut Call<'_>) -> Lowered {
    if call.integer("training_mode").unwrap_or(0) != 0 {
        return Err("training_mode=1 combines rows".into());
    }
    let tensor = call.tensor(0)?;
    let kind = tensor.columns.kind;
    let Some(Dim::Fixed(channels)) = tensor.shape.get(1).copied() else {
        return Err(format!("its argument has the shape {}", shape::text(&tensor.shape)).into());
    };
    let parameters: Vec<Vec<f64>> =
        (1..5).map(|index| tensor::doubles(&call.constant(index)?.values)).collect::<Result<_, _>>()?;
    if parameters.iter().any(|values| values.len() != channels) {
        return Err(format!("its parameters do not have {channels} values").into());
    }
    let epsilon = f64::from(call.float("epsilon").unwrap_or(1e-5));
    let factors: Vec<f64> = (0..channels)
        .map(|channel| parameters[0][channel] / (parameters[3][channel] + epsilon).sqrt())
        .collect();
    let offsets: Vec<f64> = (0..channels)
        .map(|channel| parameters[1][channel] - parameters[2][channel] * factors[channel])
        .collect();
    // The channels are the second dimension.
    let mut dimensions = vec![channels];
    dimensions.extend(vec![1; tensor.shape.len() - 2]);
    let constant = |values: &[f64]| {
        Value::Constant(Constant { values: tensor::numbers(kind, values), dimensions: dimensions.clone() })
    };
    let product =
        elementwise::binary(call, BinaryFunction::Multiply, Value::Tensor(tensor), constant(&factors))?;
    one(elementwise::binary(call, BinaryFunction::Add, Value::Tensor(product), constant(&offsets))?)
}

/// `Dropout` outside of training: its argument.
pub(super) fn dropout(call: &mut Call<'_>) -> Lowered {
    let training = match call.inputs.get(2) {
        Some(Some(Value::Constant(constant))) => tensor::doubles(&constant.values)? != [0.0],
        Some(Some(_)) => true,
        _ => false,
    };
    if training {
        return Err("training mode is not supported".into());
    }
    if call.node.outputs.iter().skip(1).any(|output| !output.is_empty()) {
        return Err("its mask is not supported".into());
    }
    Ok(vec![call.input(0)?])
}

/// `PRelu`: `x`, or `slope * x` where `x` is negative.
pub(super) fn p_relu(call: &mut Call<'_>) -> Lowered {
    let (tensor, slope) = (call.tensor(0)?, call.input(1)?);
    let value = Value::Tensor(tensor.clone());
    let scaled = elementwise::binary(call, BinaryFunction::Multiply, value, slope)?;
    let is_negative = call.result(Kind::Boolean, tensor.shape.clone())?;
    call.step(Step::Compare {
        comparison: Comparison::Less,
        left: Operand::Columns { columns: tensor.columns },
        right: Operand::Constants { values: tensor::numbers(tensor.columns.kind, &[0.0]) },
        to: is_negative.columns,
    });
    let to = call.result(tensor.columns.kind, tensor.shape)?;
    call.step(Step::Choose {
        condition: is_negative.columns,
        then: Operand::Columns { columns: scaled.columns },
        otherwise: Operand::Columns { columns: tensor.columns },
        to: to.columns,
    });
    one(to)
}
