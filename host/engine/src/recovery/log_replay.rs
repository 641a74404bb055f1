//! Replays the accepted rows of the log through the join, aligned in event time.
//!
//! Invariants: rows of a stream come in the order of their sequence numbers; the join buffer holds no more
//! than the horizon requires; rows are blinded in the log exactly where the seal blinds them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context as _, bail};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::{TimestampMicrosecondType, UInt64Type};

use crate::batches::acks::BatchAcks;
use crate::batches::messages::{InferredBatch, JoinedPair, SnapshotBatch};
use crate::batches::slice_classifier::SliceClassifier;
use crate::join::join_buffer::JoinBuffer;
use crate::log_schema::row_decoder;
use crate::plugins::blinding::first_violation;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::counters::RunCounters;
use understudy_records::join::{Account, Accounting, IntervalJoin};
use understudy_run_log::{LogError, RowSelection, ScanOptions, Table};
use understudy_study::{Micros, PerStream, StreamKind};

/// Maximum number of waiting batches per stream.
const PREFETCHED_BATCHES: usize = 2;

/// Reads the accepted rows of both streams.
pub struct LogReplay<'p> {
    sealed_study: &'p SealedStudy,
    classes: SliceClassifier,
    streams: PerStream<RowStream>,
}

struct RowStream {
    batches: Receiver<Result<RecordBatch, LogError>>,
    next: Option<RecordBatch>,
}

impl<'p> LogReplay<'p> {
    /// Opens the log. Rows before the event times `from` may be left out.
    ///
    /// # Errors
    /// When a table cannot be read, or the system gives no thread.
    pub fn open(
        sealed_study: &'p SealedStudy,
        run: &Path,
        from: PerStream<Option<Micros>>,
    ) -> anyhow::Result<LogReplay<'p>> {
        Self::open_selected(sealed_study, run, from, None)
    }

    /// Opens the log like [`LogReplay::open`]. With `ids`, only the records with one of these ids are read.
    ///
    /// # Errors
    /// If a table cannot be read, or the system gives no thread.
    pub fn open_selected(
        sealed_study: &'p SealedStudy,
        run: &Path,
        from: PerStream<Option<Micros>>,
        ids: Option<&BTreeSet<String>>,
    ) -> anyhow::Result<LogReplay<'p>> {
        let open = |kind: StreamKind| -> anyhow::Result<RowStream> {
            let table = Table::from_stream(kind);
            let time = match kind {
                StreamKind::Snapshots => "observed_at",
                StreamKind::Decisions => "decided_at",
            };
            let columns = row_decoder::columns(sealed_study, table);
            let from = from[kind].map(|micros| (time, micros));
            let rows = ScanOptions {
                from,
                rows: ids.map(|ids| RowSelection::Texts("id", ids.clone())),
                ..ScanOptions::new(table, columns)
            }
            .open(run)?;
            let (send, batches) = sync_channel(PREFETCHED_BATCHES);
            let read = move || {
                for batch in rows {
                    let last = batch.is_err();
                    if send.send(batch).is_err() || last {
                        return;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("log-{}", kind.name()))
                .spawn(read)
                .context("cannot start a reader thread")?;
            Ok(RowStream { batches, next: None })
        };
        // Both threads read before the first batch of either is awaited.
        let mut streams = PerStream::try_from_fn(open)?;
        for stream in [&mut streams.snapshots, &mut streams.decisions] {
            stream.next = stream.batches.recv().ok().transpose()?;
        }
        Ok(LogReplay { sealed_study, classes: SliceClassifier::new(&sealed_study.study), streams })
    }

    /// The next rows, from the stream whose clock is behind.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn next(&mut self, pairing: &IntervalJoin) -> anyhow::Result<Option<(StreamKind, RecordBatch)>> {
        let kind = match [&self.streams.snapshots.next, &self.streams.decisions.next] {
            [None, None] => return Ok(None),
            [Some(_), None] => StreamKind::Snapshots,
            [None, Some(_)] => StreamKind::Decisions,
            [Some(_), Some(_)]
                if pairing.clock(StreamKind::Snapshots) <= pairing.clock(StreamKind::Decisions) =>
            {
                StreamKind::Snapshots
            }
            [Some(_), Some(_)] => StreamKind::Decisions,
        };
        let stream = &mut self.streams[kind];
        let batch = stream.next.take();
        stream.next = stream.batches.recv().ok().transpose()?;
        Ok(batch.map(|batch| (kind, batch)))
    }

    /// Feeds rows to the join buffer, counts them unless `counters` is `None`, and returns the pairs that
    /// they complete.
    ///
    /// # Errors
    /// If the rows are not rows of this study, or cannot have been accepted.
    pub fn feed(
        &mut self,
        join_buffer: &mut JoinBuffer,
        counters: Option<&mut RunCounters>,
        kind: StreamKind,
        batch: &RecordBatch,
    ) -> anyhow::Result<Vec<JoinedPair>> {
        let sealed_study = self.sealed_study;
        let stream = sealed_study.study.stream(kind);
        let row_decoder::DecodedRows { sequences, records } = row_decoder::records(stream, kind, batch)?;
        if let Some(row) =
            row_decoder::first_generation_mismatch(&sealed_study.versions, kind, &sequences, batch)?
        {
            bail!(
                "the log's {} hold the id \"{}\" (sequence {}) in another generation than the ledger records; run \
                 `understudy verify` to see what is wrong",
                kind.name(),
                records.ids.value(row),
                sequences[row]
            );
        }
        let offered = join_buffer.join.offer(kind, &records, []);
        if let Some(row) = offered.excluded.first().map(|exclusion| exclusion.row as usize) {
            bail!(
                "the log's {} hold the id \"{}\" (sequence {}) where it cannot have been accepted; run `understudy verify` \
                 to see what is wrong",
                kind.name(),
                records.ids.value(row),
                sequences[row]
            );
        }
        match kind {
            StreamKind::Snapshots => {
                join_buffer.on_snapshots(offered.slot, offered.pairs)?;
                let (windows, conditions) = self.classes.classify(&records);
                let models = row_decoder::answers(sealed_study, batch)?;
                let answers = models.iter().map(|model| &model.output.answers);
                if let Some(row) = first_violation(sealed_study.blinding.as_ref(), &records.ids, answers) {
                    bail!(
                        "the log's snapshots hold the id \"{}\" (sequence {}) blinded where the seal does not blind it, or the other \
                         way round; run `understudy verify` to see what is wrong",
                        records.ids.value(row),
                        sequences[row]
                    );
                }
                let (excluded, acks) = (Vec::new(), BatchAcks::default());
                let job = SnapshotBatch {
                    number: 0,
                    slot: offered.slot,
                    sequences,
                    generation: sealed_study.versions.generation(),
                    records,
                    excluded,
                    next: 0,
                    acks,
                };
                let answered = InferredBatch { batch: job, models, windows, conditions };
                if let Some(counters) = counters {
                    counters.count_inferred(&sealed_study.study, &answered);
                }
                Ok(join_buffer.on_inferred(answered)?)
            }
            StreamKind::Decisions => {
                if let Some(counters) = counters {
                    counters.count_accepted(&sealed_study.study, kind, &records.times);
                    counters.count_missing_values(kind, &records.fields);
                }
                Ok(join_buffer.on_decisions(offered.slot, sequences, &records, offered.pairs)?)
            }
        }
    }
}

/// Splits rows at a sequence number; each part says whether it lies before. Empty parts are left out.
pub fn split(batch: &RecordBatch, position: u64) -> Vec<(RecordBatch, bool)> {
    let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
    let before = sequences.map_or(0, |sequences| sequences.values().partition_point(|s| *s < position));
    let parts = [(batch.slice(0, before), true), (batch.slice(before, batch.num_rows() - before), false)];
    parts.into_iter().filter(|(part, _)| part.num_rows() > 0).collect()
}

/// Counts the excluded records in the groups from `from_group` on. Records before the position of `counters` are
/// already counted and skipped.
///
/// # Errors
/// When they cannot be read.
pub fn count_excluded(
    sealed_study: &SealedStudy,
    run: &Path,
    from_group: u32,
    counters: &mut RunCounters,
) -> anyhow::Result<()> {
    let columns = row_decoder::columns(sealed_study, Table::Excluded);
    for batch in (ScanOptions { from_group, ..ScanOptions::new(Table::Excluded, columns) }).open(run)? {
        let mut excluded = row_decoder::excluded_records(&sealed_study.study.scopes, &batch?)?;
        excluded.retain(|(sequence, record)| *sequence >= counters.position[record.kind]);
        counters.count_excluded(&sealed_study.study, &excluded);
    }
    Ok(())
}

/// The latest event time among the decisions before a sequence number; `None` if there are none.
///
/// # Errors
/// When they cannot be read.
pub fn decision_clock(run: &Path, before: u64) -> anyhow::Result<Option<Micros>> {
    let columns = ["sequence", "decided_at"].map(str::to_owned).to_vec();
    let mut clock = None;
    for batch in ScanOptions::new(Table::Decisions, columns).open(run)? {
        for (rows, _) in split(&batch?, before).into_iter().filter(|(_, is_before)| *is_before) {
            let times = rows.column_by_name("decided_at");
            let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
            let times = times.context("the log's decisions have no event times")?;
            clock = clock.max(max(times).map(Micros));
        }
    }
    Ok(clock)
}

/// The accounting of all records. Accepted records that were not read back, since they can no longer join,
/// have expired unless they were joined.
pub fn accounting(join_buffer: &mut JoinBuffer, counters: &RunCounters) -> Accounting {
    join_buffer.join.settle_expired_rows();
    let accounts = PerStream::from_fn(|kind| {
        let account = counters.accounts[kind];
        let open = join_buffer.join.open_rows(kind);
        let settled = account.paired + account.revised;
        Account { expired: counters.accepted(kind) - settled - open, ..account }
    });
    join_buffer.join.set_accounts(accounts);
    join_buffer.join.accounting()
}
