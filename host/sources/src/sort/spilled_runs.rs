//! Sorted runs in one temporary file, and their merge.
//!
//! A run is a sequence of lines in order of time. Each line is stored as its time and its length, in 8 bytes
//! each, and its bytes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;

use super::sort_buffer::SortBuffer;

/// The bytes of a line's time and length.
const HEADER_BYTES: usize = 16;
/// The bounds of the bytes that are read at once from a run.
const MIN_READ_BYTES: usize = 4 << 10;
const MAX_READ_BYTES: usize = 4 << 20;

/// Sorted runs that are being written.
pub(super) struct SpilledRuns {
    writer: BufWriter<File>,
    written: u64,
    /// Where each run ends in the file, in the order of the input.
    ends: Vec<u64>,
}

impl SpilledRuns {
    /// Writes runs to an empty file.
    pub(super) fn new(file: File) -> SpilledRuns {
        SpilledRuns { writer: BufWriter::with_capacity(1 << 20, file), written: 0, ends: Vec::new() }
    }

    /// Writes the lines of a buffer as the next run, and empties the buffer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&mut self, buffer: &mut SortBuffer) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        for (time, line) in buffer.sorted() {
            self.writer.write_all(&time.to_le_bytes())?;
            self.writer.write_all(&(line.len() as u64).to_le_bytes())?;
            self.writer.write_all(line)?;
            self.written += (HEADER_BYTES + line.len()) as u64;
        }
        self.ends.push(self.written);
        buffer.clear();
        Ok(())
    }

    /// Merges the runs with about `buffer_bytes` of memory.
    ///
    /// # Errors
    /// When the file cannot be written or read.
    pub(super) fn merge(self, buffer_bytes: usize) -> io::Result<RunMerge> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let read_bytes = (buffer_bytes / self.ends.len().max(1)).clamp(MIN_READ_BYTES, MAX_READ_BYTES);
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let runs = starts.zip(&self.ends).map(|(position, &end)| RunReader {
            position,
            end,
            buffer: Vec::new(),
            used: 0,
            read_bytes,
        });
        let mut merge = RunMerge { file, runs: runs.collect(), next: BinaryHeap::new(), current: None };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }
}

/// Returns the lines of sorted runs in order of time; of equal times that of the earlier run first.
pub(super) struct RunMerge {
    file: File,
    runs: Vec<RunReader>,
    /// The next time of each run.
    next: BinaryHeap<Reverse<(i64, usize)>>,
    /// The run of the line that was returned last.
    current: Option<usize>,
}

impl RunMerge {
    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        if let Some(run) = self.current.take() {
            self.advance(run)?;
        }
        let Some(Reverse((_, run))) = self.next.pop() else { return Ok(None) };
        self.current = Some(run);
        self.runs[run].take_line(&self.file).map(Some)
    }

    /// Looks at the next line of a run.
    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(time) = self.runs[run].next_time(&self.file)? {
            self.next.push(Reverse((time, run)));
        }
        Ok(())
    }
}

/// Reads one run.
struct RunReader {
    /// The first byte of the file that is not in the buffer, and the end of the run.
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
    read_bytes: usize,
}

impl RunReader {
    /// The time of the next line; `None` at the end of the run.
    fn next_time(&mut self, file: &File) -> io::Result<Option<i64>> {
        if self.used == self.buffer.len() && self.position == self.end {
            return Ok(None);
        }
        self.fill(file, HEADER_BYTES)?;
        Ok(Some(i64::from_le_bytes(self.number(0))))
    }

    /// The next line, whose time was read.
    fn take_line(&mut self, file: &File) -> io::Result<&[u8]> {
        let len = u64::from_le_bytes(self.number(8)) as usize;
        self.fill(file, HEADER_BYTES + len)?;
        let start = self.used + HEADER_BYTES;
        self.used = start + len;
        Ok(&self.buffer[start..start + len])
    }

    /// Eight bytes of the buffer.
    fn number(&self, offset: usize) -> [u8; 8] {
        let start = self.used + offset;
        self.buffer[start..start + 8].try_into().expect("the slice has eight bytes")
    }

    /// Reads until the buffer has `bytes` unused bytes.
    fn fill(&mut self, file: &File, bytes: usize) -> io::Result<()> {
        let held = self.buffer.len() - self.used;
        if held >= bytes {
            return Ok(());
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let more = self.read_bytes.max(bytes - held).min(left);
        if held + more < bytes {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.buffer.resize(held + more, 0);
        file.read_exact_at(&mut self.buffer[held..], self.position)?;
        self.position += more as u64;
        Ok(())
    }
}
