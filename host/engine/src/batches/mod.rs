//! The messages that the stages of the pipeline pass on.

pub mod pair_batch;
