//! Builds lowered models: what all readers of model files share.
//!
//! - [`trees`] turns decision trees with any comparisons into an [`Ensemble`](tabular_form::Ensemble) of ranks.

pub mod trees;
