//! The event loop of a run: it waits for records, worker results, commands and the stop signal.
//!
//! Invariants: every record that was read is inferred, logged and evaluated, whatever ended the reading.

use tokio::sync::mpsc::Receiver;

use crate::control::messages::RunCommand;
use crate::ingest::reader_event::ReaderEvent;
use crate::ingest::readers::Readers;
use crate::pipeline::coordinator::Coordinator;
use crate::pipeline::file_order_buffer::FileStreams;
use crate::plugins::plugin_versions::PluginVersions;
use crate::stats::checkpoint::Checkpoint;
use crate::stats::run_result::EndReason;
use understudy_run_log::ledger::Event;
use understudy_study::{PerStream, StreamKind};

/// Snapshot batches that may be queued or in progress for each worker. Beyond that no snapshots are read.
const MAX_IN_FLIGHT_PER_WORKER: u64 = 3;

/// Runs the pipeline until the sources end or `stop` resolves. Returns the last checkpoint, the ledger events
/// that are still to be written, and the plugin versions.
///
/// # Errors
/// When the spill store of the join buffer cannot be read or written, or a thread has panicked. A failure of
/// the log is reported by its writer instead.
pub async fn run_event_loop(
    mut coordinator: Coordinator<'_>,
    mut readers: Readers,
    mut commands: Receiver<RunCommand>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<(Checkpoint, Vec<Event>, PluginVersions)> {
    tokio::pin!(stop);
    let mut files = FileStreams::new(std::mem::take(&mut readers.ordered_files));
    let mut end = EndReason::Finished;
    let (mut errors, mut events) = (Vec::new(), Vec::new());
    // The replayed log may reach an interim report that is not written yet.
    coordinator.start_interim_report_if_due();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    while readers.receivers.iter().any(Option::is_some) {
        let has_capacity = coordinator.in_flight()
            < MAX_IN_FLIGHT_PER_WORKER * coordinator.sealed_study.study.limits.workers as u64;
        let should_poll = PerStream::from_fn(|kind| readers.wants(kind, &coordinator.join_buffer.join));
        let PerStream { snapshots, decisions } = &mut readers.receivers;
        let (kind, event) = tokio::select! {
            biased;
            () = &mut stop, if end == EndReason::Finished => {
                end = EndReason::Interrupted;
                if readers.stop() {
                    continue;
                }
                break;
            }
            Some(inferred) = coordinator.inferred.recv() => {
                coordinator.on_inferred(inferred)?;
                continue;
            }
            Some(command) = commands.recv() => {
                match command {
                    RunCommand::End { who, reason } => {
                        let text = format!("the run was ended: {reason}");
                        events.push(Event::Note { who, text });
                        readers.stop();
                    }
                    RunCommand::SnapshotAggregates(reply) => coordinator.send_aggregates(reply),
                    RunCommand::SampleRecentPairs(reply) => coordinator.sample_recent_pairs(reply),
                    // The swap is in effect even if the requester has gone.
                    RunCommand::Swap(swap, reply) => {
                        let _ = reply.send(coordinator.apply_swap(*swap));
                    }
                }
                continue;
            }
            Some(event) = next_event(snapshots), if should_poll.snapshots && has_capacity => (StreamKind::Snapshots, event),
            Some(event) = next_event(decisions), if should_poll.decisions => (StreamKind::Decisions, event),
            _ = tick.tick() => {
                coordinator.show_progress();
                continue;
            }
        };
        let (order_error, read_error) = match event {
            ReaderEvent::Batch(decoded, pending_acks) => {
                (files.ingest(&mut coordinator, *decoded, pending_acks)?, None)
            }
            ReaderEvent::End(error) => {
                readers.receivers[kind] = None;
                (files.finish(&mut coordinator, kind)?, error)
            }
        };
        if order_error.is_some() {
            // The figures would not be those of the whole file, whatever comes after.
            readers.stop();
        }
        for error in order_error.map(|error| error.to_string()).into_iter().chain(read_error) {
            events.push(Event::SourceGap { stream: kind.name().to_owned(), reason: error.clone() });
            errors.push(error);
        }
        if coordinator.log_failed {
            break;
        }
    }
    if !errors.is_empty() && end == EndReason::Finished {
        end = EndReason::SourceBroke(errors);
    }
    while coordinator.in_flight() > 0 {
        match coordinator.inferred.recv().await {
            Some(inferred) => coordinator.on_inferred(inferred)?,
            None => anyhow::bail!("a model worker thread panicked; this is a bug in understudy"),
        }
    }
    let versions = coordinator.versions.clone();
    let (checkpoint, last_events) = coordinator.finish(end)?;
    events.extend(last_events);
    Ok((checkpoint, events, versions))
}

/// The next event of a stream; `None` once the stream has ended.
async fn next_event(receiver: &mut Option<Receiver<ReaderEvent>>) -> Option<ReaderEvent> {
    match receiver {
        Some(receiver) => receiver.recv().await.or(Some(ReaderEvent::End(None))),
        None => None,
    }
}
