//! Starts, resumes and coordinates a run.

pub mod coordinator;
pub mod coordinator_commands;
pub mod event_loop;
mod exclusion_scopes;
pub mod file_order_buffer;
pub mod initial_state;
pub mod open_segment_group;
pub mod progress;
mod rejected_record_times;
pub mod run_execution;
pub mod run_handle;
pub mod run_options;
pub mod run_resumption;
pub mod sequence_numbers;
pub mod shed_recorder;
pub mod start;
mod started_run;
