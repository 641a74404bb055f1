//! Constants of a graph.

use tabular_program::{Kind, Values};

use crate::error::{Fault, OnnxError};
use crate::proto;
use crate::shape::{Dim, Shape};

/// A tensor that is the same for all rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    pub(crate) values: Values,
    pub(crate) dimensions: Vec<usize>,
}

/// The kind of constants of an ONNX element type.
pub(crate) fn kind(element_type: i64) -> Result<Kind, Fault> {
    Ok(match element_type {
        1 => Kind::Float,
        2..=7 => Kind::Integer,
        8 => Kind::Text,
        9 => Kind::Boolean,
        11 => Kind::Double,
        other => {
            let name = match other {
                0 => "undefined",
                10 => "float16",
                12 => "uint32",
                13 => "uint64",
                16 => "bfloat16",
                _ => "another type",
            };
            return Err(Fault::with_remedy(
                format!("element type {name} ({other}) is not supported"),
                "convert the model to float32, float64 or int64",
            ));
        }
    })
}

/// The kind of values of an ONNX element type. Integers of 32 bits are computed in 64 bits; smaller ones, whose overflow
/// models may rely on, are refused.
pub(crate) fn value_kind(element_type: i64) -> Result<Kind, Fault> {
    if (2..=5).contains(&element_type) {
        return Err(Fault::with_remedy(
            format!("integers of 8 or 16 bits (element type {element_type}) are not supported"),
            "convert the model to int64",
        ));
    }
    kind(element_type)
}

impl Constant {
    /// A list of one dimension.
    pub(crate) fn list(values: Values) -> Self {
        Self { dimensions: vec![values.len()], values }
    }

    /// The shape.
    pub(crate) fn shape(&self) -> Shape {
        self.dimensions.iter().map(|length| Dim::Fixed(*length)).collect()
    }

    /// Reads a tensor of a file.
    pub(crate) fn parse(tensor: &proto::Tensor) -> Result<Self, OnnxError> {
        let graph =
            |fault: Fault| OnnxError::Graph { fault: fault.at(&format!("tensor {:?}: ", tensor.name)) };
        if tensor.external.is_some() {
            let reason = "its data is in another file, which is read for initializers and constants only";
            return Err(graph(Fault::with_remedy(reason, "export the model with its weights in one file")));
        }
        let error = |reason: String| graph(reason.into());
        let mut length = 1_u64;
        let mut dimensions = Vec::with_capacity(tensor.dimensions.len());
        for dimension in &tensor.dimensions {
            let dimension =
                u64::try_from(*dimension).map_err(|_| error(format!("dimension {dimension} is negative")))?;
            length = length.saturating_mul(dimension);
            // The importer has 32-bit addresses.
            let dimension = usize::try_from(dimension)
                .map_err(|_| error(format!("dimension {dimension} is too large")))?;
            dimensions.push(dimension);
        }
        let kind = kind(tensor.element_type).map_err(graph)?;
        let values = match &tensor.raw {
            Some(raw) => read_raw(raw, tensor.element_type),
            None => read_lists(tensor, kind),
        }
        .map_err(graph)?;
        if values.len() as u64 != length {
            return Err(error(format!("it has {} values, its dimensions require {length}", values.len())));
        }
        Ok(Self { values, dimensions })
    }
}

fn read_raw(raw: &[u8], element_type: i64) -> Result<Values, Fault> {
    fn numbers<T, const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Fault> {
        let chunks = raw.chunks_exact(N);
        if !chunks.remainder().is_empty() {
            return Err(format!("{} bytes are no whole number of values", raw.len()).into());
        }
        let array = |bytes: &[u8]| {
            let mut array = [0; N];
            array.copy_from_slice(bytes);
            number(array)
        };
        Ok(chunks.map(array).collect())
    }
    Ok(match element_type {
        1 => Values::Floats { values: numbers(raw, f32::from_le_bytes)? },
        2 => Values::Integers { values: numbers(raw, |bytes| i64::from(u8::from_le_bytes(bytes)))? },
        3 => Values::Integers { values: numbers(raw, |bytes| i64::from(i8::from_le_bytes(bytes)))? },
        4 => Values::Integers { values: numbers(raw, |bytes| i64::from(u16::from_le_bytes(bytes)))? },
        5 => Values::Integers { values: numbers(raw, |bytes| i64::from(i16::from_le_bytes(bytes)))? },
        6 => Values::Integers { values: numbers(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))? },
        7 => Values::Integers { values: numbers(raw, i64::from_le_bytes)? },
        9 => Values::Booleans { values: numbers(raw, |[byte]| u8::from(byte != 0))? },
        11 => Values::Doubles { values: numbers(raw, f64::from_le_bytes)? },
        _ => return Err("text has no raw data".into()),
    })
}

fn read_lists(tensor: &proto::Tensor, kind: Kind) -> Result<Values, Fault> {
    Ok(match kind {
        Kind::Float => Values::Floats { values: tensor.floats.clone() },
        Kind::Double => Values::Doubles { values: tensor.doubles.clone() },
        Kind::Text => Values::Texts { values: texts(&tensor.texts)? },
        Kind::Boolean => {
            Values::Booleans { values: tensor.integers.iter().map(|value| u8::from(*value != 0)).collect() }
        }
        Kind::Integer if tensor.element_type == 7 => {
            Values::Integers { values: tensor.long_integers.clone() }
        }
        // Negative numbers of 32 bits are written with 64 bits, but some writers leave out the upper half.
        Kind::Integer => Values::Integers {
            values: tensor.integers.iter().map(|value| i64::from(*value as i32)).collect(),
        },
    })
}

/// Bytes of a file as text.
pub(crate) fn texts(bytes: &[Vec<u8>]) -> Result<Vec<String>, Fault> {
    bytes
        .iter()
        .map(|bytes| String::from_utf8(bytes.clone()).map_err(|_| "text is not UTF-8".into()))
        .collect()
}

/// Calls a function with the constants' list, whatever their kind is, and makes constants of its result.
macro_rules! map_values {
    ($values:expr, $list:ident => $result:expr) => {
        match $values {
            tabular_program::Values::Booleans { values: $list } => {
                tabular_program::Values::Booleans { values: $result }
            }
            tabular_program::Values::Integers { values: $list } => {
                tabular_program::Values::Integers { values: $result }
            }
            tabular_program::Values::Floats { values: $list } => {
                tabular_program::Values::Floats { values: $result }
            }
            tabular_program::Values::Doubles { values: $list } => {
                tabular_program::Values::Doubles { values: $result }
            }
            tabular_program::Values::Texts { values: $list } => {
                tabular_program::Values::Texts { values: $result }
            }
        }
    };
}

/// The constants at positions, which exist.
pub(crate) fn select(values: &Values, positions: &[u32]) -> Values {
    fn pick<T: Clone>(list: &[T], positions: &[u32]) -> Vec<T> {
        positions.iter().map(|position| list[*position as usize].clone()).collect()
    }
    map_values!(values, list => pick(list, positions))
}

/// The constants, each of them repeated from a list of one.
pub(crate) fn repeated(values: &Values, count: usize) -> Values {
    map_values!(values, list => list.iter().cycle().take(count).cloned().collect())
}

/// The constants as 64-bit floats. Text has none.
pub(crate) fn doubles(values: &Values) -> Result<Vec<f64>, Fault> {
    Ok(match values {
        Values::Booleans { values } => values.iter().map(|value| f64::from(*value)).collect(),
        Values::Integers { values } => values.iter().map(|value| *value as f64).collect(),
        Values::Floats { values } => values.iter().map(|value| f64::from(*value)).collect(),
        Values::Doubles { values } => values.clone(),
        Values::Texts { .. } => return Err("expected numbers, found text".into()),
    })
}

/// Numbers as constants of a kind: floats, doubles or integers.
pub(crate) fn numbers(kind: Kind, values: &[f64]) -> Values {
    match kind {
        Kind::Double => Values::Doubles { values: values.to_vec() },
        Kind::Integer => Values::Integers { values: values.iter().map(|value| *value as i64).collect() },
        _ => Values::Floats { values: values.iter().map(|value| *value as f32).collect() },
    }
}
