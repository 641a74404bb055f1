//! Rows as cells, which can be generated, changed and shown one by one, and their conversion to columns.
//!
//! Invariant: rows of a file are decoded by the decoder of a run, so a plugin sees the values that it would see there.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field, Float64Type, Int64Type, Schema, TimestampMicrosecondType};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use understudy_records::batch::{Decoder, Lines, record_batch};
use understudy_sandbox::InputField;
use understudy_study::{FieldKind, Stream, StreamKind};

/// The value of a field in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum CellValue {
    /// Kind `boolean`.
    Boolean(bool),
    /// Kind `integer`.
    Integer(i64),
    /// Kind `number`, finite.
    Number(f64),
    /// Kind `text`.
    Text(String),
    /// Kind `timestamp`, in microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Kind `json`, as JSON text.
    Json(String),
}

/// A cell for each field that a plugin reads, in the order of the fields; `None` if the value is missing.
pub type Row = Vec<Option<CellValue>>;

/// Longest text in a shown row, in characters.
const SHOWN_TEXT: usize = 60;

/// The rows as the columns that a plugin reads. Where a value is missing, the column holds `placeholder(kind)`.
///
/// # Panics
/// If a cell is not of the kind of its field.
pub fn row_batch(
    fields: &[InputField],
    rows: &[Row],
    placeholder: impl Fn(FieldKind) -> CellValue,
) -> RecordBatch {
    let columns: Vec<ArrayRef> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let missing = placeholder(field.kind);
            let cells: Vec<&CellValue> =
                rows.iter().map(|row| row[index].as_ref().unwrap_or(&missing)).collect();
            let present = NullBuffer::from_iter(rows.iter().map(|row| row[index].is_some()));
            column(field.kind, &cells, present)
        })
        .collect();
    let arrow_fields: Vec<Field> = fields
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(&field.name, column.data_type().clone(), true))
        .collect();
    record_batch(Arc::new(Schema::new(arrow_fields)), columns, rows.len())
        .expect("all columns have one cell per row")
}

/// The value that a column holds for a missing one if nobody looks for it: zero or empty, as in a run.
pub(crate) fn empty_cell(kind: FieldKind) -> CellValue {
    match kind {
        FieldKind::Boolean => CellValue::Boolean(false),
        FieldKind::Integer => CellValue::Integer(0),
        FieldKind::Number => CellValue::Number(0.0),
        FieldKind::Text => CellValue::Text(String::new()),
        FieldKind::Timestamp => CellValue::Timestamp(0),
        FieldKind::Json => CellValue::Json(String::new()),
    }
}

fn column(kind: FieldKind, cells: &[&CellValue], present: NullBuffer) -> ArrayRef {
    macro_rules! values {
        ($variant:ident) => {
            cells.iter().map(|cell| match cell {
                CellValue::$variant(value) => value.clone(),
                other => panic!("a cell of kind {} is {other:?}", kind.name()),
            })
        };
    }
    let present = (present.null_count() > 0).then_some(present);
    // Text is built from its parts, because a builder has no bytes for a missing value.
    let text = |texts: Vec<String>| -> ArrayRef {
        let offsets = OffsetBuffer::from_lengths(texts.iter().map(String::len));
        Arc::new(StringArray::new(offsets, texts.concat().into_bytes().into(), present.clone()))
    };
    match kind {
        FieldKind::Boolean => Arc::new(BooleanArray::new(values!(Boolean).collect(), present)),
        FieldKind::Integer => Arc::new(Int64Array::new(values!(Integer).collect(), present)),
        FieldKind::Number => Arc::new(Float64Array::new(values!(Number).collect(), present)),
        FieldKind::Timestamp => Arc::new(
            TimestampMicrosecondArray::new(values!(Timestamp).collect(), present).with_timezone("UTC"),
        ),
        FieldKind::Text => text(values!(Text).collect()),
        FieldKind::Json => text(values!(Json).collect()),
    }
}

/// The cells of a batch whose columns have the types of `fields`.
fn rows_of_batch(fields: &[InputField], batch: &RecordBatch) -> Vec<Row> {
    let cell = |field: &InputField, column: &ArrayRef, row: usize| {
        (!column.is_null(row)).then(|| match field.kind {
            FieldKind::Boolean => CellValue::Boolean(column.as_boolean().value(row)),
            FieldKind::Integer => CellValue::Integer(column.as_primitive::<Int64Type>().value(row)),
            FieldKind::Number => CellValue::Number(column.as_primitive::<Float64Type>().value(row)),
            FieldKind::Timestamp => {
                CellValue::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            FieldKind::Text => CellValue::Text(column.as_string::<i32>().value(row).to_owned()),
            FieldKind::Json => CellValue::Json(column.as_string::<i32>().value(row).to_owned()),
        })
    };
    (0..batch.num_rows())
        .map(|row| {
            fields.iter().zip(batch.columns()).map(|(field, column)| cell(field, column, row)).collect()
        })
        .collect()
}

/// Decodes JSON objects as a run decodes records. Fields that the plugin does not read are ignored.
///
/// # Errors
/// The index of the first object that cannot be decoded, and why.
pub fn decode_rows(fields: &[InputField], objects: &[&str]) -> Result<Vec<Row>, (usize, String)> {
    // A record needs an id and a time. Their keys are none of the fields.
    let key = |name: &str| {
        let mut key = format!("understudy {name}");
        while fields.iter().any(|field| field.name == key) {
            key.push(' ');
        }
        key
    };
    let (id, time) = (key("id"), key("time"));
    let declared =
        |field: &InputField| understudy_study::Field { name: field.name.clone(), kind: field.kind };
    let stream = Stream {
        id: id.clone(),
        time: time.clone(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: fields.iter().map(declared).collect(),
    };
    let mut lines = Lines::default();
    for (index, object) in objects.iter().enumerate() {
        let Some(members) = object.trim().strip_prefix('{') else {
            return Err((index, "it is no JSON object".to_owned()));
        };
        let comma = if members.trim_start().starts_with('}') { "" } else { "," };
        let record = format!("{{\"{id}\":\"{index}\",\"{time}\":\"2000-01-01T00:00:00Z\"{comma}{members}")
            .replace('\n', " ");
        lines.push(index as u64, 0, record.as_bytes());
    }
    let decoded = Decoder::new(StreamKind::Snapshots, &stream, objects.len().max(1)).decode(&lines);
    match decoded.excluded.first() {
        Some(excluded) => Err((excluded.position.line as usize, excluded.detail.clone())),
        None => Ok(rows_of_batch(fields, &decoded.records.fields)),
    }
}

/// A row as a JSON object for messages. Long texts are cut. A missing value is `null`.
pub fn row_text(fields: &[InputField], row: &Row) -> String {
    let members = fields.iter().zip(row).map(|(field, cell)| {
        let value = cell.as_ref().map_or_else(|| "null".to_owned(), cell_text);
        format!("{}: {value}", Json::from(field.name.as_str()))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

fn cell_text(cell: &CellValue) -> String {
    match cell {
        CellValue::Boolean(value) => value.to_string(),
        CellValue::Integer(value) => value.to_string(),
        CellValue::Number(value) => Json::from(*value).to_string(),
        CellValue::Text(text) => cut(&Json::from(text.as_str()).to_string()),
        CellValue::Timestamp(micros) => match Timestamp::from_microsecond(*micros) {
            Ok(time) => format!("\"{time}\""),
            Err(_) => micros.to_string(),
        },
        CellValue::Json(text) => cut(text),
    }
}

/// The beginning of a long text, and its length.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_TEXT) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use understudy_records::batch::data_type;

    use super::*;

    fn field(kind: FieldKind) -> InputField {
        InputField { name: kind.name().to_owned(), kind, required: false }
    }

    #[test]
    fn rows_are_decoded_as_in_a_run() {
        let fields = FieldKind::ALL.map(field);
        let object = r#"{"boolean": true, "integer": 3.0, "number": 2, "text": "a", "timestamp": "2026-05-01T00:00:00Z",
            "json": {"b": 1, "a": [2.50]}, "other": 1}"#;
        let rows = decode_rows(&fields, &[object, "{}"]).expect("they are rows");
        assert_eq!(
            row_text(&fields, &rows[0]),
            r#"{"boolean": true, "integer": 3, "number": 2.0, "text": "a", "timestamp": "2026-05-01T00:00:00Z", "json": {"b":1,"a":[2.50]}}"#
        );
        assert_eq!(rows[1], vec![None; 6]);
        let batch = row_batch(&fields, &rows, empty_cell);
        for (field, column) in fields.iter().zip(batch.columns()) {
            assert_eq!(*column.data_type(), data_type(field.kind));
        }
        assert_eq!(rows_of_batch(&fields, &batch), rows);
    }

    #[test]
    fn an_object_that_is_no_row_is_named() {
        let fields = [field(FieldKind::Integer)];
        let error = |object| decode_rows(&fields, &["{}", object]).expect_err("it is no row");
        insta::assert_snapshot!(error("{\"integer\": \"3\"}").1, @r#"field `integer`: expected an integer, found "3""#);
        insta::assert_snapshot!(error("[]").1, @"it is no JSON object");
        assert_eq!(error("[]").0, 1);
    }

    #[test]
    fn a_missing_value_has_the_placeholder() {
        let fields = [field(FieldKind::Text), field(FieldKind::Integer)];
        let rows = [vec![None, None], vec![Some(CellValue::Text("b".into())), Some(CellValue::Integer(2))]];
        let batch = row_batch(&fields, &rows, |kind| match kind {
            FieldKind::Text => CellValue::Text("hidden".into()),
            _ => CellValue::Integer(7),
        });
        assert!(batch.column(0).is_null(0) && batch.column(1).is_null(0));
        assert_eq!(batch.column(0).as_string::<i32>().value_data(), b"hiddenb");
        assert_eq!(batch.column(1).as_primitive::<Int64Type>().values(), &[7, 2]);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut(&"é".repeat(61)), format!("{}... (122 bytes)", "é".repeat(60)));
        assert_eq!(cut("short"), "short");
    }
}
