//! Operators that change the shape of a value and keep its elements in place.

use super::LoweredNode;
use super::call::{NetCall, NetInput, lengths, requested};
use super::layout::moved;
use super::shape::{self, NetDim, NetShape, fixed};
use crate::error::Fault;
use crate::shape::axis;

/// `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze`: all of them are written as the first.
pub(super) fn reshape(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (kind, from) = moved(&net, 0)?;
    let shape = match &net.call.node.operator[..] {
        "Flatten" => flattened(&net, &from)?,
        "Squeeze" => squeezed(&net, &from)?,
        "Unsqueeze" => unsqueezed(&net, &from)?,
        _ => requested_shape(&net, &from)?,
    };
    let dimensions = shape::dimensions(&shape);
    if dimensions.contains(&0) {
        return Err("it has no elements".into());
    }
    net.last("Reshape", vec![NetInput::Argument(0), lengths(&dimensions)], Vec::new());
    net.part(vec![(kind, shape)])
}

/// The shape that a `Reshape` asks for. What it asks for is that of one row, if it does not name the number of rows.
fn requested_shape(net: &NetCall<'_, '_>, from: &[NetDim]) -> Result<NetShape, Fault> {
    let requested = if net.call.has(1) {
        requested(net.call, 1)?
    } else {
        net.call.integer_list("shape").iter().copied().map(Some).collect()
    };
    let keeps_zero = net.call.integer("allowzero").unwrap_or(0) != 0;
    let (mut dimensions, mut rows, mut open) = (Vec::with_capacity(requested.len()), None, None);
    for (axis, number) in requested.iter().enumerate() {
        dimensions.push(match number {
            None => {
                rows = Some(axis);
                1
            }
            Some(-1) if open.is_none() => {
                open = Some(axis);
                1
            }
            Some(0) if !keeps_zero => {
                let dim = from.get(axis).ok_or("it copies a dimension that its argument does not have")?;
                if dim.has_rows {
                    rows = Some(axis);
                }
                dim.length
            }
            Some(number) => length(*number)?,
        });
    }
    let wrong = || format!("{} does not fit into the shape {requested:?}", shape::text(from));
    let (width, known) = (shape::width(from), shape::product(&dimensions));
    match open {
        Some(axis) if known > 0 && width % known == 0 => dimensions[axis] = width / known,
        None if known == width => {}
        _ => return Err(wrong().into()),
    }
    if rows.is_some() || open.is_none() {
        return shape::reshaped(from, &dimensions, rows);
    }
    // The open dimension is that of the rows, if it can be.
    let named = open.filter(|_| shape::rows_axis(from).is_some());
    shape::reshaped(from, &dimensions, named).or_else(|_| shape::reshaped(from, &dimensions, None))
}

/// A length that a node asks for.
pub(super) fn length(number: i64) -> Result<usize, Fault> {
    match u32::try_from(number) {
        Ok(length) => Ok(length as usize),
        Err(_) if number < 0 => Err(format!("dimension {number} is negative").into()),
        // The importer has 32-bit addresses.
        Err(_) => Err(format!("dimension {number} is too large").into()),
    }
}

fn flattened(net: &NetCall<'_, '_>, from: &[NetDim]) -> Result<NetShape, Fault> {
    let number = net.call.integer("axis").unwrap_or(1);
    let first = if number == from.len() as i64 { from.len() } else { axis(number, from.len())? };
    let (before, after) = from.split_at(first);
    let rows = shape::rows_axis(from).map(|axis| usize::from(axis >= first));
    shape::reshaped(from, &[shape::width(before), shape::width(after)], rows)
}

fn squeezed(net: &NetCall<'_, '_>, from: &[NetDim]) -> Result<NetShape, Fault> {
    let dropped: Vec<usize> = match net.call.axes(1)? {
        Some(numbers) => shape::axes(&numbers, from.len())?,
        None => (0..from.len()).filter(|axis| from[*axis] == fixed(1)).collect(),
    };
    if let Some(axis) = dropped.iter().find(|axis| from[**axis] != fixed(1)) {
        return Err(format!("axis {axis} of {} has not the length 1", shape::text(from)).into());
    }
    Ok((0..from.len()).filter(|axis| !dropped.contains(axis)).map(|axis| from[axis]).collect())
}

fn unsqueezed(net: &NetCall<'_, '_>, from: &[NetDim]) -> Result<NetShape, Fault> {
    let numbers = net.call.axes(1)?.ok_or("axes are missing")?;
    let rank = from.len() + numbers.len();
    let added = shape::axes(&numbers, rank)?;
    let mut kept = from.iter();
    let dim = |axis| if added.contains(&axis) { Some(fixed(1)) } else { kept.next().copied() };
    Ok((0..rank).filter_map(dim).collect())
}
