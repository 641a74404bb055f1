//! Operators of `ai.onnx.ml` on numbers.

use tabular_program::{BinaryFunction, Comparison, Kind, Norm, Operand, Step, Values};

use super::call::{Call, one};
use super::elementwise;
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::Dim;
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// A list of one value, or one for each column.
fn per_column(name: &str, values: Values, width: usize) -> Result<Values, Fault> {
    match values.len() {
        1 => Ok(tensor::repeated(&values, width)),
        length if length == width => Ok(values),
        length => Err(format!("attribute {name} has {length} values for {width} columns").into()),
    }
}

/// The last dimension, which the attributes are listed by.
fn last_length(tensor: &Tensor) -> usize {
    match tensor.shape.last() {
        Some(Dim::Fixed(length)) if tensor.shape.len() > 1 => *length,
        _ => 1,
    }
}

/// `Scaler`: `(x - offset) * scale`, in floats.
pub(super) fn scaler(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let mut tensor = call.converted(tensor, Kind::Float)?;
    let width = last_length(&tensor);
    for (name, function) in [("offset", BinaryFunction::Subtract), ("scale", BinaryFunction::Multiply)] {
        let values = Values::Floats { values: call.float_list(name).to_vec() };
        let constant = Value::Constant(Constant::list(per_column(name, values, width)?));
        tensor = elementwise::binary(call, function, Value::Tensor(tensor), constant)?;
    }
    one(tensor)
}

/// `Normalizer`.
pub(super) fn normalizer(call: &mut Call<'_>) -> Lowered {
    let norm = match call.text("norm")?.unwrap_or("MAX") {
        "MAX" => Norm::Maximum,
        "L1" => Norm::Absolute,
        "L2" => Norm::Euclidean,
        other => return Err(format!("norm {other:?} does not exist").into()),
    };
    let features = call.features(0)?;
    let features = call.converted(features, Kind::Float)?;
    let to = call.result(Kind::Float, features.shape.clone())?;
    call.step(Step::Normalize { norm, from: features.columns, to: to.columns });
    one(to)
}

/// `Binarizer`: 1 for values above the threshold, otherwise 0.
pub(super) fn binarizer(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let kind = tensor.columns.kind;
    let threshold = call.float("threshold").unwrap_or(0.0);
    let is_above = call.result(Kind::Boolean, tensor.shape)?;
    call.step(Step::Compare {
        comparison: Comparison::Greater,
        left: Operand::Columns { columns: tensor.columns },
        right: Operand::Constants { values: tensor::numbers(kind, &[f64::from(threshold)]) },
        to: is_above.columns,
    });
    one(call.converted(is_above, kind)?)
}

/// `Imputer`.
pub(super) fn imputer(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let kind = tensor.columns.kind;
    let (missing, replacements) = match kind {
        Kind::Integer => (
            Values::Integers { values: vec![call.integer("replaced_value_int64").unwrap_or(0)] },
            Values::Integers { values: call.integer_list("imputed_value_int64s").to_vec() },
        ),
        Kind::Float | Kind::Double => {
            let list: Vec<f64> =
                call.float_list("imputed_value_floats").iter().map(|value| f64::from(*value)).collect();
            let missing = f64::from(call.float("replaced_value_float").unwrap_or(0.0));
            (tensor::numbers(kind, &[missing]), tensor::numbers(kind, &list))
        }
        other => return Err(format!("values of kind {other:?} are not imputed").into()),
    };
    let replacements = per_column("imputed_value", replacements, last_length(&tensor))?;
    let outer = tensor.columns.width as usize / replacements.len().max(1);
    let replacements = tensor::repeated(&replacements, outer * replacements.len());
    let to = call.result(kind, tensor.shape)?;
    call.step(Step::Impute { from: tensor.columns, missing, replacements, to: to.columns });
    one(to)
}
