//! Reads the rows of CSV as records: RFC 4180 with a header, commas and double quotes.
//!
//! Invariants: each row is returned once, in order, as an object of JSON with a key for each column; a row that cannot be
//! read, or with a cell of another kind than its column, is returned as broken; a row affects another one only by an open
//! quote, which ends at the next quote or with the longest record, and then its line alone is broken; at most one block and
//! one row are in memory.
//!
//! All that follows the reading of a source handles records of JSON. So a study has the same figures from either format,
//! and logs, duplicates and positions need no other rule.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use understudy_records::batch::{Lines, record_digest};
use understudy_study::{FieldKind, Stream};

use crate::csv_cell::{append_cell, append_string, column_kind};
use crate::line_reader::{BATCH_BYTES, BLOCK, push_line, without_byte_order_mark};
use crate::read_retry::read_retrying;
use crate::{RecordSource, SourceError};

/// The longest header in bytes.
const HEADER_BYTES: usize = 1 << 20;
/// The longest row whose beginnings are compared with a digest, in bytes.
pub(crate) const PARTIAL_BYTES: usize = 16 << 10;
/// The number of columns that a message lists.
const LISTED: usize = 20;

/// The columns of a file, by its header.
#[derive(Clone)]
pub(crate) struct CsvColumns {
    columns: Vec<CsvColumn>,
}

#[derive(Clone)]
struct CsvColumn {
    name: String,
    kind: FieldKind,
    /// The name as a key of JSON, with the colon.
    key: Vec<u8>,
}

/// Where the reading of rows begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowStart {
    /// The line of the row, from 1.
    pub line: u64,
    /// The byte of the source at which it begins.
    pub offset: u64,
}

/// Reads the rows of one byte stream.
pub(crate) struct CsvReader {
    blocks: Blocks,
    parser: RowParser,
    stream: Option<Stream>,
    max_bytes: usize,
    /// `None` until the header is read.
    columns: Option<CsvColumns>,
    /// The text of the current row.
    record: Vec<u8>,
}

impl CsvReader {
    /// Reads `reader` from its header. Errors call it `name`. Records longer than `max_bytes` are broken. The declared
    /// fields of `stream` are the kinds of the columns; without it all are text.
    pub(crate) fn new(
        reader: Box<dyn Read + Send>,
        name: String,
        stream: Option<&Stream>,
        max_bytes: usize,
    ) -> CsvReader {
        let blocks = Blocks::new(reader, name, RowStart { line: 1, offset: 0 });
        let stream = stream.cloned();
        CsvReader { blocks, parser: RowParser::new(), stream, max_bytes, columns: None, record: Vec::new() }
    }

    /// Reads on from `reader`, whose first byte begins a row behind the header.
    pub(crate) fn at_row(self, reader: Box<dyn Read + Send>, start: RowStart) -> CsvReader {
        CsvReader { blocks: Blocks::new(reader, self.blocks.name, start), ..self }
    }

    /// Reads the header, unless it was read before.
    ///
    /// # Errors
    /// When the source cannot be read, has no header, or has no column for the id or the time.
    pub(crate) fn columns(&mut self) -> Result<&CsvColumns, SourceError> {
        if self.columns.is_none() {
            let header = self.header()?;
            let columns = CsvColumns::from_header(&header, self.stream.as_ref());
            let columns =
                columns.map_err(|why| SourceError::Columns { name: self.blocks.name.clone(), why })?;
            self.columns = Some(columns);
        }
        Ok(self.columns.as_ref().expect("the header was read"))
    }

    /// Whether the first row of `bytes` had this digest while its end was missing. The columns were read before. Rows beyond
    /// [`PARTIAL_BYTES`] are not examined.
    pub(crate) fn had_beginning(&mut self, bytes: &[u8], digest: u64) -> bool {
        let Some(columns) = self.columns.clone() else { return false };
        let length = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()).min(PARTIAL_BYTES);
        (1..=length).any(|end| {
            let part = [&bytes[..end], b"\n"].concat();
            let Some(row) = self.parser.parse(&part) else { return false };
            match columns.record(&self.parser, row.cells, &mut self.record) {
                Ok(_) => record_digest(&self.record) == digest,
                Err(_) => record_digest(part.trim_ascii()) == digest,
            }
        })
    }

    fn header(&mut self) -> Result<Vec<String>, SourceError> {
        let fault =
            |name: &str, why: &str| SourceError::Columns { name: name.to_owned(), why: why.to_owned() };
        loop {
            self.blocks.skip_line_breaks();
            match self.parser.parse(self.blocks.rest()) {
                Some(row) => {
                    let cells: Option<Vec<String>> = (0..row.cells)
                        .map(|cell| self.parser.cell(cell).map(|text| text.trim().to_owned()))
                        .collect();
                    self.blocks.advance(row.bytes);
                    return cells.ok_or_else(|| {
                        fault(&self.blocks.name, "its header is not UTF-8; convert it first")
                    });
                }
                None if self.blocks.ended && self.blocks.rest().is_empty() => {
                    return Err(fault(
                        &self.blocks.name,
                        "it is empty; write the names of the columns into its first line",
                    ));
                }
                None if self.blocks.ended || self.blocks.rest().len() > HEADER_BYTES => {
                    return Err(fault(
                        &self.blocks.name,
                        "its first line is no header: a quote in it is not closed; correct it",
                    ));
                }
                None => self.blocks.fill()?,
            }
        }
    }

    /// Adds the next row to `lines`. False if more bytes are needed first.
    fn next_row(&mut self, columns: &CsvColumns, lines: &mut Lines) -> bool {
        self.blocks.skip_line_breaks();
        let RowStart { line, offset } = self.blocks.start;
        let rest = self.blocks.rest();
        if let Some(row) = self.parser.parse(rest) {
            let text = rest[..row.bytes].trim_ascii();
            if !text.is_empty() {
                match columns.record(&self.parser, row.cells, &mut self.record) {
                    // A record of JSON is longer than its row, which the limit is about.
                    Ok(None) if text.len() <= self.max_bytes => lines.push(line, offset, &self.record),
                    Ok(Some(fault)) if text.len() <= self.max_bytes => {
                        lines.push_broken(line, offset, &self.record, fault);
                    }
                    Err(fault) if text.len() <= self.max_bytes => {
                        lines.push_broken(line, offset, text, fault)
                    }
                    _ => push_line(lines, line, offset, text, self.max_bytes),
                }
            }
            self.blocks.advance(row.bytes);
            return true;
        }
        let is_open = self.blocks.ended && !rest.is_empty();
        if !is_open && rest.len() <= self.max_bytes {
            return false;
        }
        match memchr::memchr(b'\n', rest) {
            // The rows behind an open quote are not lost with it.
            Some(end) => {
                let fault =
                    "a quote is not closed; close it, and write a quote within quotes twice".to_owned();
                match rest[..end].trim_ascii_end() {
                    text if text.len() > self.max_bytes => {
                        push_line(lines, line, offset, text, self.max_bytes)
                    }
                    text => lines.push_broken(line, offset, text, fault),
                }
                self.blocks.advance(end + 1);
            }
            None => {
                push_line(lines, line, offset, rest, self.max_bytes);
                self.blocks.skip_line();
            }
        }
        true
    }
}

impl RecordSource for CsvReader {
    fn next_batch(&mut self, max_records: usize) -> Result<Option<Lines>, SourceError> {
        let columns = self.columns()?.clone();
        let mut lines = Lines::default();
        loop {
            while lines.len() < max_records && lines.byte_len() < BATCH_BYTES {
                if !self.next_row(&columns, &mut lines) {
                    break;
                }
            }
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if self.blocks.ended && self.blocks.rest().is_empty() {
                return Ok(None);
            }
            self.blocks.fill()?;
        }
    }
}

impl CsvColumns {
    /// The columns that a header names.
    ///
    /// # Errors
    /// Why the header names no columns of the stream.
    fn from_header(names: &[String], stream: Option<&Stream>) -> Result<CsvColumns, String> {
        let first = names.first().map(String::as_str).unwrap_or_default();
        if first.starts_with('{') {
            return Err(
                "its first line is JSON and no header; write format = \"json-lines\" beside the file"
                    .to_owned(),
            );
        }
        for (separator, what) in [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")] {
            if names.len() == 1 && first.contains(separator) {
                return Err(format!(
                    "its columns are separated by {what}; separate them by commas, and write numbers with a decimal point"
                ));
            }
        }
        if first.contains('\r') {
            return Err("its lines end with a carriage return alone; end them with a line feed".to_owned());
        }
        let repeated = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = repeated {
            return Err(format!("its header has the column {name:?} twice; rename or remove one"));
        }
        let keys = stream.map(|stream| [(&stream.id, "id"), (&stream.time, "time")]);
        for (key, role) in keys.into_iter().flatten() {
            if !names.contains(key) {
                return Err(format!(
                    "it has no column {key:?}, which the study declares as the key of the {role}; its columns are {}",
                    listed(names)
                ));
            }
        }
        let column = |name: &String| {
            let mut key = Vec::new();
            append_string(&mut key, name);
            key.push(b':');
            CsvColumn { name: name.clone(), kind: column_kind(stream, name), key }
        };
        Ok(CsvColumns { columns: names.iter().map(column).collect() })
    }

    /// Writes the row that was parsed into `out`, as an object of JSON. Returns the faults of its cells, if there are any.
    ///
    /// # Errors
    /// Why the row has no cells for these columns.
    fn record(&self, row: &RowParser, cells: usize, out: &mut Vec<u8>) -> Result<Option<String>, String> {
        if cells != self.columns.len() {
            return Err(format!(
                "the row has {cells} cells, and the header {}; put quotes around a cell with a comma, a quote or a line break",
                self.columns.len()
            ));
        }
        let mut faults = Vec::new();
        out.clear();
        for (at, column) in self.columns.iter().enumerate() {
            let Some(cell) = row.cell(at) else {
                return Err(format!(
                    "column {} `{}`: not UTF-8; convert the file first",
                    at + 1,
                    column.name
                ));
            };
            out.push(if at == 0 { b'{' } else { b',' });
            out.extend_from_slice(&column.key);
            if let Err(fault) = append_cell(out, column.kind, cell) {
                faults.push(format!("column {} `{}`: {fault}", at + 1, column.name));
            }
        }
        out.push(b'}');
        Ok((!faults.is_empty()).then(|| faults.join("; ")))
    }
}

/// Names of columns, for messages.
pub(crate) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    format!("{}{}", shown.join(", "), if names.len() > LISTED { ", ..." } else { "" })
}

/// A row that was parsed.
struct ParsedRow {
    /// Its bytes, with its line feed.
    bytes: usize,
    /// The number of its cells.
    cells: usize,
}

/// Parses single rows, and holds the cells of the last one.
struct RowParser {
    parser: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl RowParser {
    fn new() -> RowParser {
        let parser = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build();
        RowParser { parser, cells: Vec::new(), ends: vec![0; 64] }
    }

    /// Parses the row at the beginning of `bytes`; `None` unless it ends there.
    fn parse(&mut self, bytes: &[u8]) -> Option<ParsedRow> {
        if self.cells.len() < bytes.len() {
            self.cells.resize(bytes.len(), 0);
        }
        loop {
            self.parser.reset();
            let (result, read, _, cells) = self.parser.read_record(bytes, &mut self.cells, &mut self.ends);
            match result {
                ReadRecordResult::Record => {
                    // Lines of Windows end with a carriage return, too.
                    let start = cells.checked_sub(2).map_or(0, |before| self.ends[before]);
                    if let Some(last) = cells.checked_sub(1).map(|last| &mut self.ends[last])
                        && *last > start
                        && bytes[..read].ends_with(b"\r\n")
                    {
                        *last -= 1;
                    }
                    return Some(ParsedRow { bytes: read, cells });
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2 + 1, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
            }
        }
    }

    /// A cell of the row that was parsed; `None` if it is not UTF-8.
    fn cell(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.cells[start..self.ends[at]]).ok()
    }
}

/// The bytes that were read and not yet returned as rows.
struct Blocks {
    reader: Box<dyn Read + Send>,
    name: String,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold data.
    filled: usize,
    /// Bytes of the buffer that were returned as rows.
    used: usize,
    /// The position of the row that begins at `used`.
    start: RowStart,
    /// Whether the rest of the current line is passed over.
    skipping: bool,
    ended: bool,
}

impl Blocks {
    fn new(reader: Box<dyn Read + Send>, name: String, start: RowStart) -> Blocks {
        Blocks { reader, name, buffer: Vec::new(), filled: 0, used: 0, start, skipping: false, ended: false }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.used..self.filled]
    }

    /// Passes over the first bytes of the rest.
    fn advance(&mut self, bytes: usize) {
        let passed = &self.buffer[self.used..self.used + bytes];
        self.start.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.start.offset += bytes as u64;
        self.used += bytes;
    }

    /// Passes over all up to the next line feed, as far as it was read.
    fn skip_line(&mut self) {
        let end = memchr::memchr(b'\n', self.rest());
        self.skipping = end.is_none();
        self.advance(end.map_or(self.filled - self.used, |end| end + 1));
    }

    fn skip_line_breaks(&mut self) {
        let breaks = self.rest().iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.advance(breaks);
    }

    /// Reads another block. A line feed ends the last row, if none does in the file.
    fn fill(&mut self) -> Result<(), SourceError> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        if self.buffer.len() - self.filled < BLOCK {
            self.buffer.resize(self.filled + BLOCK, 0);
        }
        match read_retrying(&mut self.reader, &mut self.buffer[self.filled..]) {
            Ok(0) => {
                self.ended = true;
                if self.rest().last().is_some_and(|last| *last != b'\n') {
                    self.buffer[self.filled] = b'\n';
                    self.filled += 1;
                }
            }
            Ok(more) => {
                self.filled += more;
                if self.start.offset == 0 {
                    let marks = self.rest().len() - without_byte_order_mark(self.rest()).len();
                    self.advance(marks);
                }
                if self.skipping {
                    self.skip_line();
                }
            }
            Err(error) => {
                self.ended = true;
                return Err(SourceError::reading(&self.name, "line", self.start.line - 1, &error));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
