//! Exports the decided rows of a run to one file.
//!
//! Invariant: the file gets its name only after it is complete and the ledger records the exposure.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, StringBuilder};
use arrow::csv;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::disclose::access_record::Exposure;
use crate::disclose::decided_row_builder::disclosed_columns;
use crate::disclose::decided_rows::{DisclosureCounts, for_each_decided_row};
use understudy_engine::SealedStudy;
use understudy_run_log::signed_head::Signer;

const UTC_OFFSET: &str = "+00:00";

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Parquet, with zstd.
    Parquet,
    /// CSV with a header; a ranking is a JSON array, and a null is an empty cell.
    Csv,
}

/// Writes the decided rows of a run to `output`, which must not exist yet.
///
/// # Errors
/// If the log cannot be read, the file cannot be written, or the exposure cannot be recorded.
pub fn export(
    sealed_study: &SealedStudy,
    run: &Path,
    output: &Path,
    format: ExportFormat,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<DisclosureCounts> {
    let mut exposure = Exposure::new(who, format!("export to {}", output.display()));
    let temporary = TemporaryFile::create(output)?;
    let mut writer = Writer::new(temporary.file()?, format, &disclosed_columns(sealed_study))?;
    let counts = for_each_decided_row(sealed_study, run, |batch| {
        exposure.add(&batch);
        writer.write(&batch).with_context(|| temporary.write_error())
    })?;
    let written = writer.finish().and_then(|file| Ok(file.sync_all()?));
    written.with_context(|| temporary.write_error())?;
    exposure.record(run, counts, signer)?;
    temporary.rename()?;
    Ok(counts)
}

/// The output under a temporary name. It is removed on drop unless it was renamed.
struct TemporaryFile {
    path: PathBuf,
    output: PathBuf,
}

impl TemporaryFile {
    fn create(output: &Path) -> anyhow::Result<TemporaryFile> {
        let shown = output.display();
        anyhow::ensure!(!output.exists(), "{shown} exists already; choose another file");
        let mut name = output.as_os_str().to_owned();
        name.push(".tmp");
        Ok(TemporaryFile { path: name.into(), output: output.to_owned() })
    }

    fn write_error(&self) -> String {
        format!("cannot write {}", self.output.display())
    }

    fn file(&self) -> anyhow::Result<File> {
        File::create(&self.path).with_context(|| self.write_error())
    }

    fn rename(self) -> anyhow::Result<()> {
        fs::rename(&self.path, &self.output).with_context(|| self.write_error())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // After the rename there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Csv { writer: Box<csv::Writer<File>>, schema: SchemaRef },
}

impl Writer {
    fn new(file: File, format: ExportFormat, schema: &SchemaRef) -> anyhow::Result<Writer> {
        Ok(match format {
            ExportFormat::Parquet => {
                let level = ZstdLevel::try_new(3).expect("zstd has the level 3");
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(file, schema.clone(), Some(properties))?))
            }
            ExportFormat::Csv => {
                let schema = csv_schema(schema);
                let mut writer = csv::WriterBuilder::new().with_header(true).build(file);
                // The header is written even if there are no rows.
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                Writer::Csv { writer: Box::new(writer), schema }
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Writer::Parquet(writer) => writer.write(batch)?,
            Writer::Csv { writer, schema } => {
                let columns = batch.columns().iter().map(|column| match column.data_type() {
                    DataType::List(_) => json(column),
                    DataType::Timestamp(..) => with_utc_offset(column),
                    _ => column.clone(),
                });
                writer.write(&RecordBatch::try_new(schema.clone(), columns.collect())?)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<File> {
        match self {
            Writer::Parquet(writer) => Ok(writer.into_inner()?),
            Writer::Csv { writer, .. } => Ok(writer.into_inner()),
        }
    }
}

/// The columns as CSV can hold them: lists become text.
fn csv_schema(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::List(_) => Field::new(field.name(), DataType::Utf8, true),
        DataType::Timestamp(unit, _) => {
            Field::new(field.name(), DataType::Timestamp(*unit, Some(UTC_OFFSET.into())), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Times with the offset `+00:00` instead of the name `UTC`, which cannot be formatted without a time zone
/// database.
pub fn with_utc_offset(times: &ArrayRef) -> ArrayRef {
    match times.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone(UTC_OFFSET)),
        None => times.clone(),
    }
}

/// Lists of text as JSON arrays.
fn json(lists: &ArrayRef) -> ArrayRef {
    let mut out = StringBuilder::new();
    for list in lists.as_list::<i32>().iter() {
        out.append_option(list.map(|list| {
            let names: Vec<&str> = list.as_string::<i32>().iter().flatten().collect();
            serde_json::to_string(&names).expect("text can be JSON")
        }));
    }
    Arc::new(out.finish())
}
