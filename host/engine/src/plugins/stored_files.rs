//! Names and describes the plugin files that a run directory stores.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use understudy_run_log::ledger::Asset;

/// A plugin that a run directory stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPlugin {
    /// The plugin's name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The name and the SHA-256 of each asset.
    pub assets: Vec<(String, String)>,
    /// SHA-256 of the component that imported the model file, in hexadecimal; `None` unless this is a trained model.
    #[serde(rename = "importer-sha256", default, skip_serializing_if = "Option::is_none")]
    pub importer: Option<String>,
}

/// The plugins of a run that a what-if replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginOverrides {
    /// Replacement components, by the plugin's name in the study.
    pub instead: Vec<(String, PathBuf)>,
    /// Fields granted to the replacements, in addition to those of the plugins that they replace.
    pub grant: Vec<String>,
}

/// The files in a run directory that a study is loaded from.
#[derive(Clone, Copy)]
pub(crate) struct StoredFiles<'k> {
    pub plugins: &'k [StoredPlugin],
    /// Files that the declaration names besides plugins and assets.
    pub files: &'k [Asset],
    /// Replacement components, by the plugin's name in the study.
    pub instead: &'k [(String, PathBuf)],
}

/// The file name of a component in a run directory.
pub fn plugin_file_name(digest: &str) -> String {
    format!("plugins/{digest}.wasm")
}

/// The file name of an asset in a run directory.
pub fn asset_file_name(digest: &str) -> String {
    format!("plugins/{digest}.asset")
}
