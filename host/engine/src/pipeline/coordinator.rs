//! The coordinator of a run: it numbers records, joins them, and passes them to the workers, the log and the
//! evaluator.
//!
//! Invariants:
//! - A pair is passed to the evaluator once, after inference on its snapshot and after its records went to
//!   the log.
//! - A batch is evicted once every row is matched or expired.
//! - Between two calls the counters cover exactly the records that went to the log, and the evaluator has
//!   exactly their pairs. A segment group can therefore end there.
//!
//! The coordinator runs on one thread and blocks only when the queue of the evaluator is full.

mod group_rotation;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use arrow::array::RecordBatch;
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;

use crate::batches::acks::{BatchAcks, PendingAck};
use crate::batches::messages::{InferredBatch, JoinedPair, SnapshotBatch};
use crate::control::published_absent_fields::PublishedAbsentFields;
use crate::control::published_latency::PublishedLatencies;
use crate::control::status::RunStatus;
use crate::evaluation::pair_evaluator::{Evaluator, EvaluatorMessage, MAX_BATCH_PAIRS};
use crate::evaluation::projection::buffered_fields;
use crate::inference::worker_pool::WorkerPool;
use crate::join::join_buffer::JoinBuffer;
use crate::log_schema::pair_table::PairTableBuilder;
use crate::log_schema::record_tables::{AcceptedDecisions, RecordTables};
use crate::pipeline::exclusion_scopes::ExclusionScopes;
use crate::pipeline::initial_state::{InitialState, ReplayPositions};
use crate::pipeline::open_segment_group::OpenGroup;
use crate::pipeline::progress::Progress;
use crate::pipeline::rejected_record_times::date_rejected;
use crate::pipeline::sequence_numbers::sequence_numbers;
use crate::plugins::plugin_versions::PluginVersions;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use crate::stats::checkpoint::{Checkpoint, EndState};
use crate::stats::counters::RunCounters;
use crate::stats::determinism::DeterminismStats;
use crate::stats::interim_schedule::{InterimCallback, InterimSchedule, InterimSnapshot};
use crate::stats::run_result::EndReason;
use understudy_records::batch::DecodedBatch;
use understudy_records::join::{FileJoinResult, JoinBounds, JoinResult, OutOfOrder};
use understudy_run_log::checkpoint::CheckpointError;
use understudy_run_log::ledger::Event;
use understudy_run_log::{LogWriter, Table};
use understudy_study::{Micros, PerStream, StreamKind, Threshold};

/// The capacity of the evaluator's queue, in messages.
const EVALUATOR_QUEUE: usize = 16;

/// The state of one run on its coordinating thread.
pub struct Coordinator<'p> {
    pub(crate) sealed_study: &'p SealedStudy,
    pub(crate) join_buffer: JoinBuffer,
    pub(crate) workers: WorkerPool,
    pub(crate) inferred: UnboundedReceiver<InferredBatch>,
    /// Batches that came back from the workers before an earlier one, by number.
    reorder_buffer: BTreeMap<u64, InferredBatch>,
    /// Snapshot batches submitted to the workers.
    submitted: u64,
    /// Snapshot batches that came back from the workers, in order.
    collected: u64,
    log: LogWriter,
    pub(crate) log_failed: bool,
    tables: RecordTables,
    evaluator: JoinHandle<Result<Aggregates, CheckpointError>>,
    pub(crate) evaluator_queue: SyncSender<EvaluatorMessage>,
    /// The sequence number of the next record of each stream.
    pub(crate) next_sequences: PerStream<u64>,
    /// The latest event time of each stream that this process has received; `None` before the first.
    arrival_clocks: PerStream<Option<Micros>>,
    pub(crate) counters: RunCounters,
    /// SHA-256 of `seal.json`, in hexadecimal.
    seal: String,
    pub(crate) started_at: Timestamp,
    pub(crate) open_group: OpenGroup,
    /// Assigns excluded snapshots to the declared scopes.
    exclusion_scopes: ExclusionScopes,
    /// While the log is replayed: the pairs that are already evaluated or logged.
    pub(crate) replay_positions: Option<ReplayPositions>,
    /// For each model the results of the determinism check.
    pub(crate) determinism: Vec<DeterminismStats>,
    interim_schedule: Option<InterimSchedule>,
    /// The pairs since the evaluator last settled open pairs.
    unsettled_pairs: usize,
    pub(crate) versions: PluginVersions,
    pub(crate) status: watch::Sender<RunStatus>,
    pub(crate) published_latencies: PublishedLatencies,
    /// Declared fields without any value, as they were published last.
    pub(crate) published_absent_fields: PublishedAbsentFields,
    /// Accepted snapshots that the log had when the process started.
    pub(crate) earlier_snapshots: u64,
    /// When the status was last published.
    pub(crate) last_published: Instant,
    pub(crate) progress: Progress,
}

/// What became of a batch of records of a regular file.
pub(crate) struct IngestedPart {
    /// The number of processed records.
    pub(crate) rows: usize,
    /// The rest of the batch.
    pub(crate) rest: DecodedBatch,
    /// Why the first record of the rest ends the reading of the file, if it does.
    pub(crate) out_of_order: Option<OutOfOrder>,
}

impl<'p> Coordinator<'p> {
    /// Starts the workers and the evaluator. `on_interim` receives the interim reports that the study
    /// declares.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(
        sealed_study: &'p SealedStudy,
        log: LogWriter,
        run: &Path,
        initial: InitialState,
        on_interim: Option<InterimCallback>,
    ) -> anyhow::Result<Coordinator<'p>> {
        let buffered_fields = buffered_fields(sealed_study);
        let has_interim_reports = on_interim.is_some();
        let (results, inferred) = unbounded_channel();
        let workers = WorkerPool::start(sealed_study, &results)?;
        let evaluator = Evaluator::new(sealed_study, &buffered_fields, initial.aggregates);
        let (pairs, table) = (log.clone(), PairTableBuilder::new(sealed_study));
        let (evaluator_queue, messages) = std::sync::mpsc::sync_channel(EVALUATOR_QUEUE);
        let evaluator = thread::Builder::new()
            .name("evaluator".into())
            .spawn(move || evaluator.run(&messages, &pairs, table, on_interim))?;
        let published_latencies = PublishedLatencies::new(&initial.counters.latency);
        let published_absent_fields = PublishedAbsentFields::new(&initial.counters);
        let earlier_snapshots = initial.counters.accepted(StreamKind::Snapshots);
        Ok(Coordinator {
            sealed_study,
            join_buffer: JoinBuffer::new(sealed_study, buffered_fields, run),
            workers,
            inferred,
            reorder_buffer: BTreeMap::new(),
            submitted: 0,
            collected: 0,
            log,
            log_failed: false,
            tables: RecordTables::new(sealed_study),
            evaluator,
            evaluator_queue,
            next_sequences: initial.counters.position,
            arrival_clocks: PerStream::default(),
            counters: initial.counters,
            seal: initial.seal,
            started_at: initial.started_at,
            open_group: OpenGroup::new(initial.groups, initial.rows),
            exclusion_scopes: ExclusionScopes::new(&sealed_study.study),
            replay_positions: None,
            determinism: initial.determinism,
            interim_schedule: InterimSchedule::new(&sealed_study.study, initial.interim_reports)
                .filter(|_| has_interim_reports),
            unsettled_pairs: 0,
            versions: sealed_study.versions.clone(),
            status: watch::Sender::new(RunStatus::default()),
            published_latencies,
            published_absent_fields,
            earlier_snapshots,
            last_published: Instant::now(),
            progress: Progress::start(&sealed_study.study.name),
        })
    }

    /// For each stream the event time below which a record can neither join nor be detected as a duplicate;
    /// `None` before the first record.
    pub(crate) fn retention_watermarks(&self) -> PerStream<Option<Micros>> {
        let JoinBounds { horizon, lateness } = self.join_buffer.join.bounds();
        let watermarks = PerStream::from_fn(|kind| {
            let clock = self.counters.clocks[kind];
            clock.map(|clock| clock.saturating_sub(lateness[kind]))
        });
        PerStream::from_fn(|kind| {
            let own = watermarks[kind]?.saturating_sub(horizon.saturating_add(horizon));
            let other = watermarks[kind.other()]?.saturating_sub(horizon);
            Some(own.min(other))
        })
    }

    /// Snapshot batches that the workers have not returned yet.
    pub(crate) fn in_flight(&self) -> u64 {
        self.submitted - self.collected
    }

    /// Processes a decoded batch of one stream. `pending_acks` are the pushed deliveries that its records
    /// came with.
    ///
    /// # Errors
    /// When the spill store of the join buffer cannot be read or written.
    pub(crate) fn ingest(
        &mut self,
        decoded: DecodedBatch,
        pending_acks: Vec<PendingAck>,
    ) -> anyhow::Result<()> {
        let DecodedBatch { kind, records, excluded } = &decoded;
        let rejected = excluded.iter().map(|record| record.reason);
        let joined = self.join_buffer.join.offer(*kind, records, rejected);
        self.process_joined(decoded, joined, pending_acks)
    }

    /// Processes at most `max_rows` decoded records of a regular file, up to the first one that is out of order or
    /// that needs a look at more records. `read_to` is the last line that was read; `None` at the end of the file.
    ///
    /// # Errors
    /// When the spill store of the join buffer cannot be read or written.
    pub(crate) fn ingest_file(
        &mut self,
        decoded: DecodedBatch,
        max_rows: usize,
        read_to: Option<u64>,
    ) -> anyhow::Result<IngestedPart> {
        let kind = decoded.kind;
        let join = &mut self.join_buffer.join;
        let FileJoinResult { joined, rows, out_of_order } =
            join.offer_file(kind, &decoded.records, max_rows, read_to);
        let (part, rest) = decoded.split_at(rows);
        join.count_rejected(kind, part.excluded.iter().map(|record| record.reason));
        if !part.is_empty() {
            self.process_joined(part, joined, Vec::new())?;
        }
        Ok(IngestedPart { rows, rest, out_of_order })
    }

    /// Numbers records that the join has processed, and passes them to the workers, the log and the evaluator.
    fn process_joined(
        &mut self,
        decoded: DecodedBatch,
        joined: JoinResult,
        pending_acks: Vec<PendingAck>,
    ) -> anyhow::Result<()> {
        let DecodedBatch { kind, records, mut excluded } = decoded;
        let first_joined = excluded.len();
        excluded.extend(joined.excluded.iter().map(|exclusion| records.excluded(kind, exclusion)));
        self.exclusion_scopes.assign(kind, &records, &joined.excluded, &mut excluded[first_joined..]);
        let accepted = joined.accepted(records.len());
        let records = records.filter(&accepted);
        // The counters lag behind by the snapshots that the workers have not answered.
        let clock = self.arrival_clocks[kind].max(self.counters.clocks[kind]);
        self.arrival_clocks[kind] = date_rejected(clock, &records.lines, &records.times, &mut excluded);
        let first = self.next_sequences[kind];
        let (sequences, excluded_records) = sequence_numbers(first, &records.lines, excluded);
        self.next_sequences[kind] += (sequences.len() + excluded_records.len()) as u64;
        let acks = BatchAcks::new(pending_acks, &excluded_records);
        match kind {
            StreamKind::Snapshots => {
                self.join_buffer.on_snapshots(joined.slot, joined.pairs)?;
                let next = self.next_sequences[kind];
                let (number, slot, generation) = (self.submitted, joined.slot, self.versions.generation());
                let job = SnapshotBatch {
                    number,
                    slot,
                    sequences,
                    generation,
                    records,
                    excluded: excluded_records,
                    next,
                    acks,
                };
                self.submitted += 1;
                match job.records.is_empty() {
                    false => self.workers.submit(job),
                    // There is nothing to infer, but its excluded records keep their order in the log.
                    true => self.on_inferred(InferredBatch::without_rows(job))?,
                }
            }
            StreamKind::Decisions => {
                let generation = self.versions.generation();
                let decisions = AcceptedDecisions { sequences, generation, records };
                let rows = vec![
                    (Table::Excluded, self.tables.excluded.encode(&excluded_records)),
                    (Table::Decisions, self.tables.decisions.encode(&decisions)),
                ];
                let AcceptedDecisions { sequences, records, .. } = decisions;
                self.append(rows, acks);
                self.counters.position[kind] = self.next_sequences[kind];
                self.counters.count_accepted(&self.sealed_study.study, kind, &records.times);
                self.counters.count_missing_values(kind, &records.fields);
                self.counters.count_excluded(&self.sealed_study.study, &excluded_records);
                let pairs = self.join_buffer.on_decisions(joined.slot, sequences, &records, joined.pairs)?;
                self.evaluate(pairs);
            }
        }
        self.rotate_group_if_due();
        self.settle_open_pairs_if_due();
        self.start_interim_report_if_due();
        Ok(())
    }

    /// Accepts a batch from a worker, and processes all batches that are next in the order of submission.
    ///
    /// # Errors
    /// When the spill store of the join buffer cannot be written.
    pub(crate) fn on_inferred(&mut self, inferred: InferredBatch) -> anyhow::Result<()> {
        self.reorder_buffer.insert(inferred.batch.number, inferred);
        while let Some(mut inferred) = self.reorder_buffer.remove(&self.collected) {
            self.collected += 1;
            let acks = std::mem::take(&mut inferred.batch.acks);
            let mut rows = vec![(Table::Excluded, self.tables.excluded.encode(&inferred.batch.excluded))];
            if !inferred.batch.records.is_empty() {
                rows.push((Table::Snapshots, self.tables.snapshots.encode(&inferred)));
            }
            self.append(rows, acks);
            self.counters.position.snapshots = inferred.batch.next;
            self.counters.count_inferred(&self.sealed_study.study, &inferred);
            self.counters.count_excluded(&self.sealed_study.study, &inferred.batch.excluded);
            let pairs = self.join_buffer.on_inferred(inferred)?;
            self.evaluate(pairs);
        }
        self.rotate_group_if_due();
        self.settle_open_pairs_if_due();
        self.start_interim_report_if_due();
        Ok(())
    }

    /// Sends rows to the log, which acknowledges the deliveries once the rows are on disk.
    fn append(&mut self, rows: Vec<(Table, RecordBatch)>, acks: BatchAcks) {
        self.open_group.count_rows(&rows);
        self.log_failed |= !match acks.acknowledge() {
            Some(acknowledge) => self.log.commit_to(rows, acknowledge),
            None => self.log.append(rows),
        };
    }

    /// Passes pairs to the evaluator. During a replay, pairs that the checkpoint covers are left out.
    pub(crate) fn evaluate(&mut self, mut pairs: Vec<JoinedPair>) {
        let mut logged = Vec::new();
        if let Some(positions) = self.replay_positions {
            let horizon = self.join_buffer.join.bounds().horizon;
            pairs.retain(|pair| !positions.evaluated.covers(pair, horizon));
            (logged, pairs) = pairs.into_iter().partition(|pair| positions.logged.covers(pair, horizon));
        }
        self.unsettled_pairs += pairs.len() + logged.len();
        self.counters.count_pairs(&self.sealed_study.study, &pairs);
        self.counters.count_pairs(&self.sealed_study.study, &logged);
        for message in [EvaluatorMessage::ReplayedPairs(logged), EvaluatorMessage::NewPairs(pairs)] {
            if let EvaluatorMessage::ReplayedPairs(pairs) | EvaluatorMessage::NewPairs(pairs) = &message
                && !pairs.is_empty()
            {
                // The evaluator hangs up only by a panic, which `finish` reports.
                let _ = self.evaluator_queue.send(message);
            }
        }
    }

    /// With revisions: settles every matched snapshot, because the sources have ended. Returns whether there are new
    /// pairs. The ledger says with the next group that the sources have ended, so that no resumed run reads on.
    fn settle_pairs(&mut self) -> anyhow::Result<bool> {
        if !self.sealed_study.study.revisions.are_accepted() {
            return Ok(false);
        }
        let pairs = self.join_buffer.finish()?;
        let has_settled = !pairs.is_empty();
        self.counters.ended = true;
        self.evaluate(pairs);
        Ok(has_settled)
    }

    /// Called at every tick of the event loop.
    pub(crate) fn show_progress(&mut self) {
        let records = self.counters.position;
        self.progress.show(
            records,
            self.join_buffer.join.clock(StreamKind::Snapshots),
            self.counters.failures.count(),
        );
        self.rotate_group_if_due();
    }

    /// Has the evaluator score the baselines of pairs whose earlier decisions are all known, so that memory is bounded. The
    /// time of this call does not change the figures.
    fn settle_open_pairs_if_due(&mut self) {
        let study = &self.sealed_study.study;
        let needs_baselines = study.threshold.as_ref().is_some_and(Threshold::needs_baselines);
        // While the log is replayed, pairs of counted records are still to come.
        if !needs_baselines || self.replay_positions.is_some() || self.unsettled_pairs < MAX_BATCH_PAIRS {
            return;
        }
        if let Some(time) = study.complete_before(self.counters.clocks) {
            self.unsettled_pairs = 0;
            let _ = self.evaluator_queue.send(EvaluatorMessage::SettleBefore(time));
        }
    }

    /// Has the evaluator report on each window that is due. It already has all pairs of the records that are
    /// counted.
    pub(crate) fn start_interim_report_if_due(&mut self) {
        // While the log is replayed, the aggregates are incomplete.
        if self.replay_positions.is_some() {
            return;
        }
        while let Some((window, label)) = self.interim_schedule.as_mut().and_then(|s| s.due(&self.counters)) {
            let saved = self.checkpoint_as_if_ended_now();
            let _ = self.evaluator_queue.send(EvaluatorMessage::InterimReport(Box::new(InterimSnapshot {
                window,
                label,
                checkpoint: saved,
            })));
        }
    }

    /// Ends the run. Returns its last checkpoint and the ledger events that are still to be written.
    ///
    /// # Errors
    /// When the evaluator failed, or the spill store of the join buffer cannot be read or written.
    pub(crate) fn finish(mut self, end: EndReason) -> anyhow::Result<(Checkpoint, Vec<Event>)> {
        self.progress.finish();
        let has_settled = end.is_final() && self.settle_pairs()?;
        if !self.open_group.is_empty() || has_settled {
            self.rotate_group();
        }
        let workers = std::mem::take(&mut self.workers);
        let events = self.record_determinism(workers.finish());
        let saved = self.checkpoint(None, None);
        drop(self.evaluator_queue);
        drop(self.log);
        let aggregates = self.evaluator.join();
        let aggregates = aggregates
            .map_err(|_| anyhow::anyhow!("the evaluator thread panicked; this is a bug in understudy"))??;
        let accounting = self.join_buffer.join.accounting();
        debug_assert!(accounting.balances());
        let (at, determinism) = (Timestamp::now(), self.determinism);
        let ended = EndState { at, end, accounting, determinism, diagnosis: None };
        Ok((Checkpoint { aggregates: Some(aggregates), end: Some(ended), ..saved }, events))
    }
}
