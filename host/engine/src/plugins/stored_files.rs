//! The plugins and files as a run directory stores them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use understudy_run_log::ledger::Asset;

/// A plugin as a run keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPlugin {
    /// Its name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The name and the SHA-256 of each asset.
    pub assets: Vec<(String, String)>,
}

/// What is to be otherwise than in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginOverrides {
    /// Other components than those that it kept, by the plugin's name.
    pub instead: Vec<(String, PathBuf)>,
    /// Fields that those are granted, besides those that the plugins in whose place they come were.
    pub grant: Vec<String>,
}

/// What a run kept.
#[derive(Clone, Copy)]
pub(crate) struct StoredFiles<'k> {
    pub plugins: &'k [StoredPlugin],
    /// The other files that the declaration names.
    pub files: &'k [Asset],
    /// Other components than those that it kept, by the plugin's name.
    pub instead: &'k [(String, PathBuf)],
}

/// The name under which a run keeps a component.
pub fn plugin_name(digest: &str) -> String {
    format!("plugins/{digest}.wasm")
}

/// The name under which a run keeps an asset.
pub fn asset_name(digest: &str) -> String {
    format!("plugins/{digest}.asset")
}
