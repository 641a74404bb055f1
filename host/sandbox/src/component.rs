//! Reads plugin files, and compiles and links them.
//!
//! Invariants:
//! - A linked component imports nothing and exports the interface of its role.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::{Linker, types::ComponentItem};

use super::engine::Sandbox;
use super::instance::World;
use super::{SandboxError, compile_cache};

pub(super) const DECIDER: &str = "understudy:shadow/decider@0.1.0";
pub(super) const SCORER: &str = "understudy:shadow/scorer@0.1.0";

/// The role of a plugin in a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginRole {
    /// Answers snapshots.
    Model,
    /// Converts decisions to the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

impl PluginRole {
    /// The name of the role in messages.
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

/// The assets of a plugin: name and content. Shared, because they may be large.
pub type Assets = std::sync::Arc<[(String, Vec<u8>)]>;

/// The content of a plugin file.
#[derive(Clone)]
pub struct ComponentFile {
    /// The path for messages.
    pub path: PathBuf,
    /// The WebAssembly component.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub digest: String,
}

impl ComponentFile {
    /// Reads a plugin file.
    ///
    /// # Errors
    /// If the file cannot be read, is not WebAssembly, or is a core module.
    pub fn read(path: &Path) -> Result<ComponentFile, SandboxError> {
        let bytes = std::fs::read(path)
            .map_err(|source| SandboxError::Unreadable { path: path.to_owned(), source })?;
        ComponentFile::from_bytes(path, bytes)
    }

    /// Creates a plugin file from bytes in memory. Messages refer to it as `path`.
    ///
    /// # Errors
    /// If the bytes are not WebAssembly, or are a core module.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<ComponentFile, SandboxError> {
        // Magic, version, layer: 1 for a component, 0 for a core module.
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

/// SHA-256 in lower-case hexadecimal. Plugins and assets are stored under this name.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles a plugin or loads it from the cache, links it without imports, and checks its exports.
pub(super) fn link<W: World>(
    sandbox: &Sandbox,
    file: &ComponentFile,
    role: PluginRole,
    cache: Option<&Path>,
) -> Result<W::Linked, SandboxError> {
    let invalid = |error: wasmtime::Error| SandboxError::Invalid {
        path: file.path.clone(),
        why: super::sanitize(&format!("{error:#}")),
    };
    let component = match cache {
        Some(folder) => compile_cache::load(sandbox.engine(), file, folder),
        None => sandbox.compile(&file.bytes),
    }
    .map_err(invalid)?;
    let kind = component.component_type();
    let names: Vec<String> = kind.imports(sandbox.engine()).map(|(name, _)| super::sanitize(name)).collect();
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
