//! Reading the log back into a run that goes on.
//!
//! What decides how records are accepted and paired is only their own ids, times and digests, so feeding the accepted
//! rows of the log to a fresh pairing brings back what it held; see [`IntervalJoin`](understudy_records::join::IntervalJoin). With a
//! checkpoint, rows that can matter no more are left out, and what it has counted and judged is not counted again.
//!
//! Always holds: whether a run goes on from a checkpoint, from an older one or from none, the figures are the same.

use std::path::Path;

use crate::pipeline::coordinator::{Coordinator, ReplayPositions};
use crate::recovery::log_replay;
use crate::recovery::log_replay::Readback;
use understudy_study::PerStream;

/// What the log holds, and what is known of it.
pub struct ReplayPlan {
    /// How many records of each stream the log holds.
    pub next: PerStream<u64>,
    /// How many groups the checkpoint covers; 0 without one.
    pub groups: u32,
    /// The pairs that are known.
    pub known: ReplayPositions,
}

/// Reads the log back.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold.
pub fn restore(coordinator: &mut Coordinator<'_>, run: &Path, restoring: &ReplayPlan) -> anyhow::Result<()> {
    let prepared = coordinator.prepared;
    coordinator.replay_positions = Some(restoring.known);
    let mut rows = Readback::open(prepared, run, coordinator.retention_watermarks())?;
    while let Some((side, batch)) = rows.next(&coordinator.join_buffer.join)? {
        let position = coordinator.counters.position[side];
        for (part, counted) in log_replay::split(&batch, position) {
            let counted = (!counted).then_some(&mut coordinator.counters);
            let met = rows.feed(&mut coordinator.join_buffer, counted, side, &part)?;
            coordinator.evaluate(met);
        }
    }
    log_replay::refused(prepared, run, restoring.groups, &mut coordinator.counters)?;
    coordinator.replay_positions = None;
    coordinator.counters.position = restoring.next;
    coordinator.next_sequences = restoring.next;
    log_replay::accounting(&mut coordinator.join_buffer, &coordinator.counters);
    Ok(())
}
