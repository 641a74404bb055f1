//! Operators along an axis.

use tabular_program::{BinaryFunction, Columns, Comparison, Kind, Operand, ReduceFunction, Step};

use super::call::{Call, one};
use super::elementwise;
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Dim, Shape};
use crate::tensor::{self, Constant};

/// The largest number of steps of a `CumSum`.
const MAX_CUMULATIVE_SUMS: u64 = 4096;

type Lowered = Result<Vec<Value>, Fault>;

/// Lowers a reduction, if it is one.
pub(super) fn lower(operator: &str, call: &mut Call<'_>) -> Option<Lowered> {
    let function = match operator {
        "ReduceL1" => ReduceFunction::SumOfAbsolutes,
        "ReduceL2" => ReduceFunction::EuclideanNorm,
        "ReduceLogSum" => ReduceFunction::LogarithmOfSum,
        "ReduceLogSumExp" => ReduceFunction::LogarithmOfExponentials,
        "ReduceMax" => ReduceFunction::Maximum,
        "ReduceMean" => ReduceFunction::Mean,
        "ReduceMin" => ReduceFunction::Minimum,
        "ReduceProd" => ReduceFunction::Product,
        "ReduceSum" => ReduceFunction::Sum,
        "ReduceSumSquare" => ReduceFunction::SumOfSquares,
        _ => return None,
    };
    Some(reduce(call, function))
}

fn reduce(call: &mut Call<'_>, function: ReduceFunction) -> Lowered {
    let mut tensor = call.tensor(0)?;
    let keeps = call.integer("keepdims").unwrap_or(1) != 0;
    let axes = match call.axes(1)? {
        Some(axes) if !axes.is_empty() => axes,
        _ if call.integer("noop_with_empty_axes").unwrap_or(0) != 0 => return one(tensor),
        _ => (0..tensor.shape.len() as i64).collect(),
    };
    let mut reduced = Vec::new();
    for number in axes {
        let axis = shape::column_axis(number, &tensor.shape)?;
        if !reduced.contains(&axis) {
            reduced.push(axis);
        }
    }
    reduced.sort_unstable();
    let original = tensor.shape.clone();
    // Adjacent axes are reduced at once, so that a mean of several axes is one mean.
    let mut shape = original.clone();
    let mut index = reduced.len();
    while index > 0 {
        let last = reduced[index - 1];
        let mut first = last;
        index -= 1;
        while index > 0 && reduced[index - 1] + 1 == first {
            index -= 1;
            first = reduced[index];
        }
        let mut merged: Shape = shape[..first].to_vec();
        merged.push(Dim::Fixed(shape::width(&shape[first..=last])?));
        merged.extend(&shape[last + 1..]);
        tensor = reduce_axis(call, function, Tensor { shape: merged, ..tensor }, first)?;
        shape.splice(first..=last, vec![Dim::Fixed(1); last + 1 - first]);
    }
    if !keeps {
        let kept =
            original.iter().enumerate().filter(|(axis, _)| !reduced.contains(axis)).map(|(_, dim)| *dim);
        shape = kept.collect();
    }
    one(Tensor { shape, ..tensor })
}

fn reduce_axis(
    call: &mut Call<'_>,
    function: ReduceFunction,
    from: Tensor,
    axis: usize,
) -> Result<Tensor, Fault> {
    let around = shape::around(&from.shape, axis);
    if around.length == 0 {
        return Err("it reduces an empty axis".into());
    }
    let mut shape = from.shape.clone();
    shape[axis] = Dim::Fixed(1);
    let to = call.result(from.columns.kind, shape)?;
    call.step(Step::Reduce { function, from: from.columns, axis: around, to: to.columns });
    Ok(to)
}

/// `CumSum`, one sum after the other.
pub(super) fn cumulative_sum(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let number = *call.integers(1)?.first().ok_or("its axis is missing")?;
    let around = shape::around(&tensor.shape, shape::column_axis(number, &tensor.shape)?);
    let (exclusive, reverse) =
        (call.integer("exclusive").unwrap_or(0) != 0, call.integer("reverse").unwrap_or(0) != 0);
    if u64::from(around.outer) * u64::from(around.length) > MAX_CUMULATIVE_SUMS {
        return Err(format!("it has more than {MAX_CUMULATIVE_SUMS} sums").into());
    }
    let (from, to) = (tensor.columns, call.result(tensor.columns.kind, tensor.shape)?);
    let part = |columns: Columns, outer: u32, position: u32| {
        let start = columns.start + (outer * around.length + position) * around.inner;
        Columns { start, width: around.inner, ..columns }
    };
    let zero = tensor::numbers(from.kind, &vec![0.0; around.inner as usize]);
    for outer in 0..around.outer {
        let mut last: Option<u32> = None;
        for index in 0..around.length {
            let position = if reverse { around.length - 1 - index } else { index };
            let result = part(to.columns, outer, position);
            let step = match last {
                None if exclusive => Step::Fill { values: zero.clone(), to: result },
                None => Step::Copy { from: part(from, outer, position), to: result },
                Some(last) => {
                    let added = part(from, outer, if exclusive { last } else { position });
                    Step::Binary {
                        function: BinaryFunction::Add,
                        left: Operand::Columns { columns: part(to.columns, outer, last) },
                        right: Operand::Columns { columns: added },
                        to: result,
                    }
                }
            };
            call.step(step);
            last = Some(position);
        }
    }
    one(to)
}

/// `LpNormalization`. Values whose norm is 0 become 0.
pub(super) fn lp_normalization(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let axis = shape::column_axis(call.integer("axis").unwrap_or(-1), &tensor.shape)?;
    let function = match call.integer("p").unwrap_or(2) {
        1 => ReduceFunction::SumOfAbsolutes,
        2 => ReduceFunction::EuclideanNorm,
        p => return Err(format!("the norm p={p} is not supported").into()),
    };
    let shape = tensor.shape.clone();
    let norm = reduce_axis(call, function, tensor.clone(), axis)?;
    let kind = norm.columns.kind;
    let zero = Value::Constant(Constant { values: tensor::numbers(kind, &[0.0]), dimensions: Vec::new() });
    let is_zero = call.result(Kind::Boolean, norm.shape.clone())?;
    let left = Operand::Columns { columns: norm.columns };
    let right = call.operand(zero.clone(), &norm.shape)?;
    call.step(Step::Compare { comparison: Comparison::Equal, left, right, to: is_zero.columns });
    let quotient =
        elementwise::binary(call, BinaryFunction::Divide, Value::Tensor(tensor), Value::Tensor(norm))?;
    let Operand::Columns { columns: condition } = call.operand(Value::Tensor(is_zero), &shape)? else {
        return Err("its norm is constant".into());
    };
    let to = call.result(kind, shape)?;
    let then = call.operand(zero, &to.shape)?;
    let otherwise = Operand::Columns { columns: quotient.columns };
    call.step(Step::Choose { condition, then, otherwise, to: to.columns });
    one(to)
}

/// `ArgMax` and `ArgMin`.
pub(super) fn position(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let axis = shape::column_axis(call.integer("axis").unwrap_or(0), &tensor.shape)?;
    let around = shape::around(&tensor.shape, axis);
    if around.length == 0 {
        return Err("it reduces an empty axis".into());
    }
    let mut shape = tensor.shape;
    shape[axis] = Dim::Fixed(1);
    let to = call.result(Kind::Integer, shape)?;
    call.step(Step::Position {
        largest: call.node.operator == "ArgMax",
        last: call.integer("select_last_index").unwrap_or(0) != 0,
        from: tensor.columns,
        axis: around,
        to: to.columns,
    });
    if call.integer("keepdims").unwrap_or(1) != 0 {
        return one(to);
    }
    let mut shape = to.shape.clone();
    shape.remove(axis);
    one(Tensor { shape, ..to })
}

/// `Softmax` and `LogSoftmax`. Before version 13 all axes from `axis` on count as one.
pub(super) fn softmax(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let number = call.integer("axis").unwrap_or(if call.version < 13 { 1 } else { -1 });
    let axis = shape::column_axis(number, &tensor.shape)?;
    let shape = tensor.shape.clone();
    let mut merged = shape.clone();
    if call.version < 13 {
        let length = shape::width(&shape[axis..])?;
        if shape::rows_axis(&shape[axis..]).is_some() {
            return Err("it works along the rows".into());
        }
        merged.truncate(axis);
        merged.push(Dim::Fixed(length));
    }
    let around = shape::around(&merged, axis);
    let to = call.result(tensor.columns.kind, shape)?;
    let logarithm = call.node.operator == "LogSoftmax";
    call.step(Step::Softmax { logarithm, from: tensor.columns, axis: around, to: to.columns });
    one(to)
}

/// `TopK`. The number is an argument since version 10.
pub(super) fn top_k(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let number = match call.integer("k") {
        Some(number) => number,
        None => *call.integers(1)?.first().ok_or("k is missing")?,
    };
    let axis = shape::column_axis(call.integer("axis").unwrap_or(-1), &tensor.shape)?;
    let around = shape::around(&tensor.shape, axis);
    let count = match u32::try_from(number) {
        Ok(count) if count <= around.length && around.length > 0 => count,
        _ => return Err(format!("it takes {number} of {} values", around.length).into()),
    };
    let mut shape = tensor.shape;
    shape[axis] = Dim::Fixed(count as usize);
    let values = call.result(tensor.columns.kind, shape.clone())?;
    let positions = call.result(Kind::Integer, shape)?;
    call.step(Step::Top {
        largest: call.integer("largest").unwrap_or(1) != 0,
        count,
        from: tensor.columns,
        axis: around,
        values: values.columns,
        positions: positions.columns,
    });
    Ok(vec![Value::Tensor(values), Value::Tensor(positions)])
}
