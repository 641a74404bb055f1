//! Joined pairs with the answers and scores that evaluation gave them.

use crate::batches::pair_batch::PairBatch;
use understudy_records::batch::Answers;
use understudy_statistics::scoring::ModelScores;

/// Pairs of one generation, after evaluation.
pub struct EvaluatedPairs {
    /// The generation of all pairs.
    pub generation: u32,
    /// The batches that the pairs come from.
    pub batch: PairBatch,
    /// The comparator's answer to each pair.
    pub answers: Answers,
    /// The comparator's answers to the other decision of each pair in [`PairBatch::revised`]; `None` if there are none.
    pub revised_answers: Option<Answers>,
    /// Indices of the pairs whose snapshot is blinded, ascending.
    pub blinded: Vec<usize>,
    /// Per model: its answer to each pair, including blinded ones.
    pub model_answers: Vec<Answers>,
    /// Indices of the pairs that the comparator answered, ascending.
    pub answered: Vec<usize>,
    /// Per model: the scores of its answers to those pairs.
    pub models: Vec<ModelScores>,
    /// The pairs on which metrics failed.
    pub metric_failures: Vec<MetricFailure>,
}

/// A metric that trapped, exhausted its budget or returned an error for one pair of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricFailure {
    /// The index of the model.
    pub model: usize,
    /// The index of the metric.
    pub metric: usize,
    /// The index of the pair.
    pub row: usize,
    /// The cause.
    pub reason: String,
}
