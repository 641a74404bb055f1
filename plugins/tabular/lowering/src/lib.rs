//! Builds programs of trained models: what all importers of model files share.
//!
//! - [`trees`] turns decision trees with any comparisons into an [`Ensemble`](tabular_program::Ensemble) of ranks.
//! - [`ProgramBuilder`] collects steps and makes a [`Program`](tabular_program::Program) of them.

mod program_builder;
pub mod trees;

pub use program_builder::{BuildError, ProgramBuilder};
