//! Replaces a plugin while a run goes on.

pub mod candidate;
pub mod request;
pub mod shadow_compare;
pub mod swapper;
