//! Splits a byte stream into lines.
//!
//! Invariants: each line is returned once, in order; a line beyond the limit is returned as broken, cut to the limit; at
//! most one block and one line are in memory; a byte order mark before a line is dropped, since some editors and shells
//! write one, and files are joined behind one another.

use std::io::Read;

use super::read_retry::read_retrying;
use super::{RecordSource, SourceError};
use understudy_records::batch::Lines;

/// Bytes per read: large enough that a system call costs little compared with decoding.
pub(crate) const BLOCK: usize = 256 << 10;
/// The largest batch in bytes.
pub(crate) const BATCH_BYTES: usize = 16 << 20;
/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the lines of one byte stream.
pub struct LineReader {
    reader: Box<dyn Read + Send>,
    name: String,
    max_bytes: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold data.
    filled: usize,
    /// Bytes of the buffer that were returned as lines.
    used: usize,
    /// The number of the line that begins at `used`, from 1.
    line: u64,
    /// The byte of the source at which that line begins.
    offset: u64,
    /// Whether the rest of the current line is skipped because the line is too long.
    skipping: bool,
    /// Bytes of the current line that were skipped.
    skipped: u64,
    ended: bool,
}

impl LineReader {
    /// Reads `reader` from its beginning. Errors call it `name`. Lines longer than `max_bytes` are broken.
    pub fn new(reader: Box<dyn Read + Send>, name: String, max_bytes: usize) -> LineReader {
        LineReader::at_line(reader, name, max_bytes, 1, 0)
    }

    /// Reads `reader`, whose first byte begins `line` (from 1), at byte `offset` of the source.
    pub fn at_line(
        reader: Box<dyn Read + Send>,
        name: String,
        max_bytes: usize,
        line: u64,
        offset: u64,
    ) -> LineReader {
        let buffer = vec![0; BLOCK];
        LineReader {
            reader,
            name,
            max_bytes,
            buffer,
            filled: 0,
            used: 0,
            line,
            offset,
            skipping: false,
            skipped: 0,
            ended: false,
        }
    }

    /// Moves whole lines from the buffer to `lines`.
    fn split(&mut self, max_records: usize, lines: &mut Lines) {
        while lines.len() < max_records && lines.byte_len() < BATCH_BYTES {
            let rest = &self.buffer[self.used..self.filled];
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            if !std::mem::take(&mut self.skipping) {
                push_line(lines, self.line, self.offset, &rest[..end], self.max_bytes);
            }
            self.used += end + 1;
            self.line += 1;
            self.offset += self.skipped + end as u64 + 1;
            self.skipped = 0;
        }
    }

    /// Reads another block. At the end of the source the last line needs no line feed.
    fn fill(&mut self, lines: &mut Lines) -> Result<(), SourceError> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        if self.filled > self.max_bytes {
            if !std::mem::replace(&mut self.skipping, true) {
                push_line(lines, self.line, self.offset, &self.buffer[..self.filled], self.max_bytes);
            }
            self.skipped += self.filled as u64;
            self.filled = 0;
        }
        if self.buffer.len() - self.filled < BLOCK {
            self.buffer.resize(self.filled + BLOCK, 0);
        }
        match read_retrying(&mut self.reader, &mut self.buffer[self.filled..]) {
            Ok(0) => {
                self.ended = true;
                if !self.skipping {
                    push_line(lines, self.line, self.offset, &self.buffer[..self.filled], self.max_bytes);
                }
                self.filled = 0;
            }
            Ok(more) => self.filled += more,
            Err(error) => {
                self.ended = true;
                return Err(SourceError::reading(&self.name, "line", self.line - 1, &error));
            }
        }
        Ok(())
    }
}

/// A text without the byte order mark at its beginning. Programs that write UTF-8 with a mark put one before each text that
/// they begin: a file, a request body, or a line of a file that was concatenated from others. A file that is a mark alone
/// leaves two before the next one.
pub fn without_byte_order_mark(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
        text = rest;
    }
    text
}

/// Adds a line without its line feed. A line longer than `max_bytes` is cut and marked as broken.
pub fn push_line(lines: &mut Lines, line: u64, offset: u64, text: &[u8], max_bytes: usize) {
    if text.len() > max_bytes {
        let fault =
            format!("longer than {max_bytes} bytes, see `limits.record-bytes`; its beginning is stored");
        lines.push_broken(line, offset, &text[..max_bytes], fault);
    } else {
        lines.push(line, offset, without_byte_order_mark(text));
    }
}

impl RecordSource for LineReader {
    fn next_batch(&mut self, max_records: usize) -> Result<Option<Lines>, SourceError> {
        let mut lines = Lines::default();
        loop {
            self.split(max_records, &mut lines);
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if self.ended {
                return Ok(None);
            }
            self.fill(&mut lines)?;
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::io::ErrorKind;

    use super::*;

    /// Returns its bytes in pieces of the given sizes, then ends or fails.
    struct Pieces {
        bytes: Vec<u8>,
        sizes: Vec<usize>,
        fails: bool,
    }

    impl Read for Pieces {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if self.bytes.is_empty() && self.fails {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let size = self.sizes.pop().unwrap_or(7).clamp(1, out.len()).min(self.bytes.len());
            out[..size].copy_from_slice(&self.bytes[..size]);
            self.bytes.drain(..size);
            Ok(size)
        }
    }

    fn reader(text: &[u8], sizes: Vec<usize>, longest: usize, fails: bool) -> LineReader {
        let pieces = Pieces { bytes: text.to_vec(), sizes, fails };
        LineReader::new(Box::new(pieces), "feed.jsonl".into(), longest)
    }

    fn all(mut reader: LineReader, most: usize) -> (Vec<(u64, String, bool)>, Option<String>) {
        let mut out = Vec::new();
        loop {
            match reader.next_batch(most) {
                Ok(Some(lines)) => {
                    assert!(lines.len() <= most && !lines.is_empty());
                    let text = |i| String::from_utf8_lossy(lines.text(i)).into_owned();
                    out.extend((0..lines.len()).map(|i| (lines.line(i), text(i), lines.fault(i).is_some())));
                }
                Ok(None) => return (out, None),
                Err(error) => return (out, Some(error.to_string())),
            }
        }
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_are_read(
            texts in prop::collection::vec("[a-c ]{0,12}", 0..30),
            sizes in prop::collection::vec(1usize..40, 0..40),
            most in 1usize..9,
            last_feed in any::<bool>(),
        ) {
            let mut text = texts.join("\n");
            if last_feed { text.push('\n'); }
            let wanted: Vec<_> = text
                .split('\n')
                .enumerate()
                .map(|(at, line)| (at as u64 + 1, line.trim().to_owned(), false))
                .filter(|(_, line, _)| !line.is_empty())
                .collect();
            prop_assert_eq!(all(reader(text.as_bytes(), sizes, 100, false), most).0, wanted);
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_cut_and_affects_no_other_line() {
        let long = "x".repeat(BLOCK * 2);
        let text = format!("before\n{long}\nafter\n{long}");
        let (lines, fault) = all(reader(text.as_bytes(), vec![BLOCK; 99], 10, false), 8);
        let cut = "x".repeat(10);
        let wanted =
            [(1, "before", false), (2, cut.as_str(), true), (3, "after", false), (4, cut.as_str(), true)];
        assert_eq!(lines, wanted.map(|(line, text, broken)| (line, text.to_owned(), broken)));
        assert_eq!(fault, None);
    }

    #[test]
    fn a_byte_order_mark_is_dropped_before_any_line() {
        let text = "\u{feff}one\n\u{feff}two\nth\u{feff}ree\n\u{feff}\u{feff}four".as_bytes();
        let lines = |sizes| all(reader(text, sizes, 16, false), 8).0;
        let wanted = ["one", "two", "th\u{feff}ree", "four"];
        let wanted: Vec<_> = (1..).zip(wanted).map(|(line, text)| (line, text.to_owned(), false)).collect();
        assert_eq!(lines(vec![99]), wanted);
        assert_eq!(lines(vec![1; 99]), wanted);
        assert_eq!(
            all(reader(b"\xef\xbb\xbf\n", vec![], 10, false), 8).0,
            [],
            "a mark alone is a blank line"
        );
    }

    #[test]
    fn whole_lines_before_a_break_are_returned() {
        let (lines, fault) = all(reader(b"one\ntwo\nthr", vec![], 10, true), 8);
        assert_eq!(lines.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [1, 2]);
        insta::assert_snapshot!(fault.expect("it breaks off"), @"cannot read feed.jsonl after line 2: it ends in the middle of a compressed member; the lines before are processed. Restore the whole file and start again");
    }
}
