//! Exports the decided rows of a run to one file.
//!
//! Invariant: the file gets its name only after it is complete and the ledger records the exposure.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::disclose::access_record::Exposure;
use crate::disclose::csv_writer::{CsvText, CsvWriter};
use crate::disclose::decided_row_builder::disclosed_columns;
use crate::disclose::decided_rows::{DisclosureCounts, for_each_decided_row};
use understudy_engine::SealedStudy;
use understudy_run_log::signed_head::Signer;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Parquet, with zstd.
    Parquet,
    /// CSV with a header; a ranking is a JSON array, a null is an empty cell, and an empty text is `""`.
    Csv(CsvText),
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
    Csv(CsvWriter<File>),
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
            ExportFormat::Csv(text) => Writer::Csv(CsvWriter::new(file, schema, text)?),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Writer::Parquet(writer) => Ok(writer.write(batch)?),
            Writer::Csv(writer) => writer.write(batch),
        }
    }

    fn finish(self) -> anyhow::Result<File> {
        match self {
            Writer::Parquet(writer) => Ok(writer.into_inner()?),
            Writer::Csv(writer) => writer.finish(),
        }
    }
}
