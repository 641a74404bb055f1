//! A run of records as they came: bytes, and where each record stands in them.
//!
//! Always holds: spans are ascending and do not overlap; no span contains its line feed; blank lines have no span.

use std::ops::Range;

/// Records of one source, still undecoded.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

#[derive(Clone, Debug)]
struct Span {
    range: Range<usize>,
    line: u64,
    offset: u64,
    fault: Option<String>,
}

impl Lines {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many bytes the records take, line feeds not counted.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes one line without its line feed; a blank one is passed over. `line` counts from 1; at byte `offset` of the
    /// source it begins.
    pub fn push(&mut self, line: u64, offset: u64, text: &[u8]) {
        let text = text.trim_ascii();
        if !text.is_empty() {
            self.push_span(line, offset, text, None);
        }
    }

    /// Takes a record that its source found broken, with the reason.
    pub fn push_broken(&mut self, line: u64, offset: u64, text: &[u8], fault: String) {
        self.push_span(line, offset, text, Some(fault));
    }

    fn push_span(&mut self, line: u64, offset: u64, text: &[u8], fault: Option<String>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.spans.push(Span { range: start..self.bytes.len(), line, offset, fault });
    }

    /// Takes all the records of another run behind its own.
    pub fn append(&mut self, other: &Lines) {
        for span in &other.spans {
            self.push_span(span.line, span.offset, &other.bytes[span.range.clone()], span.fault.clone());
        }
    }

    /// Takes all the records of another run behind its own, numbered anew: as if each stood on a line, from `first` on.
    pub fn append_as(&mut self, other: &Lines, first: u64) {
        for (line, span) in (first..).zip(&other.spans) {
            self.push_span(line, 0, &other.bytes[span.range.clone()], span.fault.clone());
        }
    }

    /// The bytes of record `index`.
    pub fn text(&self, index: usize) -> &[u8] {
        &self.bytes[self.spans[index].range.clone()]
    }

    /// The line of record `index` in its source, counted from 1.
    pub fn line(&self, index: usize) -> u64 {
        self.spans[index].line
    }

    /// The byte of its source at which the line of record `index` begins.
    pub fn offset(&self, index: usize) -> u64 {
        self.spans[index].offset
    }

    /// What the source found wrong with record `index`.
    pub fn fault(&self, index: usize) -> Option<&str> {
        self.spans[index].fault.as_deref()
    }

    /// Whether all the bytes are UTF-8.
    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.bytes).is_ok()
    }
}
