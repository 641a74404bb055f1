//! The components that are part of the program: stock plugins, model runtimes and model importer.

use std::path::Path;

use understudy_components::{IMPORTER, ModelRuntime, STOCK_PLUGINS};
use understudy_sandbox::{ComponentFile, SandboxError};
use understudy_study::{ModelFormat, PluginSource, RegistryReferenceError, nearest};

use crate::plugins::registry_component::{RegistryComponentError, registry_component};

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The component is missing or invalid.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The component of a registry was not pulled, or is another one.
    #[error(transparent)]
    Registry(#[from] RegistryComponentError),
    /// The reference to a registry has another form than is expected.
    #[error(transparent)]
    Reference(#[from] RegistryReferenceError),
    /// No stock plugin has the name.
    #[error(
        "there is no stock plugin \"{name}\"; {}{}use one of {}, or the path of a component, which has a slash or ends in .wasm",
        if names_trained_model(name) { TRAINED_MODEL } else { "" },
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

/// What to write for a trained model.
const TRAINED_MODEL: &str = "for a trained model write plugin = \"onnx\", \"xgboost\", \"lightgbm\" or \"catboost\" and file = \"...\"; ";

/// Whether a name of a plugin is the file of a trained model, or a library that trains some.
pub fn names_trained_model(name: &str) -> bool {
    const ENDINGS: [&str; 9] =
        [".onnx", ".json", ".ubj", ".txt", ".cbm", ".joblib", ".pkl", ".pickle", ".lgb"];
    const LIBRARIES: [&str; 6] = ["sklearn", "scikit-learn", "skl2onnx", "xgb", "lgbm", "mlflow"];
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || LIBRARIES.contains(&&name[..])
        || ModelFormat::ALL.iter().any(|format| format.name() == name)
}

/// The names of the stock plugins.
pub fn stock_names() -> impl Iterator<Item = &'static str> {
    STOCK_PLUGINS.iter().map(|(name, _)| *name)
}

/// The component that a command names: a stock plugin, a path, or one that was pulled from a registry into the current folder.
///
/// # Errors
/// If no stock plugin has this name, the file is no component, or the component of a registry was not pulled.
pub fn component_named(plugin: &str) -> Result<ComponentFile, ComponentError> {
    match PluginSource::component(plugin)? {
        PluginSource::Path(path) => Ok(ComponentFile::read(&path)?),
        PluginSource::Registry(reference) => Ok(registry_component(Path::new(""), &reference)?),
        PluginSource::Stock(_) | PluginSource::ModelFile(_) => stock_component(plugin),
    }
}

/// The component of a stock plugin.
///
/// # Errors
/// If no stock plugin has this name.
pub fn stock_component(name: &str) -> Result<ComponentFile, ComponentError> {
    match STOCK_PLUGINS.iter().find(|(known, _)| *known == name) {
        Some((name, component)) => Ok(ComponentFile::from_bytes(Path::new(name), component.bytes())?),
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
    ComponentFile::from_bytes(Path::new(runtime.name), runtime.component.bytes())
}

/// The component that imports model files.
///
/// # Errors
/// If the program was built wrongly.
pub fn model_importer() -> Result<ComponentFile, SandboxError> {
    ComponentFile::from_bytes(Path::new("the model importer"), IMPORTER.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trained_model_is_named_as_such() {
        let message = |name: &str| stock_component(name).map(|_| ()).unwrap_err().to_string();
        for name in ["sklearn", "x.onnx", "model.JSON", "model.txt", "m.joblib", "onnx"] {
            let message = message(name);
            assert!(message.contains("for a trained model write plugin = \"onnx\""), "{message}");
        }
        assert!(!message("agreemet").contains("trained"), "a stock plugin is no trained model");
    }
}
