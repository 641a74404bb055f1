//! Acknowledgements of pushed deliveries, carried along with the batch that holds their records.
//!
//! Invariants: a delivery is acknowledged once, after its records are on disk, or never if they could not be
//! written.

use std::ops::Range;

use tokio::sync::oneshot;

use understudy_records::batch::{ExcludedRecord, ExclusionReason};
use understudy_run_log::Acknowledge;

/// The receipt of a delivery; its records are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// The number of accepted records.
    pub accepted: usize,
    /// The excluded records, by ascending row.
    pub excluded: Vec<RowExclusion>,
}

/// A delivered record that was excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowExclusion {
    /// Index in the delivery, from 0.
    pub row: usize,
    /// Why the record is excluded.
    pub reason: ExclusionReason,
    /// Explanation for the sender.
    pub detail: String,
}

/// The pending acknowledgement of a delivery whose records are in a batch.
pub struct PendingAck {
    /// The lines of the batch that belong to the delivery.
    pub(crate) lines: Range<u64>,
    pub(crate) sender: oneshot::Sender<DeliveryReceipt>,
}

/// Acknowledgements that are sent once the batch is on disk.
#[derive(Default)]
pub struct BatchAcks(Vec<(oneshot::Sender<DeliveryReceipt>, DeliveryReceipt)>);

impl BatchAcks {
    /// Prepares the receipts of a batch. `excluded_records` have ascending lines.
    pub fn new(pending: Vec<PendingAck>, excluded_records: &[(u64, ExcludedRecord)]) -> BatchAcks {
        let receipt = |PendingAck { lines, sender }: PendingAck| {
            let own = excluded_records.iter().filter(|(_, record)| lines.contains(&record.position.line));
            let exclusion = |(_, record): &(u64, ExcludedRecord)| RowExclusion {
                row: (record.position.line - lines.start) as usize,
                reason: record.reason,
                detail: record.detail.clone(),
            };
            let excluded: Vec<RowExclusion> = own.map(exclusion).collect();
            let accepted = (lines.end - lines.start) as usize - excluded.len();
            (sender, DeliveryReceipt { accepted, excluded })
        };
        BatchAcks(pending.into_iter().map(receipt).collect())
    }

    /// The callback that sends the receipts; `None` without deliveries.
    pub fn acknowledge(self) -> Option<Acknowledge> {
        if self.0.is_empty() {
            return None;
        }
        Some(Box::new(move || {
            for (sender, receipt) in self.0 {
                // The sender may have hung up.
                let _ = sender.send(receipt);
            }
        }))
    }
}
