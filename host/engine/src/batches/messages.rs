//! The batches that the stages of the pipeline pass on.
//!
//! Invariants: a batch carries everything that later stages need of its rows; no stage refers to another
//! stage's types.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray};

use crate::batches::acks::BatchAcks;
use understudy_records::batch::{Answers, ExcludedRecord, Records};
use understudy_records::join::Slot;
use understudy_sandbox::AnsweredBatch;
use understudy_statistics::scoring::Window;
use understudy_study::{Nanos, PerStream};

/// Accepted snapshots on their way to a worker.
pub struct SnapshotBatch {
    /// The number of the batch, from 0 and without gaps. Answered batches are logged and joined in this
    /// order.
    pub number: u64,
    /// The slot of the batch in the join.
    pub slot: Slot,
    /// Sequence number of each row.
    pub sequences: Vec<u64>,
    /// Generation of the models that answer the batch.
    pub generation: u32,
    /// The snapshots themselves.
    pub records: Records,
    /// Excluded records of the same source batch, so that the log keeps the order of the stream.
    pub excluded: Vec<(u64, ExcludedRecord)>,
    /// Sequence number of the next record of the stream.
    pub next: u64,
    /// Acknowledgements to send once the batch is on disk.
    pub acks: BatchAcks,
}

/// A snapshot batch with the answers of the models; those of blinded snapshots are missing.
pub struct InferredBatch {
    /// The batch as it was submitted.
    pub batch: SnapshotBatch,
    /// Per model: its answers.
    pub models: Vec<ModelOutput>,
    /// Window of each row.
    pub windows: Vec<Window>,
    /// Per condition: the value index of each row.
    pub conditions: Vec<Vec<u16>>,
}

impl InferredBatch {
    /// Wraps a batch without rows.
    pub fn without_rows(job: SnapshotBatch) -> InferredBatch {
        InferredBatch { batch: job, models: Vec::new(), windows: Vec::new(), conditions: Vec::new() }
    }
}

/// The answers of a model to a batch.
pub struct ModelOutput {
    /// Answers, with the rows that failed.
    pub output: AnsweredBatch,
    /// Latency of the model call for the whole batch, in ns; every row waited this long. A batch that is read
    /// from the log may have rows of several calls.
    pub latencies: RowLatencies,
}

/// The latency of each row of a batch, as runs of neighbouring rows with the same latency.
pub struct RowLatencies {
    /// Per run: its number of rows, at least 1, and their latency.
    runs: Vec<(usize, Nanos)>,
}

impl RowLatencies {
    /// The same latency for all rows.
    pub fn uniform(rows: usize, latency: Nanos) -> RowLatencies {
        RowLatencies { runs: if rows == 0 { Vec::new() } else { vec![(rows, latency)] } }
    }

    /// Joins neighbouring rows of the same latency into runs.
    pub fn from_rows(latencies: impl IntoIterator<Item = Nanos>) -> RowLatencies {
        let mut runs: Vec<(usize, Nanos)> = Vec::new();
        for latency in latencies {
            match runs.last_mut() {
                Some((rows, last)) if *last == latency => *rows += 1,
                _ => runs.push((1, latency)),
            }
        }
        RowLatencies { runs }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.runs.iter().map(|(rows, _)| rows).sum()
    }

    /// The rows of each run, in order, and their latency.
    pub fn runs(&self) -> impl Iterator<Item = (Range<usize>, Nanos)> {
        self.runs.iter().scan(0, |next, (rows, latency)| {
            let first = *next;
            *next += rows;
            Some((first..*next, *latency))
        })
    }

    /// The latency of each row.
    pub fn iter(&self) -> impl Iterator<Item = Nanos> {
        self.runs.iter().flat_map(|(rows, latency)| std::iter::repeat_n(*latency, *rows))
    }
}

/// The columns of a snapshot batch that pairing needs. The join keeps them until every row is joined or
/// expired.
pub struct SnapshotRows {
    /// Sequence number of each row.
    pub sequences: Vec<u64>,
    /// The buffered fields of the snapshots.
    pub fields: RecordBatch,
    /// Id of each row.
    pub ids: StringArray,
    /// Event time of each row, in µs.
    pub times: Vec<i64>,
    /// Per model: its answers.
    pub answers: Vec<Answers>,
    /// The window of each row.
    pub windows: Vec<Window>,
    /// For each condition the value of each row.
    pub conditions: Vec<Vec<u16>>,
}

impl SnapshotRows {
    /// Approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        let row = 8 + 8 + size_of::<Window>() + 2 * self.conditions.len();
        let answers: usize = self.answers.iter().map(Answers::bytes).sum();
        column_bytes(self.fields.columns())
            + column_bytes(&[Arc::new(self.ids.clone())])
            + row * self.times.len()
            + answers
    }
}

/// The columns of a decision batch that pairing needs.
pub struct DecisionRows {
    /// Sequence number of each row.
    pub sequences: Vec<u64>,
    /// The buffered fields of the decisions.
    pub fields: RecordBatch,
    /// Event time of each row, in µs.
    pub times: Vec<i64>,
}

impl DecisionRows {
    /// Approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        column_bytes(self.fields.columns()) + 16 * self.times.len()
    }
}

fn column_bytes(columns: &[ArrayRef]) -> usize {
    columns.iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or_default()).sum()
}

/// A joined pair of a snapshot and a decision.
pub struct JoinedPair {
    /// Batch and row of the snapshot.
    pub snapshot: (Arc<SnapshotRows>, u32),
    /// Batch and row of the decision that counts.
    pub decision: (Arc<DecisionRows>, u32),
    /// The revisions of the decision that do not count; `None` if there are none.
    pub revised: Option<RevisedDecisions>,
}

/// The decisions of a pair that do not count.
pub struct RevisedDecisions {
    /// Batch and row of the first one, if the last decision counts, and of the last one, if the first decision counts.
    pub decision: (Arc<DecisionRows>, u32),
    /// Their event times, in µs; at least one.
    pub times: Vec<i64>,
}

impl JoinedPair {
    /// Sequence numbers of the snapshot and the decision that counts.
    pub fn sequences(&self) -> PerStream<u64> {
        let (snapshots, s) = &self.snapshot;
        let (decisions, d) = &self.decision;
        PerStream { snapshots: snapshots.sequences[*s as usize], decisions: decisions.sequences[*d as usize] }
    }

    /// The event times (µs) of all decisions of the pair: the one that counts, and the revised ones.
    pub fn decision_times(&self) -> impl Iterator<Item = i64> {
        let (decisions, row) = &self.decision;
        let revised = self.revised.iter().flat_map(|revised| &revised.times).copied();
        std::iter::once(decisions.times[*row as usize]).chain(revised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_the_rows_in_order() {
        let rows = [5, 5, 0, 7, 7, 7, 5].map(Nanos);
        let latencies = RowLatencies::from_rows(rows);
        let runs: Vec<_> = latencies.runs().collect();
        assert_eq!(runs, [(0..2, Nanos(5)), (2..3, Nanos(0)), (3..6, Nanos(7)), (6..7, Nanos(5))]);
        assert_eq!(latencies.rows(), rows.len());
        assert_eq!(latencies.iter().collect::<Vec<_>>(), rows);
        assert_eq!(RowLatencies::uniform(3, Nanos(9)).runs().collect::<Vec<_>>(), [(0..3, Nanos(9))]);
        assert_eq!(RowLatencies::uniform(0, Nanos(9)).runs().count(), 0);
    }
}
