//! Shapes in which one dimension is the number of rows.

use std::fmt::Write as _;

use tabular_program::MAX_PLANE_COLUMNS;

use crate::error::Fault;

/// A dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dim {
    /// The number of rows of a call. No shape has it twice.
    Rows,
    /// A number that the graph gives.
    Fixed(usize),
}

/// A shape. The columns of a value are numbered by its fixed dimensions, the last one first.
pub(crate) type Shape = Vec<Dim>;

/// The shape for messages: `[rows, 3]`.
pub(crate) fn text(shape: &[Dim]) -> String {
    let mut text = "[".to_owned();
    for (index, dim) in shape.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = match dim {
            Dim::Rows => write!(text, "{separator}rows"),
            Dim::Fixed(length) => write!(text, "{separator}{length}"),
        };
    }
    text + "]"
}

/// The number of columns.
pub(crate) fn width(shape: &[Dim]) -> Result<usize, Fault> {
    let mut width = 1_usize;
    for dim in shape {
        if let Dim::Fixed(length) = dim {
            width = width.saturating_mul(*length);
        }
    }
    if width > MAX_PLANE_COLUMNS as usize {
        return Err(
            format!("a value of shape {} has more than {MAX_PLANE_COLUMNS} columns", text(shape)).into()
        );
    }
    Ok(width)
}

/// The axis of the rows.
pub(crate) fn rows_axis(shape: &[Dim]) -> Option<usize> {
    shape.iter().position(|dim| *dim == Dim::Rows)
}

/// The axis that a number names; negative ones count from the end.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, Fault> {
    let position = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    match usize::try_from(position) {
        Ok(position) if position < rank => Ok(position),
        _ => Err(format!("axis {axis} does not exist in {rank} dimensions").into()),
    }
}

/// The axis that a number names, which is not that of the rows.
pub(crate) fn column_axis(number: i64, shape: &[Dim]) -> Result<usize, Fault> {
    let axis = axis(number, shape.len())?;
    if shape[axis] == Dim::Rows {
        return Err(format!("it works along axis {number} of {}, which combines rows", text(shape)).into());
    }
    Ok(axis)
}

/// The shape around an axis that is not that of the rows.
pub(crate) fn around(shape: &[Dim], axis: usize) -> tabular_program::Axis {
    let product = |dims: &[Dim]| {
        dims.iter().map(|dim| if let Dim::Fixed(length) = dim { *length as u32 } else { 1 }).product()
    };
    let length = product(&shape[axis..=axis]);
    tabular_program::Axis { outer: product(&shape[..axis]), length, inner: product(&shape[axis + 1..]) }
}

/// The shape of an operation on two values, element by element.
pub(crate) fn broadcast(one: &[Dim], other: &[Dim]) -> Result<Shape, Fault> {
    let rank = one.len().max(other.len());
    let dim = |shape: &[Dim], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(Dim::Fixed(1), |axis| shape[axis])
    };
    let mut shape = Vec::with_capacity(rank);
    for axis in 0..rank {
        shape.push(match (dim(one, axis), dim(other, axis)) {
            (one, other) if one == other => one,
            (Dim::Fixed(1), other) => other,
            (one, Dim::Fixed(1)) => one,
            _ => return Err(format!("shapes {} and {} do not fit", text(one), text(other)).into()),
        });
    }
    if shape.iter().filter(|dim| **dim == Dim::Rows).count() > 1 {
        return Err(format!("shapes {} and {} combine rows with other rows", text(one), text(other)).into());
    }
    Ok(shape)
}

/// The fixed dimensions of a shape, in order.
fn lengths(shape: &[Dim]) -> Vec<usize> {
    shape.iter().filter_map(|dim| if let Dim::Fixed(length) = dim { Some(*length) } else { None }).collect()
}

/// For each column of a shape, its index in each dimension; 0 in that of the rows.
pub(crate) fn each_index(shape: &[Dim], mut visit: impl FnMut(&[usize])) {
    if lengths(shape).contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    loop {
        visit(&index);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            let Dim::Fixed(length) = shape[axis] else { continue };
            index[axis] += 1;
            if index[axis] < length {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// The column at an index in each dimension.
pub(crate) fn column(shape: &[Dim], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |column, (dim, index)| match dim {
        Dim::Rows => column,
        Dim::Fixed(length) => column * length + index,
    })
}

/// For each column of a shape, the column of a value that is broadcast to it.
pub(crate) fn broadcast_columns(from: &[Dim], to: &[Dim]) -> Vec<u32> {
    let mut columns = Vec::new();
    let skipped = to.len() - from.len();
    each_index(to, |index| {
        let index: Vec<usize> = from
            .iter()
            .zip(&index[skipped..])
            .map(|(dim, index)| if *dim == Dim::Fixed(1) { 0 } else { *index })
            .collect();
        columns.push(column(from, &index) as u32);
    });
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_broadcast_as_in_numpy() {
        use Dim::{Fixed, Rows};
        let rows = [Rows, Fixed(3)];
        assert_eq!(broadcast(&rows, &[Fixed(3)]).unwrap(), rows);
        assert_eq!(broadcast(&[Rows, Fixed(1)], &[Fixed(1), Fixed(4)]).unwrap(), [Rows, Fixed(4)]);
        assert!(broadcast(&rows, &[Rows]).is_err());
        assert!(broadcast(&[Rows], &[Rows, Fixed(1)]).unwrap_err().reason().contains("combine rows"));
        let columns = broadcast_columns(&[Fixed(2), Rows, Fixed(1)], &[Fixed(2), Rows, Fixed(3)]);
        assert_eq!(columns, [0, 0, 0, 1, 1, 1]);
        assert_eq!(broadcast_columns(&[Fixed(3)], &[Rows, Fixed(2), Fixed(3)]), [0, 1, 2, 0, 1, 2]);
    }
}
