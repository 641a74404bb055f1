//! Reading the log back into a run that goes on.
//!
//! What decides how records are accepted and paired is only their own ids, times and digests, so feeding the accepted
//! rows of the log to a fresh pairing brings back what it held; see [`Pairing`](understudy_records::pairing::Pairing). With a
//! checkpoint, rows that can matter no more are left out, and what it has counted and judged is not counted again.
//!
//! Always holds: whether a run goes on from a checkpoint, from an older one or from none, the figures are the same.

use std::path::Path;

use crate::pipeline::coordinator::{Coordinator, Known};
use crate::recovery::log_replay;
use crate::recovery::log_replay::Readback;

/// What the log holds, and what is known of it.
pub struct Restoring {
    /// How many records of each stream the log holds.
    pub next: [u64; 2],
    /// How many groups the checkpoint covers; 0 without one.
    pub groups: u32,
    /// The pairs that are known.
    pub known: Known,
}

/// Reads the log back.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold.
pub fn restore(conductor: &mut Coordinator<'_>, run: &Path, restoring: &Restoring) -> anyhow::Result<()> {
    let prepared = conductor.prepared;
    conductor.restoring = Some(restoring.known);
    let mut rows = Readback::open(prepared, run, conductor.matters_from())?;
    while let Some((side, batch)) = rows.next(&conductor.holding.pairing)? {
        let position = conductor.counted.position[side as usize];
        for (part, counted) in log_replay::split(&batch, position) {
            let counted = (!counted).then_some(&mut conductor.counted);
            let met = rows.feed(&mut conductor.holding, counted, side, &part)?;
            conductor.compare(met);
        }
    }
    log_replay::refused(prepared, run, restoring.groups, &mut conductor.counted)?;
    conductor.restoring = None;
    conductor.counted.position = restoring.next;
    conductor.next = restoring.next;
    log_replay::accounting(&mut conductor.holding, &conductor.counted);
    Ok(())
}
