//! Reads the log of another run in place of a source, including its excluded records.
//!
//! Invariants: records of a stream come in the order of their sequence numbers; an excluded record is
//! excluded again, for the same reason.

use std::path::Path;
use std::thread;

use anyhow::anyhow;
use arrow::array::{RecordBatch, StringArray};
use tokio::sync::mpsc::{Receiver, channel};

use crate::ingest::reader_event::{READER_QUEUE_BATCHES, ReaderError, ReaderEvent};
use crate::log_schema::row_decoder;
use crate::log_schema::row_decoder::DecodedRows;
use crate::plugins::load::LoadedStudy;
use understudy_records::batch::{DecodedBatch, ExcludedRecord, Records, fields_schema};
use understudy_run_log::{ScanOptions, Table, TableRows};
use understudy_study::{Scope, Stream, StreamKind};

/// Starts a thread that reads one stream of a logged run.
///
/// # Errors
/// When it cannot be read, or the system gives no thread.
pub fn start(
    loaded_study: &LoadedStudy,
    kind: StreamKind,
    run: &Path,
) -> Result<Receiver<ReaderEvent>, ReaderError> {
    let open = |table| ScanOptions::new(table, Vec::new()).open(run);
    let mut replay = LogSource {
        stream: loaded_study.study.stream(kind).clone(),
        kind,
        scopes: loaded_study.study.scopes.clone(),
        accepted: open(Table::from_stream(kind))?,
        excluded: open(Table::Excluded)?,
        waiting: Vec::new(),
        rows: loaded_study.study.limits.rows_per_batch(),
        batch: None,
    };
    let (feed, batches) = channel(READER_QUEUE_BATCHES);
    let read = move || {
        loop {
            let event = match replay.next() {
                Ok(Some(decoded)) => ReaderEvent::Batch(Box::new(decoded), Vec::new()),
                Ok(None) => ReaderEvent::End(None),
                Err(error) => ReaderEvent::End(Some(format!("{error:#}"))),
            };
            let last = matches!(event, ReaderEvent::End(_));
            if feed.blocking_send(event).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name(kind.name().to_owned()).spawn(read).map_err(ReaderError::Thread)?;
    Ok(batches)
}

struct LogSource {
    stream: Stream,
    kind: StreamKind,
    /// The scopes of the study, which are those of the replayed run: a replay replaces plugins, not the declaration.
    scopes: Vec<Scope>,
    accepted: TableRows,
    excluded: TableRows,
    /// Excluded records that have been read and not handed on.
    waiting: Vec<(u64, ExcludedRecord)>,
    /// Maximum number of rows in a batch.
    rows: usize,
    /// The rest of the accepted rows that were read.
    batch: Option<RecordBatch>,
}

impl LogSource {
    /// The next accepted records, with the excluded ones before the last of them.
    fn next(&mut self) -> anyhow::Result<Option<DecodedBatch>> {
        let batch = match self.batch.take() {
            Some(batch) => Some(batch),
            None => self.accepted.next().transpose()?,
        };
        let Some(batch) = batch else {
            let excluded = self.excluded_before(u64::MAX)?;
            let records = self.no_records();
            return Ok((!excluded.is_empty()).then_some(DecodedBatch { kind: self.kind, records, excluded }));
        };
        let part = batch.slice(0, self.rows.min(batch.num_rows()));
        let rest = batch.slice(part.num_rows(), batch.num_rows() - part.num_rows());
        self.batch = (rest.num_rows() > 0).then_some(rest);
        let DecodedRows { sequences, records } = row_decoder::records(&self.stream, self.kind, &part)?;
        let last = *sequences.last().ok_or_else(|| anyhow!("the log has an empty batch"))?;
        let excluded = self.excluded_before(last)?;
        Ok(Some(DecodedBatch { kind: self.kind, records, excluded }))
    }

    /// The excluded records of this stream before a sequence number.
    fn excluded_before(&mut self, sequence: u64) -> anyhow::Result<Vec<ExcludedRecord>> {
        // The table mixes both streams, so rows of the other stream are skipped.
        while self.waiting.last().is_none_or(|(last, _)| *last < sequence) {
            let Some(batch) = self.excluded.next() else { break };
            let excluded = row_decoder::excluded_records(&self.scopes, &batch?)?;
            self.waiting.extend(excluded.into_iter().filter(|(_, record)| record.kind == self.kind));
        }
        let before = self.waiting.partition_point(|(of, _)| *of < sequence);
        Ok(self.waiting.drain(..before).map(|(_, record)| record).collect())
    }

    fn no_records(&self) -> Records {
        Records {
            ids: StringArray::new_null(0),
            times: Vec::new(),
            fields: RecordBatch::new_empty(fields_schema(&self.stream)),
            raw: StringArray::new_null(0),
            digests: Vec::new(),
            lines: Vec::new(),
            offsets: Vec::new(),
        }
    }
}
