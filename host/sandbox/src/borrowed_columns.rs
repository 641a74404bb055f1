//! Converts Arrow columns to arguments of a plugin call.
//!
//! Columns are borrowed where the memory layouts agree: all kinds but booleans, and integers that are read as
//! numbers.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};

use super::bindings::decider::exports::understudy::shadow::columns as wit;
use understudy_study::FieldKind;

/// A column as an argument of a call. Owns the parts that cannot be borrowed.
pub(super) struct BorrowedColumn<'a> {
    values: Values<'a>,
    missing: Vec<u32>,
}

enum Values<'a> {
    Boolean(Vec<u8>),
    Integer(&'a [i64]),
    Number(Cow<'a, [f64]>),
    Timestamp(&'a [i64]),
    Text(Cow<'a, [u32]>, &'a [u8]),
    Json(Cow<'a, [u32]>, &'a [u8]),
}

impl<'a> BorrowedColumn<'a> {
    /// Borrows a column as `kind`. A column of integers or truth values can be converted to numbers.
    pub fn new(column: &'a ArrayRef, kind: FieldKind) -> BorrowedColumn<'a> {
        let missing = match column.nulls() {
            Some(nulls) if nulls.null_count() > 0 => {
                (0..column.len() as u32).filter(|row| nulls.is_null(*row as usize)).collect()
            }
            _ => Vec::new(),
        };
        let integers = || column.as_primitive::<Int64Type>().values();
        let text = || (offsets(column.as_string()), bytes(column.as_string()));
        let values = match kind {
            FieldKind::Boolean => {
                Values::Boolean(column.as_boolean().values().iter().map(u8::from).collect())
            }
            FieldKind::Integer => Values::Integer(integers()),
            FieldKind::Number if *column.data_type() == DataType::Int64 => {
                Values::Number(integers().iter().map(|&value| value as f64).collect())
            }
            FieldKind::Number if *column.data_type() == DataType::Boolean => Values::Number(
                column.as_boolean().values().iter().map(|value| f64::from(u8::from(value))).collect(),
            ),
            FieldKind::Number => Values::Number(Cow::Borrowed(column.as_primitive::<Float64Type>().values())),
            FieldKind::Timestamp => {
                Values::Timestamp(column.as_primitive::<TimestampMicrosecondType>().values())
            }
            FieldKind::Text => {
                let (offsets, bytes) = text();
                Values::Text(offsets, bytes)
            }
            FieldKind::Json => {
                let (offsets, bytes) = text();
                Values::Json(offsets, bytes)
            }
        };
        BorrowedColumn { values, missing }
    }

    /// The column as an argument of a call.
    pub fn column(&'a self) -> wit::Column<'a> {
        let values = match &self.values {
            Values::Boolean(values) => wit::Values::Boolean(values),
            Values::Integer(values) => wit::Values::Integer(values),
            Values::Number(values) => wit::Values::Number(values),
            Values::Timestamp(values) => wit::Values::Timestamp(values),
            Values::Text(offsets, bytes) => wit::Values::Text(wit::TextParam { offsets, bytes }),
            Values::Json(offsets, bytes) => wit::Values::Json(wit::TextParam { offsets, bytes }),
        };
        wit::Column { values, missing: (!self.missing.is_empty()).then_some(&self.missing[..]) }
    }
}

/// Borrows the columns of a batch as the kinds that the plugin declares.
pub(super) fn borrow_columns<'a>(batch: &'a RecordBatch, kinds: &'a [FieldKind]) -> Vec<BorrowedColumn<'a>> {
    batch.columns().iter().zip(kinds).map(|(column, &kind)| BorrowedColumn::new(column, kind)).collect()
}

/// The offsets of a text column, starting at 0 even for a slice of a larger column.
pub(super) fn offsets(text: &StringArray) -> Cow<'_, [u32]> {
    let offsets: &[u32] = bytemuck::cast_slice(text.value_offsets());
    match offsets[0] {
        0 => Cow::Borrowed(offsets),
        first => Cow::Owned(offsets.iter().map(|offset| offset - first).collect()),
    }
}

/// The bytes that [`offsets`] refer to.
pub(super) fn bytes(text: &StringArray) -> &[u8] {
    let offsets = text.value_offsets();
    &text.value_data()[offsets[0] as usize..offsets[offsets.len() - 1] as usize]
}

#[cfg(test)]
mod tests;
