//! Splits a byte stream into blocks of whole lines of any length.
//!
//! Invariants: every byte is in one line, except for line feeds and a byte order mark before the first line;
//! the buffer grows with the longest line only, up to a limit.

use std::io::{self, Read};

use crate::line_reader::without_byte_order_mark;
use crate::read_retry::read_retrying;

/// Bytes per read.
const READ_BYTES: usize = 1 << 20;

/// Why a stream cannot be split.
#[derive(Debug)]
pub(super) enum SplitError {
    /// The stream breaks off after this line, from 1.
    Read { line: u64, error: io::Error },
    /// This line, from 1, is longer than the limit in bytes.
    LongLine { line: u64, bytes: usize },
}

/// Reads blocks of lines.
pub(super) struct LineSplitter<R> {
    reader: R,
    max_line: usize,
    buffer: Vec<u8>,
    /// The bytes of the buffer that were returned as lines.
    used: usize,
    /// The bytes of the buffer that hold data.
    filled: usize,
    /// The number of lines that were returned.
    lines: u64,
    ended: bool,
}

/// Whole lines, without their line feeds.
pub(super) struct LineBlock<'b> {
    bytes: &'b [u8],
    /// The number of the first line, from 1.
    pub(super) first_line: u64,
}

impl<'b> LineBlock<'b> {
    /// The lines, in order.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        self.bytes.split(|byte| *byte == b'\n')
    }
}

impl<R: Read> LineSplitter<R> {
    /// Splits `reader`. No line may be longer than `max_line` bytes.
    pub(super) fn new(reader: R, max_line: usize) -> LineSplitter<R> {
        LineSplitter { reader, max_line, buffer: Vec::new(), used: 0, filled: 0, lines: 0, ended: false }
    }

    /// The next lines, at least one; `None` at the end.
    ///
    /// # Errors
    /// When the stream breaks off, or has a line that is too long.
    pub(super) fn next_block(&mut self) -> Result<Option<LineBlock<'_>>, SplitError> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        let mut searched = 0;
        let end = loop {
            if let Some(feed) = memchr::memrchr(b'\n', &self.buffer[searched..self.filled]) {
                break searched + feed;
            }
            searched = self.filled;
            if self.ended {
                // The last line needs no line feed.
                if self.filled == 0 {
                    return Ok(None);
                }
                break self.filled;
            }
            if self.filled > self.max_line {
                return Err(SplitError::LongLine { line: self.lines + 1, bytes: self.max_line });
            }
            self.fill()?;
        };
        self.used = (end + 1).min(self.filled);
        let first_line = self.lines + 1;
        let mut bytes = &self.buffer[..end];
        self.lines += 1 + memchr::memchr_iter(b'\n', bytes).count() as u64;
        if first_line == 1 {
            bytes = without_byte_order_mark(bytes);
        }
        Ok(Some(LineBlock { bytes, first_line }))
    }

    fn fill(&mut self) -> Result<(), SplitError> {
        if self.buffer.len() - self.filled < READ_BYTES {
            self.buffer.resize(self.filled + READ_BYTES, 0);
        }
        match read_retrying(&mut self.reader, &mut self.buffer[self.filled..]) {
            Ok(0) => self.ended = true,
            Ok(more) => self.filled += more,
            Err(error) => {
                let whole = memchr::memchr_iter(b'\n', &self.buffer[..self.filled]).count() as u64;
                return Err(SplitError::Read { line: self.lines + whole, error });
            }
        }
        Ok(())
    }
}
