//! Checks that the log holds every record of each stream exactly once.
//!
//! Invariants: the accepted and the excluded records are merged by sequence number as they are read, so
//! memory does not grow with the log.

use std::path::Path;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt64Type;

use crate::verify::issue::VerifyReport;
use understudy_run_log::{LogError, ScanOptions, Table, TableRows};
use understudy_study::StreamKind;

/// Finds sequence numbers that are missing, repeated, or not among the `position` records that the ledger
/// has. A run that has not `ended` may have more, in open segments.
///
/// # Errors
/// If the log cannot be read.
pub fn check(
    run: &Path,
    kind: StreamKind,
    position: u64,
    ended: bool,
    report: &mut VerifyReport,
) -> Result<(), LogError> {
    let mut accepted = Numbers::open(run, Table::from_stream(kind), kind)?;
    let mut excluded = Numbers::open(run, Table::Excluded, kind)?;
    let stream = kind.name();
    let mut expected = 0;
    loop {
        let next = match (accepted.peek()?, excluded.peek()?) {
            (Some(one), Some(other)) if one <= other => accepted.take(),
            (_, Some(_)) => excluded.take(),
            (Some(_), None) => accepted.take(),
            (None, None) => break,
        };
        let Some(next) = next else { break };
        if next > expected && (ended || expected < position) {
            report.issue(stream, format_args!("{} missing", range(expected, next)));
        } else if next < expected {
            report.issue(
                stream,
                format_args!("the record with sequence number {next} is repeated or out of order"),
            );
        }
        expected = expected.max(next + 1);
    }
    if expected < position {
        report.issue(stream, format_args!("{} missing", range(expected, position)));
    } else if expected > position && ended {
        let beyond = range(position, expected);
        report.issue(stream, format_args!("{beyond} in the log, and the ledger has {position} records"));
    }
    Ok(())
}

/// "the record with sequence number 7 is", "the records with sequence numbers 7 to 9 are".
fn range(from: u64, to: u64) -> String {
    match to - from {
        1 => format!("the record with sequence number {from} is"),
        _ => format!("the records with sequence numbers {from} to {} are", to - 1),
    }
}

/// The sequence numbers of one stream in a table, in the order of its rows.
struct Numbers {
    rows: TableRows,
    /// The stream whose rows count, if the table holds both.
    stream: Option<&'static str>,
    batch: Vec<u64>,
    at: usize,
}

impl Numbers {
    fn open(run: &Path, table: Table, kind: StreamKind) -> Result<Numbers, LogError> {
        let both = table == Table::Excluded;
        let columns = if both { vec!["stream", "sequence"] } else { vec!["sequence"] };
        let columns = columns.into_iter().map(str::to_owned).collect();
        let rows = ScanOptions::new(table, columns).open(run)?;
        Ok(Numbers { rows, stream: both.then(|| kind.name()), batch: Vec::new(), at: 0 })
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

    /// The sequence numbers of a batch; none if it lacks the columns, so that all numbers are reported as
    /// missing.
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
