//! Shapes in which a dimension may be a multiple of the number of rows.

use crate::error::Fault;
use crate::shape::{self, Dim};

/// A dimension: `length` elements, or `length` elements for each row, one row after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NetDim {
    pub(crate) has_rows: bool,
    pub(crate) length: usize,
}

/// A shape. At most one dimension has rows.
pub(crate) type NetShape = Vec<NetDim>;

/// A dimension of elements.
pub(crate) fn fixed(length: usize) -> NetDim {
    NetDim { has_rows: false, length }
}

impl NetDim {
    /// Whether the dimension has one element and no rows, and so fits any other one.
    fn is_one(self) -> bool {
        self == fixed(1)
    }
}

/// The shape of a tabular value.
pub(crate) fn from_tabular(shape: &[Dim]) -> NetShape {
    let dim = |dim: &Dim| match dim {
        Dim::Rows => NetDim { has_rows: true, length: 1 },
        Dim::Fixed(length) => fixed(*length),
    };
    shape.iter().map(dim).collect()
}

/// The shape as that of a tabular value, unless a dimension has rows and columns.
pub(crate) fn to_tabular(shape: &[NetDim]) -> Option<shape::Shape> {
    let dim = |dim: &NetDim| match (dim.has_rows, dim.length) {
        (true, 1) => Some(Dim::Rows),
        (true, _) => None,
        (false, length) => Some(Dim::Fixed(length)),
    };
    shape.iter().map(dim).collect()
}

/// The shape for messages: `[rows * 2, 3]`.
pub(crate) fn text(shape: &[NetDim]) -> String {
    let dim = |dim: &NetDim| match (dim.has_rows, dim.length) {
        (true, 1) => "rows".to_owned(),
        (true, length) => format!("rows * {length}"),
        (false, length) => length.to_string(),
    };
    format!("[{}]", shape.iter().map(dim).collect::<Vec<_>>().join(", "))
}

/// The number of elements of a row.
pub(crate) fn width(shape: &[NetDim]) -> usize {
    shape.iter().fold(1, |width, dim| width.saturating_mul(dim.length))
}

/// The dimensions of a tensor of one row.
pub(crate) fn dimensions(shape: &[NetDim]) -> Vec<usize> {
    shape.iter().map(|dim| dim.length).collect()
}

/// The axis that has rows.
pub(crate) fn rows_axis(shape: &[NetDim]) -> Option<usize> {
    shape.iter().position(|dim| dim.has_rows)
}

/// The lengths of dimensions that may not have rows.
pub(crate) fn lengths(shape: &[NetDim], what: &str) -> Result<Vec<usize>, Fault> {
    if rows_axis(shape).is_some() {
        return Err(format!("{what} would combine rows: they are {}", text(shape)));
    }
    Ok(dimensions(shape))
}

/// Checks that at most one dimension has rows.
pub(crate) fn checked(shape: NetShape) -> Result<NetShape, Fault> {
    if shape.iter().filter(|dim| dim.has_rows).count() > 1 {
        return Err(format!("it combines rows with rows: its result would be {}", text(&shape)));
    }
    Ok(shape)
}

/// The shape of an operation on two values, element by element.
pub(crate) fn broadcast(one: &[NetDim], other: &[NetDim]) -> Result<NetShape, Fault> {
    let rank = one.len().max(other.len());
    let dim = |shape: &[NetDim], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(fixed(1), |axis| shape[axis])
    };
    let mut result = Vec::with_capacity(rank);
    for axis in 0..rank {
        result.push(match (dim(one, axis), dim(other, axis)) {
            (one, other) if one == other || other.is_one() => one,
            (one, other) if one.is_one() => other,
            _ => return Err(format!("shapes {} and {} do not fit", text(one), text(other))),
        });
    }
    checked(result)
}

/// The axes that numbers name; negative ones count from the end. Each is named once.
pub(crate) fn axes(numbers: &[i64], rank: usize) -> Result<Vec<usize>, Fault> {
    let mut axes = Vec::with_capacity(numbers.len());
    for number in numbers {
        let axis = shape::axis(*number, rank)?;
        if axes.contains(&axis) {
            return Err(format!("axis {axis} is named twice"));
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// The axis that a number names, which has no rows.
pub(crate) fn column_axis(number: i64, shape: &[NetDim]) -> Result<usize, Fault> {
    let axis = shape::axis(number, shape.len())?;
    if shape[axis].has_rows {
        return Err(format!("it works along axis {number} of {}, which combines rows", text(shape)));
    }
    Ok(axis)
}

/// The shape with the same elements in the same order. `lengths` are the dimensions of one row; `rows` is the axis that has
/// rows, if the graph names it.
pub(crate) fn reshaped(from: &[NetDim], lengths: &[usize], rows: Option<usize>) -> Result<NetShape, Fault> {
    let mut shape: NetShape = lengths.iter().map(|length| fixed(*length)).collect();
    let Some(axis) = rows_axis(from) else {
        return match rows {
            None => Ok(shape),
            Some(_) => Err(format!("{} has no rows, and its new shape has", text(from))),
        };
    };
    // As many elements have to come before the rows as do now.
    let before = width(&from[..axis]);
    let fits = |axis: &usize| lengths[..*axis].iter().product::<usize>() == before;
    let axes = || (0..lengths.len()).filter(fits);
    let axis = match rows {
        Some(axis) => Some(axis).filter(fits),
        None => axes().find(|axis| lengths[*axis] == 1).or_else(|| axes().next()),
    };
    let Some(axis) = axis else {
        return Err(format!("{} does not become {} without combining rows", text(from), text(&shape)));
    };
    shape[axis].has_rows = true;
    Ok(shape)
}
