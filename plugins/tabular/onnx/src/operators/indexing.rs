//! Operators that pick elements by position.

use tabular_program::{Kind, Step, Values};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Dim, Shape};
use crate::tensor;

type Lowered = Result<Vec<Value>, Fault>;

/// The columns of a value whose index along an axis is one of some positions, in the order of the positions.
fn pick(from: &[Dim], axis: usize, positions: &[usize]) -> (Shape, Vec<u32>) {
    let mut shape = from.to_vec();
    shape[axis] = Dim::Fixed(positions.len());
    let mut columns = Vec::new();
    shape::each_index(&shape, |index| {
        let mut index = index.to_vec();
        index[axis] = positions[index[axis]];
        columns.push(shape::column(from, &index) as u32);
    });
    (shape, columns)
}

/// Positions along an axis, counted from the end if negative.
fn bounded(positions: &[i64], length: usize) -> Result<Vec<usize>, Fault> {
    positions
        .iter()
        .map(|position| {
            let counted = if *position < 0 { position.saturating_add(length as i64) } else { *position };
            match usize::try_from(counted) {
                Ok(counted) if counted < length => Ok(counted),
                _ => Err(format!("position {position} is outside of {length}").into()),
            }
        })
        .collect()
}

fn length(shape: &[Dim], axis: usize) -> usize {
    if let Dim::Fixed(length) = shape[axis] { length } else { 0 }
}

/// A table of constants, by an index that depends on the row. `shape` is that of the result.
fn look_up(call: &mut Call<'_>, table: Values, width: usize, index: &Tensor, shape: Shape) -> Lowered {
    let index = call.converted(index.clone(), Kind::Integer)?;
    let to = call.result(table.kind(), shape)?;
    call.step(Step::Lookup { table, width: width as u32, index: index.columns, to: to.columns });
    one(to)
}

/// `ArrayFeatureExtractor`: elements of the last axis.
pub(super) fn array_feature_extractor(call: &mut Call<'_>) -> Lowered {
    let (value, index) = (call.input(0)?, call.input(1)?);
    let from = value.shape();
    let axis = from.len().checked_sub(1).ok_or("its argument is a single number")?;
    let from = if from.len() == 1 { vec![Dim::Fixed(1), from[0]] } else { from };
    let axis = axis.max(from.len() - 1);
    match index {
        Value::Constant(index) => {
            let Values::Integers { values: positions } = index.values else {
                return Err("its positions are no integers".into());
            };
            let axis = shape::column_axis(axis as i64, &from)?;
            let (shape, columns) = pick(&from, axis, &bounded(&positions, length(&from, axis))?);
            let tensor = call.materialized(value)?;
            one(Tensor { columns: call.selected(tensor.columns, columns)?, shape })
        }
        index => {
            let index = call.materialized(index)?;
            let Value::Constant(table) = value else {
                return Err("both its arguments depend on the row".into());
            };
            if table.values.len() != length(&from, axis) {
                return Err("its argument depends on the row and has more than one dimension".into());
            }
            let width = index.columns.width as usize;
            if width == 1 {
                return look_up(call, table.values, 1, &index, vec![Dim::Fixed(1), Dim::Rows]);
            }
            if shape::rows_axis(&index.shape) != Some(0) {
                return Err(format!("its positions have the shape {}", shape::text(&index.shape)).into());
            }
            let shape = vec![Dim::Rows, Dim::Fixed(width)];
            let found = call.result(table.values.kind(), shape)?;
            call.step(Step::Lookup {
                table: table.values,
                width: 1,
                index: index.columns,
                to: found.columns,
            });
            Ok(vec![Value::Merged(found)])
        }
    }
}

/// `Gather`.
pub(super) fn gather(call: &mut Call<'_>) -> Lowered {
    let (value, index) = (call.input(0)?, call.input(1)?);
    let number = call.integer("axis").unwrap_or(0);
    let from = value.shape();
    if let (Value::Shape(dimensions), Value::Constant(index)) = (&value, &index) {
        let Values::Integers { values: positions } = &index.values else {
            return Err("its positions are no integers".into());
        };
        let picked: Shape =
            bounded(positions, dimensions.len())?.into_iter().map(|at| dimensions[at]).collect();
        return Ok(vec![Value::Shape(picked)]);
    }
    match index {
        Value::Constant(index) => {
            let axis = shape::column_axis(number, &from)?;
            let Values::Integers { values: positions } = &index.values else {
                return Err("its positions are no integers".into());
            };
            let (_, columns) = pick(&from, axis, &bounded(positions, length(&from, axis))?);
            // The dimensions of the positions take the place of the axis.
            let mut shape = from[..axis].to_vec();
            shape.extend(index.shape());
            shape.extend(&from[axis + 1..]);
            shape::width(&shape)?;
            let tensor = call.materialized(value)?;
            one(Tensor { columns: call.selected(tensor.columns, columns)?, shape })
        }
        index => {
            let index = call.materialized(index)?;
            let axis = shape::axis(number, from.len())?;
            let Value::Constant(table) = value else {
                return Err("both its arguments depend on the row".into());
            };
            if axis != 0 {
                return Err("a table is looked up along its first axis only".into());
            }
            let width = shape::width(&from[1..])?;
            if width == 0 {
                return Err("its table is empty".into());
            }
            let mut shape = index.shape.clone();
            shape.extend(&from[1..]);
            look_up(call, table.values, width, &index, shape)
        }
    }
}

/// `GatherElements`. The positions have the shape of the argument but for the axis.
pub(super) fn gather_elements(call: &mut Call<'_>) -> Lowered {
    let (tensor, index) = (call.tensor(0)?, call.tensor(1)?);
    let axis = shape::column_axis(call.integer("axis").unwrap_or(0), &tensor.shape)?;
    let mut expected = tensor.shape.clone();
    match index.shape.get(axis) {
        Some(dim) if index.shape.len() == expected.len() => expected[axis] = *dim,
        _ => return Err("its positions have another number of dimensions".into()),
    }
    if expected != index.shape {
        return Err(format!(
            "its positions have the shape {}, expected {}",
            shape::text(&index.shape),
            shape::text(&expected)
        )
        .into());
    }
    if index.columns.kind != Kind::Integer {
        return Err(format!("its positions are {:?}, expected integers", index.columns.kind).into());
    }
    let axis = shape::around(&tensor.shape, axis);
    let to = call.result(tensor.columns.kind, expected)?;
    call.step(Step::Gather { from: tensor.columns, axis, index: index.columns, to: to.columns });
    one(to)
}

/// `Slice`. The bounds are arguments since version 10 and attributes before.
pub(super) fn slice(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    let arguments = call.version >= 10;
    let list = |index: usize, name: &str| -> Result<Option<Vec<i64>>, Fault> {
        if arguments {
            return if call.has(index) { Ok(Some(call.integers(index)?)) } else { Ok(None) };
        }
        let values = call.integer_list(name);
        Ok(if values.is_empty() { None } else { Some(values.to_vec()) })
    };
    let starts = list(1, "starts")?.ok_or("starts are missing")?;
    let ends = list(2, "ends")?.ok_or("ends are missing")?;
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()].iter().any(|length| *length != starts.len()) {
        return Err("its lists have different lengths".into());
    }
    let mut shape = value.shape();
    if let Value::Shape(dimensions) = &value {
        let positions = sliced(dimensions.len(), starts[0], ends[0], steps[0])?;
        return Ok(vec![Value::Shape(positions.into_iter().map(|position| dimensions[position]).collect())]);
    }
    let mut columns: Vec<u32> = (0..shape::width(&shape)? as u32).collect();
    for (((start, end), number), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = shape::axis(number, shape.len())?;
        if shape[axis] == Dim::Rows {
            if start == 0 && end >= i64::from(i32::MAX) && step == 1 {
                continue;
            }
            return Err(format!("it takes some of the rows of {}", shape::text(&shape)).into());
        }
        let positions = sliced(length(&shape, axis), start, end, step)?;
        let (next, picked) = pick(&shape, axis, &positions);
        columns = picked.into_iter().map(|column| columns[column as usize]).collect();
        shape = next;
    }
    let tensor = call.materialized(value)?;
    one(Tensor { columns: call.selected(tensor.columns, columns)?, shape })
}

/// The positions from `start` to before `end`.
fn sliced(length: usize, start: i64, end: i64, step: i64) -> Result<Vec<usize>, Fault> {
    if step == 0 {
        return Err("its step is 0".into());
    }
    let length = length as i64;
    let counted = |position: i64| if position < 0 { position.saturating_add(length) } else { position };
    let (least, most) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let mut position = counted(start).clamp(least.max(0).min(most.max(least)), most);
    let end = if end == i64::MIN { -1 } else { counted(end) }.clamp(least, most);
    let mut positions = Vec::new();
    while if step > 0 { position < end } else { position > end } {
        positions.push(position as usize);
        position = position.saturating_add(step);
    }
    Ok(positions)
}

/// `Split`. The lengths are an argument since version 13 and an attribute before.
pub(super) fn split(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let axis = shape::column_axis(call.integer("axis").unwrap_or(0), &tensor.shape)?;
    let total = length(&tensor.shape, axis);
    let count = call.node.outputs.len();
    let lengths: Vec<usize> = if call.has(1) || !call.integer_list("split").is_empty() {
        let numbers = if call.has(1) { call.integers(1)? } else { call.integer_list("split").to_vec() };
        numbers
            .into_iter()
            .map(|number| usize::try_from(number).map_err(|_| format!("length {number} is negative")))
            .collect::<Result<_, _>>()?
    } else {
        let part = total.div_ceil(count.max(1));
        (0..count).map(|index| part.min(total.saturating_sub(index * part))).collect()
    };
    if lengths.len() != count
        || lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length)) != total
    {
        return Err(format!("axis {axis} has the length {total}, which its parts do not add up to").into());
    }
    let mut first = 0;
    let mut parts = Vec::new();
    for length in lengths {
        let positions: Vec<usize> = (first..first + length).collect();
        let (shape, columns) = pick(&tensor.shape, axis, &positions);
        parts.push(Value::Tensor(Tensor { columns: call.selected(tensor.columns, columns)?, shape }));
        first += length;
    }
    Ok(parts)
}

/// `Transpose`.
pub(super) fn transpose(call: &mut Call<'_>) -> Lowered {
    let tensor = call.tensor(0)?;
    let rank = tensor.shape.len();
    let order: Vec<usize> = match call.integer_list("perm") {
        [] => (0..rank).rev().collect(),
        numbers => numbers.iter().map(|number| shape::axis(*number, rank)).collect::<Result<_, _>>()?,
    };
    let mut seen = vec![false; rank];
    order.iter().for_each(|axis| seen[*axis] = true);
    if order.len() != rank || seen.contains(&false) {
        return Err("perm does not name every axis once".into());
    }
    let shape: Shape = order.iter().map(|axis| tensor.shape[*axis]).collect();
    let mut columns = Vec::new();
    shape::each_index(&shape, |index| {
        let mut original = vec![0; rank];
        for (position, axis) in order.iter().enumerate() {
            original[*axis] = index[position];
        }
        columns.push(shape::column(&tensor.shape, &original) as u32);
    });
    one(Tensor { columns: call.selected(tensor.columns, columns)?, shape })
}

/// A matrix with its dimensions swapped; other constants as they are.
pub(super) fn transposed(constant: &tensor::Constant) -> tensor::Constant {
    let rank = constant.dimensions.len();
    if rank != 2 {
        return constant.clone();
    }
    let (height, width) = (constant.dimensions[0], constant.dimensions[1]);
    let positions: Vec<u32> =
        (0..width).flat_map(|column| (0..height).map(move |row| (row * width + column) as u32)).collect();
    tensor::Constant { values: tensor::select(&constant.values, &positions), dimensions: vec![width, height] }
}
