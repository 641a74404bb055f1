//! From a file to a component that may be run.
//!
//! Always holds: what is returned as loaded imports nothing and exports the world that was asked for.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::{Linker, types::ComponentItem};

use super::engine::Sandbox;
use super::instance::World;
use super::{SandboxError, compile_cache};

pub(super) const DECIDER: &str = "understudy:shadow/decider@0.1.0";
pub(super) const SCORER: &str = "understudy:shadow/scorer@0.1.0";

/// The place of a plugin in a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginRole {
    /// Answers snapshots.
    Model,
    /// Puts decisions into the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

impl PluginRole {
    /// As a message names it.
    pub fn name(self) -> &'static str {
        match self {
            PluginRole::Model => "model",
            PluginRole::Comparator => "comparator",
            PluginRole::Metric => "metric",
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            PluginRole::Model => "a model",
            PluginRole::Comparator => "a comparator",
            PluginRole::Metric => "a metric",
        }
    }

    fn export(self) -> &'static str {
        match self {
            PluginRole::Model | PluginRole::Comparator => DECIDER,
            PluginRole::Metric => SCORER,
        }
    }
}

/// Files that a study gives to a plugin: name and bytes. Shared, since they may be large.
pub type Assets = std::sync::Arc<[(String, Vec<u8>)]>;

/// The bytes of a plugin, as they were when they were read.
#[derive(Clone)]
pub struct ComponentFile {
    /// Where they were read.
    pub path: PathBuf,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, in hexadecimal.
    pub digest: String,
}

impl ComponentFile {
    /// InputField a plugin.
    ///
    /// # Errors
    /// When the file cannot be read, is no Wasm, or is a core module.
    pub fn read(path: &Path) -> Result<ComponentFile, SandboxError> {
        let bytes = std::fs::read(path)
            .map_err(|source| SandboxError::Unreadable { path: path.to_owned(), source })?;
        ComponentFile::from_bytes(path, bytes)
    }

    /// A plugin whose bytes came otherwise; messages call it `path`.
    ///
    /// # Errors
    /// When it is no Wasm, or a core module.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<ComponentFile, SandboxError> {
        // Magic, version, layer: a component is layer 1, a core module layer 0.
        match bytes.get(..8) {
            Some([0, b'a', b's', b'm', _, _, 1, 0]) => {}
            Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
                return Err(SandboxError::CoreModule { path: path.to_owned() });
            }
            _ => return Err(SandboxError::NotWasm { path: path.to_owned() }),
        }
        let digest = sha256_hex(&bytes);
        Ok(ComponentFile { path: path.to_owned(), bytes, digest })
    }
}

/// SHA-256 in lower-case hexadecimal: the name by which a plugin or an asset is kept.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles a plugin (or takes it from the cache), links it with nothing and finds its exports.
pub(super) fn link<W: World>(
    sandbox: &Sandbox,
    file: &ComponentFile,
    role: PluginRole,
    cache: Option<&Path>,
) -> Result<W::Pre, SandboxError> {
    let invalid = |error: wasmtime::Error| SandboxError::Invalid {
        path: file.path.clone(),
        why: super::clean(&format!("{error:#}")),
    };
    let component = match cache {
        Some(folder) => compile_cache::load(sandbox.engine(), file, folder),
        None => sandbox.compile(&file.bytes),
    }
    .map_err(invalid)?;
    let kind = component.component_type();
    let names: Vec<String> = kind.imports(sandbox.engine()).map(|(name, _)| super::clean(name)).collect();
    if !names.is_empty() {
        return Err(SandboxError::Imports { path: file.path.clone(), names });
    }
    let exports = |wanted: &str| {
        kind.exports(sandbox.engine())
            .any(|(name, item)| name == wanted && matches!(item.ty, ComponentItem::ComponentInstance(_)))
    };
    if !exports(role.export()) {
        let found = match (exports(DECIDER), exports(SCORER)) {
            (true, _) => "is a model or a comparator",
            (_, true) => "is a metric",
            _ => "is a component of another kind",
        };
        let (wanted, export) = (role.with_article(), role.export());
        return Err(SandboxError::World { path: file.path.clone(), wanted, export, found });
    }
    let linked = Linker::new(sandbox.engine()).instantiate_pre(&component).map_err(invalid)?;
    W::prepare(linked).map_err(|error| SandboxError::interface::<W>(&error))
}
