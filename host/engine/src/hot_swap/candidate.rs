//! Loads the plugin that is to take over a slot, and checks that it can.
//!
//! Invariants: a candidate reads only the fields that its slot was granted with the seal, and its answers or
//! components can be added to the sums of the study.

use std::path::Path;

use serde_json::Value;

use crate::hot_swap::request::{Replacement, SwapError, SwapRequest};
use crate::hot_swap::swappable_slot::{ComparablePlugin as _, SwappableSlot};
use crate::plugins::plugin_versions::PluginVersions;
use crate::plugins::stored_files::plugin_file_name;
use understudy_sandbox::ComponentFile;
use understudy_study::Study;

/// A plugin that is to take over a slot.
pub(crate) struct Candidate<P> {
    pub plugin: P,
    /// SHA-256 of the component, in hexadecimal.
    pub component: String,
    /// The configuration, a JSON object.
    pub config: String,
    /// The bytes of the component; `None` for a previous version, which the run directory stores.
    pub bytes: Option<Vec<u8>>,
}

/// Loads and checks the plugin that a request names. The previous version of a slot is already loaded. `run`
/// is the run directory, which stores the current component.
///
/// # Errors
/// When the plugin cannot be loaded, is the current one, or cannot take over the slot.
pub(crate) fn load_candidate<K: SwappableSlot>(
    study: &Study,
    run: &Path,
    versions: &PluginVersions,
    index: usize,
    request: &SwapRequest,
) -> Result<Candidate<K::Plugin>, SwapError> {
    let slot = K::slot(versions, index);
    let current = slot.current();
    let (component, config) = match &request.replacement {
        Replacement::Previous => {
            let missing = || SwapError::NoPreviousVersion(slot.name.clone());
            let previous = slot.previous().ok_or_else(missing)?;
            let (plugin, component) = (previous.plugin.clone(), previous.component.clone());
            return Ok(Candidate { plugin, component, config: previous.config.clone(), bytes: None });
        }
        Replacement::Plugin { component, config } => (component, config),
    };
    let file = match component {
        Some((path, bytes)) => ComponentFile::from_bytes(path, bytes.clone())?,
        None => ComponentFile::read(&run.join(plugin_file_name(&current.component)))?,
    };
    let config = config
        .as_ref()
        .map_or_else(|| current.config.clone(), |config| Value::from(config.clone()).to_string());
    if file.digest == current.component && config == current.config {
        return Err(SwapError::Unchanged(slot.name.clone()));
    }
    let plugin = K::load(versions, index, &file, config.clone(), true)?;
    let declared = K::declaration(study, index);
    let reasons = current.plugin.incompatibilities(study, declared, K::ROLE, &plugin);
    if !reasons.is_empty() {
        return Err(SwapError::Incompatible(reasons));
    }
    Ok(Candidate { plugin, component: file.digest, config, bytes: Some(file.bytes) })
}
