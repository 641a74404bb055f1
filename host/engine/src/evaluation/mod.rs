//! Runs the comparator and the metrics on joined pairs, and aggregates their scores.

mod baseline_scores;
pub mod divergence_stats;
pub mod model_answers;
pub mod pair_evaluator;
pub mod projection;
pub mod recent_pairs;
mod revision_evaluation;
mod self_agreement_stats;
pub mod verdict_stats;
