//! The data model: everything that a report says, as plain data. Each type here is a part of a JSON format.
//!
//! Invariants: nothing here computes a figure. No type of the engine is part of a JSON format.

pub mod bundle;
pub mod case;
pub mod ceiling;
pub mod comparison;
pub mod divergence;
pub mod metric_value;
pub mod report;
pub mod reviews;
pub mod revisions;
pub mod run_summary;
pub mod window_breakdown;
