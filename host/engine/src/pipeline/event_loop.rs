//! The loop that drives a run: takes from the sources what the run wants next, until they end or it is stopped.
//!
//! Always holds: whatever was taken is answered, logged and compared, however the reading ended.

use tokio::sync::mpsc::Receiver;

use crate::control::messages::Command;
use crate::ingest::readers::{Feed, Feeds};
use crate::pipeline::coordinator::Coordinator;
use crate::plugins::plugin_versions::PluginVersions;
use crate::stats::checkpoint::Saved;
use crate::stats::run_result::End;
use understudy_records::batch::Side;
use understudy_run_log::ledger::Event;

/// Batches that each worker may have before it.
const AHEAD: u64 = 3;

/// Runs the pipeline until the sources end or `stop` comes.
///
/// # Errors
/// When records that wait on disk cannot be read or written. That the log failed is known to its writer.
pub async fn drive(
    mut conductor: Coordinator<'_>,
    mut feeds: Feeds,
    mut commands: Receiver<Command>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<(Saved, Vec<Event>, PluginVersions)> {
    tokio::pin!(stop);
    let mut end = End::Finished;
    let (mut faults, mut gaps) = (Vec::new(), Vec::new());
    // What was read back may have come as far as a look that was not made.
    conductor.look_if_due();
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    while feeds.receivers.iter().any(Option::is_some) {
        let room = conductor.in_flight() < AHEAD * conductor.prepared.study.limits.workers as u64;
        let wants = Side::BOTH.map(|side| feeds.wants(side, &conductor.holding.pairing));
        let [snapshots, decisions] = &mut feeds.receivers;
        let (side, fed) = tokio::select! {
            biased;
            () = &mut stop, if end == End::Finished => {
                end = End::Interrupted;
                if feeds.stop() {
                    continue;
                }
                break;
            }
            Some(answered) = conductor.answers.recv() => {
                conductor.answered(answered)?;
                continue;
            }
            Some(command) = commands.recv() => {
                match command {
                    Command::End { who, reason } => {
                        let text = format!("the run was ended: {reason}");
                        gaps.push(Event::Note { who, text });
                        feeds.stop();
                    }
                    Command::Peek(shown) => conductor.peek(shown),
                    Command::Recent(shown) => conductor.recent(shown),
                    // Who asked may not wait any more; the exchange holds all the same.
                    Command::Exchange(exchange, told) => {
                        let _ = told.send(conductor.exchange(*exchange));
                    }
                }
                continue;
            }
            Some(fed) = next(snapshots), if wants[0] && room => (Side::Snapshot, fed),
            Some(fed) = next(decisions), if wants[1] => (Side::Decision, fed),
            _ = tick.tick() => {
                conductor.show();
                continue;
            }
        };
        match fed {
            Feed::Batch(decoded, tickets) => conductor.take(*decoded, tickets)?,
            Feed::End(fault) => {
                feeds.receivers[side as usize] = None;
                gaps.extend(
                    fault
                        .iter()
                        .map(|what| Event::Gap { stream: side.plural().to_owned(), what: what.clone() }),
                );
                faults.extend(fault);
            }
        }
        if conductor.log_failed {
            break;
        }
    }
    if !faults.is_empty() && end == End::Finished {
        end = End::SourceBroke(faults);
    }
    // Whatever was taken is answered, logged and compared, however the reading ended.
    while conductor.in_flight() > 0 {
        match conductor.answers.recv().await {
            Some(answered) => conductor.answered(answered)?,
            None => anyhow::bail!("a thread that runs models has stopped; this is a fault in understudy"),
        }
    }
    let cast = conductor.cast.clone();
    let (saved, events) = conductor.finish(end)?;
    gaps.extend(events);
    Ok((saved, gaps, cast))
}

async fn next(receiver: &mut Option<Receiver<Feed>>) -> Option<Feed> {
    match receiver {
        Some(receiver) => receiver.recv().await.or(Some(Feed::End(None))),
        None => None,
    }
}
