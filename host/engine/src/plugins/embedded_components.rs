//! The components that are part of the program: stock plugins, model runtimes and model importer.

use std::path::Path;

use understudy_components::{IMPORTER, ModelRuntime, STOCK_PLUGINS};
use understudy_sandbox::{ComponentFile, SandboxError};
use understudy_study::{PluginSource, nearest};

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The component is missing or invalid.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// No stock plugin has the name.
    #[error(
        "there is no stock plugin \"{name}\"; {}use one of {}, or the path of a component, which has a slash or ends in .wasm",
        .nearest.map_or_else(String::new, |nearest| format!("did you mean \"{nearest}\"? ")),
        stock_names().collect::<Vec<_>>().join(", ")
    )]
    UnknownName {
        /// The name.
        name: String,
        /// The most similar name of a stock plugin, if one is similar.
        nearest: Option<&'static str>,
    },
}

/// The names of the stock plugins.
pub fn stock_names() -> impl Iterator<Item = &'static str> {
    STOCK_PLUGINS.iter().map(|(name, _)| *name)
}

/// The component that a command names: a stock plugin or a path.
///
/// # Errors
/// If no stock plugin has this name, or the file is no component.
pub fn component_named(plugin: &str) -> Result<ComponentFile, ComponentError> {
    match PluginSource::component(plugin) {
        PluginSource::Path(path) => Ok(ComponentFile::read(&path)?),
        _ => stock_component(plugin),
    }
}

/// The component of a stock plugin.
///
/// # Errors
/// If no stock plugin has this name.
pub fn stock_component(name: &str) -> Result<ComponentFile, ComponentError> {
    match STOCK_PLUGINS.iter().find(|(known, _)| *known == name) {
        Some((name, bytes)) => Ok(ComponentFile::from_bytes(Path::new(name), bytes.to_vec())?),
        None => {
            let nearest = nearest(name, stock_names());
            Err(ComponentError::UnknownName { name: name.to_owned(), nearest })
        }
    }
}

/// The component that runs a lowered model.
///
/// # Errors
/// If the program was built wrongly.
pub fn model_runtime(lowered: &[u8]) -> Result<ComponentFile, SandboxError> {
    let runtime = ModelRuntime::for_model(lowered);
    ComponentFile::from_bytes(Path::new(runtime.name), runtime.component.to_vec())
}

/// The component that imports model files.
///
/// # Errors
/// If the program was built wrongly.
pub fn model_importer() -> Result<ComponentFile, SandboxError> {
    ComponentFile::from_bytes(Path::new("the model importer"), IMPORTER.to_vec())
}
