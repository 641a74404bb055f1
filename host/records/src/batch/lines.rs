//! A batch of undecoded records: their bytes and their positions.
//!
//! Invariants: spans ascend and do not overlap; a span does not contain its line feed; blank lines have no span.

use std::ops::Range;

/// Undecoded records of one source.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    spans: Vec<LineSpan>,
}

#[derive(Clone, Debug)]
struct LineSpan {
    range: Range<usize>,
    line: u64,
    offset: u64,
    fault: Option<String>,
}

impl Lines {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The total size of the records in bytes, without line feeds.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a line without its line feed; a blank line is skipped. `line` counts from 1; `offset` is the byte of the
    /// source at which it begins.
    pub fn push(&mut self, line: u64, offset: u64, text: &[u8]) {
        let text = text.trim_ascii();
        if !text.is_empty() {
            self.push_span(line, offset, text, None);
        }
    }

    /// Adds a record that its source could not read, with the reason.
    pub fn push_broken(&mut self, line: u64, offset: u64, text: &[u8], fault: String) {
        self.push_span(line, offset, text, Some(fault));
    }

    fn push_span(&mut self, line: u64, offset: u64, text: &[u8], fault: Option<String>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.spans.push(LineSpan { range: start..self.bytes.len(), line, offset, fault });
    }

    /// Appends the records of another batch.
    pub fn append(&mut self, other: &Lines) {
        for span in &other.spans {
            self.push_span(span.line, span.offset, &other.bytes[span.range.clone()], span.fault.clone());
        }
    }

    /// Appends the records of another batch and numbers them consecutively from `first`; their offsets become 0.
    pub fn append_as(&mut self, other: &Lines, first: u64) {
        for (line, span) in (first..).zip(&other.spans) {
            self.push_span(line, 0, &other.bytes[span.range.clone()], span.fault.clone());
        }
    }

    /// The bytes of record `index`.
    pub fn text(&self, index: usize) -> &[u8] {
        &self.bytes[self.spans[index].range.clone()]
    }

    /// The line of record `index` in its source, from 1.
    pub fn line(&self, index: usize) -> u64 {
        self.spans[index].line
    }

    /// The byte of the source at which the line of record `index` begins.
    pub fn offset(&self, index: usize) -> u64 {
        self.spans[index].offset
    }

    /// Why the source could not read record `index`; `None` if it could.
    pub fn fault(&self, index: usize) -> Option<&str> {
        self.spans[index].fault.as_deref()
    }

    /// Whether all the bytes are UTF-8.
    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.bytes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let mut lines = Lines::default();
        lines.push(1, 0, b"  ab ");
        lines.push(2, 6, b"   ");
        lines.push_broken(3, 10, b"c", "too long".to_owned());
        lines
    }

    /// Line, offset, text and fault of each record.
    fn contents(lines: &Lines) -> Vec<(u64, u64, &[u8], Option<&str>)> {
        let record = |at: usize| (lines.line(at), lines.offset(at), lines.text(at), lines.fault(at));
        (0..lines.len()).map(record).collect()
    }

    #[test]
    fn blank_lines_and_outer_blanks_are_not_kept() {
        let lines = lines();
        assert_eq!(contents(&lines), [(1, 0, &b"ab"[..], None), (3, 10, &b"c"[..], Some("too long"))]);
        assert_eq!(lines.byte_len(), 3);
        assert!(!lines.is_empty() && Lines::default().is_empty());
        assert_eq!(Lines::default().byte_len(), 0);
    }

    #[test]
    fn appended_records_keep_their_positions_or_are_numbered_anew() {
        let (mut kept, other) = (lines(), lines());
        kept.append(&other);
        assert_eq!(contents(&kept), [contents(&other), contents(&other)].concat());

        let mut numbered = Lines::default();
        numbered.append_as(&lines(), 7);
        assert_eq!(contents(&numbered), [(7, 0, &b"ab"[..], None), (8, 0, &b"c"[..], Some("too long"))]);
    }

    #[test]
    fn one_invalid_byte_makes_the_batch_not_utf8() {
        let mut lines = lines();
        assert!(lines.is_utf8());
        lines.push(4, 12, b"\xff");
        assert!(!lines.is_utf8());
    }
}
