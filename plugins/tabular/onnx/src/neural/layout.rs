//! Operators that move elements.

use tabular_program::{Kind, Values};

use super::call::{NetCall, NetInput, float, integers, lengths, requested};
use super::reshape::length;
use super::shape::{self, NetDim, NetShape, fixed};
use super::{LoweredNode, Refusal};
use crate::error::Fault;
use crate::graph_lowering::Value;
use crate::proto::encoding::AttributeValue;

/// The kinds that are moved.
const KINDS: [Kind; 3] = [Kind::Float, Kind::Integer, Kind::Boolean];

/// An argument of any kind that is moved.
pub(super) fn moved(net: &NetCall<'_, '_>, index: usize) -> Result<(Kind, NetShape), Refusal> {
    Ok((net.kind(index)?, net.of_kinds(index, &KINDS)?))
}

/// `Transpose`.
pub(super) fn transpose(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let order = match net.call.integer_list("perm") {
        [] => (0..from.len()).rev().collect(),
        numbers => shape::axes(numbers, from.len())?,
    };
    if order.len() != from.len() {
        return Err(format!("perm does not fit {}", shape::text(&from)).into());
    }
    let shape = order.iter().map(|axis| from[*axis]).collect();
    let order = AttributeValue::Integers(order.iter().map(|axis| *axis as i64).collect());
    net.last("Transpose", vec![NetInput::Argument(0)], vec![("perm", order)]);
    net.part(vec![(kind, shape)])
}

/// `Concat`.
pub(super) fn concat(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, mut result) = moved(&net, 0)?;
    let number = net.call.integer("axis").ok_or_else(|| "attribute axis is missing".to_owned())?;
    let along = shape::column_axis(number, &result)?;
    let mut length = result[along].length;
    for index in 1..net.call.inputs.len() {
        let (other_kind, mut other) = moved(&net, index)?;
        let fits = kind == other_kind && other.len() == result.len() && !other[along].has_rows;
        let fits = fits
            && shape::dimensions(&other)
                .iter()
                .zip(&result)
                .enumerate()
                .all(|(axis, (one, other))| axis == along || *one == other.length);
        if !fits {
            return Err(format!("{} is appended to {}", shape::text(&other), shape::text(&result)).into());
        }
        length += other[along].length;
        other[along] = result[along];
        result = shape::broadcast(&result, &other)?;
    }
    result[along] = fixed(length);
    let arguments = net.arguments();
    net.last("Concat", arguments, vec![("axis", AttributeValue::Integer(along as i64))]);
    net.part(vec![(kind, result)])
}

/// `Split`.
pub(super) fn split(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let along = shape::column_axis(net.call.integer("axis").unwrap_or(0), &from)?;
    let (length, count) = (from[along].length, net.call.node.outputs.len());
    let declared =
        if net.call.has(1) { net.call.integers(1)? } else { net.call.integer_list("split").to_vec() };
    let sizes: Vec<usize> = if declared.is_empty() {
        let size = length.div_ceil(count.max(1));
        (0..count).map(|part| length.saturating_sub(part * size).min(size)).collect()
    } else {
        declared.iter().filter_map(|size| usize::try_from(*size).ok()).collect()
    };
    let sum = sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(*size));
    if sizes.len() != count || sum != length || sizes.contains(&0) {
        return Err(format!("{length} elements are split into {sizes:?} for {count} outputs").into());
    }
    let attributes = vec![("axis", AttributeValue::Integer(along as i64))];
    net.last("Split", vec![NetInput::Argument(0), lengths(&sizes)], attributes);
    let part = |size: &usize| {
        let mut shape = from.clone();
        shape[along] = fixed(*size);
        (kind, shape)
    };
    let results = sizes.iter().map(part).collect();
    net.part(results)
}

/// `Slice` with constant bounds.
pub(super) fn slice(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let list = |index: usize, name: &str| -> Result<Option<Vec<i64>>, Fault> {
        if net.call.has(index) {
            return net.call.integers(index).map(Some);
        }
        Ok(Some(net.call.integer_list(name).to_vec()).filter(|list| !list.is_empty()))
    };
    let starts = list(1, "starts")?.ok_or_else(|| "starts is missing".to_owned())?;
    let ends = list(2, "ends")?.ok_or_else(|| "ends is missing".to_owned())?;
    let axes = match list(3, "axes")? {
        Some(numbers) => shape::axes(&numbers, from.len())?,
        None => (0..starts.len()).collect(),
    };
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3]
        || axes.iter().any(|axis| *axis >= from.len())
    {
        return Err("starts, ends, axes and steps do not fit".into());
    }
    let mut result = from.clone();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for (position, axis) in axes.iter().enumerate() {
        let (start, end, step) = (starts[position], ends[position], steps[position]);
        let dim = from[*axis];
        if dim.has_rows && !(start == 0 && end >= i64::from(i32::MAX) && step == 1) {
            return Err(format!("it selects some of the rows of {}", shape::text(&from)).into());
        }
        let length = dim.length as i64;
        let from_end = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
        let (start, end, count) = match step {
            1.. => {
                let (start, end) = (from_end(start).clamp(0, length), from_end(end).clamp(0, length));
                (start, end, steps_in(end - start, step))
            }
            0 => return Err("a step is 0".into()),
            _ => {
                let start = from_end(start).clamp(0, (length - 1).max(0));
                let end = from_end(end).clamp(-1, length - 1);
                let count = steps_in(start - end, step.saturating_neg());
                // The element before the first one is not named by -1.
                (start, if end < 0 { -length - 1 } else { end }, count)
            }
        };
        if count == 0 {
            return Err("it selects nothing".into());
        }
        first.push(start);
        last.push(end);
        result[*axis].length = count as usize;
    }
    let axes = axes.iter().map(|axis| *axis as i64).collect();
    let inputs =
        vec![NetInput::Argument(0), integers(first), integers(last), integers(axes), integers(steps)];
    net.last("Slice", inputs, Vec::new());
    net.part(vec![(kind, result)])
}

/// The number of steps in a positive range.
fn steps_in(range: i64, step: i64) -> i64 {
    let range = range.max(0);
    range / step + i64::from(range % step != 0)
}

/// `Gather` along an axis without rows.
pub(super) fn gather(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let positions = net.of_kinds(1, &[Kind::Integer])?;
    let along = shape::column_axis(net.call.integer("axis").unwrap_or(0), &from)?;
    if let Value::Constant(constant) = net.call.input(1)?
        && let Values::Integers { values } = &constant.values
    {
        let length = from[along].length as i64;
        if let Some(position) = values.iter().find(|position| !(-length..length).contains(*position)) {
            return Err(format!("there is no position {position} in {}", shape::text(&from)).into());
        }
    }
    let mut result = from[..along].to_vec();
    result.extend(positions);
    result.extend(&from[along + 1..]);
    let attributes = vec![("axis", AttributeValue::Integer(along as i64))];
    net.last("Gather", vec![NetInput::Argument(0), NetInput::Argument(1)], attributes);
    net.part(vec![(kind, result)])
}

/// `Expand`.
pub(super) fn expand(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let mut asked = Vec::new();
    for number in requested(net.call, 1)? {
        asked.push(match number {
            None => shape::ROWS,
            Some(number) => fixed(length(number)?),
        });
    }
    let result = shape::broadcast(&from, &asked)?;
    net.last("Expand", vec![NetInput::Argument(0), lengths(&shape::dimensions(&result))], Vec::new());
    net.part(vec![(kind, result)])
}

/// `Tile` along axes without rows.
pub(super) fn tile(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let repeats = net.call.integers(1)?;
    let mut result = from.clone();
    if repeats.len() != from.len() {
        return Err(format!("repeats does not fit {}", shape::text(&from)).into());
    }
    for (dim, count) in result.iter_mut().zip(&repeats) {
        if *count < 1 || dim.has_rows && *count != 1 {
            return Err(format!("it repeats {} {repeats:?} times", shape::text(&from)).into());
        }
        dim.length = dim.length.saturating_mul(*count as usize);
    }
    net.last("Tile", vec![NetInput::Argument(0), integers(repeats)], Vec::new());
    net.part(vec![(kind, result)])
}

/// `Pad` of floats, or of integers without a constant.
pub(super) fn pad(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let mode = match net.call.text("mode")? {
        None | Some("constant") => "constant",
        Some("reflect") => "reflect",
        Some("edge") => "edge",
        Some(other) => return Err(format!("mode {other:?} is not supported").into()),
    };
    let declared =
        if net.call.has(1) { net.call.integers(1)? } else { net.call.integer_list("pads").to_vec() };
    let axes = if net.call.has(3) {
        shape::axes(&net.call.integers(3)?, from.len())?
    } else {
        (0..from.len()).collect()
    };
    if declared.len() != 2 * axes.len() || declared.iter().any(|pad| *pad < 0) {
        return Err(format!("pads is {declared:?}, expected {} numbers from 0 on", 2 * axes.len()).into());
    }
    let value = match net.call.has(2) {
        true => match net.call.constant(2)?.values {
            Values::Floats { values } if values.len() == 1 => values[0],
            _ => return Err("its value is no single float".into()),
        },
        false => net.call.float("value").unwrap_or(0.0),
    };
    let mut pads = vec![0; 2 * from.len()];
    let mut result = from.clone();
    for (position, axis) in axes.iter().enumerate() {
        let (before, after) = (declared[position], declared[axes.len() + position]);
        let dim = &mut result[*axis];
        if dim.has_rows && (before, after) != (0, 0) {
            return Err("it adds rows".into());
        }
        if mode == "reflect" && before.max(after) >= dim.length.max(1) as i64 {
            return Err(format!("pads {declared:?} are larger than {}", shape::text(&from)).into());
        }
        dim.length = dim.length.saturating_add(before as usize).saturating_add(after as usize);
        (pads[*axis], pads[from.len() + axis]) = (before, after);
    }
    let mut inputs = vec![NetInput::Argument(0), integers(pads)];
    match (mode, kind) {
        ("constant", Kind::Float) => inputs.push(float(value)),
        ("constant", _) => {
            return Err(Refusal::Kind(format!("a constant of kind {kind:?} is not supported").into()));
        }
        _ => {}
    }
    net.last("Pad", inputs, vec![("mode", AttributeValue::Text(mode))]);
    net.part(vec![(kind, result)])
}

/// The first dimension, channels, height, width and block size.
fn blocks(net: &NetCall<'_, '_>) -> Result<(NetDim, [usize; 3], usize), Refusal> {
    let from = net.floats(0)?;
    let &[first, channels, height, width] = &from[..] else {
        return Err(format!("its argument is {}, expected four dimensions", shape::text(&from)).into());
    };
    let lengths = shape::lengths(&[channels, height, width], "its dimensions")?;
    let size = net.call.integer("blocksize").unwrap_or(0);
    if size < 1 {
        return Err("blocksize is missing".into());
    }
    Ok((first, [lengths[0], lengths[1], lengths[2]], size as usize))
}

/// `DepthToSpace`.
pub(super) fn depth_to_space(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, [channels, height, width], size) = blocks(&net)?;
    let mode = match net.call.text("mode")? {
        None | Some("DCR") => "DCR",
        Some("CRD") => "CRD",
        Some(other) => return Err(format!("mode is {other:?}").into()),
    };
    let block = size.saturating_mul(size);
    if channels % block != 0 {
        return Err(format!("{channels} channels are no blocks of {size}").into());
    }
    let attributes =
        vec![("mode", AttributeValue::Text(mode)), ("blocksize", AttributeValue::Integer(size as i64))];
    net.last("DepthToSpace", vec![NetInput::Argument(0)], attributes);
    let shape = [channels / block, height.saturating_mul(size), width.saturating_mul(size)];
    let result = [first].into_iter().chain(shape.map(fixed)).collect();
    net.part(vec![(Kind::Float, result)])
}

/// `SpaceToDepth` with the blocks' positions before the channels, as a permutation of its blocks.
pub(super) fn space_to_depth(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, [channels, height, width], size) = blocks(&net)?;
    if !matches!(net.call.text("mode")?, None | Some("DCR")) {
        return Err("only mode DCR is supported".into());
    }
    if height % size != 0 || width % size != 0 {
        return Err(format!("{height} x {width} has no whole blocks of {size}").into());
    }
    let split = [first.length, channels, height / size, size, width / size, size];
    let split = net.inner("Reshape", vec![NetInput::Argument(0), lengths(&split)], Vec::new());
    let order = AttributeValue::Integers(vec![0, 3, 5, 1, 2, 4]);
    let moved = net.inner("Transpose", vec![split], vec![("perm", order)]);
    let shape = [channels.saturating_mul(size).saturating_mul(size), height / size, width / size];
    let result: NetShape = [first].into_iter().chain(shape.map(fixed)).collect();
    net.last("Reshape", vec![moved, lengths(&shape::dimensions(&result))], Vec::new());
    net.part(vec![(Kind::Float, result)])
}

/// `Trilu` with a constant diagonal.
pub(super) fn trilu(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    if from.len() < 2 {
        return Err(format!("its argument is {}, expected a matrix", shape::text(&from)).into());
    }
    shape::lengths(&from[from.len() - 2..], "its matrices")?;
    let diagonal = if net.call.has(1) { net.call.integers(1)? } else { vec![0] };
    let &[diagonal] = &diagonal[..] else {
        return Err("k is no single number".into());
    };
    let upper = net.call.integer("upper").unwrap_or(1);
    let diagonal = NetInput::Constant(crate::tensor::Constant {
        values: Values::Integers { values: vec![diagonal] },
        dimensions: Vec::new(),
    });
    let attributes = vec![("upper", AttributeValue::Integer(i64::from(upper != 0)))];
    net.last("Trilu", vec![NetInput::Argument(0), diagonal], attributes);
    net.part(vec![(kind, from)])
}
