//! What a run accumulates: counters, latency, failures, checkpoint, interim schedule, result.

pub mod checkpoint;
pub mod counters;
pub mod failures;
pub mod interim_schedule;
pub mod run_result;
