//! Verification of a run: every file, record and derived result is checked against what vouches for it.

pub mod files;
pub mod issue;
pub mod multiset_digest;
pub mod recompute_check;
pub mod register_check;
pub mod run_check;
pub mod seal_check;
pub mod sequence_check;
pub mod sums_from_scores;
pub mod verdict_check;
