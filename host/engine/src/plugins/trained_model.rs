//! Loads trained models: a file of the study becomes an asset of a model runtime, which is part of the program.
//!
//! Invariants:
//! - A model file is imported in the sandbox, by the importer that is part of the program.
//! - A run stores the lowered model and the model runtime, so that a replay neither parses the file again nor depends on the
//!   version of the program.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::plugins::compile_cache_folder::compile_cache_folder;
use crate::plugins::embedded_components::{model_importer, model_runtime};
use crate::plugins::load::Loader;
use crate::plugins::stored_files::asset_file_name;
use understudy_run_log::{read_file, read_file_within};
use understudy_sandbox::{
    Assets, Budget, ComponentFile, DeciderPlugin, ImportError, ImportedModel, MAX_MODEL_SIZE, ModelFiles,
    PluginRole, Sandbox, SandboxError, import_cached, import_model as import_in_sandbox,
};
use understudy_study::{ModelFile, Plugin};

/// The file in which MLflow describes a model.
const MLMODEL: &str = "MLmodel";

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

/// Why the file of a trained model cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}; name the file of a trained model", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Imports a model file, or the folder of one with its `MLmodel`. `options` is a JSON object: see `import-model` in
/// `wit/shadow.wit`. Returns the model and the size of its files in bytes.
///
/// # Errors
/// If a file cannot be read or is refused, or the import exceeds its limits.
pub fn import_model(path: &Path, options: &str) -> Result<(ImportedModel, usize), ImportFileError> {
    let path = main_file(path);
    let main =
        read_model_file(&path).map_err(|error| ImportFileError::Unreadable { path: path.clone(), error })?;
    let mut files = ModelFiles { main, others: Vec::new() };
    let read = |name: &str| read_beside(&path, name);
    let importer = model_importer().map_err(ImportError::from)?;
    let imported =
        import_in_sandbox(&importer, &mut files, options, read, compile_cache_folder().as_deref())?;
    Ok((imported, files.size()))
}

/// Whether the cache has the compiled importer, of this or of another version of the compiler. Compiling it takes a while.
pub fn is_importer_cached() -> bool {
    let Some(Ok(entries)) = compile_cache_folder().map(std::fs::read_dir) else { return false };
    let Ok(importer) = model_importer() else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(&importer.digest) && name.ends_with(".cwasm")
    })
}

/// A model file and the files beside it that belong to it, as an import reads them. `path` is the file, or the folder of one with
/// its `MLmodel`. Returns the path of the file, too. `options` is a JSON object: see `import-model` in `wit/shadow.wit`.
///
/// # Errors
/// If a file cannot be read or is refused, or the import exceeds its limits.
pub fn read_model_files(path: &Path, options: &str) -> Result<(PathBuf, ModelFiles), ImportFileError> {
    let path = main_file(path);
    let main =
        read_model_file(&path).map_err(|error| ImportFileError::Unreadable { path: path.clone(), error })?;
    let mut files = ModelFiles { main, others: Vec::new() };
    let importer = model_importer().map_err(ImportError::from)?;
    let read = |name: &str| read_beside(&path, name);
    import_cached(&importer, &mut files, options, read, compile_cache_folder().as_deref())?;
    Ok((path, files))
}

/// A model that was imported to take over a slot.
pub(crate) struct ImportedReplacement {
    /// What runs the lowered model.
    pub runtime: ComponentFile,
    /// The lowered model.
    pub lowered: Vec<u8>,
    /// SHA-256 of the importer, in hexadecimal.
    pub importer: String,
}

impl ImportedReplacement {
    /// Imports files that came with a request.
    ///
    /// # Errors
    /// If they are refused, or a file is missing among them.
    pub(crate) fn import(files: &ModelFiles, options: &str) -> Result<ImportedReplacement, ImportError> {
        let importer = model_importer()?;
        let missing = |_: &str| Err("the request does not have it".to_owned());
        let cache = compile_cache_folder();
        let lowered = import_cached(&importer, &mut files.clone(), options, missing, cache.as_deref())?;
        Ok(ImportedReplacement { runtime: model_runtime(&lowered)?, lowered, importer: importer.digest })
    }

    /// What the runtime receives.
    pub(crate) fn assets(&self) -> Assets {
        model_assets(self.lowered.clone())
    }
}

/// The assets of a model runtime.
pub(crate) fn model_assets(lowered: Vec<u8>) -> Assets {
    vec![(ASSET.to_owned(), lowered)].into()
}

/// The file that an import begins with: in a folder that MLflow has saved, its `MLmodel`.
fn main_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(MLMODEL) } else { path.to_owned() }
}

/// Reads a file that belongs to a model file, by its path relative to the folder of the latter. It is inside of that
/// folder, also if links are followed.
fn read_beside(model: &Path, name: &str) -> Result<Vec<u8>, String> {
    let folder = match model.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let canonical = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
    let (folder, path) = (canonical(folder)?, canonical(&folder.join(name))?);
    if !path.starts_with(&folder) {
        return Err("it is a link to a file outside of the model's folder".to_owned());
    }
    read_model_file(&path).map_err(|error| error.to_string())
}

/// Reads a file, unless it is larger than all files of a model may be.
fn read_model_file(path: &Path) -> io::Result<Vec<u8>> {
    read_file_within(path, MAX_MODEL_SIZE as u64)
}

/// Loads a lowered model as a study does, with limits of its own: to measure or to check it.
///
/// # Errors
/// If the model cannot be run.
pub fn load_lowered_model(model: Vec<u8>) -> Result<DeciderPlugin, SandboxError> {
    let sandbox = Sandbox::new(BUDGET, 2)?;
    let runtime = model_runtime(&model)?;
    let assets = model_assets(model);
    let (role, cache) = (PluginRole::Model, compile_cache_folder());
    DeciderPlugin::load(&sandbox, &runtime, role, "{}".to_owned(), assets, cache.as_deref())
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
        let path = main_file(&self.folder.join(&model.path));
        let main = match read_model_file(&path) {
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
        let mut files = ModelFiles { main, others: Vec::new() };
        let options = model.options().to_string();
        let read = |name: &str| read_beside(&path, name);
        let imported = model_importer().map_err(ImportError::from).and_then(|importer| {
            let bytes = import_cached(&importer, &mut files, &options, read, self.cache())?;
            Ok((model_runtime(&bytes)?, bytes, importer.digest))
        });
        match imported {
            Ok((runtime, bytes, importer)) => {
                // The names are those of the declaration, and of files beside the model file.
                let name = main_file_name(&model.path, path.ends_with(MLMODEL));
                for (other, bytes) in files.others {
                    self.keep_file(&name.with_file_name(other), bytes);
                }
                self.keep_file(&name, files.main);
                Some((runtime, model_assets(bytes), importer))
            }
            Err(error) => {
                let path = model.path.display();
                self.fault(plugin.source_line, format!("{what}: cannot import {path}: {error}"));
                None
            }
        }
    }

    /// Reads the files of a trained model that a run stores: the file that the declaration names, and those beside it.
    pub(crate) fn read_stored_files(&mut self, model: &ModelFile, what: &str) {
        let folder = match model.path.parent() {
            _ if self.stored_digest(&model.path.to_string_lossy()).is_none() => model.path.as_path(),
            Some(folder) => folder,
            None => Path::new(""),
        };
        let stored: Vec<(String, String)> = self
            .stored_files()
            .iter()
            .filter(|file| Path::new(&file.name).starts_with(folder))
            .map(|file| (file.name.clone(), file.sha256.clone()))
            .collect();
        for (name, digest) in stored {
            let path = self.folder.join(asset_file_name(&digest));
            match read_file(&path) {
                Ok(file) => self.keep_file(Path::new(&name), file),
                Err(error) => self.fault(
                    model.line,
                    format!(
                        "{what}: cannot read {}: {error}; restore the run directory from a copy",
                        path.display()
                    ),
                ),
            }
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

/// The name of the file that an import begins with, as the seal lists it.
fn main_file_name(declared: &Path, is_mlmodel: bool) -> PathBuf {
    if is_mlmodel && !declared.ends_with(MLMODEL) { declared.join(MLMODEL) } else { declared.to_owned() }
}
