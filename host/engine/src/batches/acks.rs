//! Acknowledgements of pushed deliveries, carried along with the batch that holds their records.
//!
//! Invariants: a delivery is acknowledged once, after its records are on disk, or never if they could not be written.

use std::ops::Range;

use tokio::sync::oneshot;

use understudy_records::batch::{ExcludedRecord, ExclusionReason};
use understudy_run_log::Acknowledge;

/// What became of delivered records. They are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// How many were taken.
    pub taken: usize,
    /// The others, by their place in the delivery, counted from 0; ascending.
    pub refused: Vec<RowExclusion>,
}

/// A delivered record that takes no part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowExclusion {
    /// Its place in the delivery, counted from 0.
    pub row: usize,
    /// Why the record is excluded.
    pub reason: ExclusionReason,
    /// The reason in words.
    pub detail: String,
}

/// A delivery whose records are in a batch.
pub struct PendingAck {
    /// The lines of the batch that are its own.
    pub(crate) lines: Range<u64>,
    pub(crate) told: oneshot::Sender<DeliveryReceipt>,
}

/// Deliveries whose fate is known, and is told once it is on disk.
#[derive(Default)]
pub struct BatchAcks(Vec<(oneshot::Sender<DeliveryReceipt>, DeliveryReceipt)>);

impl BatchAcks {
    /// What became of the deliveries of a batch: its records were taken but for the refused ones, in the order of their lines.
    pub fn new(tickets: Vec<PendingAck>, refused: &[(u64, ExcludedRecord)]) -> BatchAcks {
        let receipt = |PendingAck { lines, told }: PendingAck| {
            let own = refused.iter().filter(|(_, refused)| lines.contains(&refused.position.line));
            let row = |(_, refused): &(u64, ExcludedRecord)| RowExclusion {
                row: (refused.position.line - lines.start) as usize,
                reason: refused.reason,
                detail: refused.detail.clone(),
            };
            let refused: Vec<RowExclusion> = own.map(row).collect();
            let taken = (lines.end - lines.start) as usize - refused.len();
            (told, DeliveryReceipt { taken, refused })
        };
        BatchAcks(tickets.into_iter().map(receipt).collect())
    }

    /// Tells them; `None` if nobody waits.
    pub fn acknowledge(self) -> Option<Acknowledge> {
        if self.0.is_empty() {
            return None;
        }
        Some(Box::new(move || {
            for (told, receipt) in self.0 {
                // Who has hung up need not be told.
                let _ = told.send(receipt);
            }
        }))
    }
}
