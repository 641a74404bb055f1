//! Compiles plugin files and links them.
//!
//! Invariants:
//! - A linked component imports nothing and exports the interface of its world.

use std::path::Path;

use wasmtime::component::{Linker, types::ComponentItem};

use super::component_file::ComponentFile;
use super::engine::Sandbox;
use super::world::{DECIDER, SCORER, World};
use super::{SandboxError, compile_cache};

/// Compiles a component or loads it from the cache, links it without imports, and checks its exports. `wanted` is what it
/// should be, with its article.
pub(super) fn link<W: World>(
    sandbox: &Sandbox,
    file: &ComponentFile,
    wanted: &'static str,
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
    if !exports(W::EXPORT) {
        let found = match (exports(DECIDER), exports(SCORER)) {
            (true, _) => "is a model or a comparator",
            (_, true) => "is a metric",
            _ => "is a component of another kind",
        };
        return Err(SandboxError::World { path: file.path.clone(), wanted, export: W::EXPORT, found });
    }
    let linked = Linker::new(sandbox.engine()).instantiate_pre(&component).map_err(invalid)?;
    W::prepare(linked).map_err(|error| SandboxError::interface::<W>(&error))
}
