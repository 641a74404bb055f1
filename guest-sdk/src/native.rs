//! Running a plugin natively, without the sandbox: for unit tests and benches.
//!
//! The same code runs here and in the sandbox; only the component's boundary is missing. Answers come from
//! [`Decider::decide`], figures from [`Metric::reduce`].

use crate::{Asset, Decider, Metric, setup};

pub use crate::metric::score;

/// Sets up a model or comparator from the text of a JSON object and its assets, as the host does.
///
/// # Errors
/// When the configuration is not the plugin's, or the plugin refuses it.
pub fn decider<D: Decider>(config: &str, assets: Vec<Asset>) -> Result<D, String> {
    D::new(setup::config(config)?, &assets.into())
}

/// Sets up a metric from the text of a JSON object and its assets, as the host does.
///
/// # Errors
/// When the configuration is not the plugin's, or the plugin refuses it.
pub fn metric<M: Metric>(config: &str, assets: Vec<Asset>) -> Result<M, String> {
    M::new(setup::config(config)?, &assets.into())
}
