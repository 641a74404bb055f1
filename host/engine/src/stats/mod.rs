//! Accumulates the figures of a run: counters, latency, failures, checkpoint, interim schedule, result and input diagnosis.

pub mod aggregates;
pub mod checkpoint;
pub mod counters;
pub mod determinism;
pub mod failures;
pub mod input_diagnosis;
pub mod interim_schedule;
pub mod latency;
mod reason_pattern;
pub mod run_result;
pub mod unanswered_reasons;
