//! Reads the event times of lines, with the decoder of a run.

use std::collections::HashMap;

use understudy_records::batch::{Decoder, Lines};
use understudy_study::{Stream, StreamKind};

use super::line_splitter::LineBlock;
use crate::line_reader::push_line;

/// The largest number of lines that are decoded at once.
const BATCH_LINES: usize = 4096;

/// Why a line has no event time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventTimeError {
    /// The line is blank, so it is no record.
    Blank,
    /// The line is not a record; the reason in words.
    Fault(String),
}

/// Reads the event times of the lines of one stream.
pub(super) struct EventTimes {
    decoder: Decoder,
    record_bytes: usize,
}

impl EventTimes {
    /// Reads the times of lines of at most `record_bytes` bytes.
    pub(super) fn new(kind: StreamKind, stream: &Stream, record_bytes: usize) -> EventTimes {
        // Only the id and the time matter here.
        let stream = Stream { fields: Vec::new(), ..stream.clone() };
        EventTimes { decoder: Decoder::new(kind, &stream, BATCH_LINES), record_bytes }
    }

    /// The event time of each line, in microseconds since 1970-01-01T00:00:00Z.
    pub(super) fn read(&mut self, block: &LineBlock<'_>) -> Vec<Result<i64, EventTimeError>> {
        let mut times = Vec::new();
        let mut batch = Lines::default();
        for (line, text) in (block.first_line..).zip(block.lines()) {
            push_line(&mut batch, line, 0, text, self.record_bytes);
            times.push(Err(EventTimeError::Blank));
            if batch.len() == BATCH_LINES {
                self.decode(&std::mem::take(&mut batch), block.first_line, &mut times);
            }
        }
        self.decode(&batch, block.first_line, &mut times);
        times
    }

    /// Sets the times of a batch of lines. `first_line` is the line of the first time.
    fn decode(&mut self, batch: &Lines, first_line: u64, times: &mut [Result<i64, EventTimeError>]) {
        let decoded = self.decoder.decode(batch);
        for (line, time) in decoded.records.lines.iter().zip(&decoded.records.times) {
            times[(line - first_line) as usize] = Ok(*time);
        }
        let faults: HashMap<u64, String> =
            decoded.excluded.into_iter().map(|record| (record.position.line, record.detail)).collect();
        for (line, reason) in faults {
            times[(line - first_line) as usize] = Err(EventTimeError::Fault(reason));
        }
    }
}
