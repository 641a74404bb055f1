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
    let changed = || SourceError::Changed { name: name.clone(), position: "line", line: after.line };
    let start = RowStart { line: after.line, offset: after.offset };
    let reader_at_record = || match open_decompressed(path, after.offset) {
        Ok(bytes) => Ok(open()?.at_row(bytes, start)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed()),
        Err(error) => Err(cannot_open(error)),
    };
    let mut reader = reader_at_record()?;
    match reader.next_batch(1)?.filter(|found| found.line(0) == after.line) {
        Some(found) if record_digest(found.text(0)) == after.digest => Ok(reader),
        // The last row was incomplete when it was read.
        Some(_) => {
            let mut beginning = Vec::new();
            let mut bytes =
                open_decompressed(path, after.offset).map_err(cannot_open)?.take(PARTIAL_BYTES as u64);
            bytes.read_to_end(&mut beginning).map_err(cannot_open)?;
            match reader.starts_with_partial_row(&beginning, after.digest) {
                true => reader_at_record(),
                false => Err(changed()),
            }
        }
        _ => Err(changed()),
    }
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
    let changed = || SourceError::Changed { name: name.clone(), position: "line", line: after.line };
    let reader_at_record = || match open_decompressed(path, after.offset) {
        Ok(reader) => Ok(LineReader::at_line(reader, name.clone(), record_bytes, after.line, after.offset)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed()),
        Err(error) => Err(cannot_open(error)),
    };
    let mut reader = reader_at_record()?;
    match reader.next_batch(1)?.filter(|found| found.line(0) == after.line) {
        Some(found) if record_digest(found.text(0)) == after.digest => Ok(reader),
        Some(found) if begins_with(found.text(0), after.digest) => reader_at_record(),
        _ => Err(changed()),
    }
}
