//! Builds lowered models: what all readers of model files share.
//!
//! - [`trees`] turns decision trees with any comparisons into an [`Ensemble`](tabular_form::Ensemble) of ranks.
//! - [`Program`] collects steps and makes a [`Form`](tabular_form::Form) of them.

mod program;
pub mod trees;

pub use program::{Program, ProgramError};
