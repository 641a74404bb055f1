//! The declared fields of records as columns.
//!
//! Invariants: a batch has its number of rows even if the stream declares no field.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::batch::values::data_type;
use understudy_study::{FieldKind, Stream};

/// The Arrow schema of the declared fields. JSON columns have Arrow's extension type for JSON.
pub fn fields_schema(stream: &Stream) -> SchemaRef {
    let column = |field: &understudy_study::Field| {
        let column = Field::new(&field.name, data_type(field.kind), true);
        match field.kind {
            FieldKind::Json => {
                column.with_metadata(HashMap::from([("ARROW:extension:name".into(), "arrow.json".into())]))
            }
            _ => column,
        }
    };
    Arc::new(Schema::new(stream.fields.iter().map(column).collect::<Vec<_>>()))
}

/// A batch of `rows` rows, also if it has no columns.
///
/// # Errors
/// If the columns do not match the schema, or have another number of rows.
pub fn record_batch(
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options)
}

/// The rows that `picks` names by batch and row, as one batch.
///
/// # Panics
/// If there is no batch, or their schemas differ.
pub fn interleave_rows(batches: &[&RecordBatch], picks: &[(usize, usize)]) -> RecordBatch {
    let schema = batches[0].schema();
    let column = |index: usize| -> ArrayRef {
        let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(index) as _).collect();
        interleave(&arrays, picks).expect("the columns of a field have one type")
    };
    let columns = (0..schema.fields().len()).map(column).collect();
    record_batch(schema, columns, picks.len()).expect("the columns are those of a batch")
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn only_columns_of_json_have_the_extension_type() {
        let field = |kind: FieldKind| understudy_study::Field { name: kind.name().to_owned(), kind };
        let stream = Stream {
            id: "id".into(),
            time: "at".into(),
            lateness: SignedDuration::ZERO,
            most_ahead: SignedDuration::ZERO,
            fields: FieldKind::ALL.map(field).to_vec(),
        };
        let schema = fields_schema(&stream);
        for (kind, column) in FieldKind::ALL.into_iter().zip(schema.fields()) {
            let extension = column.metadata().get("ARROW:extension:name").map(String::as_str);
            assert_eq!(extension, (kind == FieldKind::Json).then_some("arrow.json"), "{}", kind.name());
        }
    }
}
