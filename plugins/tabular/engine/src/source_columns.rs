//! The columns that a call brings, and their conversion to the kinds that the model reads.

use std::fmt;

use tabular_program::{Columns, Kind, MISSING_INTEGER};

use crate::planes::Planes;
use crate::text::{TextRef, Texts};

/// The values of one field, one for each row.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// 1 for true and 0 for false.
    Booleans(&'a [u8]),
    /// Signed 64-bit integers.
    Integers(&'a [i64]),
    /// 32-bit floats.
    Floats(&'a [f32]),
    /// 64-bit floats.
    Doubles(&'a [f64]),
    /// Text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    Texts {
        /// One offset more than there are rows.
        offsets: &'a [u32],
        /// UTF-8.
        bytes: &'a [u8],
    },
}

/// One field of a call.
#[derive(Clone, Copy, Debug)]
pub struct SourceColumn<'a> {
    /// The values. A row without a value holds a placeholder.
    pub values: Source<'a>,
    /// Indices of the rows without a value, ascending. Floats become NaN, texts and integers the cells that
    /// [`tabular_program`] has for missing ones, booleans false.
    pub missing: &'a [u32],
}

/// Why columns do not fit the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError(String);

impl SourceError {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SourceError {}

impl Source<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Booleans(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Doubles(values) => values.len(),
            Self::Texts { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Booleans(_) => "boolean",
            Self::Integers(_) => "integer",
            Self::Floats(_) | Self::Doubles(_) => "number",
            Self::Texts { .. } => "text",
        }
    }
}

impl SourceColumn<'_> {
    /// Checks that the column has `rows` rows and can be read as values of a kind.
    pub(crate) fn check(&self, rows: usize, kind: Kind, name: &str) -> Result<(), SourceError> {
        let error = |fault: String| Err(SourceError(format!("input {name:?} {fault}")));
        if self.values.rows() != rows {
            return error(format!("has {} rows, expected {rows}", self.values.rows()));
        }
        let fits = match kind {
            Kind::Boolean => matches!(self.values, Source::Booleans(_)),
            Kind::Integer => matches!(self.values, Source::Integers(_) | Source::Booleans(_)),
            Kind::Float | Kind::Double => !matches!(self.values, Source::Texts { .. }),
            Kind::Text => matches!(self.values, Source::Texts { .. }),
        };
        if !fits {
            return error(format!("is {}, expected {kind:?}", self.values.name()));
        }
        if let Source::Texts { offsets, bytes } = self.values {
            let ordered = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
            if !ordered || offsets.last().is_some_and(|end| *end as usize > bytes.len()) {
                return error("has invalid offsets".to_owned());
            }
        }
        Ok(())
    }

    /// Copies the rows from `first` on into a column. `pool` is that of the text, `missing` the cell of a missing one.
    pub(crate) fn load(
        &self,
        first: usize,
        pool: u32,
        missing: TextRef,
        column: Columns,
        planes: &mut Planes,
    ) {
        let rows = planes.rows;
        match (self.values, column.kind) {
            (Source::Booleans(values), Kind::Boolean) => {
                convert(&values[first..], planes.write(column), |value| value)
            }
            (Source::Booleans(values), Kind::Integer) => {
                convert(&values[first..], planes.write(column), i64::from)
            }
            (Source::Booleans(values), Kind::Float) => {
                convert(&values[first..], planes.write(column), f32::from)
            }
            (Source::Booleans(values), Kind::Double) => {
                convert(&values[first..], planes.write(column), f64::from)
            }
            (Source::Integers(values), Kind::Integer) => {
                convert(&values[first..], planes.write(column), |value| value)
            }
            (Source::Integers(values), Kind::Float) => {
                convert(&values[first..], planes.write(column), |value: i64| value as f32);
            }
            (Source::Integers(values), Kind::Double) => {
                convert(&values[first..], planes.write(column), |value: i64| value as f64);
            }
            (Source::Floats(values), Kind::Float) => {
                convert(&values[first..], planes.write(column), |value| value)
            }
            (Source::Floats(values), Kind::Double) => {
                convert(&values[first..], planes.write(column), f64::from)
            }
            (Source::Doubles(values), Kind::Float) => {
                crate::conversion::round(&values[first..], planes.write(column));
            }
            (Source::Doubles(values), Kind::Double) => {
                convert(&values[first..], planes.write(column), |value| value)
            }
            (Source::Texts { offsets, .. }, Kind::Text) => {
                let cells: &mut [TextRef] = planes.write(column);
                for (cell, ends) in cells.iter_mut().zip(offsets[first..].windows(2)) {
                    *cell = Texts::source_cell(pool, ends[0], ends[1]);
                }
            }
            _ => unreachable!("the column was checked: it can be read as the kind"),
        }
        let before = self.missing.partition_point(|row| (*row as usize) < first);
        for row in &self.missing[before..] {
            let row = *row as usize - first;
            if row >= rows {
                break;
            }
            match column.kind {
                Kind::Float => planes.write::<f32>(column)[row] = f32::NAN,
                Kind::Double => planes.write::<f64>(column)[row] = f64::NAN,
                Kind::Text => planes.write::<TextRef>(column)[row] = missing,
                Kind::Integer => planes.write::<i64>(column)[row] = MISSING_INTEGER,
                Kind::Boolean => planes.write::<u8>(column)[row] = 0,
            }
        }
    }
}

fn convert<S: Copy, T>(values: &[S], cells: &mut [T], to: impl Fn(S) -> T) {
    for (cell, value) in cells.iter_mut().zip(values) {
        *cell = to(*value);
    }
}
