//! Holds unmatched rows, in memory and on disk.

pub mod join_buffer;
pub mod spill_store;
