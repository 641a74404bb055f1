//! Defines the errors of reading a source. Each says what failed, where, and what to do.

use std::io;

use understudy_records::join::OutOfOrder;
use understudy_study::read_advice;

use crate::file_signature::UnsupportedFormat;
use crate::member_reader::TrailingBytes;

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
    pub(crate) fn opening(name: &str, error: io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<UnsupportedFormat>()) {
            Some(format) => SourceError::Format { name: name.to_owned(), format: format.to_string() },
            None => SourceError::Open { name: name.to_owned(), error },
        }
    }

    /// The error of a source that cannot be read beyond `line`, which is called `position`.
    pub(crate) fn reading(name: &str, position: &'static str, line: u64, error: &io::Error) -> SourceError {
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
