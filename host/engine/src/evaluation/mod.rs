//! Runs the comparator and the metrics on joined pairs, and aggregates their scores.

mod answer_hashes;
mod baseline_scores;
pub mod divergence_stats;
pub mod model_answers;
pub mod pair_evaluator;
pub mod projection;
pub mod recent_pairs;
mod revision_evaluation;
mod self_agreement_stats;
mod text_column;
pub mod verdict_stats;
