//! Joined pairs with the answers and scores that evaluation gave them.

use crate::batches::pair_batch::PairBatch;
use understudy_records::batch::Answers;
use understudy_statistics::scoring::ModelScores;

/// Pairs that have been compared.
pub struct EvaluatedPairs {
    /// The generation of all of them.
    pub generation: u32,
    /// Where they come from.
    pub sources: PairBatch,
    /// What the comparator answered to each.
    pub answers: Answers,
    /// The pairs whose snapshot was blinded, ascending.
    pub blinded: Vec<usize>,
    /// For each model what it answered to each, blinded ones too.
    pub given: Vec<Answers>,
    /// The pairs that the comparator answered, ascending.
    pub answered: Vec<usize>,
    /// For each model what its answers to those were scored.
    pub models: Vec<ModelScores>,
}
