//! The coordinator's part in a served run: it applies swaps, answers requests, and publishes the status.
//!
//! Invariants: all of this runs between two batches on the coordinator's thread, and delays records by
//! microseconds.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::control::messages::SwapInstances;
use crate::control::published_absent_fields::PublishedAbsentFields;
use crate::control::published_latency::PublishedLatencies;
use crate::control::status::{PluginStatus, RunStatus};
use crate::evaluation::pair_evaluator::EvaluatorMessage;
use crate::evaluation::recent_pairs::PairSample;
use crate::inference::determinism_check::SharedDeterminismStats;
use crate::pipeline::coordinator::Coordinator;
use crate::plugins::plugin_versions::SwapApplied;
use crate::stats::checkpoint::Checkpoint;
use crate::stats::latency::LatencyPercentiles;
use crate::stats::run_result::ModelCounts;
use understudy_study::{Micros, Nanos, StreamKind};

/// The least time between two published statuses.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);

impl Coordinator<'_> {
    /// Applies a swap: the next record of each stream is the first of the new generation. Records that were
    /// accepted before are processed by the replaced plugin.
    pub(crate) fn apply_swap(&mut self, swap: SwapInstances) -> SwapApplied {
        let started = Instant::now();
        let from = self.next_sequences;
        let SwapInstances { worker_models, evaluator_swap } = swap;
        let generation = self.versions.begin(from);
        evaluator_swap.push_to(&mut self.versions);
        self.workers.begin_generation(worker_models);
        let _ = self.evaluator_queue.send(EvaluatorMessage::Swap(from, Box::new(evaluator_swap)));
        let clock = self.join_buffer.join.clock(StreamKind::Snapshots).and_then(Micros::timestamp);
        let pause = Nanos::from(started.elapsed());
        SwapApplied { generation, from, clock, at: Timestamp::now(), pause }
    }

    /// Has the evaluator send the most recent pairs.
    pub(crate) fn sample_recent_pairs(&mut self, reply: oneshot::Sender<Option<PairSample>>) {
        let _ = self.evaluator_queue.send(EvaluatorMessage::SampleRecentPairs(reply));
    }

    /// The determinism results that new model instances add to.
    pub(crate) fn determinism_stats(&self) -> SharedDeterminismStats {
        self.workers.determinism_stats().clone()
    }

    /// Has the evaluator send a checkpoint as if the run ended now.
    pub(crate) fn send_aggregates(&mut self, reply: oneshot::Sender<Checkpoint>) {
        let checkpoint = self.checkpoint_as_if_ended_now();
        let _ = self.evaluator_queue.send(EvaluatorMessage::SnapshotAggregates(Box::new(checkpoint), reply));
    }

    /// A checkpoint as if the run ended now, for figures that are shown before the end. Its latencies are the
    /// published ones.
    pub(crate) fn checkpoint_as_if_ended_now(&mut self) -> Checkpoint {
        let accounting = self.join_buffer.join.accounting();
        let mut checkpoint =
            self.checkpoint(None, None).as_if_ended_now(accounting, self.determinism.clone());
        let latencies = self.published_latencies.update(&self.counters.latency);
        checkpoint.counters.latency = latencies.cloned().collect();
        checkpoint
    }

    /// The replayed log is complete: what is published covers blocks of records from here on.
    pub(crate) fn begin_published_blocks(&mut self) {
        self.published_latencies = PublishedLatencies::new(&self.counters.latency);
        self.published_absent_fields = PublishedAbsentFields::new(&self.counters);
        self.earlier_snapshots = self.counters.accepted(StreamKind::Snapshots);
    }

    /// Turns off the progress line on standard error: a served run publishes its status instead.
    pub(crate) fn disable_progress(&mut self) {
        self.progress.disable();
    }

    /// Subscribes to the status of the run.
    pub(crate) fn subscribe_status(&self) -> watch::Receiver<RunStatus> {
        self.status.subscribe()
    }

    /// Publishes the run status to subscribers, at most every 100 ms.
    pub(crate) fn publish_status(&mut self) {
        if self.status.receiver_count() == 0 || self.last_published.elapsed() < STATUS_INTERVAL {
            return;
        }
        self.last_published = Instant::now();
        let latencies = self.published_latencies.update(&self.counters.latency);
        let models = self.counters.models.iter().zip(latencies).map(|(counts, latency)| ModelCounts {
            latency: LatencyPercentiles::from_histogram(latency.histogram()),
            ..*counts
        });
        let models = models.collect();
        let accepted = self.counters.accepted(StreamKind::Snapshots);
        let new_snapshots = accepted.saturating_sub(self.earlier_snapshots);
        let _ = self.status.send(RunStatus {
            at: Some(Timestamp::now()),
            began: Some(self.started_at),
            accounting: self.join_buffer.join.accounting_estimate(),
            clocks: self.counters.clocks.map(|clock| clock.and_then(Micros::timestamp)),
            in_flight: self.in_flight(),
            groups: self.open_group.number,
            new_snapshots,
            models,
            failures: self.counters.failures.count(),
            generation: self.versions.generation(),
            plugins: PluginStatus::from_versions(&self.versions),
            absent_fields: self.published_absent_fields.update(&self.sealed_study.study, &self.counters),
        });
    }
}
