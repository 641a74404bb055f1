//! Case files: see tests/oracles/tabular/case_file.py.

use std::io::Read as _;

use flate2::read::GzDecoder;
use tabular_engine::{Answers, OutputColumns, Source, SourceColumn};
use tabular_program::Values;

use crate::proto::{Message, Tensor};
use crate::tensor::{self, Constant};

/// A model with inputs, and the outputs that another implementation gives.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) model: Vec<u8>,
    pub(super) inputs: Vec<Tensor>,
    pub(super) outputs: Vec<Constant>,
}

/// The cases of a file.
pub(super) fn parse(file: &[u8]) -> Vec<Case> {
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let mut cases = Vec::new();
    Message::new(&bytes)
        .each(|_, field| {
            let mut case =
                Case { name: String::new(), model: Vec::new(), inputs: Vec::new(), outputs: Vec::new() };
            field.message()?.each(|number, field| {
                match number {
                    1 => case.name = field.text()?,
                    2 => case.model = field.bytes()?.to_vec(),
                    3 => case.inputs.push(Tensor::parse(field.message()?)?),
                    _ => case.outputs.push(Constant::parse(&Tensor::parse(field.message()?)?)?),
                }
                Ok(())
            })?;
            cases.push(case);
            Ok(())
        })
        .unwrap();
    cases
}

/// A column of an input.
pub(super) enum OwnedColumn {
    Booleans(Vec<u8>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Texts(Vec<u32>, Vec<u8>),
}

impl OwnedColumn {
    /// The columns of an input whose first dimension is the rows.
    pub(super) fn columns(input: &Constant, rows: usize) -> Vec<Self> {
        let width = input.values.len() / rows.max(1);
        (0..width)
            .map(|column| {
                let positions: Vec<u32> = (0..rows).map(|row| (row * width + column) as u32).collect();
                Self::new(tensor::select(&input.values, &positions))
            })
            .collect()
    }

    fn new(values: Values) -> Self {
        match values {
            Values::Booleans { values } => Self::Booleans(values),
            Values::Integers { values } => Self::Integers(values),
            Values::Floats { values } => Self::Floats(values),
            Values::Doubles { values } => Self::Doubles(values),
            Values::Texts { values } => {
                let mut offsets = vec![0];
                let mut bytes = Vec::new();
                for value in values {
                    bytes.extend_from_slice(value.as_bytes());
                    offsets.push(bytes.len() as u32);
                }
                Self::Texts(offsets, bytes)
            }
        }
    }

    /// One row of the column.
    pub(super) fn row(&self, row: usize) -> Self {
        match self {
            Self::Booleans(values) => Self::Booleans(vec![values[row]]),
            Self::Integers(values) => Self::Integers(vec![values[row]]),
            Self::Floats(values) => Self::Floats(vec![values[row]]),
            Self::Doubles(values) => Self::Doubles(vec![values[row]]),
            Self::Texts(offsets, bytes) => {
                let text = &bytes[offsets[row] as usize..offsets[row + 1] as usize];
                Self::Texts(vec![0, text.len() as u32], text.to_vec())
            }
        }
    }

    pub(super) fn source(&self) -> SourceColumn<'_> {
        let values = match self {
            Self::Booleans(values) => Source::Booleans(values),
            Self::Integers(values) => Source::Integers(values),
            Self::Floats(values) => Source::Floats(values),
            Self::Doubles(values) => Source::Doubles(values),
            Self::Texts(offsets, bytes) => Source::Texts { offsets, bytes },
        };
        SourceColumn { values, missing: &[] }
    }
}

/// An output, one row after the other.
pub(super) fn by_row(answers: &Answers<'_>, output: usize, rows: usize) -> Values {
    let values = match &answers.outputs[output] {
        OutputColumns::Booleans(values) => Values::Booleans { values: values.clone() },
        OutputColumns::Integers(values) => Values::Integers { values: values.clone() },
        OutputColumns::Floats(values) => Values::Floats { values: values.clone() },
        OutputColumns::Doubles(values) => Values::Doubles { values: values.clone() },
        OutputColumns::Texts(cells) => {
            Values::Texts { values: cells.iter().map(|cell| answers.texts.get(*cell).to_owned()).collect() }
        }
    };
    let width = values.len() / rows.max(1);
    let positions: Vec<u32> =
        (0..rows).flat_map(|row| (0..width).map(move |column| (column * rows + row) as u32)).collect();
    tensor::select(&values, &positions)
}

/// How far values are from the expected ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// The number of values whose bits differ. All NaNs are equal, and both zeros.
    pub(super) bits: usize,
    /// The number of values.
    pub(super) values: usize,
    /// The greatest difference of numbers, divided by the expected number if it is above 1; infinite for other kinds.
    pub(super) greatest: f64,
}

pub(super) fn difference(found: &Values, expected: &Values) -> Difference {
    let mut difference = Difference { values: expected.len(), ..Difference::default() };
    if found.kind() != expected.kind() || found.len() != expected.len() {
        return Difference { bits: usize::MAX, greatest: f64::INFINITY, ..difference };
    }
    match (tensor::doubles(found), tensor::doubles(expected)) {
        (Ok(found), Ok(expected)) => {
            for (found, expected) in found.into_iter().zip(expected) {
                if found == expected || (found.is_nan() && expected.is_nan()) {
                    continue;
                }
                difference.bits += 1;
                let error = (found - expected).abs() / expected.abs().max(1.0);
                let error = if error.is_nan() { f64::INFINITY } else { error };
                difference.greatest = difference.greatest.max(error);
            }
        }
        _ => {
            if found != expected {
                return Difference { bits: usize::MAX, greatest: f64::INFINITY, ..difference };
            }
        }
    }
    difference
}
