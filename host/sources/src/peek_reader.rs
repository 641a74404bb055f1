//! A buffered reader that returns its next bytes without consuming them.
//!
//! Invariants: every byte of the source is returned once, in order; once the buffer is empty, large reads bypass it.

use std::io::{self, BufRead, Read};

use crate::read_retry::read_retrying;

/// The size of the buffer in bytes; [`PeekReader::peek`] returns at most this many bytes.
const BUFFER: usize = 1 << 16;

/// A reader of `R` with a buffer.
pub(crate) struct PeekReader<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The buffered bytes that were not returned yet are `start..end`.
    start: usize,
    end: usize,
    /// The bytes that were returned.
    position: u64,
}

impl<R: Read> PeekReader<R> {
    pub fn new(inner: R) -> PeekReader<R> {
        PeekReader { inner, buffer: vec![0; BUFFER], start: 0, end: 0, position: 0 }
    }

    /// The next bytes: at least `count`, unless the source ends before; more if they are buffered.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count {
            match read_retrying(&mut self.inner, &mut self.buffer[self.end..])? {
                0 => break,
                more => self.end += more,
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// The number of bytes that were returned so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The source, without the bytes that were read from it.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> BufRead for PeekReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.peek(1)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.position += count as u64;
    }
}

impl<R: Read> Read for PeekReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && out.len() >= BUFFER {
            let read = self.inner.read(out)?;
            self.position += read as u64;
            return Ok(read);
        }
        let buffered = self.fill_buf()?;
        let read = buffered.len().min(out.len());
        out[..read].copy_from_slice(&buffered[..read]);
        self.consume(read);
        Ok(read)
    }
}
