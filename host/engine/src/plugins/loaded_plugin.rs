//! A plugin of a study, read, compiled and checked.

use understudy_sandbox::{Assets, ComponentFile};

/// A plugin of a study, with the files that it was loaded from.
pub struct LoadedPlugin<P> {
    /// The plugin's name in the study.
    pub name: String,
    /// The component file, as read.
    pub file: ComponentFile,
    /// The asset files, as read.
    pub assets: Assets,
    /// SHA-256 of the component that imported the model file, in hexadecimal; `None` unless this is a trained model.
    pub importer: Option<String>,
    /// The compiled plugin.
    pub plugin: P,
}
