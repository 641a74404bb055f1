//! Checks that models are deterministic: a fresh instance processes a sample of the snapshots a second time.
//!
//! Invariants:
//! - The check changes no logged answer and no statistic.
//! - Blinded rows are not checked.
//! - The usage of the plugin does not contain the second calls.
//! - The sequence number alone decides whether a snapshot is in the sample.
//!
//! The second call comes later, in another batch and in reverse row order. A model has to be a function of
//! the row. One that keeps state between calls gives other answers then.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use parking_lot::Mutex;

use crate::stats::determinism::DeterminismStats;
use understudy_records::batch::{Answers, Reason};
use understudy_sandbox::{DeciderPlugin, is_timeout};
use understudy_statistics::hash::splitmix64;

/// Sampled rows per check.
const BATCH_ROWS: usize = 256;

/// The results of the check for each model, added up over all worker threads.
#[derive(Clone, Default)]
pub struct SharedDeterminismStats(Arc<Mutex<Vec<DeterminismStats>>>);

impl SharedDeterminismStats {
    /// Empty results for this number of models.
    pub fn new(models: usize) -> SharedDeterminismStats {
        SharedDeterminismStats(Arc::new(Mutex::new(vec![DeterminismStats::default(); models])))
    }

    /// Removes and returns the results since the last call, one for each model.
    pub fn drain(&self) -> Vec<DeterminismStats> {
        self.0.lock().iter_mut().map(std::mem::take).collect()
    }

    /// Whether a model has had a mismatch since the last call of [`drain`](Self::drain).
    pub fn has_mismatches(&self) -> bool {
        self.0.lock().iter().any(|stats| stats.mismatches > 0)
    }

    fn add(&self, model: usize, stats: DeterminismStats) {
        self.0.lock()[model].add(stats);
    }
}

/// Collects the sampled rows of one model on one worker thread, and checks them.
pub struct DeterminismChecker {
    plugin: DeciderPlugin,
    /// The index of the model in the study.
    model: usize,
    /// A snapshot is in the sample if the hash of its sequence number is below this.
    hash_bound: u64,
    stats: SharedDeterminismStats,
    inputs: Vec<RecordBatch>,
    answers: Vec<Answers>,
    /// The sequence number and the id of each collected row.
    rows: Vec<(u64, String)>,
}

impl DeterminismChecker {
    /// A checker for the model at index `model`. It samples a `share` of the snapshots, from 0 to 1.
    pub fn new(
        plugin: DeciderPlugin,
        model: usize,
        share: f64,
        stats: SharedDeterminismStats,
    ) -> DeterminismChecker {
        let (inputs, answers, rows) = (Vec::new(), Vec::new(), Vec::new());
        DeterminismChecker { plugin, model, hash_bound: hash_bound(share), stats, inputs, answers, rows }
    }

    /// Collects the sampled rows of a batch that the model has answered, and checks once a full batch is
    /// collected. A row that ran into the time limit is left out: the second call may be faster.
    pub fn collect(&mut self, sequences: &[u64], ids: &StringArray, input: &RecordBatch, answers: &Answers) {
        let is_sampled = |row: &usize| {
            let reason = answers.reason(*row);
            splitmix64(sequences[*row]) < self.hash_bound
                && !is_timeout(reason)
                && reason != Some(&Reason::Blinded)
        };
        let sampled: Vec<usize> = (0..sequences.len()).filter(is_sampled).collect();
        if sampled.is_empty() {
            return;
        }
        let mut mask = vec![false; sequences.len()];
        sampled.iter().for_each(|row| mask[*row] = true);
        let input = filter_record_batch(input, &BooleanArray::from(mask));
        self.inputs.push(input.expect("the mask has one value a row"));
        let picks: Vec<_> = sampled.iter().map(|&row| (0, row)).collect();
        self.answers.push(Answers::gather(&[answers], &picks));
        self.rows.extend(sampled.iter().map(|&row| (sequences[row], ids.value(row).to_owned())));
        if self.rows.len() >= BATCH_ROWS {
            self.check();
        }
    }

    /// Runs the collected rows through a fresh instance, last row first, and compares the answers.
    pub fn check(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let (inputs, answers) = (std::mem::take(&mut self.inputs), std::mem::take(&mut self.answers));
        let Some(schema) = inputs.first().map(RecordBatch::schema) else { return };
        let input = concat_batches(&schema, &inputs).expect("the batches of a model have one schema");
        let reversed = UInt32Array::from_iter_values((0..rows.len() as u32).rev());
        let input = take_record_batch(&input, &reversed).expect("the indices are below the number of rows");
        let picks = answers
            .iter()
            .enumerate()
            .rev()
            .flat_map(|(batch, answers)| (0..answers.rows()).rev().map(move |row| (batch, row)));
        let batches: Vec<&Answers> = answers.iter().collect();
        let first = Answers::gather(&batches, &picks.collect::<Vec<_>>());
        let second = self.plugin.uncounted_instance().decide(&input).answers;
        let mut stats = DeterminismStats { rows: rows.len() as u64, ..DeterminismStats::default() };
        for row in first.differing(&second) {
            if is_timeout(second.reason(row)) {
                stats.rows -= 1;
                continue;
            }
            let (sequence, id) = &rows[rows.len() - 1 - row];
            stats.add(DeterminismStats {
                rows: 0,
                mismatches: 1,
                first_id: id.clone(),
                sequences: vec![*sequence],
            });
        }
        self.stats.add(self.model, stats);
    }
}

/// The bound that a `share` of all sequence numbers has a hash below.
fn hash_bound(share: f64) -> u64 {
    (share * u64::MAX as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_the_declared_share_of_the_snapshots() {
        for (share, least, most) in
            [(0.0, 0, 0), (0.01, 900, 1100), (0.5, 49_000, 51_000), (1.0, 100_000, 100_000)]
        {
            let bound = hash_bound(share);
            let sampled = (0..100_000).filter(|sequence| splitmix64(*sequence) < bound).count();
            assert!((least..=most).contains(&sampled), "{share}: {sampled}");
        }
    }
}
