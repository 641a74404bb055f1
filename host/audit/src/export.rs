//! Decided rows into one file.
//!
//! Always holds: the file gets its name when it is whole and the ledger says who has it.

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

use super::decided::{Counts, columns, decided};
use super::exposure::Exposure;
use understudy_engine::Prepared;
use understudy_run_log::note::Signer;

const UTC: &str = "+00:00";

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Parquet, with zstd.
    Parquet,
    /// CSV with a head; a ranking is a JSON array, and nothing stands where there is no value.
    Csv,
}

/// Writes the decided rows of a run to `output`, which must not be there yet, and gives how many there are.
///
/// # Errors
/// When the log cannot be read, the file cannot be written, or the ledger cannot say who has it.
pub fn export(
    prepared: &Prepared,
    run: &Path,
    output: &Path,
    form: Form,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<Counts> {
    let mut exposure = Exposure::new(who, format!("export to {}", output.display()));
    let aside = Aside::create(output)?;
    let mut writer = Writer::new(aside.file()?, form, &columns(prepared))?;
    let counts = decided(prepared, run, |batch| {
        exposure.add(&batch);
        writer.write(&batch).with_context(|| aside.cannot())
    })?;
    let written = writer.finish().and_then(|file| Ok(file.sync_all()?));
    written.with_context(|| aside.cannot())?;
    exposure.record(run, counts, signer)?;
    aside.place()?;
    Ok(counts)
}

/// A file that has not got its name yet. It is removed unless it gets it.
struct Aside {
    path: PathBuf,
    output: PathBuf,
}

impl Aside {
    fn create(output: &Path) -> anyhow::Result<Aside> {
        let shown = output.display();
        anyhow::ensure!(!output.exists(), "{shown} is there already; name another file");
        let mut name = output.as_os_str().to_owned();
        name.push(".tmp");
        Ok(Aside { path: name.into(), output: output.to_owned() })
    }

    fn cannot(&self) -> String {
        format!("cannot write {}", self.output.display())
    }

    fn file(&self) -> anyhow::Result<File> {
        File::create(&self.path).with_context(|| self.cannot())
    }

    fn place(self) -> anyhow::Result<()> {
        fs::rename(&self.path, &self.output).with_context(|| self.cannot())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Once it has its name it is not here any more.
        let _ = fs::remove_file(&self.path);
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Csv { writer: Box<csv::Writer<File>>, schema: SchemaRef },
}

impl Writer {
    fn new(file: File, form: Form, schema: &SchemaRef) -> anyhow::Result<Writer> {
        Ok(match form {
            Form::Parquet => {
                let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(file, schema.clone(), Some(properties))?))
            }
            Form::Csv => {
                let schema = flat(schema);
                let mut writer = csv::WriterBuilder::new().with_header(true).build(file);
                // The head is there though no row may be.
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
                    DataType::Timestamp(..) => zoned(column),
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

/// The columns with text in the place of lists, which CSV has not.
fn flat(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::List(_) => Field::new(field.name(), DataType::Utf8, true),
        DataType::Timestamp(unit, _) => {
            Field::new(field.name(), DataType::Timestamp(*unit, Some(UTC.into())), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Times with the offset of UTC in the place of its name, which cannot be written without a table of zones.
pub fn zoned(times: &ArrayRef) -> ArrayRef {
    match times.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone(UTC)),
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
