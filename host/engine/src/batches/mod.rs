//! The messages that the stages of the pipeline pass on.

pub mod acks;
pub mod evaluated_pairs;
pub mod messages;
pub mod pair_batch;
pub mod slice_classifier;
