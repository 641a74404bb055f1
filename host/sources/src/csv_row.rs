//! Divides the bytes of a CSV row into its cells.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

/// A row that was parsed.
pub(crate) struct ParsedRow {
    /// Its bytes, with its line feed.
    pub bytes: usize,
    /// The number of its cells.
    pub cells: usize,
}

/// Parses single rows, and holds the cells of the last one.
pub(crate) struct RowParser {
    parser: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl RowParser {
    pub(crate) fn new() -> RowParser {
        let parser = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build();
        RowParser { parser, cells: Vec::new(), ends: vec![0; 64] }
    }

    /// Parses the row at the beginning of `bytes`; `None` unless it ends there.
    pub(crate) fn parse(&mut self, bytes: &[u8]) -> Option<ParsedRow> {
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
    pub(crate) fn cell(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.cells[start..self.ends[at]]).ok()
    }
}
