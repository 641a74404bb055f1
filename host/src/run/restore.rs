//! Reading the log back into a run that goes on.
//!
//! What decides how records are accepted and paired is only their own ids, times and digests, so feeding the accepted
//! rows of the log to a fresh pairing brings back what it held; see [`Pairing`](crate::pairing::Pairing). With a
//! checkpoint, rows that can matter no more are left out, and what it has counted and judged is not counted again.
//!
//! Always holds: whether a run goes on from a checkpoint, from an older one or from none, the figures are the same.

use std::path::Path;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt64Type;

use super::conductor::{Conductor, Known};
use super::logged;
use super::worker::{Answered, Classes, Job};
use crate::batch::Side;
use crate::pairing::Account;
use crate::runlog::{Reading, Table};

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
pub fn restore(conductor: &mut Conductor<'_>, run: &Path, restoring: &Restoring) -> anyhow::Result<()> {
    let prepared = conductor.prepared;
    conductor.restoring = Some(restoring.known);
    let from = conductor.matters_from();
    let read = |side: Side| {
        let table = [Table::Snapshots, Table::Decisions][side as usize];
        let time = ["observed_at", "decided_at"][side as usize];
        let columns = logged::columns(prepared, table);
        let from = from[side as usize].map(|micros| (time, micros));
        Reading { table, columns, from_group: 0, from }.open(run)
    };
    let mut rows = [read(Side::Snapshot)?.peekable(), read(Side::Decision)?.peekable()];
    let mut classes = Classes::new(&prepared.study);
    loop {
        let waits = [rows[0].peek().is_some(), rows[1].peek().is_some()];
        let side = match waits {
            [false, false] => break,
            [true, false] => Side::Snapshot,
            [false, true] => Side::Decision,
            // In step, so that no more is held than the horizon asks for.
            [true, true]
                if conductor.pairing.clock(Side::Snapshot) <= conductor.pairing.clock(Side::Decision) =>
            {
                Side::Snapshot
            }
            [true, true] => Side::Decision,
        };
        if let Some(batch) = rows[side as usize].next() {
            for part in split(&batch?, conductor.counted.position[side as usize]) {
                feed(conductor, &mut classes, side, &part)?;
            }
        }
    }
    let columns = logged::columns(prepared, Table::Refused);
    for batch in
        (Reading { table: Table::Refused, columns, from_group: restoring.groups, from: None }).open(run)?
    {
        let mut refused = logged::refused(&batch?)?;
        let position = conductor.counted.position;
        refused.retain(|(sequence, refused)| *sequence >= position[refused.side as usize]);
        conductor.counted.refuse(&refused);
    }
    conductor.restoring = None;
    conductor.counted.position = restoring.next;
    conductor.next = restoring.next;
    let accounts = Side::BOTH.map(|side| {
        let account = conductor.counted.accounts[side as usize];
        let open = conductor.pairing.open_rows(side);
        Account { expired: conductor.counted.accepted(side) - account.paired - open, ..account }
    });
    conductor.pairing.set_accounts(accounts);
    Ok(())
}

/// The rows whose sequence numbers lie before `position`, and the others; what is empty is left out.
fn split(batch: &RecordBatch, position: u64) -> Vec<RecordBatch> {
    let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
    let before = sequences.map_or(0, |sequences| sequences.values().partition_point(|s| *s < position));
    let parts = [batch.slice(0, before), batch.slice(before, batch.num_rows() - before)];
    parts.into_iter().filter(|part| part.num_rows() > 0).collect()
}

/// Feeds logged rows of one side, all before or all behind what was counted.
fn feed(
    conductor: &mut Conductor<'_>,
    classes: &mut Classes,
    side: Side,
    batch: &RecordBatch,
) -> anyhow::Result<()> {
    let prepared = conductor.prepared;
    let logged::Logged { sequences, records } = logged::records(prepared, side, batch)?;
    let counts = sequences.first() >= Some(&conductor.counted.position[side as usize]);
    let taken = conductor.pairing.take(side, &records, 0);
    if let Some(row) = taken.refused.iter().position(Option::is_some) {
        anyhow::bail!(
            "the log's {} hold the id \"{}\" (sequence {}) where it cannot have been accepted; run `understudy verify` to \
             see what is wrong",
            side.plural(),
            records.ids.value(row),
            sequences[row]
        );
    }
    match side {
        Side::Snapshot => {
            for pair in taken.pairs {
                let theirs = conductor.taken[&pair.decision.0].clone();
                let waiting = conductor.unanswered.entry(taken.slot).or_default();
                waiting.push((pair.snapshot.1, theirs, pair.decision.1));
            }
            let (windows, conditions) = classes.classify(&records);
            let models = logged::answers(prepared, batch)?;
            let job = Job { number: 0, slot: taken.slot, sequences, records, refused: Vec::new(), next: 0 };
            let answered = Answered { job, models, windows, conditions };
            if counts {
                conductor.count(&answered);
            }
            conductor.show_pairs(answered);
        }
        Side::Decision => {
            if counts {
                conductor.counted.accept(side, &records.times);
            }
            conductor.meet(taken.slot, sequences, &records, taken.pairs);
        }
    }
    conductor.let_go();
    Ok(())
}
