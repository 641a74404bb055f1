//! Restores state and derived data from the ledger and the log.

pub mod load_run;
pub mod log_replay;
pub mod pair_position;
pub mod recompute;
pub mod recover_versions;
