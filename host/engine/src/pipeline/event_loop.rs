//! The event loop of a run: it waits for records, worker results, commands and the stop signal.
//!
//! Invariants: every record that was read is inferred, logged and evaluated, whatever ended the reading.

use tokio::sync::mpsc::Receiver;

use crate::control::messages::RunCommand;
use crate::ingest::reader_event::Feed;
use crate::ingest::readers::Feeds;
use crate::pipeline::coordinator::Coordinator;
use crate::plugins::plugin_versions::PluginVersions;
use crate::stats::checkpoint::Saved;
use crate::stats::run_result::End;
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
    mut feeds: Feeds,
    mut commands: Receiver<RunCommand>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<(Saved, Vec<Event>, PluginVersions)> {
    tokio::pin!(stop);
    let mut end = End::Finished;
    let (mut faults, mut gaps) = (Vec::new(), Vec::new());
    // The replayed log may reach an interim report that is not written yet.
    coordinator.start_interim_report_if_due();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    while feeds.receivers.iter().any(Option::is_some) {
        let has_capacity = coordinator.in_flight()
            < MAX_IN_FLIGHT_PER_WORKER * coordinator.prepared.study.limits.workers as u64;
        let should_poll = PerStream::from_fn(|side| feeds.wants(side, &coordinator.join_buffer.join));
        let PerStream { snapshots, decisions } = &mut feeds.receivers;
        let (side, fed) = tokio::select! {
            biased;
            () = &mut stop, if end == End::Finished => {
                end = End::Interrupted;
                if feeds.stop() {
                    continue;
                }
                break;
            }
            Some(answered) = coordinator.inferred.recv() => {
                coordinator.on_inferred(answered)?;
                continue;
            }
            Some(command) = commands.recv() => {
                match command {
                    RunCommand::End { who, reason } => {
                        let text = format!("the run was ended: {reason}");
                        gaps.push(Event::Note { who, text });
                        feeds.stop();
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
            Some(fed) = next_event(snapshots), if should_poll.snapshots && has_capacity => (StreamKind::Snapshots, fed),
            Some(fed) = next_event(decisions), if should_poll.decisions => (StreamKind::Decisions, fed),
            _ = tick.tick() => {
                coordinator.show_progress();
                continue;
            }
        };
        match fed {
            Feed::Batch(decoded, tickets) => coordinator.ingest(*decoded, tickets)?,
            Feed::End(fault) => {
                feeds.receivers[side] = None;
                gaps.extend(
                    fault.iter().map(|what| Event::SourceGap {
                        stream: side.name().to_owned(),
                        reason: what.clone(),
                    }),
                );
                faults.extend(fault);
            }
        }
        if coordinator.log_failed {
            break;
        }
    }
    if !faults.is_empty() && end == End::Finished {
        end = End::SourceBroke(faults);
    }
    while coordinator.in_flight() > 0 {
        match coordinator.inferred.recv().await {
            Some(answered) => coordinator.on_inferred(answered)?,
            None => anyhow::bail!("a model worker thread panicked; this is a bug in understudy"),
        }
    }
    let versions = coordinator.versions.clone();
    let (saved, events) = coordinator.finish(end)?;
    gaps.extend(events);
    Ok((saved, gaps, versions))
}

/// The next event of a stream; `None` once the stream has ended.
async fn next_event(receiver: &mut Option<Receiver<Feed>>) -> Option<Feed> {
    match receiver {
        Some(receiver) => receiver.recv().await.or(Some(Feed::End(None))),
        None => None,
    }
}
