//! Restores state and derived data from the ledger and the log.

pub mod log_replay;
pub mod pair_position;
pub mod recomputation;
pub mod run_loader;
pub mod version_recovery;
