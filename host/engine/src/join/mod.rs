//! The buffer of the interval join: unmatched rows, in memory and spilled to disk.

pub mod join_buffer;
pub mod spill_store;
