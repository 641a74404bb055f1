//! Decodes records into columns, joins the two streams in event time, and diagnoses why few were read or joined.
//!
//! Invariants: pure; no file is opened, no plugin is loaded and no clock is read.

pub mod batch;
pub mod diagnosis;
pub mod join;
