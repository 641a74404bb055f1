//! The latest pairs, so that a plugin can be tried on them before it takes the place of another.
//!
//! Always holds: no more rows are kept than asked for, each with all that whoever is tried may read, and nothing else.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat_batches, interleave};

use crate::batches::pair_batch::Sources;
use understudy_records::batch::Answers;
use understudy_study::{PerStream, StreamKind};

/// The latest pairs.
pub struct RecentPairs {
    most: usize,
    rows: usize,
    pairs: VecDeque<PairSample>,
}

/// Some pairs.
#[derive(Clone)]
pub struct PairSample {
    /// For each side the fields that are held of it.
    pub fields: PerStream<RecordBatch>,
    /// For each model what it answered.
    pub given: Vec<Answers>,
    /// What the comparator answered.
    pub comparator: Answers,
}

impl PairSample {
    /// How many pairs there are.
    pub fn rows(&self) -> usize {
        self.comparator.rows()
    }

    /// Those from a row on.
    fn from(&self, row: usize) -> PairSample {
        let rows = self.rows() - row;
        let picks: Vec<(usize, usize)> = (row..self.rows()).map(|row| (0, row)).collect();
        let part = |answers: &Answers| Answers::gather(&[answers], &picks);
        PairSample {
            fields: self.fields.as_ref().map(|fields| fields.slice(row, rows)),
            given: self.given.iter().map(part).collect(),
            comparator: part(&self.comparator),
        }
    }
}

impl RecentPairs {
    /// Nothing yet; at most so many pairs.
    pub fn new(most: usize) -> RecentPairs {
        RecentPairs { most, rows: 0, pairs: VecDeque::new() }
    }

    /// Takes pairs in place of the oldest.
    pub fn add(&mut self, sources: &Sources, given: &[Answers], comparator: &Answers) {
        let picked = |picks: &[(usize, usize)], batches: Vec<&RecordBatch>| {
            let schema = batches[0].schema();
            let column = |at: usize| -> ArrayRef {
                let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at) as _).collect();
                interleave(&arrays, picks).expect("the columns of a field have one type")
            };
            let columns = (0..schema.fields().len()).map(column).collect();
            let rows = RecordBatchOptions::new().with_row_count(Some(picks.len()));
            RecordBatch::try_new_with_options(schema, columns, &rows)
                .expect("the columns are those of a batch")
        };
        let all = PairSample {
            fields: PerStream {
                snapshots: picked(&sources.snapshots, sources.all_shown.iter().map(|shown| &shown.fields).collect()),
                decisions: picked(&sources.decisions, sources.taken.iter().map(|taken| &taken.fields).collect()),
            },
            given: given.to_vec(),
            comparator: comparator.clone(),
        };
        let sample = match all.rows().saturating_sub(self.most) {
            0 => all,
            more => all.from(more),
        };
        self.rows += sample.rows();
        self.pairs.push_back(sample);
        while let Some(first) =
            self.pairs.front().map(PairSample::rows).filter(|first| self.rows - first >= self.most)
        {
            self.rows -= first;
            self.pairs.pop_front();
        }
    }

    /// The latest pairs; `None` if there is none.
    pub fn latest(&self) -> Option<PairSample> {
        let first = self.pairs.front()?;
        let fields = |side: StreamKind| {
            let batches = self.pairs.iter().map(|pairs| &pairs.fields[side]);
            concat_batches(&first.fields[side].schema(), batches)
                .expect("the batches of a side have one schema")
        };
        let picks: Vec<(usize, usize)> = self
            .pairs
            .iter()
            .enumerate()
            .flat_map(|(at, pairs)| (0..pairs.rows()).map(move |row| (at, row)))
            .collect();
        let gathered = |of: &dyn Fn(&PairSample) -> Answers| {
            let sources: Vec<Answers> = self.pairs.iter().map(of).collect();
            Answers::gather(&sources.iter().collect::<Vec<_>>(), &picks)
        };
        let all = PairSample {
            fields: PerStream::from_fn(fields),
            given: (0..first.given.len())
                .map(|model| gathered(&|pairs| pairs.given[model].clone()))
                .collect(),
            comparator: gathered(&|pairs| pairs.comparator.clone()),
        };
        Some(all.from(all.rows().saturating_sub(self.most)))
    }
}
