//! Rows of a file as the columns that a model reads, and cells of a file of expected answers.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;

use super::cost::record_batch;
use understudy_run_log::read_file;
use understudy_sandbox::InputField;
use understudy_study::FieldKind;

/// The rows of a table of text: one list of cells for each column. An empty cell is missing.
pub(super) struct TextTable {
    names: Vec<String>,
    columns: Vec<Vec<Option<String>>>,
    rows: usize,
}

impl TextTable {
    /// Reads a CSV file with a header if its name ends in `.csv`, a Parquet file if it ends in `.parquet`, and otherwise JSON
    /// Lines. In JSON and Parquet, null is missing.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn read(path: &Path) -> anyhow::Result<TextTable> {
        let shown = path.display();
        let has_extension =
            |name| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(name));
        let bytes =
            read_file(path).map_err(|error| anyhow!("cannot read {shown}: {error}; write where it is"))?;
        let table = if has_extension("parquet") {
            TextTable::from_parquet(bytes)
        } else if has_extension("csv") {
            TextTable::from_csv(&bytes)
        } else {
            TextTable::from_json_lines(&bytes).context(
                "it was read as JSON Lines, because its name ends in neither .csv nor .parquet; convert another format",
            )
        };
        table.with_context(|| format!("cannot read {shown}"))
    }

    fn from_parquet(bytes: Vec<u8>) -> anyhow::Result<TextTable> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?;
        let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut table = TextTable { columns: vec![Vec::new(); names.len()], names, rows: 0 };
        for batch in reader.build()? {
            let batch = batch?;
            table.rows += batch.num_rows();
            for ((cells, column), name) in table.columns.iter_mut().zip(batch.columns()).zip(&table.names) {
                let text = text_array(column).with_context(|| {
                    format!("column `{name}` is of type {}; write a scalar in each row", column.data_type())
                })?;
                cells.extend(text.as_string::<i32>().iter().map(|text| text.map(str::to_owned)));
            }
        }
        Ok(table)
    }

    fn from_csv(bytes: &[u8]) -> anyhow::Result<TextTable> {
        let (header, _) = Format::default().with_header(true).infer_schema(bytes, Some(0))?;
        let names: Vec<String> = header.fields().iter().map(|field| field.name().clone()).collect();
        let text = |name: &String| Field::new(name, DataType::Utf8, true);
        let schema = Arc::new(Schema::new(names.iter().map(text).collect::<Vec<_>>()));
        let reader = ReaderBuilder::new(schema).with_header(true).build(bytes)?;
        let mut table = TextTable { columns: vec![Vec::new(); names.len()], names, rows: 0 };
        for batch in reader {
            let batch = batch?;
            table.rows += batch.num_rows();
            for (cells, column) in table.columns.iter_mut().zip(batch.columns()) {
                let present = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
                cells.extend(column.as_string::<i32>().iter().map(present));
            }
        }
        Ok(table)
    }

    fn from_json_lines(bytes: &[u8]) -> anyhow::Result<TextTable> {
        let mut table = TextTable { names: Vec::new(), columns: Vec::new(), rows: 0 };
        let lines =
            bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        for (line, text) in lines {
            let record: serde_json::Map<String, Json> = serde_json::from_slice(text)
                .with_context(|| format!("line {} is no JSON object; write one object a line", line + 1))?;
            for (name, value) in record {
                let column = table.names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    table.names.push(name);
                    table.columns.push(vec![None; table.rows]);
                    table.names.len() - 1
                });
                table.columns[column].push(match value {
                    Json::Null => None,
                    Json::String(text) => Some(text),
                    other => Some(other.to_string()),
                });
            }
            table.rows += 1;
            for cells in &mut table.columns {
                cells.resize(table.rows, None);
            }
        }
        Ok(table)
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The cells of a column.
    pub(super) fn column(&self, name: &str) -> Option<&[Option<String>]> {
        self.names.iter().position(|known| known == name).map(|column| &self.columns[column][..])
    }

    /// The columns that a model reads.
    ///
    /// # Errors
    /// If a column is missing, or a cell is not of the field's kind.
    pub(super) fn batch(&self, fields: &[InputField]) -> anyhow::Result<RecordBatch> {
        let columns = fields.iter().map(|field| {
            let Some(cells) = self.column(&field.name) else {
                bail!(
                    "the rows have no column `{}`, which the model reads; they have {}; rename a column, or name the model's columns with \
                     --fields",
                    field.name,
                    self.names.join(", ")
                );
            };
            array(cells, field.kind).map_err(|row| {
                let cell = cells[row].as_deref().unwrap_or_default();
                anyhow!("row {}: `{}` is {cell:?}, expected a {}; correct the cell, or leave it empty", row + 1, field.name, field.kind.name())
            })
        });
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(record_batch(fields, columns, self.rows))
    }
}

/// The values of a column as text. A 32-bit float has the text of the equal 64-bit float.
fn text_array(column: &ArrayRef) -> anyhow::Result<ArrayRef> {
    let widened = match column.data_type() {
        DataType::Float16 | DataType::Float32 => cast(column, &DataType::Float64)?,
        _ => column.clone(),
    };
    Ok(cast(&widened, &DataType::Utf8)?)
}

/// The cells as an Arrow array.
///
/// # Errors
/// The index of the first cell that is not of the kind.
fn array(cells: &[Option<String>], kind: FieldKind) -> Result<ArrayRef, usize> {
    fn parsed<T>(
        cells: &[Option<String>],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Option<T>>, usize> {
        let parsed = |(row, cell): (usize, &Option<String>)| match cell {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or(row),
        };
        cells.iter().enumerate().map(parsed).collect()
    }
    Ok(match kind {
        FieldKind::Boolean => Arc::new(BooleanArray::from(parsed(cells, |text| match text {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        })?)),
        FieldKind::Integer => Arc::new(Int64Array::from(parsed(cells, |text| text.parse().ok())?)),
        FieldKind::Number => Arc::new(Float64Array::from(
            parsed(cells, |text| match text {
                // What pandas writes for a missing number.
                "nan" | "NaN" => Some(None),
                "true" | "True" => Some(Some(1.0)),
                "false" | "False" => Some(Some(0.0)),
                _ => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Some),
            })?
            .into_iter()
            .map(Option::flatten)
            .collect::<Vec<_>>(),
        )),
        FieldKind::Text | FieldKind::Json | FieldKind::Timestamp => {
            Arc::new(StringArray::from(cells.to_vec()))
        }
    })
}
