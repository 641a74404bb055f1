//! Encodes the rows of a log table, column by column.
//!
//! Invariants: one list of columns gives a table's schema, its rows and the columns that may be shown. A
//! column is shown only if its entry says so.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Encodes the columns of one entry, one array per field.
type ColumnEncoder<S> = Box<dyn Fn(&S) -> Vec<ArrayRef> + Send + Sync>;

/// One column of a table, or several that are encoded together, with the way to encode them from `S`.
pub(super) struct TableColumns<S: ?Sized> {
    pub(super) fields: Vec<Field>,
    /// Whether cases, exports and `understudy log` may show the columns.
    pub(super) disclosed: bool,
    encode: ColumnEncoder<S>,
}

impl<S: ?Sized> TableColumns<S> {
    /// Several columns, which are not shown. `encode` returns one array per field.
    pub(super) fn several(
        fields: impl IntoIterator<Item = Field>,
        encode: impl Fn(&S) -> Vec<ArrayRef> + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns { fields: fields.into_iter().collect(), disclosed: false, encode: Box::new(encode) }
    }

    /// A column without nulls, which is not shown.
    pub(super) fn required(
        name: impl Into<String>,
        data_type: DataType,
        encode: impl Fn(&S) -> ArrayRef + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns::several([Field::new(name, data_type, false)], move |rows| vec![encode(rows)])
    }

    /// A column that may have nulls, which is not shown.
    pub(super) fn nullable(
        name: impl Into<String>,
        data_type: DataType,
        encode: impl Fn(&S) -> ArrayRef + Send + Sync + 'static,
    ) -> TableColumns<S> {
        TableColumns::several([Field::new(name, data_type, true)], move |rows| vec![encode(rows)])
    }

    /// The same columns, as ones that may be shown.
    pub(super) fn disclosed(self) -> TableColumns<S> {
        TableColumns { disclosed: true, ..self }
    }
}

/// Encodes the rows of a table from `S`.
pub struct TableEncoder<S: ?Sized> {
    schema: SchemaRef,
    columns: Vec<TableColumns<S>>,
}

impl<S: ?Sized> TableEncoder<S> {
    pub(super) fn new(columns: Vec<TableColumns<S>>) -> TableEncoder<S> {
        let fields: Vec<Field> = columns.iter().flat_map(|column| column.fields.iter().cloned()).collect();
        TableEncoder { schema: Arc::new(Schema::new(fields)), columns }
    }

    /// The schema of the encoded rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Encodes rows.
    pub fn encode(&self, rows: &S) -> RecordBatch {
        let columns = self.columns.iter().flat_map(|column| (column.encode)(rows)).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
            .expect("each column is encoded in the type that it declares")
    }
}

/// A column of unsigned numbers.
pub(super) fn numbers(values: &[u64]) -> ArrayRef {
    Arc::new(UInt64Array::from(values.to_vec()))
}

/// A column of event times.
pub(super) fn times(micros: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}

/// A column of event times that may be null.
pub(super) fn optional_times(micros: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}
