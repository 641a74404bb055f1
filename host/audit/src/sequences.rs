//! Whether the log holds every record of each stream, once.
//!
//! Always holds: the tables are read side by side, so memory does not grow with the log.

use std::path::Path;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt64Type;

use super::finding::Findings;
use understudy_study::StreamKind;
use understudy_run_log::{LogError, Reading, Rows, Table};

/// Finds sequence numbers that are missing, twice, or beyond what the ledger covers: of a stream from 0 to `covers`. A run
/// that has not `ended` may have more, in segments that are open.
///
/// # Errors
/// When the log cannot be read.
pub fn check(
    run: &Path,
    side: StreamKind,
    covers: u64,
    ended: bool,
    findings: &mut Findings,
) -> Result<(), LogError> {
    let mut accepted = Numbers::open(run, Table::from_stream(side), side)?;
    let mut refused = Numbers::open(run, Table::Refused, side)?;
    let stream = side.name();
    let mut expected = 0;
    loop {
        let next = match (accepted.peek()?, refused.peek()?) {
            (Some(one), Some(other)) if one <= other => accepted.take(),
            (_, Some(_)) => refused.take(),
            (Some(_), None) => accepted.take(),
            (None, None) => break,
        };
        let Some(next) = next else { break };
        if next > expected && (ended || expected < covers) {
            findings.fault(stream, format_args!("{} missing", range(expected, next)));
        } else if next < expected {
            findings.fault(
                stream,
                format_args!("the record of sequence number {next} is there twice, or out of order"),
            );
        }
        expected = expected.max(next + 1);
    }
    if expected < covers {
        findings.fault(stream, format_args!("{} missing", range(expected, covers)));
    } else if expected > covers && ended {
        let beyond = range(covers, expected);
        findings.fault(stream, format_args!("{beyond} there, and the ledger covers {covers} records"));
    }
    Ok(())
}

/// "the record of sequence number 7 is", "the records of sequence numbers 7 to 9 are".
fn range(from: u64, to: u64) -> String {
    match to - from {
        1 => format!("the record of sequence number {from} is"),
        _ => format!("the records of sequence numbers {from} to {} are", to - 1),
    }
}

/// The sequence numbers of one stream in a table, in the order of its rows.
struct Numbers {
    rows: Rows,
    /// Only rows of this stream, where a table has both.
    stream: Option<&'static str>,
    batch: Vec<u64>,
    at: usize,
}

impl Numbers {
    fn open(run: &Path, table: Table, side: StreamKind) -> Result<Numbers, LogError> {
        let both = table == Table::Refused;
        let columns = if both { vec!["stream", "sequence"] } else { vec!["sequence"] };
        let columns = columns.into_iter().map(str::to_owned).collect();
        let rows = Reading { table, columns, from_group: 0, from: None }.open(run)?;
        Ok(Numbers { rows, stream: both.then(|| side.name()), batch: Vec::new(), at: 0 })
    }

    fn peek(&mut self) -> Result<Option<u64>, LogError> {
        while self.at == self.batch.len() {
            match self.rows.next() {
                None => return Ok(None),
                Some(batch) => {
                    self.batch = self.numbers(&batch?);
                    self.at = 0;
                }
            }
        }
        Ok(Some(self.batch[self.at]))
    }

    fn take(&mut self) -> Option<u64> {
        let number = self.batch.get(self.at).copied();
        self.at += 1;
        number
    }

    /// None where the columns are others: then all numbers are missing, which is said.
    fn numbers(&self, batch: &RecordBatch) -> Vec<u64> {
        let column = |name| batch.column_by_name(name);
        let Some(numbers) = column("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>()) else {
            return Vec::new();
        };
        let Some(stream) = self.stream else { return numbers.values().to_vec() };
        let Some(streams) = column("stream").and_then(|c| c.as_string_opt::<i32>()) else {
            return Vec::new();
        };
        let rows = streams.iter().zip(numbers.values());
        rows.filter(|(of, _)| *of == Some(stream)).map(|(_, number)| *number).collect()
    }
}
