//! Decodes records into columns and joins the two streams in event time.
//!
//! Invariants: pure; no file is opened, no plugin is loaded and no clock is read.

pub mod batch;
pub mod join;
