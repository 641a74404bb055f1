//! Sorts the records of a file by event time, for files of any size. The output is JSON Lines, whatever the input.
//!
//! Invariants:
//! - The output has the lines of the input, each once, in order of event time; lines with equal times keep
//!   their order.
//! - A line without a readable time stays behind the line before it.
//! - The output does not depend on the size of the buffer.
//! - Memory is bounded by the buffer. Sorted runs beyond it are in a temporary file that has no name, so it
//!   vanishes with the process.

mod event_times;
mod line_splitter;
mod output_file;
mod sort_buffer;
mod spilled_runs;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use understudy_study::{FileSource, RecordFormat, Source, Stream, StreamKind};

use crate::decompression::open_decompressed;
use crate::record_lines::RecordLines;
use crate::{RecordSource, SourceError};
use event_times::{EventTimes, UnreadableTime};
use line_splitter::{LineSplitter, SplitError};
use output_file::OutputFile;
use sort_buffer::SortBuffer;
use spilled_runs::SpilledRuns;

/// How a file is sorted.
#[derive(Clone, Copy, Debug)]
pub struct SortOptions<'s> {
    /// The format of the input.
    pub format: RecordFormat,
    /// The stream of the lines.
    pub kind: StreamKind,
    /// The declaration of the stream, which names the keys of id and time.
    pub stream: &'s Stream,
    /// The longest accepted record, in bytes; a longer line has no readable time.
    pub record_bytes: usize,
    /// The memory for lines, in bytes. No line may be longer.
    pub buffer_bytes: usize,
}

/// What was sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortSummary {
    /// The number of lines.
    pub lines: u64,
    /// Lines that lay behind a later time.
    pub out_of_order: u64,
    /// Lines without a readable time that are not blank; they stay behind the line before them.
    pub unreadable: u64,
    /// The line number of the first of these, from 1, and why its time cannot be read.
    pub first_unreadable: Option<(u64, String)>,
}

/// Why a file cannot be sorted.
#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// The input cannot be opened.
    #[error("cannot read {name}: {error}; name another file, or correct the path in `[sources]`")]
    Open {
        /// The path of the input.
        name: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The input has a format that is not read.
    #[error(transparent)]
    Source(SourceError),
    /// The input breaks off.
    #[error("cannot read {name} after line {line}: {error}; restore the whole file")]
    Read {
        /// The path of the input.
        name: String,
        /// The last whole line, from 1.
        line: u64,
        /// The error of the operating system or of the decompression.
        error: io::Error,
    },
    /// A line does not fit the buffer.
    #[error(
        "cannot sort {name}: line {line} is longer than the buffer of {bytes} bytes; enlarge --buffer-mib"
    )]
    LongLine {
        /// The path of the input.
        name: String,
        /// The line, from 1.
        line: u64,
        /// The size of the buffer.
        bytes: usize,
    },
    /// The output or the temporary file beside it cannot be written.
    #[error(
        "cannot write {name}: {error}; choose another --output, or make room for the file and a copy of the input"
    )]
    Write {
        /// The path of the output.
        name: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The caller stopped the sort.
    #[error("the sort was stopped; nothing was written")]
    Stopped,
}

/// Sorts the lines of the file `input` into the file `output`, which is replaced once it is complete.
/// JSON Lines and CSV may be plain, gzip or zstd by their first bytes; `output` is compressed if its name ends in `.gz` or
/// `.zst`. `is_stopped` is asked regularly.
///
/// # Errors
/// When a file cannot be read or written, a line does not fit the buffer, or the sort is stopped. Then no
/// file is left behind.
pub fn sort_file(
    input: &Path,
    output: &Path,
    options: SortOptions<'_>,
    mut is_stopped: impl FnMut() -> bool,
) -> Result<SortSummary, SortError> {
    let name = input.display().to_string();
    let open_error = |error| match error {
        SourceError::Open { name, error } => SortError::Open { name, error },
        other => SortError::Source(other),
    };
    let reader: Box<dyn Read + Send> = match options.format {
        RecordFormat::JsonLines => {
            open_decompressed(input, 0).map_err(|error| open_error(SourceError::opening(&name, error)))?
        }
        format @ (RecordFormat::Csv | RecordFormat::Parquet) => {
            let source = Source::File(FileSource { path: input.to_owned(), format });
            let opened = crate::open(&source, options.stream, Path::new(""), options.record_bytes, None);
            let records: Option<Box<dyn RecordSource>> = opened.map_err(open_error)?;
            Box::new(RecordLines::new(records.expect("records are pulled from a file")))
        }
    };
    let cannot_write = |error| SortError::Write { name: output.display().to_string(), error };
    let mut file = OutputFile::create(output).map_err(cannot_write)?;
    let folder = file.folder().to_owned();
    let open_spill = move || tempfile::tempfile_in(&folder);
    let summary =
        sort_lines(reader, &mut file, options, open_spill, &mut is_stopped).map_err(|fault| match fault {
            SortFault::Read(SplitError::Read { line, error }) => {
                SortError::Read { name: name.clone(), line, error }
            }
            SortFault::Read(SplitError::LongLine { line, bytes }) => {
                SortError::LongLine { name: name.clone(), line, bytes }
            }
            SortFault::Write(error) => cannot_write(error),
            SortFault::Stopped => SortError::Stopped,
        })?;
    file.finish().map_err(cannot_write)?;
    Ok(summary)
}

/// Why lines cannot be sorted.
#[derive(Debug)]
enum SortFault {
    Read(SplitError),
    Write(io::Error),
    Stopped,
}

/// Sorts the lines of `input` into `output`. `open_spill` opens the temporary file, if it is needed.
fn sort_lines(
    input: impl Read,
    output: &mut impl Write,
    options: SortOptions<'_>,
    open_spill: impl FnOnce() -> io::Result<File>,
    is_stopped: &mut impl FnMut() -> bool,
) -> Result<SortSummary, SortFault> {
    let mut splitter = LineSplitter::new(input, options.buffer_bytes);
    let mut times = EventTimes::new(options.kind, options.stream, options.record_bytes);
    let mut buffer = SortBuffer::new(options.buffer_bytes);
    let mut summary = SortSummary::default();
    let mut open_spill = Some(open_spill);
    let mut spilled: Option<SpilledRuns> = None;
    // The time that a line without a readable time inherits, and the latest time so far.
    let (mut inherited, mut latest) = (i64::MIN, i64::MIN);
    while let Some(block) = splitter.next_block().map_err(SortFault::Read)? {
        if is_stopped() {
            return Err(SortFault::Stopped);
        }
        for (line, time) in block.lines().zip(times.read(&block)) {
            summary.lines += 1;
            match time {
                Ok(time) => {
                    inherited = time;
                    summary.out_of_order += u64::from(time < latest);
                    latest = latest.max(time);
                }
                Err(UnreadableTime::Blank) => {}
                Err(UnreadableTime::Fault(reason)) => {
                    summary.unreadable += 1;
                    summary.first_unreadable.get_or_insert((summary.lines, reason));
                }
            }
            if !buffer.has_room(line.len()) {
                let runs = match &mut spilled {
                    Some(runs) => runs,
                    None => {
                        let open = open_spill.take().expect("the file is opened once");
                        spilled.insert(SpilledRuns::new(open().map_err(SortFault::Write)?))
                    }
                };
                runs.write(&mut buffer).map_err(SortFault::Write)?;
            }
            buffer.push(inherited, line);
        }
    }
    match spilled {
        None => {
            buffer.sorted().try_for_each(|(_, line)| write_line(output, line)).map_err(SortFault::Write)?
        }
        Some(mut runs) => {
            runs.write(&mut buffer).map_err(SortFault::Write)?;
            drop(buffer);
            let mut merge = runs.merge(options.buffer_bytes).map_err(SortFault::Write)?;
            let mut lines = 0_u64;
            while let Some(line) = merge.next_line().map_err(SortFault::Write)? {
                write_line(output, line).map_err(SortFault::Write)?;
                lines += 1;
                if lines.is_multiple_of(STOP_CHECK_LINES) && is_stopped() {
                    return Err(SortFault::Stopped);
                }
            }
        }
    }
    Ok(summary)
}

/// The number of merged lines between two checks whether the sort is stopped.
const STOP_CHECK_LINES: u64 = 8192;

fn write_line(output: &mut impl Write, line: &[u8]) -> io::Result<()> {
    output.write_all(line)?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests;
