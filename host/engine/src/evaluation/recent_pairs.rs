//! A ring buffer of the most recent pairs, on which a swap compares the new plugin with the current one.
//!
//! Invariants: at most the declared number of pairs is returned, each with all fields that a plugin may read,
//! and no others.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::batches::pair_batch::PairBatch;
use understudy_records::batch::{Answers, interleave_rows};
use understudy_study::{PerStream, StreamKind};

/// The most recent pairs of a run, in batches.
pub struct RecentPairs {
    /// The number of pairs that a sample has.
    capacity: usize,
    /// The number of pairs in all batches; the oldest batch may reach beyond the capacity.
    rows: usize,
    batches: VecDeque<PairSample>,
}

/// Consecutive pairs with their answers.
#[derive(Clone)]
pub struct PairSample {
    /// For each stream the buffered fields.
    pub fields: PerStream<RecordBatch>,
    /// For each model its answers.
    pub models: Vec<Answers>,
    /// The comparator's answers.
    pub comparator: Answers,
}

impl PairSample {
    /// The number of pairs.
    pub fn rows(&self) -> usize {
        self.comparator.rows()
    }
}

impl RecentPairs {
    /// An empty buffer for this number of pairs.
    pub fn new(capacity: usize) -> RecentPairs {
        RecentPairs { capacity, rows: 0, batches: VecDeque::new() }
    }

    /// Adds pairs, and drops batches that are no longer needed. Of more pairs than the capacity only the last
    /// are kept.
    pub fn add(&mut self, sources: &PairBatch, models: &[Answers], comparator: &Answers) {
        let rows = comparator.rows();
        let skipped = rows.saturating_sub(self.capacity);
        let picks: Vec<(usize, usize)> = (skipped..rows).map(|row| (0, row)).collect();
        let last = |answers: &Answers| match skipped {
            0 => answers.clone(),
            _ => Answers::gather(&[answers], &picks),
        };
        let snapshots: Vec<&RecordBatch> =
            sources.snapshot_batches.iter().map(|batch| &batch.fields).collect();
        let decisions: Vec<&RecordBatch> =
            sources.decision_batches.iter().map(|batch| &batch.fields).collect();
        let sample = PairSample {
            fields: PerStream {
                snapshots: interleave_rows(&snapshots, &sources.snapshots[skipped..]),
                decisions: interleave_rows(&decisions, &sources.decisions[skipped..]),
            },
            models: models.iter().map(last).collect(),
            comparator: last(comparator),
        };
        self.rows += sample.rows();
        self.batches.push_back(sample);
        while let Some(oldest) =
            self.batches.front().map(PairSample::rows).filter(|oldest| self.rows - oldest >= self.capacity)
        {
            self.rows -= oldest;
            self.batches.pop_front();
        }
    }

    /// The most recent pairs, at most the capacity; `None` if there are none yet.
    pub fn latest(&self) -> Option<PairSample> {
        let first = self.batches.front()?;
        let skipped = self.rows.saturating_sub(self.capacity);
        let fields = |kind: StreamKind| {
            let batches = self.batches.iter().map(|batch| &batch.fields[kind]);
            let all = concat_batches(&first.fields[kind].schema(), batches)
                .expect("the batches of a stream have one schema");
            all.slice(skipped, self.rows - skipped)
        };
        let picks: Vec<(usize, usize)> = self
            .batches
            .iter()
            .enumerate()
            .flat_map(|(at, batch)| (0..batch.rows()).map(move |row| (at, row)))
            .skip(skipped)
            .collect();
        let model = |index: usize| {
            Answers::gather(
                &self.batches.iter().map(|batch| &batch.models[index]).collect::<Vec<_>>(),
                &picks,
            )
        };
        Some(PairSample {
            fields: PerStream::from_fn(fields),
            models: (0..first.models.len()).map(model).collect(),
            comparator: Answers::gather(
                &self.batches.iter().map(|batch| &batch.comparator).collect::<Vec<_>>(),
                &picks,
            ),
        })
    }
}
