//! Starts, resumes and coordinates a run.

pub mod coordinator;
pub mod coordinator_commands;
pub mod event_loop;
mod excluded_scopes;
mod exclusion_times;
pub mod file_streams;
pub mod handle;
pub mod initial_state;
pub mod open_group;
pub mod progress;
pub mod resume;
pub mod run;
pub mod run_options;
pub mod sequence_numbers;
pub mod shed_recorder;
pub mod start;
mod started_run;
