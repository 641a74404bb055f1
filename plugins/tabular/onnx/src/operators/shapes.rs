//! Operators that change shapes, and constants.

use tabular_program::{Kind, Step, Values};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Dim, Shape};
use crate::tensor::{self, Constant};

type Lowered = Result<Vec<Value>, Fault>;

/// `Identity`.
pub(super) fn identity(call: &mut Call<'_>) -> Lowered {
    Ok(vec![call.input(0)?])
}

/// `Constant`.
pub(super) fn constant(call: &mut Call<'_>) -> Lowered {
    let scalar = |values| Constant { values, dimensions: Vec::new() };
    let constant = if let Some(constant) = call.tensor_attribute("value")? {
        constant
    } else if let Some(value) = call.float("value_float") {
        scalar(Values::Floats { values: vec![value] })
    } else if let Some(value) = call.integer("value_int") {
        scalar(Values::Integers { values: vec![value] })
    } else if let Some(value) = call.text("value_string")? {
        scalar(Values::Texts { values: vec![value.to_owned()] })
    } else if call.node.attributes.contains_key("value_floats") {
        Constant::list(Values::Floats { values: call.float_list("value_floats").to_vec() })
    } else if call.node.attributes.contains_key("value_ints") {
        Constant::list(Values::Integers { values: call.integer_list("value_ints").to_vec() })
    } else if call.node.attributes.contains_key("value_strings") {
        Constant::list(Values::Texts { values: call.text_list("value_strings")? })
    } else {
        return Err("it has no value of a kind that is supported".into());
    };
    Ok(vec![Value::Constant(constant)])
}

/// `Shape`.
pub(super) fn shape(call: &mut Call<'_>) -> Lowered {
    let shape = call.input(0)?.shape();
    let rank = shape.len() as i64;
    let bound = |value: i64| (if value < 0 { value + rank } else { value }).clamp(0, rank) as usize;
    let start = bound(call.integer("start").unwrap_or(0));
    let end = bound(call.integer("end").unwrap_or(rank)).max(start);
    Ok(vec![dimensions(shape[start..end].to_vec())])
}

/// A list of dimensions; a constant unless one is the number of rows.
fn dimensions(shape: Shape) -> Value {
    let mut lengths = Vec::with_capacity(shape.len());
    for dim in &shape {
        match dim {
            Dim::Fixed(length) => lengths.push(*length as i64),
            Dim::Rows => return Value::Shape(shape),
        }
    }
    Value::Constant(Constant::list(Values::Integers { values: lengths }))
}

/// An argument that is a list of dimensions.
fn dimensions_input(call: &Call<'_>, index: usize) -> Result<Vec<Requested>, Fault> {
    Ok(match call.input(index)? {
        Value::Shape(shape) => shape.into_iter().map(Requested::Dim).collect(),
        _ => call.integers(index)?.into_iter().map(Requested::Number).collect(),
    })
}

/// A dimension that a graph asks for.
#[derive(Clone, Copy)]
enum Requested {
    Dim(Dim),
    Number(i64),
}

/// `ConstantOfShape`.
pub(super) fn constant_of_shape(call: &mut Call<'_>) -> Lowered {
    let mut shape = Vec::new();
    for requested in dimensions_input(call, 0)? {
        shape.push(match requested {
            Requested::Dim(dim) => dim,
            Requested::Number(number) => Dim::Fixed(
                usize::try_from(number)
                    .map_err(|_| format!("dimension {number} is negative or too large"))?,
            ),
        });
    }
    let width = shape::width(&shape)?;
    let values = match call.tensor_attribute("value")? {
        Some(constant) if constant.values.len() == 1 => tensor::repeated(&constant.values, width),
        Some(_) => return Err("attribute value has more than one value".into()),
        None => Values::Floats { values: vec![0.0; width] },
    };
    let to = call.result(values.kind(), shape)?;
    call.step(Step::Fill { values, to: to.columns });
    one(to)
}

/// A value in another shape of the same columns.
pub(super) fn reshaped(call: &mut Call<'_>, value: Value, shape: Shape) -> Lowered {
    Ok(vec![match value {
        Value::Constant(constant) => {
            let dimensions =
                shape.iter().map(|dim| if let Dim::Fixed(length) = dim { *length } else { 1 }).collect();
            Value::Constant(Constant { dimensions, ..constant })
        }
        value => {
            let tensor = call.materialized(value)?;
            Value::Tensor(Tensor { shape, ..tensor })
        }
    }])
}

/// `Reshape`.
pub(super) fn reshape(call: &mut Call<'_>) -> Lowered {
    // The elements have the order that they had before rows and columns became one dimension.
    let value = match call.input(0)? {
        Value::Merged(tensor) => Value::Tensor(tensor),
        value => value,
    };
    let requested = if call.has(1) {
        dimensions_input(call, 1)?
    } else {
        call.integer_list("shape").iter().copied().map(Requested::Number).collect()
    };
    let from = value.shape();
    let keeps_zero = call.integer("allowzero").unwrap_or(0) != 0;
    let shape = reshaped_shape(&from, &requested, keeps_zero)?;
    reshaped(call, value, shape)
}

/// The shape that is asked for. Elements are in the order of their dimensions, so the rows may only move past dimensions
/// of length 1.
fn reshaped_shape(from: &[Dim], requested: &[Requested], keeps_zero: bool) -> Result<Shape, Fault> {
    let wrong = || {
        let numbers: Vec<String> = requested
            .iter()
            .map(|requested| match requested {
                Requested::Dim(Dim::Rows) => "rows".to_owned(),
                Requested::Dim(Dim::Fixed(length)) => length.to_string(),
                Requested::Number(number) => number.to_string(),
            })
            .collect();
        format!("{} does not fit into the shape [{}]", shape::text(from), numbers.join(", "))
    };
    let width = shape::width(from)?;
    let rows = shape::rows_axis(from);
    let mut shape: Vec<Option<Dim>> = Vec::with_capacity(requested.len());
    for (axis, requested) in requested.iter().enumerate() {
        shape.push(match requested {
            Requested::Dim(dim) => Some(*dim),
            Requested::Number(-1) => None,
            Requested::Number(0) if !keeps_zero => Some(*from.get(axis).ok_or_else(wrong)?),
            Requested::Number(number) => Some(Dim::Fixed(usize::try_from(*number).map_err(|_| wrong())?)),
        });
    }
    let known = shape.iter().flatten().fold(1_usize, |product, dim| match dim {
        Dim::Fixed(length) => product.saturating_mul(*length),
        Dim::Rows => product,
    });
    let has_rows = shape.contains(&Some(Dim::Rows));
    let unknown: Vec<usize> = (0..shape.len()).filter(|axis| shape[*axis].is_none()).collect();
    match (unknown[..].first(), unknown.len()) {
        (None, _) if known == width && has_rows == rows.is_some() => {}
        // A file that was exported for one row asks for one row.
        (None, _) if known == width && rows.is_some() => {
            let axis = shape.iter().position(|dim| *dim == Some(Dim::Fixed(1))).ok_or_else(wrong)?;
            shape[axis] = Some(Dim::Rows);
        }
        (Some(axis), 1) if rows.is_some() && !has_rows && known == width => shape[*axis] = Some(Dim::Rows),
        (Some(axis), 1) if has_rows == rows.is_some() && known > 0 && width % known == 0 => {
            shape[*axis] = Some(Dim::Fixed(width / known));
        }
        _ => return Err(wrong().into()),
    }
    let shape: Shape = shape.into_iter().flatten().collect();
    // The number of elements before the rows has to stay.
    let before = |shape: &[Dim]| shape::rows_axis(shape).map(|axis| shape::width(&shape[..axis]));
    if before(from) != before(&shape) && width > 0 {
        return Err(format!(
            "{} does not become {} without combining rows",
            shape::text(from),
            shape::text(&shape)
        )
        .into());
    }
    Ok(shape)
}

/// `Flatten`.
pub(super) fn flatten(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    if let Value::Tokens(tensor, rule) = value {
        // The tokens of a row are one dimension, whatever the shape of the text was.
        return if call.integer("axis").unwrap_or(1) == 1 {
            Ok(vec![Value::Tokens(tensor, rule)])
        } else {
            Err("it combines the tokens of several rows".into())
        };
    }
    let from = value.shape();
    let number = call.integer("axis").unwrap_or(1);
    let axis = if number == from.len() as i64 { from.len() } else { shape::axis(number, from.len())? };
    let side = |dims: &[Dim]| -> Result<Dim, Fault> {
        let width = shape::width(dims)?;
        match shape::rows_axis(dims) {
            None => Ok(Dim::Fixed(width)),
            Some(_) if width == 1 => Ok(Dim::Rows),
            Some(_) => Err(format!("{} is flattened across the rows", shape::text(&from)).into()),
        }
    };
    let shape = vec![side(&from[..axis])?, side(&from[axis..])?];
    reshaped(call, value, shape)
}

/// `Squeeze`.
pub(super) fn squeeze(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    let from = value.shape();
    let squeezed: Vec<usize> = match call.axes(1)? {
        Some(axes) => {
            axes.into_iter().map(|number| shape::axis(number, from.len())).collect::<Result<_, _>>()?
        }
        None => (0..from.len()).filter(|axis| from[*axis] == Dim::Fixed(1)).collect(),
    };
    if let Some(axis) = squeezed.iter().find(|axis| from[**axis] != Dim::Fixed(1)) {
        return Err(format!("axis {axis} of {} has not the length 1", shape::text(&from)).into());
    }
    let kept = from.iter().enumerate().filter(|(axis, _)| !squeezed.contains(axis)).map(|(_, dim)| *dim);
    let shape = kept.collect();
    reshaped(call, value, shape)
}

/// `Unsqueeze`.
pub(super) fn unsqueeze(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    let axes = call.axes(1)?.ok_or("axes are missing")?;
    let rank = value.shape().len() + axes.len();
    let mut added = Vec::new();
    for number in axes {
        let axis = shape::axis(number, rank)?;
        if added.contains(&axis) {
            return Err(format!("axis {axis} is named twice").into());
        }
        added.push(axis);
    }
    let mut kept = value.shape().into_iter();
    let shape = (0..rank)
        .map(|axis| if added.contains(&axis) { Dim::Fixed(1) } else { kept.next().unwrap_or(Dim::Fixed(1)) })
        .collect();
    reshaped(call, value, shape)
}

/// `Concat`.
pub(super) fn concat(call: &mut Call<'_>) -> Lowered {
    let number = call.integer("axis").ok_or("attribute axis is missing")?;
    let values: Vec<Value> =
        (0..call.inputs.len()).map(|index| call.input(index)).collect::<Result<_, _>>()?;
    if values.iter().any(|value| matches!(value, Value::Shape(_))) {
        return concat_dimensions(values);
    }
    concat_along(call, values, number)
}

fn concat_dimensions(values: Vec<Value>) -> Lowered {
    let mut all = Vec::new();
    for value in values {
        match value {
            Value::Shape(shape) => all.extend(shape),
            Value::Constant(Constant { values: Values::Integers { values }, .. }) => {
                for number in values {
                    let length = usize::try_from(number)
                        .map_err(|_| format!("dimension {number} is negative or too large"))?;
                    all.push(Dim::Fixed(length));
                }
            }
            _ => return Err("the number of rows is used as a value".into()),
        }
    }
    Ok(vec![dimensions(all)])
}

/// Values one after the other along an axis.
pub(super) fn concat_along(call: &mut Call<'_>, values: Vec<Value>, number: i64) -> Lowered {
    let first = values.first().ok_or("it has no argument")?;
    let (kind, mut shape) = (first.kind(), first.shape());
    let axis = shape::axis(number, shape.len())?;
    // Constants lack the rows.
    if let Some(with_rows) = values.iter().map(Value::shape).find(|shape| shape::rows_axis(shape).is_some()) {
        shape = with_rows;
    }
    if shape.get(axis).is_none_or(|dim| *dim == Dim::Rows) {
        return Err(format!("it appends rows to rows along axis {axis}").into());
    }
    let mut length = 0;
    for value in &values {
        let own = value.shape();
        let fits = own.len() == shape.len()
            && own.iter().zip(&shape).enumerate().all(|(other, (own, dim))| {
                other == axis || own == dim || (*dim == Dim::Rows && *own == Dim::Fixed(1))
            });
        match own.get(axis) {
            Some(Dim::Fixed(own)) if fits && value.kind() == kind => length += own,
            _ => {
                return Err(format!(
                    "{} of kind {:?} is appended to {} of kind {kind:?}",
                    shape::text(&value.shape()),
                    value.kind(),
                    shape::text(&shape)
                )
                .into());
            }
        }
    }
    shape[axis] = Dim::Fixed(length);
    let to = call.result(kind, shape)?;
    let outer = shape::width(&to.shape[..axis])?;
    let mut parts = Vec::new();
    for value in values {
        let width = shape::width(&value.shape())? / outer.max(1);
        parts.push((call.materialized(value)?.columns, width as u32));
    }
    let mut start = to.columns.start;
    for block in 0..outer as u32 {
        for (columns, width) in &parts {
            let from =
                tabular_program::Columns { start: columns.start + block * width, width: *width, ..*columns };
            if *width > 0 {
                call.step(Step::Copy {
                    from,
                    to: tabular_program::Columns { start, width: *width, ..to.columns },
                });
            }
            start += width;
        }
    }
    one(to)
}

/// `FeatureVectorizer`: its arguments as floats, side by side.
pub(super) fn feature_vectorizer(call: &mut Call<'_>) -> Lowered {
    let mut values = Vec::new();
    let widths = call.integer_list("inputdimensions").to_vec();
    for index in 0..call.inputs.len() {
        let features = call.features(index)?;
        let features = call.converted(features, Kind::Float)?;
        let width = features.columns.width;
        // The attribute cuts an argument off, or fills it up.
        if widths.get(index).is_some_and(|expected| *expected != i64::from(width)) {
            return Err(format!(
                "input {index} has {width} columns, but inputdimensions says {}",
                widths[index]
            )
            .into());
        }
        let shape = vec![Dim::Rows, Dim::Fixed(width as usize)];
        values.push(Value::Tensor(Tensor { shape, ..features }));
    }
    concat_along(call, values, 1)
}

/// `Expand`.
pub(super) fn expand(call: &mut Call<'_>) -> Lowered {
    let value = call.input(0)?;
    let mut shape = Vec::new();
    for requested in dimensions_input(call, 1)? {
        shape.push(match requested {
            Requested::Dim(dim) => dim,
            Requested::Number(number) => Dim::Fixed(
                usize::try_from(number)
                    .map_err(|_| format!("dimension {number} is negative or too large"))?,
            ),
        });
    }
    let shape = shape::broadcast(&value.shape(), &shape)?;
    shape::width(&shape)?;
    let indices = shape::broadcast_columns(&value.shape(), &shape);
    let tensor = call.materialized(value)?;
    let columns = call.selected(tensor.columns, indices)?;
    one(Tensor { columns, shape })
}
