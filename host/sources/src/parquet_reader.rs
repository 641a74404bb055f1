//! Reads the rows of a Parquet file as records.
//!
//! Invariants: each row is returned once, in order, as an object of JSON with a key for each column; a row with a number that
//! JSON does not have is returned as broken; rows are read in pieces of a row group, so memory does not depend on its size.
//!
//! The position of a row is its number in the file, from 1, and its row group, from 0. So reading goes on from the row
//! group, not from the beginning of the file.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Schema, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use serde::de::IgnoredAny;
use understudy_records::batch::Lines;
use understudy_study::{FieldKind, Micros, Stream};

use crate::csv_cell::{append_string, column_kind};
use crate::csv_columns::absent_columns;
use crate::line_reader::BATCH_BYTES;
use crate::{RecordSource, SourceError};

/// The rows that are decoded at once.
const BATCH_ROWS: usize = 1024;

/// Reads the rows of a file.
pub(crate) struct ParquetReader {
    reader: ParquetRecordBatchReader,
    name: String,
    max_bytes: usize,
    columns: Vec<ColumnForm>,
    /// Decoded rows that were not returned yet.
    pending: Option<RecordBatch>,
    /// The number of the next row, from 1.
    row: u64,
    /// The number of the last row of each row group.
    group_ends: Vec<u64>,
    text: Vec<u8>,
}

/// How the values of a column become JSON.
struct ColumnForm {
    name: String,
    key: Vec<u8>,
    /// Whether the column is text that holds JSON.
    is_json_text: bool,
    field: FieldRef,
}

/// The values of a column of some rows.
enum ColumnValues<'a> {
    Numbers(&'a Float64Array),
    Times(&'a TimestampMicrosecondArray),
    JsonTexts(&'a StringArray),
    Others(NullableEncoder<'a>),
}

impl ParquetReader {
    /// Opens a file to read it from a row, the first of which is 1. `None` if it has no such row in that row group.
    ///
    /// # Errors
    /// When the file cannot be read, or its columns do not fit the stream.
    pub(crate) fn open(
        path: &Path,
        stream: Option<&Stream>,
        max_bytes: usize,
        from: Option<(u64, u64)>,
    ) -> Result<Option<ParquetReader>, SourceError> {
        let name = path.display().to_string();
        let builder = open_builder(path, &name)?;
        let columns = column_forms(builder.schema(), stream)
            .map_err(|why| SourceError::Columns { name: name.clone(), why })?;
        let mut group_ends = Vec::new();
        let mut rows = 0;
        for group in builder.metadata().row_groups() {
            rows += u64::try_from(group.num_rows()).unwrap_or_default();
            group_ends.push(rows);
        }
        let builder = builder.with_batch_size(BATCH_ROWS);
        let (builder, row) = match from {
            None => (builder, 1),
            Some((row, group)) => {
                let group = usize::try_from(group).unwrap_or(usize::MAX);
                let before = group.checked_sub(1).map_or(Some(0), |before| group_ends.get(before).copied());
                let (Some(before), Some(end)) = (before, group_ends.get(group)) else { return Ok(None) };
                if row <= before || row > *end {
                    return Ok(None);
                }
                let groups = (group..group_ends.len()).collect();
                (builder.with_row_groups(groups).with_offset((row - 1 - before) as usize), row)
            }
        };
        let reader = builder.build().map_err(|error| unreadable(&name, &error))?;
        let pending = None;
        let text = Vec::new();
        Ok(Some(ParquetReader { reader, name, max_bytes, columns, pending, row, group_ends, text }))
    }

    /// The next rows. The decoder panics at some damaged pages, which must not look like the end of the file.
    fn decode(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let reader = &mut self.reader;
        let decoded = catch_unwind(AssertUnwindSafe(|| reader.next().transpose()));
        decoded.unwrap_or_else(|_| Err(ArrowError::ParquetError("a page is damaged".to_owned())))
    }

    /// Adds rows of a batch to `lines`, and returns how many.
    fn append(
        &mut self,
        batch: &RecordBatch,
        max_records: usize,
        lines: &mut Lines,
    ) -> Result<usize, ArrowError> {
        let options = EncoderOptions::default().with_explicit_nulls(true);
        let arrays = batch.columns().iter().zip(&self.columns);
        let arrays: Vec<ArrayRef> =
            arrays.map(|(array, form)| readable(array, form)).collect::<Result<_, _>>()?;
        let values = arrays.iter().zip(&self.columns);
        let mut values: Vec<ColumnValues<'_>> =
            values.map(|(array, form)| column_values(array, form, &options)).collect::<Result<_, _>>()?;
        let mut added = 0;
        while added < batch.num_rows() && lines.len() < max_records && lines.byte_len() < BATCH_BYTES {
            let mut faults = Vec::new();
            self.text.clear();
            for (at, (values, form)) in values.iter_mut().zip(&self.columns).enumerate() {
                self.text.push(if at == 0 { b'{' } else { b',' });
                self.text.extend_from_slice(&form.key);
                if let Err(fault) = values.append(added, &mut self.text) {
                    faults.push(format!("column `{}`: {fault}", form.name));
                }
            }
            self.text.extend_from_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
            let group = self.group_ends.partition_point(|end| *end < self.row) as u64;
            if self.text.len() > self.max_bytes {
                crate::push_line(lines, self.row, group, &self.text, self.max_bytes);
            } else if faults.is_empty() {
                lines.push(self.row, group, &self.text);
            } else {
                lines.push_broken(self.row, group, &self.text, faults.join("; "));
            }
            added += 1;
            self.row += 1;
        }
        Ok(added)
    }

    fn broken(&self, error: &ArrowError) -> SourceError {
        SourceError::Broken {
            name: self.name.clone(),
            position: "row",
            line: self.row - 1,
            why: error.to_string(),
        }
    }
}

impl RecordSource for ParquetReader {
    fn next_batch(&mut self, max_records: usize) -> Result<Option<Lines>, SourceError> {
        let mut lines = Lines::default();
        while lines.len() < max_records && lines.byte_len() < BATCH_BYTES {
            let batch = match self.pending.take() {
                Some(batch) => batch,
                // Rows before a break are returned first.
                None if !lines.is_empty() => break,
                None => match self.decode().map_err(|error| self.broken(&error))? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            let added = self.append(&batch, max_records, &mut lines).map_err(|error| self.broken(&error))?;
            if added < batch.num_rows() {
                self.pending = Some(batch.slice(added, batch.num_rows() - added));
            }
        }
        Ok((!lines.is_empty()).then_some(lines))
    }
}

/// Checks that a file is Parquet and has columns for a stream.
///
/// # Errors
/// Like [`ParquetReader::open`].
pub(crate) fn check_parquet(path: &Path, stream: Option<&Stream>) -> Result<(), SourceError> {
    ParquetReader::open(path, stream, usize::MAX, None).map(drop)
}

fn open_builder(path: &Path, name: &str) -> Result<ParquetRecordBatchReaderBuilder<File>, SourceError> {
    let cannot_open = |error| SourceError::opening(name, error);
    // Opening a named pipe blocks until a writer opens it.
    let kind = path.metadata().map_err(cannot_open)?;
    if kind.is_dir() {
        return Err(cannot_open(crate::decompression::is_a_directory()));
    }
    if !kind.is_file() {
        let format = "a pipe is read once, and Parquet begins at its end; write a file".to_owned();
        return Err(SourceError::Format { name: name.to_owned(), format });
    }
    let file = File::open(path).map_err(cannot_open)?;
    let opened = catch_unwind(|| ParquetRecordBatchReaderBuilder::try_new(file));
    let opened = opened.unwrap_or_else(|_| Err(ParquetError::General("its footer is damaged".to_owned())));
    opened.map_err(|error| unreadable(name, &error))
}

fn unreadable(name: &str, error: &ParquetError) -> SourceError {
    let format =
        format!("it is no Parquet file that can be read ({error}); write it again, or declare its format");
    SourceError::Format { name: name.to_owned(), format }
}

/// How the columns of a file become JSON.
///
/// # Errors
/// Every column that does not fit the stream, and what to do.
fn column_forms(schema: &Schema, stream: Option<&Stream>) -> Result<Vec<ColumnForm>, String> {
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut faults = absent_columns(&names, stream);
    let mut forms = Vec::new();
    for (at, field) in schema.fields().iter().enumerate() {
        let name = field.name();
        if names[..at].contains(name) {
            faults.push(format!("it has the column {name:?} twice; rename or remove one"));
        }
        let kind = column_kind(stream, name);
        let is_declared =
            stream.is_some_and(|stream| stream.fields.iter().any(|declared| declared.name == *name));
        let is_key = |key: fn(&Stream) -> &String| stream.is_some_and(|stream| key(stream) == name);
        let is_read = is_declared || is_key(|stream| &stream.time);
        if let Some(advice) = misfit(field.data_type(), kind, is_key(|stream| &stream.id), is_read) {
            faults.push(format!("column {name:?} is of the type {}: {advice}", field.data_type()));
        }
        let mut key = Vec::new();
        append_string(&mut key, name);
        key.push(b':');
        let is_json_text = is_declared && kind == FieldKind::Json && is_text(field.data_type());
        let read_as = Arc::new(Field::new(name, readable_type(field.data_type(), is_json_text), true));
        forms.push(ColumnForm { name: name.clone(), key, is_json_text, field: read_as });
    }
    if faults.is_empty() { Ok(forms) } else { Err(faults.join("; ")) }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Why a column cannot have the kind of its field, as advice; `None` if it can.
fn misfit(data_type: &DataType, kind: FieldKind, is_id: bool, is_declared: bool) -> Option<String> {
    use DataType as D;
    let data_type = match data_type {
        D::Dictionary(_, values) => &**values,
        other => other,
    };
    if is_id {
        let fits = is_text(data_type) || data_type.is_integer() || *data_type == D::Null;
        return (!fits).then(|| "an id is a text or an integer; convert the column".to_owned());
    }
    if !is_declared || *data_type == D::Null {
        return None;
    }
    let fits = match kind {
        FieldKind::Boolean => *data_type == D::Boolean,
        FieldKind::Integer | FieldKind::Number => data_type.is_numeric(),
        FieldKind::Text => is_text(data_type),
        FieldKind::Json => true,
        FieldKind::Timestamp => is_text(data_type) || matches!(data_type, D::Timestamp(_, Some(_))),
    };
    if fits {
        return None;
    }
    Some(match (kind, data_type) {
        (FieldKind::Timestamp, D::Timestamp(_, None) | D::Date32 | D::Date64) => {
            "its times have no zone; convert them to the instants that they mean, for instance with \
             `df[\"time\"].dt.tz_localize(\"UTC\")` in pandas"
                .to_owned()
        }
        (FieldKind::Timestamp, integer) if integer.is_integer() => {
            "its times are numbers, perhaps seconds or milliseconds since 1970; convert them, for instance with \
             `pd.to_datetime(df[\"time\"], unit=\"ms\", utc=True)` in pandas"
                .to_owned()
        }
        _ => match fitting_kind(data_type) {
            Some(fitting) => format!("the study declares {}; declare {}", kind.name(), fitting.name()),
            None => format!("the study declares {}; convert the column", kind.name()),
        },
    })
}

/// The kind of field that a column can have.
fn fitting_kind(data_type: &DataType) -> Option<FieldKind> {
    match data_type {
        DataType::Boolean => Some(FieldKind::Boolean),
        integer if integer.is_integer() => Some(FieldKind::Integer),
        number if number.is_numeric() => Some(FieldKind::Number),
        text if is_text(text) => Some(FieldKind::Text),
        DataType::Timestamp(_, Some(_)) => Some(FieldKind::Timestamp),
        nested if nested.is_nested() => Some(FieldKind::Json),
        _ => None,
    }
}

/// The type as which a column is read: numbers as 64-bit floats, and times in microseconds.
fn readable_type(data_type: &DataType, is_json_text: bool) -> DataType {
    match data_type {
        _ if is_json_text => DataType::Utf8,
        DataType::Dictionary(_, values) => readable_type(values, false),
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => other.clone(),
    }
}

fn readable(array: &ArrayRef, form: &ColumnForm) -> Result<ArrayRef, ArrowError> {
    match array.data_type() == form.field.data_type() {
        true => Ok(array.clone()),
        false => cast(array, form.field.data_type()),
    }
}

fn column_values<'a>(
    array: &'a ArrayRef,
    form: &'a ColumnForm,
    options: &'a EncoderOptions,
) -> Result<ColumnValues<'a>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Float64 => ColumnValues::Numbers(array.as_primitive::<Float64Type>()),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            ColumnValues::Times(array.as_primitive::<TimestampMicrosecondType>())
        }
        DataType::Utf8 if form.is_json_text => ColumnValues::JsonTexts(array.as_string()),
        _ => ColumnValues::Others(make_encoder(&form.field, array, options)?),
    })
}

impl ColumnValues<'_> {
    /// Appends the value of a row as JSON.
    ///
    /// # Errors
    /// Why it is none. Its text is appended as a string then.
    fn append(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let is_null = match self {
            ColumnValues::Numbers(array) => array.is_null(row),
            ColumnValues::Times(array) => array.is_null(row),
            ColumnValues::JsonTexts(array) => array.is_null(row),
            ColumnValues::Others(encoder) => encoder.is_null(row),
        };
        if is_null {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match self {
            ColumnValues::Numbers(array) => {
                let value = array.value(row);
                if !value.is_finite() {
                    append_string(out, &value.to_string());
                    return Err(format!("{value} is not a number; write null if the value is missing"));
                }
                serde_json::to_writer(out, &value).expect("a vector takes all");
            }
            ColumnValues::Times(array) => append_string(out, &Micros(array.value(row)).time_text()),
            ColumnValues::JsonTexts(array) => {
                let text = array.value(row);
                if serde_json::from_str::<IgnoredAny>(text).is_err() {
                    append_string(out, text);
                    return Err("its text is not JSON; write JSON, or declare text".to_owned());
                }
                out.extend_from_slice(text.trim_ascii().replace(['\n', '\r'], " ").as_bytes());
            }
            ColumnValues::Others(encoder) => encoder.encode(row, out),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
