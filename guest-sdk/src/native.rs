//! Running a plugin natively, without the sandbox: for unit tests and benches.
//!
//! The same code runs here and in the sandbox; only the component's boundary is missing.

use crate::{Answers, Asset, Column, Decider, Metric, setup};

pub use crate::metric::score;

/// Sets up a model or comparator from the text of a JSON object and its assets, as the host does.
///
/// # Errors
/// When the configuration is not the plugin's, or the plugin refuses it.
pub fn decider<D: Decider>(config: &str, assets: Vec<Asset>) -> Result<D, String> {
    D::new(setup::config(config)?, &assets.into())
}

/// Answers `rows` rows by columns; a call of `decide` could mean [`Model::decide`](crate::Model::decide) as well.
///
/// # Errors
/// Why the whole batch fails.
pub fn decide<D: Decider>(decider: &D, rows: u32, columns: &[Column]) -> Result<Answers, String> {
    decider.decide(rows, columns)
}

/// Sets up a metric from the text of a JSON object and its assets, as the host does.
///
/// # Errors
/// When the configuration is not the plugin's, or the plugin refuses it.
pub fn metric<M: Metric>(config: &str, assets: Vec<Asset>) -> Result<M, String> {
    M::new(setup::config(config)?, &assets.into())
}
