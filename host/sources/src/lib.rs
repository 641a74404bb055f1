//! Reads records from their sources: JSON Lines from a file or from standard input, CSV and Parquet from a file; sorts files by
//! time.
//!
//! Invariants: records are returned in the order of the source, each with its position; a batch is what is available, up
//! to a limit; if a file breaks off, the whole records before the break are returned first; a file is resumed only if it
//! still contains the last record that was read; a record has the same text of JSON whenever it is read, whatever the format.
//!
//! A new kind of source begins with a variant of [`Source`]. Every `match` on it is exhaustive, so that the compiler
//! lists what the variant needs: how it is opened and checked, what its [`SourcePosition`] is, whether it can be
//! replayed, what identifies it in the register, and whether records are pulled from it or pushed to the run.
//! The compiler does not list where the study is read: the key of the source in `understudy_study`'s `parse.rs` and
//! `schema.rs`, and the rule in `parse.rs` that two streams do not share standard input. A position that is not a line, a
//! byte and a digest also changes [`RecordPosition`] and the columns of `log_schema/record_tables.rs` in
//! `understudy_engine`. The host has no network client (invariant 1 of ARCHITECTURE.md, held by `deny.toml`): a source
//! behind a network is a process of its own that pushes records.

mod csv_cell;
mod csv_columns;
mod csv_reader;
mod csv_row;
mod decompression;
mod file_reader;
mod file_signature;
mod line_reader;
mod member_reader;
mod parquet_reader;
mod peek_reader;
mod read_retry;
mod record_lines;
mod sort;
mod source_check;
mod source_error;

use std::path::{Path, PathBuf};

pub use line_reader::{LineReader, push_line, without_byte_order_mark};
pub use sort::{SortError, SortOptions, SortSummary, sort_file};
pub use source_check::check;
pub use source_error::SourceError;

use decompression::{LazyReader, decompressed_stdin};
use file_reader::open_file;
use understudy_records::batch::{Lines, RecordPosition};
use understudy_study::{FileSource, RecordFormat, Source, Stream};

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
