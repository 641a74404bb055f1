//! A plugin of a study, read, compiled and checked.

use understudy_sandbox::{Assets, ComponentFile};

/// A plugin of the study, loaded.
pub struct LoadedPlugin<P> {
    /// Its name in the study.
    pub name: String,
    /// The component as it was read.
    pub file: ComponentFile,
    /// Its assets as they were read.
    pub assets: Assets,
    /// The plugin.
    pub plugin: P,
}
