//! The records of a source as one text of JSON Lines.
//!
//! Invariants: each record is one line, in order; a record that could not be read is a line that is no record.

use std::io::{self, Read};

use crate::RecordSource;

/// The records that are taken from the source at once.
const BATCH_RECORDS: usize = 4096;

/// Reads the records of a source as text.
pub(crate) struct RecordLines {
    source: Box<dyn RecordSource>,
    text: Vec<u8>,
    /// The bytes of the text that were returned.
    used: usize,
}

impl RecordLines {
    pub(crate) fn new(source: Box<dyn RecordSource>) -> RecordLines {
        RecordLines { source, text: Vec::new(), used: 0 }
    }
}

impl Read for RecordLines {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used == self.text.len() {
            self.used = 0;
            self.text.clear();
            let Some(lines) = self.source.next_batch(BATCH_RECORDS).map_err(io::Error::other)? else {
                return Ok(0);
            };
            for at in 0..lines.len() {
                // A row of CSV that is no record may have line breaks within its quotes.
                self.text.extend(lines.text(at).iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
                self.text.push(b'\n');
            }
        }
        let read = out.len().min(self.text.len() - self.used);
        out[..read].copy_from_slice(&self.text[self.used..self.used + read]);
        self.used += read;
        Ok(read)
    }
}
