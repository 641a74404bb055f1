//! TODO: purpose of this module.

pub mod bundle;
pub mod case;
pub mod comparison;
pub mod divergence;
pub mod report;
pub mod reviews;
