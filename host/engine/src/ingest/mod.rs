//! Reads record sources and accepts pushed records, as decoded batches.

pub mod push_intake;
pub mod reader_event;
pub mod readers;
pub mod replay_source;
pub mod shed_counter;
pub mod stream_interleaving;
pub mod wall_clock;
