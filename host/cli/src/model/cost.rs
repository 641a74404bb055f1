//! Measures the time and memory of a trained model on synthetic rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use understudy_engine::load_lowered_model;
use understudy_sandbox::{DeciderPlugin, InputField};
use understudy_study::FieldKind;

/// Rows of the large batch.
const ROWS: usize = 1024;

/// The cost of a model on synthetic rows: Wasm fuel for each row, and memory in bytes.
pub(super) struct ModelCost {
    /// Fuel of a row in a batch of 1,024.
    pub fuel_in_batch: u64,
    /// Fuel of a row that is answered alone.
    pub fuel_alone: u64,
    /// Linear memory of an instance, in bytes.
    pub memory: u64,
}

/// Measures a lowered model.
///
/// # Errors
/// If it cannot be loaded.
pub(super) fn model_cost(model: Vec<u8>) -> anyhow::Result<ModelCost> {
    let plugin = load_lowered_model(model)?;
    let fuel_alone = fuel(&plugin, 1);
    let fuel_in_batch = fuel(&plugin, ROWS).div_ceil(ROWS as u64);
    Ok(ModelCost { fuel_in_batch, fuel_alone, memory: plugin.usage_counters().usage().memory_bytes })
}

/// The fuel of a call.
fn fuel(plugin: &DeciderPlugin, rows: usize) -> u64 {
    let before = plugin.usage_counters().usage().fuel;
    plugin.instance().decide(&synthetic_rows(&plugin.reads, rows));
    plugin.usage_counters().usage().fuel - before
}

/// Rows whose numbers differ from row to row and from column to column.
fn synthetic_rows(fields: &[InputField], rows: usize) -> RecordBatch {
    let number = |column: usize, row: usize| (row * 7 + column * 13) % 100;
    let column = |(column, field): (usize, &InputField)| -> ArrayRef {
        match field.kind {
            FieldKind::Boolean => {
                let values: Vec<bool> = (0..rows).map(|row| number(column, row) % 2 == 1).collect();
                Arc::new(BooleanArray::from(values))
            }
            FieldKind::Integer => {
                Arc::new(Int64Array::from_iter_values((0..rows).map(|row| number(column, row) as i64)))
            }
            FieldKind::Number => Arc::new(Float64Array::from_iter_values(
                (0..rows).map(|row| number(column, row) as f64 / 10.0),
            )),
            FieldKind::Text | FieldKind::Json | FieldKind::Timestamp => {
                Arc::new(StringArray::from_iter_values((0..rows).map(|row| number(column, row).to_string())))
            }
        }
    };
    let columns: Vec<ArrayRef> = fields.iter().enumerate().map(column).collect();
    record_batch(fields, columns, rows)
}

/// A batch of the columns that a model reads.
pub(super) fn record_batch(fields: &[InputField], columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let field = |(field, column): (&InputField, &ArrayRef)| {
        let kind: &DataType = column.data_type();
        Field::new(&field.name, kind.clone(), true)
    };
    let schema = Schema::new(fields.iter().zip(&columns).map(field).collect::<Vec<_>>());
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)
        .expect("all columns have the same number of rows")
}
