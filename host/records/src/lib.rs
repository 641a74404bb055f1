//! Records as columns, and the event-time join of the two streams.
//!
//! Pure: no file is opened here, no plugin loaded, no clock read.

pub mod batch;
pub mod join;
