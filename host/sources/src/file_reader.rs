//! Opens files of records by their format, at their beginning or behind a record that was read before.
//!
//! Invariants: a file is resumed only if it contains that record at its position, or the whole record whose beginning was
//! read; a named pipe is opened when its first byte is read.

use std::io::{self, Read};
use std::path::Path;

use understudy_records::batch::{RecordPosition, begins_with, record_digest};
use understudy_study::{RecordFormat, Stream};

use crate::csv_reader::{CsvReader, PARTIAL_BYTES, RowStart};
use crate::decompression::{LazyReader, open_decompressed};
use crate::line_reader::LineReader;
use crate::parquet_reader::ParquetReader;
use crate::{RecordSource, SourceError};

/// Opens a file of this format to read the records after `after`; from the beginning without it.
///
/// # Errors
/// When the file cannot be opened, or does not contain that record at that position.
pub(crate) fn open_file(
    path: &Path,
    format: RecordFormat,
    stream: Option<&Stream>,
    record_bytes: usize,
    after: Option<RecordPosition>,
) -> Result<Box<dyn RecordSource>, SourceError> {
    Ok(match format {
        RecordFormat::JsonLines => Box::new(open_lines(path, record_bytes, after)?),
        RecordFormat::Csv => Box::new(open_csv(path, stream, record_bytes, after)?),
        RecordFormat::Parquet => Box::new(open_parquet(path, stream, record_bytes, after)?),
    })
}

/// The reader of a named pipe, which is opened when its first byte is asked for; `None` for a regular file or a directory.
fn pipe_reader(path: &Path) -> io::Result<Option<Box<dyn Read + Send>>> {
    let kind = path.metadata()?;
    if kind.is_file() || kind.is_dir() {
        return Ok(None);
    }
    let path = path.to_owned();
    Ok(Some(Box::new(LazyReader::new(move || open_decompressed(&path, 0)))))
}

/// Opens a table of CSV. A resumed one reads its header again.
pub(crate) fn open_csv(
    path: &Path,
    stream: Option<&Stream>,
    record_bytes: usize,
    after: Option<RecordPosition>,
) -> Result<CsvReader, SourceError> {
    let name = path.display().to_string();
    let cannot_open = |error| SourceError::opening(&name, error);
    if let Some(reader) = pipe_reader(path).map_err(cannot_open)? {
        return Ok(CsvReader::new(reader, name, stream, record_bytes));
    }
    let open = || -> Result<CsvReader, SourceError> {
        let reader = open_decompressed(path, 0).map_err(cannot_open)?;
        let mut reader = CsvReader::new(reader, name.clone(), stream, record_bytes);
        reader.columns()?;
        Ok(reader)
    };
    let Some(after) = after else { return open() };
    let start = RowStart { line: after.line, offset: after.offset };
    let at_record = || Ok(open()?.at_row(bytes_from(path, &name, after)?, start));
    // The last row was incomplete when it was read.
    let is_completed = |reader: &mut CsvReader, _: &[u8]| -> Result<bool, SourceError> {
        let mut beginning = Vec::new();
        let mut bytes = bytes_from(path, &name, after)?.take(PARTIAL_BYTES as u64);
        bytes.read_to_end(&mut beginning).map_err(cannot_open)?;
        Ok(reader.starts_with_partial_row(&beginning, after.digest))
    };
    resume(&name, after, at_record, is_completed)
}

/// Opens a Parquet file.
fn open_parquet(
    path: &Path,
    stream: Option<&Stream>,
    record_bytes: usize,
    after: Option<RecordPosition>,
) -> Result<ParquetReader, SourceError> {
    let Some(after) = after else {
        let reader = ParquetReader::open(path, stream, record_bytes, None)?;
        return Ok(reader.expect("a file is read from its beginning"));
    };
    let changed =
        || SourceError::Changed { name: path.display().to_string(), position: "row", line: after.line };
    let reader = ParquetReader::open(path, stream, record_bytes, Some((after.line, after.offset)))?;
    let mut reader = reader.ok_or_else(changed)?;
    match reader.next_batch(1)? {
        Some(found) if record_digest(found.text(0)) == after.digest => Ok(reader),
        _ => Err(changed()),
    }
}

/// Opens a file of JSON Lines.
fn open_lines(
    path: &Path,
    record_bytes: usize,
    after: Option<RecordPosition>,
) -> Result<LineReader, SourceError> {
    let name = path.display().to_string();
    let cannot_open = |error| SourceError::opening(&name, error);
    if let Some(reader) = pipe_reader(path).map_err(cannot_open)? {
        return Ok(LineReader::new(reader, name, record_bytes));
    }
    let Some(after) = after else {
        let reader = open_decompressed(path, 0).map_err(cannot_open)?;
        return Ok(LineReader::new(reader, name, record_bytes));
    };
    let at_record = || {
        let bytes = bytes_from(path, &name, after)?;
        Ok(LineReader::at_line(bytes, name.clone(), record_bytes, after.line, after.offset))
    };
    resume(&name, after, at_record, |_, line| Ok(begins_with(line, after.digest)))
}

/// The content of a file from a record on.
fn bytes_from(path: &Path, name: &str, after: RecordPosition) -> Result<Box<dyn Read + Send>, SourceError> {
    open_decompressed(path, after.offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => changed(name, after),
        _ => SourceError::opening(name, error),
    })
}

/// A reader of the records behind `after`. `at_record` opens one at that record, and `is_completed` says whether the record
/// there begins with the one that was read.
fn resume<R: RecordSource>(
    name: &str,
    after: RecordPosition,
    at_record: impl Fn() -> Result<R, SourceError>,
    is_completed: impl Fn(&mut R, &[u8]) -> Result<bool, SourceError>,
) -> Result<R, SourceError> {
    let mut reader = at_record()?;
    match reader.next_batch(1)?.filter(|found| found.line(0) == after.line) {
        Some(found) if record_digest(found.text(0)) == after.digest => Ok(reader),
        Some(found) if is_completed(&mut reader, found.text(0))? => at_record(),
        _ => Err(changed(name, after)),
    }
}

/// The error of a file that does not contain the record at its position.
fn changed(name: &str, after: RecordPosition) -> SourceError {
    SourceError::Changed { name: name.to_owned(), position: "line", line: after.line }
}
