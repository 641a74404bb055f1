//! Loads trained models: a file of the study becomes an asset of the model runtime, which is part of the program.
//!
//! Invariants:
//! - A model file is imported in the sandbox, by the importer that is part of the program.
//! - A run stores the lowered model and the model runtime, so that a replay neither parses the file again nor depends on the
//!   version of the program.

use std::path::Path;
use std::time::Duration;

use crate::plugins::compile_cache_folder::compile_cache_folder;
use crate::plugins::load::Loader;
use crate::plugins::stored_files::asset_file_name;
use understudy_model_components::{IMPORTER, RUNTIME};
use understudy_run_log::read_file;
use understudy_sandbox::{
    Assets, Budget, ComponentFile, DeciderPlugin, ImportError, ImportedModel, PluginRole, Sandbox,
    SandboxError, import_cached, import_model as import_in_sandbox,
};
use understudy_study::{ModelFile, Plugin};

/// Name of the model runtime's asset that holds the lowered model.
const ASSET: &str = "model";

/// The limits of [`load_lowered_model`].
const BUDGET: Budget = Budget {
    fuel: 100_000_000_000,
    timeout: Duration::from_secs(60),
    memory: 4095 << 20,
    returned: 64 << 20,
    answer: 128 << 10,
};

/// The component that runs lowered models.
///
/// # Errors
/// If the program was built wrongly.
pub fn model_runtime() -> Result<ComponentFile, SandboxError> {
    ComponentFile::from_bytes(Path::new("the model runtime"), RUNTIME.to_vec())
}

/// The component that imports model files.
fn model_importer() -> Result<ComponentFile, SandboxError> {
    ComponentFile::from_bytes(Path::new("the model importer"), IMPORTER.to_vec())
}

/// Imports a model file. `options` is a JSON object: see `import-model` in `wit/shadow.wit`.
///
/// # Errors
/// If the file is refused, or the import exceeds its limits.
pub fn import_model(file: &[u8], options: &str) -> Result<ImportedModel, ImportError> {
    import_in_sandbox(&model_importer()?, file, options, compile_cache_folder().as_deref())
}

/// Loads a lowered model as a study does, with limits of its own: to measure or to check it.
///
/// # Errors
/// If the model cannot be run.
pub fn load_lowered_model(model: Vec<u8>) -> Result<DeciderPlugin, SandboxError> {
    let sandbox = Sandbox::new(BUDGET, 2)?;
    let assets = vec![(ASSET.to_owned(), model)].into();
    let (role, cache) = (PluginRole::Model, compile_cache_folder());
    DeciderPlugin::load(&sandbox, &model_runtime()?, role, "{}".to_owned(), assets, cache.as_deref())
}

impl Loader<'_> {
    /// Imports the file of a trained model. Returns the model runtime, its assets and the digest of the importer. `what` names
    /// the model.
    pub(crate) fn import_file(
        &mut self,
        plugin: &Plugin,
        model: &ModelFile,
        what: &str,
    ) -> Option<(ComponentFile, Assets, String)> {
        let path = self.folder.join(&model.path);
        let file = match read_file(&path) {
            Ok(file) => file,
            Err(error) => {
                let path = path.display();
                self.fault(
                    model.line,
                    format!("{what}: cannot read {path}: {error}; write where the model file is"),
                );
                return None;
            }
        };
        let options = model.options().to_string();
        let imported = model_importer().map_err(ImportError::from).and_then(|importer| {
            let bytes = import_cached(&importer, &file, &options, self.cache())?;
            Ok((model_runtime()?, bytes, importer.digest))
        });
        match imported {
            Ok((runtime, bytes, importer)) => {
                self.keep_file(&model.path, file);
                Some((runtime, vec![(ASSET.to_owned(), bytes)].into(), importer))
            }
            Err(error) => {
                let path = model.path.display();
                self.fault(plugin.path_line, format!("{what}: cannot import {path}: {error}"));
                None
            }
        }
    }

    /// Reads the file of a trained model that a run stores.
    pub(crate) fn read_stored_file(&mut self, model: &ModelFile, what: &str) {
        let name = model.path.to_string_lossy();
        let Some(digest) = self.stored_digest(&name) else { return };
        let path = self.folder.join(asset_file_name(&digest));
        match read_file(&path) {
            Ok(file) => self.keep_file(&model.path, file),
            Err(error) => self.fault(
                model.line,
                format!(
                    "{what}: cannot read {}: {error}; restore the run directory from a copy",
                    path.display()
                ),
            ),
        }
    }

    /// Adds a model file to the files of the study, unless another model has it already.
    fn keep_file(&mut self, path: &Path, bytes: Vec<u8>) {
        let name = path.to_string_lossy().into_owned();
        if !self.model_files.iter().any(|(known, _)| *known == name) {
            self.model_files.push((name, bytes));
        }
    }
}
