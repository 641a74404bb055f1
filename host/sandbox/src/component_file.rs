//! The content of plugin files, and the roles of plugins.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::SandboxError;
use super::world::{DECIDER, SCORER};
use understudy_study::hexadecimal;

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

    pub(super) fn with_article(self) -> &'static str {
        match self {
            PluginRole::Model => "a model",
            PluginRole::Comparator => "a comparator",
            PluginRole::Metric => "a metric",
        }
    }

    /// The name of the interface that a component of this role exports.
    pub fn export(self) -> &'static str {
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
    hexadecimal(&Sha256::digest(bytes))
}
