//! The folder of a plugin, in the language that its manifest tells. Each language is a module.

mod c;
mod cargo;
mod core_module;
mod interpreter;
mod npm;
mod python;

use std::path::{Path, PathBuf};

use anyhow::bail;

/// A plugin in the folder of its source.
pub(super) trait Package {
    /// Path of the component that is built by default.
    fn component(&self) -> PathBuf;

    /// Builds the plugin and writes its component.
    ///
    /// # Errors
    /// If a tool is missing, the source is faulty, or what is built is no plugin.
    fn build(&self, component: &Path) -> anyhow::Result<()>;

    /// Whether the tool that builds finds out by itself what has changed, also outside of the folder.
    fn is_incremental(&self) -> bool {
        false
    }
}

/// Reads the manifest of a plugin. It tells the language.
///
/// # Errors
/// If there is no manifest, or it cannot be read.
pub(super) fn read_package(folder: &Path) -> anyhow::Result<Box<dyn Package>> {
    if folder.join(cargo::MANIFEST).is_file() {
        return Ok(Box::new(cargo::CargoPackage::read(folder)?));
    }
    if folder.join(npm::MANIFEST).is_file() {
        return Ok(Box::new(npm::NpmPackage::read(folder)?));
    }
    if folder.join(python::MANIFEST).is_file() {
        return Ok(Box::new(python::PythonPackage::read(folder)?));
    }
    if folder.join(c::MANIFEST).is_file() {
        return Ok(Box::new(c::CPackage::read(folder)?));
    }
    bail!(
        "cannot build {}: it has no {}, {}, {} or {}; name the folder of a plugin, or write one with `understudy plugin new`",
        folder.display(),
        cargo::MANIFEST,
        npm::MANIFEST,
        python::MANIFEST,
        c::MANIFEST
    )
}
