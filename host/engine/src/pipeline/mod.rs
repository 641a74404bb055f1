//! Starts, resumes and coordinates a run.

pub mod coordinator;
pub mod event_loop;
pub mod handle;
pub mod options;
pub mod progress;
pub mod resume;
pub mod run;
pub mod served;
pub mod start;
pub mod started_run;
