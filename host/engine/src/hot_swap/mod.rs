//! Replaces a plugin during a run.

pub mod candidate;
pub mod request;
pub mod shadow_comparison;
pub mod swappable_slot;
pub mod swapper;
