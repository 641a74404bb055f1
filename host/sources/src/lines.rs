//! Bytes into lines.
//!
//! Always holds: each line is handed on once, in order; a line longer than allowed is handed on as broken, cut to the
//! longest allowed; no more than one block and one line are held. A byte order mark before the first line is no part of
//! it: some editors and shells put one before any text in UTF-8.

use std::io::{ErrorKind, Read};

use super::SourceError;
use understudy_records::batch::Lines;

/// How much is read at a time: large enough that a system call costs little beside decoding.
const BLOCK: usize = 256 << 10;
/// The most bytes of records in one batch, whatever their number.
const BATCH_BYTES: usize = 16 << 20;
/// The byte order mark, in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the records of one source.
pub struct LineReader {
    reader: Box<dyn Read + Send>,
    name: String,
    longest: usize,
    buffer: Vec<u8>,
    /// What was read of the buffer, and how much of that was handed on.
    filled: usize,
    used: usize,
    /// The number of the line that begins at `used`, and the byte of the source at which it begins.
    line: u64,
    offset: u64,
    /// The rest of this line is passed over: it was too long. So much of it has been.
    skipping: bool,
    passed: u64,
    ended: bool,
}

impl LineReader {
    /// Reads `reader`, which messages call `name`, from its beginning. No record may be longer than `longest` bytes.
    pub fn new(reader: Box<dyn Read + Send>, name: String, longest: usize) -> LineReader {
        LineReader::starting(reader, name, longest, 1, 0)
    }

    /// Reads `reader`, which stands at the beginning of `line`, at byte `offset` of the source.
    pub fn starting(
        reader: Box<dyn Read + Send>,
        name: String,
        longest: usize,
        line: u64,
        offset: u64,
    ) -> LineReader {
        let buffer = vec![0; BLOCK];
        LineReader {
            reader,
            name,
            longest,
            buffer,
            filled: 0,
            used: 0,
            line,
            offset,
            skipping: false,
            passed: 0,
            ended: false,
        }
    }

    /// The records that wait, at most `most`; blocks until there is one. `None` at the end.
    ///
    /// # Errors
    /// When the source breaks off. All the whole lines before were handed on.
    pub fn next(&mut self, most: usize) -> Result<Option<Lines>, SourceError> {
        let mut lines = Lines::default();
        loop {
            self.split(most, &mut lines);
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

    /// Takes whole lines out of the buffer.
    fn split(&mut self, most: usize, lines: &mut Lines) {
        while lines.len() < most && lines.byte_len() < BATCH_BYTES {
            let rest = &self.buffer[self.used..self.filled];
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            if !std::mem::take(&mut self.skipping) {
                push_line(lines, self.line, self.offset, &rest[..end], self.longest);
            }
            self.used += end + 1;
            self.line += 1;
            self.offset += self.passed + end as u64 + 1;
            self.passed = 0;
        }
    }

    /// Reads more. At the end of the source the last line counts without its line feed.
    fn fill(&mut self, lines: &mut Lines) -> Result<(), SourceError> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        if self.filled > self.longest {
            if !std::mem::replace(&mut self.skipping, true) {
                push_line(lines, self.line, self.offset, &self.buffer[..self.filled], self.longest);
            }
            self.passed += self.filled as u64;
            self.filled = 0;
        }
        if self.buffer.len() - self.filled < BLOCK {
            self.buffer.resize(self.filled + BLOCK, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.ended = true;
                    if !self.skipping {
                        push_line(lines, self.line, self.offset, &self.buffer[..self.filled], self.longest);
                    }
                    self.filled = 0;
                    return Ok(());
                }
                Ok(more) => {
                    self.filled += more;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    let why = match error.kind() {
                        ErrorKind::UnexpectedEof => "it ends in the middle of a compressed member".to_owned(),
                        _ => error.to_string(),
                    };
                    return Err(SourceError::Broken { name: self.name.clone(), line: self.line - 1, why });
                }
            }
        }
    }
}

/// Takes one line, or the beginning of one that is longer than `longest` bytes as broken.
pub fn push_line(lines: &mut Lines, line: u64, offset: u64, text: &[u8], longest: usize) {
    if text.len() > longest {
        let fault = format!("longer than {longest} bytes, see `limits.record-bytes`; its beginning is kept");
        lines.push_broken(line, offset, &text[..longest], fault);
    } else {
        let mark: &[u8] = if line == 1 { MARK } else { b"" };
        lines.push(line, offset, text.strip_prefix(mark).unwrap_or(text));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands out its bytes in pieces of the given sizes, then fails if told so.
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
            match reader.next(most) {
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
        fn lines_come_whole_and_once_however_they_are_read(
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
    fn a_line_that_is_too_long_is_kept_cut_and_costs_only_itself() {
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
    fn a_byte_order_mark_is_passed_over_at_the_beginning_only() {
        let text = b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n";
        let lines = |sizes| all(reader(text, sizes, 10, false), 8).0;
        let wanted = [(1, "one".to_owned(), false), (2, "\u{feff}two".to_owned(), false)];
        assert_eq!(lines(vec![99]), wanted);
        assert_eq!(lines(vec![1; 99]), wanted);
        assert_eq!(
            all(reader(b"\xef\xbb\xbf\n", vec![], 10, false), 8).0,
            [],
            "a mark alone is a blank line"
        );
    }

    #[test]
    fn what_stands_before_a_break_is_handed_on() {
        let (lines, fault) = all(reader(b"one\ntwo\nthr", vec![], 10, true), 8);
        assert_eq!(lines.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [1, 2]);
        insta::assert_snapshot!(fault.expect("it breaks off"), @"feed.jsonl breaks off after line 2: it ends in the middle of a compressed member; what stands before was taken. Fetch the file anew");
    }
}
