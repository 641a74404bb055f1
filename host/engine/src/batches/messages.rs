//! The batches that the stages of the pipeline pass on.
//!
//! Invariants: a batch carries everything that later stages need of its rows; no stage refers to another stage's types.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch};

use crate::batches::acks::BatchAcks;
use understudy_records::batch::{Answers, ExcludedRecord, Records};
use understudy_records::join::Slot;
use understudy_sandbox::AnsweredBatch;
use understudy_statistics::scoring::Window;
use understudy_study::PerStream;

/// Accepted snapshots, to be answered.
pub struct SnapshotBatch {
    /// Jobs are numbered without gaps, and taken up again in this order.
    pub number: u64,
    /// The name that the pairing has given to the batch.
    pub slot: Slot,
    /// The sequence number of each row.
    pub sequences: Vec<u64>,
    /// The generation that is to answer it.
    pub generation: u32,
    /// The snapshots.
    pub records: Records,
    /// The records that came with them and were refused, so that the log has all in the order of the stream.
    pub refused: Vec<(u64, ExcludedRecord)>,
    /// The sequence number that the next record of the stream has.
    pub next: u64,
    /// Who waits to be told that they are on disk.
    pub told: BatchAcks,
}

/// Snapshots with everything that is known of them before their decision.
pub struct InferredBatch {
    /// The job.
    pub job: SnapshotBatch,
    /// For each model what it answered.
    pub models: Vec<ModelOutput>,
    /// The window of each row.
    pub windows: Vec<Window>,
    /// For each condition the value of each row.
    pub conditions: Vec<Vec<u16>>,
}

impl InferredBatch {
    /// A job without rows.
    pub fn nothing(job: SnapshotBatch) -> InferredBatch {
        InferredBatch { job, models: Vec::new(), windows: Vec::new(), conditions: Vec::new() }
    }
}

/// What a model answered to a batch.
pub struct ModelOutput {
    /// The answers.
    pub decided: AnsweredBatch,
    /// For each row the nanoseconds until its whole batch was answered: what the row waited for this model.
    pub nanos: Vec<u64>,
}

/// What a pair needs of its snapshot: held until the last row of its batch is paired or expired.
pub struct SnapshotRows {
    /// Sequence numbers.
    pub sequences: Vec<u64>,
    /// The snapshots' fields that are held for pairs.
    pub fields: RecordBatch,
    /// Ids.
    pub ids: arrow::array::StringArray,
    /// Observed times, microseconds.
    pub times: Vec<i64>,
    /// For each model its answers.
    pub answers: Vec<Answers>,
    /// The window of each row.
    pub windows: Vec<Window>,
    /// For each condition the value of each row.
    pub conditions: Vec<Vec<u16>>,
}

impl SnapshotRows {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let row = 8 + 8 + size_of::<Window>() + 2 * self.conditions.len();
        let answers: usize = self.answers.iter().map(Answers::bytes).sum();
        column_bytes(self.fields.columns())
            + column_bytes(&[Arc::new(self.ids.clone())])
            + row * self.times.len()
            + answers
    }
}

/// What a pair needs of its decision.
pub struct DecisionRows {
    /// Sequence numbers.
    pub sequences: Vec<u64>,
    /// The decisions' fields that are held for pairs.
    pub fields: RecordBatch,
    /// Times of the decisions, microseconds.
    pub times: Vec<i64>,
}

impl DecisionRows {
    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        column_bytes(self.fields.columns()) + 16 * self.times.len()
    }
}

fn column_bytes(columns: &[ArrayRef]) -> usize {
    columns.iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or_default()).sum()
}

/// A pair, held by what it needs.
pub struct JoinedPair {
    /// The snapshot's batch and row.
    pub snapshot: (Arc<SnapshotRows>, u32),
    /// The decision's batch and row.
    pub decision: (Arc<DecisionRows>, u32),
}

impl JoinedPair {
    /// The sequence numbers of its snapshot and its decision.
    pub fn sequences(&self) -> PerStream<u64> {
        let (shown, s) = &self.snapshot;
        let (taken, d) = &self.decision;
        PerStream { snapshots: shown.sequences[*s as usize], decisions: taken.sequences[*d as usize] }
    }
}
