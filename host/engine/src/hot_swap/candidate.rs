//! Loads the plugin that is to take over a slot, and checks that it can.
//!
//! Invariants: a candidate reads only the fields that its slot was granted with the seal, and its answers or
//! components can be added to the sums of the study.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::hot_swap::request::{Replacement, SwapError, SwapRequest};
use crate::hot_swap::swappable_slot::{ComparablePlugin as _, SwappableSlot};
use crate::plugins::plugin_versions::PluginVersions;
use crate::plugins::slot_kind::ReplaceablePlugin as _;
use crate::plugins::stored_files::{asset_file_name, plugin_file_name};
use crate::plugins::trained_model::ImportedReplacement;
use understudy_run_log::ledger::{Asset, SwappedModel};
use understudy_sandbox::{ComponentFile, ModelFiles, sha256_hex};
use understudy_study::Study;

/// A plugin that is to take over a slot.
pub(crate) struct Candidate<P> {
    pub plugin: P,
    /// SHA-256 of the component, in hexadecimal.
    pub component: String,
    /// The configuration, a JSON object.
    pub config: String,
    /// The trained model that the plugin runs, if a swap has replaced the sealed one.
    pub model: Option<SwappedModel>,
    /// Files for the run directory, by their path in it. It already has those of a previous version.
    pub files: Vec<(String, Vec<u8>)>,
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
    let candidate = match &request.replacement {
        Replacement::Previous => {
            let missing = || SwapError::NoPreviousVersion(slot.name.clone());
            let previous = slot.previous().ok_or_else(missing)?;
            return Ok(Candidate {
                plugin: previous.plugin.clone(),
                component: previous.component.clone(),
                config: previous.config.clone(),
                model: previous.model.clone(),
                files: Vec::new(),
            });
        }
        Replacement::Model { path, files } => load_model::<K>(study, versions, index, path, files)?,
        Replacement::Plugin { component, config } => {
            load_component::<K>(run, versions, index, component.as_ref(), config.as_ref())?
        }
    };
    let declared = K::declaration(study, index);
    let reasons = current.plugin.incompatibilities(study, declared, K::ROLE, &candidate.plugin);
    if !reasons.is_empty() {
        return Err(SwapError::Incompatible(reasons));
    }
    Ok(candidate)
}

/// Loads another component, configuration or both, with the files of the current plugin.
fn load_component<K: SwappableSlot>(
    run: &Path,
    versions: &PluginVersions,
    index: usize,
    component: Option<&(PathBuf, Vec<u8>)>,
    config: Option<&Map<String, Value>>,
) -> Result<Candidate<K::Plugin>, SwapError> {
    let slot = K::slot(versions, index);
    let current = slot.current();
    let file = match component {
        Some((path, bytes)) => ComponentFile::from_bytes(path, bytes.clone())?,
        None => ComponentFile::read(&run.join(plugin_file_name(&current.component)))?,
    };
    let config =
        config.map_or_else(|| current.config.clone(), |config| Value::from(config.clone()).to_string());
    if file.digest == current.component && config == current.config {
        return Err(SwapError::Unchanged(slot.name.clone()));
    }
    let plugin = K::load(versions, index, &file, config.clone(), None, true)?;
    let files = vec![(plugin_file_name(&file.digest), file.bytes)];
    Ok(Candidate { plugin, component: file.digest, config, model: current.model.clone(), files })
}

/// Imports another model file and loads its runtime.
fn load_model<K: SwappableSlot>(
    study: &Study,
    versions: &PluginVersions,
    index: usize,
    path: &Path,
    files: &ModelFiles,
) -> Result<Candidate<K::Plugin>, SwapError> {
    let slot = K::slot(versions, index);
    let current = slot.current();
    let declared = K::declaration(study, index).model_file();
    let declared = declared.ok_or_else(|| SwapError::NoTrainedModel(slot.name.clone()))?;
    let imported = ImportedReplacement::import(files, &declared.options().to_string())
        .map_err(|error| SwapError::Import { path: path.to_owned(), error })?;
    let assets = imported.assets();
    let ImportedReplacement { runtime, lowered, importer } = imported;
    if runtime.digest == current.component && assets == current.plugin.assets() {
        return Err(SwapError::Unchanged(slot.name.clone()));
    }
    let config = current.config.clone();
    let plugin = K::load(versions, index, &runtime, config.clone(), Some(assets), true)?;
    let mut stored = vec![(plugin_file_name(&runtime.digest), runtime.bytes)];
    let mut store = |bytes: Vec<u8>| {
        let digest = sha256_hex(&bytes);
        stored.push((asset_file_name(&digest), bytes));
        digest
    };
    let others = files.others.iter().map(|(name, bytes)| (path.with_file_name(name), bytes));
    let model = SwappedModel {
        lowered: store(lowered),
        importer,
        files: [(path.to_owned(), &files.main)]
            .into_iter()
            .chain(others)
            .map(|(name, bytes)| Asset {
                name: name.to_string_lossy().into_owned(),
                sha256: store(bytes.clone()),
            })
            .collect(),
    };
    Ok(Candidate { plugin, component: runtime.digest, config, model: Some(model), files: stored })
}
