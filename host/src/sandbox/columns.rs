//! Arrow columns as the plugin takes them: borrowed where the layouts are the same, which is all but booleans.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};

use super::bindings::decider::exports::understudy::shadow::columns as wit;
use crate::study::Kind;

/// The parts of a column that have to be made for a call.
pub(super) struct Lent<'a> {
    column: &'a ArrayRef,
    kind: Kind,
    missing: Vec<u32>,
    offsets: Cow<'a, [u32]>,
    numbers: Vec<f64>,
    booleans: Vec<bool>,
}

impl<'a> Lent<'a> {
    /// A column, to be handed over as `kind`; an integer column may be asked for as numbers.
    pub fn new(column: &'a ArrayRef, kind: Kind) -> Lent<'a> {
        let missing = match column.nulls() {
            Some(nulls) if nulls.null_count() > 0 => {
                (0..column.len() as u32).filter(|row| nulls.is_null(*row as usize)).collect()
            }
            _ => Vec::new(),
        };
        let mut lent =
            Lent { column, kind, missing, offsets: Cow::Borrowed(&[]), numbers: vec![], booleans: vec![] };
        match (kind, column.data_type()) {
            (Kind::Boolean, _) => lent.booleans = column.as_boolean().values().iter().collect(),
            (Kind::Number, DataType::Int64) => {
                let integers = column.as_primitive::<Int64Type>().values();
                lent.numbers = integers.iter().map(|&value| value as f64).collect();
            }
            (Kind::Text | Kind::Json, _) => lent.offsets = offsets(column.as_string()),
            _ => {}
        }
        lent
    }

    /// The column as the call takes it.
    pub fn column(&'a self) -> wit::Column<'a> {
        let text = || wit::TextParam { offsets: &self.offsets, bytes: bytes(self.column.as_string()) };
        let values = match (self.kind, self.column.data_type()) {
            (Kind::Boolean, _) => wit::Values::Boolean(&self.booleans),
            (Kind::Integer, _) => wit::Values::Integer(self.column.as_primitive::<Int64Type>().values()),
            (Kind::Number, DataType::Int64) => wit::Values::Number(&self.numbers),
            (Kind::Number, _) => wit::Values::Number(self.column.as_primitive::<Float64Type>().values()),
            (Kind::Timestamp, _) => {
                wit::Values::Timestamp(self.column.as_primitive::<TimestampMicrosecondType>().values())
            }
            (Kind::Text, _) => wit::Values::Text(text()),
            (Kind::Json, _) => wit::Values::Json(text()),
        };
        wit::Column { values, missing: (!self.missing.is_empty()).then_some(&self.missing[..]) }
    }
}

/// Lends all the columns of a batch, each as the kind that the plugin declared.
pub(super) fn lend<'a>(batch: &'a RecordBatch, kinds: &'a [Kind]) -> Vec<Lent<'a>> {
    batch.columns().iter().zip(kinds).map(|(column, &kind)| Lent::new(column, kind)).collect()
}

/// The offsets of a text column, from 0 even for a slice.
pub(super) fn offsets(text: &StringArray) -> Cow<'_, [u32]> {
    let offsets: &[u32] = bytemuck::cast_slice(text.value_offsets());
    match offsets[0] {
        0 => Cow::Borrowed(offsets),
        first => Cow::Owned(offsets.iter().map(|offset| offset - first).collect()),
    }
}

/// The bytes that [`offsets`] point into.
pub(super) fn bytes(text: &StringArray) -> &[u8] {
    let offsets = text.value_offsets();
    &text.value_data()[offsets[0] as usize..offsets[offsets.len() - 1] as usize]
}

#[cfg(test)]
mod tests;
