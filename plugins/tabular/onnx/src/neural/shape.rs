//! Shapes in which a dimension may be a multiple of the number of rows.
//!
//! A graph that was exported for one row names no rows: `[5, 2, 4]` may be five steps of two heads of each row. Then only the
//! place of the rows among the elements is known, and they belong to the dimension before that place or to the one after it.

use crate::error::Fault;
use crate::shape::{self, Dim};

/// A dimension: `length` elements, or as many for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NetDim {
    pub(crate) has_rows: bool,
    pub(crate) length: usize,
    /// With rows: how many times all rows follow each other, a divisor of the length. Otherwise 1.
    pub(crate) outer: usize,
}

/// A shape. At most one dimension has rows.
pub(crate) type NetShape = Vec<NetDim>;

/// A dimension of elements.
pub(crate) fn fixed(length: usize) -> NetDim {
    NetDim { has_rows: false, length, outer: 1 }
}

/// The dimension of the rows.
pub(crate) const ROWS: NetDim = NetDim { has_rows: true, length: 1, outer: 1 };

impl NetDim {
    /// Whether the dimension has one element and no rows, and so fits any other one.
    fn is_one(self) -> bool {
        self == fixed(1)
    }
}

/// The shape of a tabular value.
pub(crate) fn from_tabular(shape: &[Dim]) -> NetShape {
    let dim = |dim: &Dim| match dim {
        Dim::Rows => ROWS,
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
    let dim = |dim: &NetDim| match (dim.has_rows, dim.outer, dim.length / dim.outer.max(1)) {
        (true, 1, 1) => "rows".to_owned(),
        (true, 1, inner) => format!("rows * {inner}"),
        (true, outer, 1) => format!("{outer} * rows"),
        (true, outer, inner) => format!("{outer} * rows * {inner}"),
        (false, ..) => dim.length.to_string(),
    };
    format!("[{}]", shape.iter().map(dim).collect::<Vec<_>>().join(", "))
}

/// The product of lengths, or the greatest number if it is larger.
pub(crate) fn product(lengths: &[usize]) -> usize {
    lengths.iter().fold(1, |product: usize, length| product.saturating_mul(*length))
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
        return Err(format!("{what} would combine rows: they are {}", text(shape)).into());
    }
    Ok(dimensions(shape))
}

/// Checks that at most one dimension has rows.
pub(crate) fn checked(shape: NetShape) -> Result<NetShape, Fault> {
    if shape.iter().filter(|dim| dim.has_rows).count() > 1 {
        return Err(format!("it combines rows with rows: its result would be {}", text(&shape)).into());
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
            _ => return Err(format!("shapes {} and {} do not fit", text(one), text(other)).into()),
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
            return Err(format!("axis {axis} is named twice").into());
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// The axis that a number names, which has no rows.
pub(crate) fn column_axis(number: i64, shape: &[NetDim]) -> Result<usize, Fault> {
    let axis = shape::axis(number, shape.len())?;
    if shape[axis].has_rows {
        return Err(format!("it works along axis {number} of {}, which combines rows", text(shape)).into());
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
            Some(_) => Err(format!("{} has no rows, and its new shape has", text(from)).into()),
        };
    };
    // As many elements have to come before the rows as do now.
    let before = width(&from[..axis]).saturating_mul(from[axis].outer);
    let outer = |axis: usize| {
        let prefix = product(&lengths[..axis]);
        let outer = before
            .checked_div(prefix)
            .filter(|outer| outer.saturating_mul(prefix) == before && *outer > 0)?;
        (lengths[axis].is_multiple_of(outer) && lengths[axis] > 0).then_some((axis, outer))
    };
    let found = match rows {
        Some(axis) => outer(axis),
        None => {
            let all: Vec<(usize, usize)> = (0..lengths.len()).filter_map(outer).collect();
            let find = |fits: &dyn Fn(usize, usize) -> bool| {
                all.iter().copied().find(|(axis, outer)| fits(lengths[*axis], *outer))
            };
            find(&|length, _| length == 1)
                .or_else(|| find(&|_, outer| outer == 1))
                .or_else(|| find(&|_, _| true))
        }
    };
    let Some((axis, outer)) = found else {
        return Err(format!("{} does not become {} without combining rows", text(from), text(&shape)).into());
    };
    shape[axis] = NetDim { has_rows: true, length: lengths[axis], outer };
    Ok(shape)
}

/// The shape with the rows in the dimension before, if they are in one of `axes` without being a dimension of their own and
/// that is possible.
pub(crate) fn freed(mut shape: NetShape, axes: &[usize]) -> NetShape {
    if let Some(axis) = rows_axis(&shape)
        && axes.contains(&axis)
        && shape[axis].length > 1
        && shape[axis].outer == 1
        && let Some(before) = axis.checked_sub(1)
        && !axes.contains(&before)
    {
        let length = shape[before].length;
        shape[before] = NetDim { has_rows: true, length, outer: length };
        shape[axis] = fixed(shape[axis].length);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(length: usize, outer: usize) -> NetDim {
        NetDim { has_rows: true, length, outer }
    }

    #[test]
    fn rows_keep_their_place_among_the_elements() {
        let heads = reshaped(&[fixed(5), ROWS, fixed(8)], &[5, 2, 4], None).unwrap();
        assert_eq!(heads, [fixed(5), rows(2, 1), fixed(4)]);
        let merged = reshaped(&heads, &[5, 8], None).unwrap();
        assert_eq!(text(&merged), "[5, rows * 8]");
        let freed = freed(merged, &[1]);
        assert_eq!(text(&freed), "[5 * rows, 8]");
        assert_eq!(reshaped(&freed, &[5, 1, 8], None).unwrap(), [fixed(5), ROWS, fixed(8)]);
        assert_eq!(reshaped(&[ROWS, fixed(5), fixed(8)], &[5, 8], Some(0)).unwrap(), [rows(5, 1), fixed(8)]);
        assert!(
            reshaped(&[fixed(5), ROWS], &[2, 3], None)
                .unwrap_err()
                .reason()
                .contains("without combining rows")
        );
        assert!(reshaped(&[ROWS, fixed(4)], &[2, 2], Some(1)).is_err());
    }

    #[test]
    fn a_dimension_of_rows_alone_is_not_moved() {
        let shape = vec![fixed(3), ROWS];
        assert_eq!(freed(shape.clone(), &[1]), shape);
        assert!(column_axis(1, &shape).unwrap_err().reason().contains("combines rows"));
    }
}
