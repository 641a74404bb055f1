//! Reads records from their sources: JSON Lines from a file or from standard input, CSV and Parquet from a file; sorts files by
//! time.
//!
//! Invariants: records are returned in the order of the source, each with its position; a batch is what is available, up
//! to a limit; if a file breaks off, the whole records before the break are returned first; a file is resumed only if it
//! still contains the last record that was read; a record has the same text of JSON whenever it is read, whatever the format.
//!
//! A new kind of source begins with a variant of [`Source`]. Every `match` on it is exhaustive, so that the compiler
//! lists what the variant needs: how it is opened and checked, what its [`SourcePosition`] is, whether it can be
//! replayed, and whether records are pulled from it or pushed to the run.

mod csv_cell;
mod csv_reader;
mod decompression;
mod file_format;
mod line_reader;
mod member_reader;
mod parquet_reader;
mod peek_reader;
mod read_retry;
mod record_lines;
mod sort;

use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

pub use line_reader::{LineReader, push_line, without_byte_order_mark};
pub use sort::{SortError, SortOptions, SortSummary, sort_file};

use csv_reader::{CsvReader, PARTIAL_BYTES, RowStart};
use decompression::{LazyReader, check_format, decompressed_stdin, is_a_directory, open_decompressed};
use file_format::UnsupportedFormat;
use member_reader::TrailingBytes;
use parquet_reader::{ParquetReader, check_parquet};
use understudy_records::batch::{Lines, RecordPosition, begins_with, record_digest};
use understudy_records::join::OutOfOrder;
use understudy_study::{FileSource, RecordFormat, Source, Stream, StreamKind, Study, read_advice};

/// A source that the run pulls records from.
pub trait RecordSource: Send {
    /// The available records, at most `max_records`; blocks until there is one. `None` at the end.
    ///
    /// # Errors
    /// When the source breaks off. The whole records before the break have been returned.
    fn next_batch(&mut self, max_records: usize) -> Result<Option<Lines>, SourceError>;
}

/// The position of the last record that was read from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourcePosition {
    /// In a file: the line, the byte where it begins, and the digest of the record.
    File(RecordPosition),
    /// In a Parquet file.
    ParquetRow {
        /// The number of the row in the file, from 1.
        row: u64,
        /// The row group with the row, from 0.
        row_group: u64,
        /// The digest of the record.
        digest: u64,
    },
    /// In a stream without addresses, standard input or pushed records: the number of the record, from 1.
    Stream {
        /// The number of the record.
        sequence: u64,
    },
}

impl SourcePosition {
    /// The position that the run log recorded for a record of this source.
    pub fn from_record(source: &Source, record: RecordPosition) -> SourcePosition {
        match source {
            Source::File(FileSource { format: RecordFormat::Parquet, .. }) => {
                let RecordPosition { line: row, offset: row_group, digest } = record;
                SourcePosition::ParquetRow { row, row_group, digest }
            }
            Source::File(_) => SourcePosition::File(record),
            Source::Stdin | Source::Http => SourcePosition::Stream { sequence: record.line },
        }
    }

    /// The number of the record in its source, from 1: of a file, its line or row.
    pub fn number(&self) -> u64 {
        match self {
            SourcePosition::File(record) => record.line,
            SourcePosition::ParquetRow { row, .. } => *row,
            SourcePosition::Stream { sequence } => *sequence,
        }
    }
}

/// Why a source cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source cannot be opened.
    #[error("cannot read {name}: {error}; {}", read_advice(error, "correct its path in `[sources]`"))]
    Open {
        /// The path of the file.
        name: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The source has a format that is not read.
    #[error("cannot read {name}: {format}")]
    Format {
        /// The path of the file.
        name: String,
        /// What it is, and what to do.
        format: String,
    },
    /// The columns of a table are not those of the stream.
    #[error("cannot read {name}: {why}")]
    Columns {
        /// The path of the file.
        name: String,
        /// What is wrong with them, and what to do.
        why: String,
    },
    /// A compressed file has something else behind its last member.
    #[error(
        "cannot read {name} beyond line {line}: its bytes from {offset} on are neither gzip nor zstd nor padding; the lines \
         before are processed. Remove those bytes, or decompress the file yourself, and start a new run"
    )]
    TrailingBytes {
        /// The path of the file.
        name: String,
        /// The last line before them, from 1.
        line: u64,
        /// The byte of the compressed file at which they begin, from 0.
        offset: u64,
    },
    /// Both streams read the same pipe.
    #[error(
        "cannot read snapshots and decisions from {name}: it is one pipe, and each record would reach only one of the two; \
         write them into two pipes"
    )]
    SharedPipe {
        /// The path of the snapshots.
        name: String,
    },
    /// The source breaks off.
    #[error(
        "cannot read {name} after {position} {line}: {why}; the {position}s before are processed. Restore the whole file and start \
         again"
    )]
    Broken {
        /// The path of the file.
        name: String,
        /// What a position is called: line or row.
        position: &'static str,
        /// The last whole line, from 1.
        line: u64,
        /// What was found instead of the next line.
        why: String,
    },
    /// The file is not in order of time.
    #[error(
        "cannot read {name} in order of time: {position} {} ({}) is {} behind {position} {} ({}), and `lateness` is {}; sort the \
         file with `understudy sort`, or declare a larger `lateness`, and start a new run. The {position}s before it are processed",
        .order.line,
        .order.time.time_text(),
        .order.clock_time.saturating_sub(.order.time).span_text(),
        .order.clock_line,
        .order.clock_time.time_text(),
        .order.lateness.span_text()
    )]
    Order {
        /// The path of the file.
        name: String,
        /// What a position is called: line or row.
        position: &'static str,
        /// The record that is out of order, and the latest one before it.
        order: OutOfOrder,
    },
    /// The file is not the one that was read before.
    #[error(
        "cannot resume {name}: {position} {line} is not the record that was read before; restore that file, to which {position}s \
         may have been appended, or start a new run with --run"
    )]
    Changed {
        /// The path of the file.
        name: String,
        /// What a position is called: line or row.
        position: &'static str,
        /// The line of the last record that was read, from 1.
        line: u64,
    },
}

impl SourceError {
    /// The error of a file that cannot be opened.
    fn opening(name: &str, error: io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<UnsupportedFormat>()) {
            Some(format) => SourceError::Format { name: name.to_owned(), format: format.to_string() },
            None => SourceError::Open { name: name.to_owned(), error },
        }
    }

    /// The error of a source that cannot be read beyond `line`, which is called `position`.
    fn reading(name: &str, position: &'static str, line: u64, error: &io::Error) -> SourceError {
        let name = name.to_owned();
        let inner = error.get_ref();
        if let Some(format) = inner.and_then(|inner| inner.downcast_ref::<UnsupportedFormat>()) {
            return SourceError::Format { name, format: format.to_string() };
        }
        if let Some(TrailingBytes { offset }) = inner.and_then(|inner| inner.downcast_ref::<TrailingBytes>())
        {
            return SourceError::TrailingBytes { name, line, offset: *offset };
        }
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends in the middle of a compressed member".to_owned(),
            _ => error.to_string(),
        };
        SourceError::Broken { name, position, line, why }
    }
}

/// Opens a source to read the records after `after`; from the beginning without it. `None` if records are not pulled
/// from this source but pushed to the run. `stream` says which kinds the columns of a table have. `folder` is the directory of
/// `study.toml`; `record_bytes` is the size of the longest accepted record.
///
/// Standard input and named pipes cannot seek: they continue with the next record. If the last line was incomplete when
/// it was read, it is read again.
///
/// # Errors
/// When a file cannot be opened, or does not contain that record at that position.
pub fn open(
    source: &Source,
    stream: &Stream,
    folder: &Path,
    record_bytes: usize,
    after: Option<SourcePosition>,
) -> Result<Option<Box<dyn RecordSource>>, SourceError> {
    let file = match source {
        Source::File(file) => file,
        Source::Stdin => {
            let reader = Box::new(LazyReader::new(decompressed_stdin));
            return Ok(Some(Box::new(LineReader::new(reader, "standard input".to_owned(), record_bytes))));
        }
        Source::Http => return Ok(None),
    };
    let path = folder.join(&file.path);
    let record = match after {
        Some(SourcePosition::File(record)) => Some(record),
        Some(SourcePosition::ParquetRow { row, row_group, digest }) => {
            Some(RecordPosition { line: row, offset: row_group, digest })
        }
        None | Some(SourcePosition::Stream { .. }) => None,
    };
    open_file(&path, file.format, Some(stream), record_bytes, record).map(Some)
}

/// Opens a file of records that no study declares, to read it from the beginning. The cells of CSV become texts.
///
/// # Errors
/// When the file cannot be opened.
pub fn open_undeclared(file: &FileSource, record_bytes: usize) -> Result<Box<dyn RecordSource>, SourceError> {
    open_file(&file.path, file.format, None, record_bytes, None)
}

fn open_file(
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
fn open_csv(
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
            match reader.had_beginning(&beginning, after.digest) {
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

/// Checks before a run that both sources can be read, by the first bytes of files and the columns of tables, and that they are
/// not the same pipe. Returns all errors with the stream of each.
pub fn check(study: &Study, folder: &Path) -> Vec<(StreamKind, SourceError)> {
    let unreadable = StreamKind::ALL.into_iter().filter_map(|kind| {
        let error = check_source(study.source(kind), study.stream(kind), folder).err()?;
        Some((kind, error))
    });
    let mut errors: Vec<_> = unreadable.collect();
    if errors.is_empty() {
        let shared = ensure_separate_pipes(&study.snapshots_source, &study.decisions_source, folder).err();
        errors.extend(shared.map(|error| (StreamKind::Decisions, error)));
    }
    errors
}

/// Checks that a source can be read.
///
/// # Errors
/// When a file does not exist, is a directory, must not be read, has a format that is not supported, or does not have the
/// columns of the stream.
fn check_source(source: &Source, stream: &Stream, folder: &Path) -> Result<(), SourceError> {
    let (path, format) = match source {
        Source::File(file) => (folder.join(&file.path), file.format),
        Source::Stdin | Source::Http => return Ok(()),
    };
    if format == RecordFormat::Parquet {
        return check_parquet(&path, Some(stream));
    }
    // Opening a named pipe would block until somebody writes to it.
    let result = path.metadata().and_then(|file| match file.is_file() {
        true => check_format(&path),
        false if file.is_dir() => Err(is_a_directory()),
        false => Ok(()),
    });
    result.map_err(|error| SourceError::opening(&path.display().to_string(), error))?;
    match format {
        RecordFormat::Csv if path.is_file() => open_csv(&path, Some(stream), 0, None).map(drop),
        _ => Ok(()),
    }
}

/// Checks that two sources are not the same pipe. Two readers would share its records between them.
///
/// # Errors
/// If they are, also by different paths.
fn ensure_separate_pipes(snapshots: &Source, decisions: &Source, folder: &Path) -> Result<(), SourceError> {
    let pipe_at = |path: &Path| {
        let file = path.metadata().ok().filter(|file| file.file_type().is_fifo())?;
        Some((file.dev(), file.ino()))
    };
    let pipe = |source: &Source| match source {
        Source::File(file) => pipe_at(&folder.join(&file.path)),
        // The path is that of Linux and macOS.
        Source::Stdin => pipe_at(Path::new("/dev/stdin")),
        Source::Http => None,
    };
    let name = |source: &Source| match source {
        Source::File(file) => folder.join(&file.path).display().to_string(),
        Source::Stdin | Source::Http => "standard input".to_owned(),
    };
    match pipe(snapshots) {
        Some(found) if pipe(decisions) == Some(found) => {
            Err(SourceError::SharedPipe { name: name(snapshots) })
        }
        _ => Ok(()),
    }
}

/// The path of the regular file that a source is; `None` for a named pipe and any other source. A regular file has an
/// end and can be sorted, so its records have to be in order of time.
pub fn regular_file(source: &Source, folder: &Path) -> Option<PathBuf> {
    match source {
        Source::File(file) => Some(folder.join(&file.path)).filter(|path| path.is_file()),
        Source::Stdin | Source::Http => None,
    }
}

/// Whether no record is lost while the run is stopped: a file is read again from its position, and HTTP clients repeat
/// what was not acknowledged. Standard input and named pipes are not replayable.
pub fn is_replayable(source: &Source, folder: &Path) -> bool {
    match source {
        Source::File(_) => regular_file(source, folder).is_some(),
        Source::Stdin => false,
        Source::Http => true,
    }
}
