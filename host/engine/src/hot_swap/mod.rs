//! Replaces a plugin while the run goes on.

pub mod candidate;
pub mod request;
pub mod shadow_compare;
pub mod swappable_slot;
pub mod swapper;
