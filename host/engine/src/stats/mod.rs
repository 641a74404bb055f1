//! What a run accumulates: counters, latency, failures, checkpoint, interim schedule, result; and why it read hardly
//! anything.

pub mod aggregates;
pub mod checkpoint;
pub mod counters;
pub mod determinism;
pub mod failures;
pub mod input_diagnosis;
pub mod interim_schedule;
pub mod latency;
pub mod run_result;
pub mod unanswered_reasons;
