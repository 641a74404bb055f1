//! Loads a study: parses `study.toml`, compiles its plugins, and collects all errors.
//!
//! Invariants: in a loaded study every field that a plugin reads is declared with that type and granted; no
//! model reads a field of the decision; all answers have the form that the metrics accept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::plugins::compile_cache_folder::{CompileCache, compile_cache_folder};
use crate::plugins::embedded_components::{ComponentError, stock_component};
use crate::plugins::loaded_plugin::LoadedPlugin;
use crate::plugins::registry_component::registry_component;
use crate::plugins::stored_files::{StoredFiles, StoredPlugin, asset_file_name, plugin_file_name};
use understudy_run_log::ledger::Asset;
use understudy_run_log::{ensure_regular_file, read_file, read_text_file};
use understudy_sandbox::{
    Assets, Budget, ComponentFile, ConfigMismatch, DeciderPlugin, PluginRole, Sandbox, SandboxError,
    ScorerPlugin, sha256_hex,
};
use understudy_study::{
    CanonicalError, CanonicalStudy, Fault, Faults, InvalidStudy, Limits, Plugin, PluginSource, Plugins,
    Position, RegistryReference, Study, parse, read_advice,
};

/// A study with all its plugins loaded and checked.
pub struct LoadedStudy {
    /// The parsed declaration.
    pub study: Study,
    /// Path of the declaration.
    pub path: PathBuf,
    /// Text of the declaration, as read.
    pub text: String,
    /// Canonical form of the declaration, independent of layout and comments.
    pub canonical: CanonicalStudy,
    /// The folder that relative paths of the declaration start from.
    pub folder: PathBuf,
    /// The models, in the order declared.
    pub models: Vec<LoadedPlugin<DeciderPlugin>>,
    /// The comparator.
    pub comparator: LoadedPlugin<DeciderPlugin>,
    /// The metrics, in the order declared.
    pub metrics: Vec<LoadedPlugin<ScorerPlugin>>,
    /// For each reference of the threshold, the share of each condition value, by value index.
    pub references: Vec<Vec<f64>>,
    /// Files that the declaration names besides plugins and assets, by their name in it.
    pub files: Files,
    /// The key that ids are hashed with: the first 64 bits of SHA-256 of the study's name. All runs and
    /// what-ifs of a study therefore split ids into the same halves.
    pub key: u64,
}

/// Why a study cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadStudyError {
    /// The declaration cannot be read.
    #[error("cannot read {}: {error}; {}", path.display(), read_advice(error, "name a study.toml"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// The declaration or its plugins have errors.
    #[error("{}", faults.display(path))]
    Faults {
        /// The file.
        path: PathBuf,
        /// All errors of the declaration and its plugins.
        faults: Faults,
    },
    /// The declaration has no canonical form.
    #[error("{}: {what}; write it otherwise", path.display())]
    CanonicalError {
        /// The file.
        path: PathBuf,
        /// Why.
        what: CanonicalError,
    },
    /// A stored file of a run is missing or changed.
    #[error(
        "{} is missing or differs from the file that the run used, so nothing can be recomputed; report.json still has the statistics, and `understudy verify` lists all faults",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The plugins of a swap cannot be loaded again.
    #[error("cannot load the swapped plugins: {0}")]
    Exchanges(String),
    /// The sandbox cannot be set up.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Reads a study and loads its plugins from the declared paths. `adjust` may change limits.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load_study(path: &Path, overrule: impl FnOnce(&mut Study)) -> Result<LoadedStudy, LoadStudyError> {
    load(path, overrule, None, CompileCache::Used)
}

pub(crate) fn load(
    path: &Path,
    overrule: impl FnOnce(&mut Study),
    stored: Option<StoredFiles<'_>>,
    compile_cache: CompileCache,
) -> Result<LoadedStudy, LoadStudyError> {
    let text =
        read_text_file(path).map_err(|error| LoadStudyError::Unreadable { path: path.to_owned(), error })?;
    let wrong = |faults| LoadStudyError::Faults { path: path.to_owned(), faults };
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let cache = match compile_cache {
        CompileCache::Used => compile_cache_folder(),
        CompileCache::Bypassed => None,
    };
    let loader = |limits: &Limits, instances: usize| -> Result<Loader<'_>, LoadStudyError> {
        let sandbox = Sandbox::new(budget(limits), instances as u32)?;
        let (folder, cache) = (folder.clone(), cache.clone());
        Ok(Loader { sandbox, folder, stored, cache, faults: Vec::new(), model_files: Vec::new() })
    };
    let mut study = match parse(&text) {
        Ok(study) => study,
        Err(unsound) => {
            let InvalidStudy { faults, plugins } = *unsound;
            let mut loader = loader(&plugins.limits, 1)?;
            loader.faults.extend_from_slice(faults.as_slice());
            loader.try_all(&plugins);
            return Err(wrong(Faults::new(loader.faults).unwrap_or(faults)));
        }
    };
    let canonical = CanonicalStudy::from_toml(&text)
        .map_err(|what| LoadStudyError::CanonicalError { path: path.to_owned(), what })?;
    overrule(&mut study);
    let mut loader = loader(&study.limits, instances(&study))?;

    let models = study.models.iter().filter_map(|p| loader.decider(Some(&study), p, PluginRole::Model));
    let models: Vec<_> = models.collect();
    let comparator = loader.decider(Some(&study), &study.comparator, PluginRole::Comparator);
    let metrics: Vec<_> = study.metrics.iter().filter_map(|p| loader.metric(p)).collect();
    if let Some(comparator) = &comparator {
        loader.check_forms(&study, &models, comparator, &metrics);
        loader.check_threshold(&study, comparator, &metrics);
        loader.check_ceiling(&study, comparator, &metrics);
        if let Some(threshold) = &mut study.threshold {
            threshold.form = comparator.plugin.form;
        }
    }
    let (references, mut files) = loader.references(&study);
    // A file beside a model may be named by another part of the declaration, too.
    for file in std::mem::take(&mut loader.model_files) {
        if files.iter().all(|(name, _)| *name != file.0) {
            files.push(file);
        }
    }
    match (Faults::new(loader.faults), comparator) {
        (None, Some(comparator)) => {
            let (path, folder) = (path.to_owned(), loader.folder);
            let key = sha256_hex(study.name.as_bytes());
            let key = u64::from_str_radix(&key[..16], 16).expect("a digest is hexadecimal");
            Ok(LoadedStudy {
                study,
                path,
                text,
                canonical,
                folder,
                models,
                comparator,
                metrics,
                references,
                files,
                key,
            })
        }
        (faults, _) => Err(wrong(faults.expect("a comparator that is not there left a fault"))),
    }
}

/// The budget of a plugin in a study with these limits.
pub(super) fn budget(limits: &Limits) -> Budget {
    Budget {
        fuel: limits.fuel_per_row,
        timeout: Duration::try_from(limits.call_timeout).unwrap_or(Duration::MAX),
        memory: limits.memory_mib << 20,
        // Answers to the largest batch, with label names and reasons.
        returned: 64 << 20,
        answer: limits.answer_bytes(),
    }
}

/// The maximum number of live instances: per worker one of each model and one for the determinism check; one
/// of each model for blinded snapshots; one comparator; each metric once for scoring and once for the report;
/// and one that is being loaded.
fn instances(study: &Study) -> usize {
    let sealed = study.limits.workers * (study.models.len() + 1)
        + study.models.len()
        + 1
        + 2 * study.metrics.len()
        + 1;
    // During swaps of a served run, old and new instances exist side by side.
    sealed * if study.is_live() { 3 } else { 1 }
}

/// File contents, by the name that the declaration uses.
pub type Files = Vec<(String, Vec<u8>)>;

pub(crate) struct Loader<'k> {
    sandbox: Sandbox,
    pub(crate) folder: PathBuf,
    /// The stored files of a run, if plugins are loaded from there.
    stored: Option<StoredFiles<'k>>,
    cache: Option<PathBuf>,
    faults: Vec<Fault>,
    /// The files of trained models, by the name that the declaration uses.
    pub(crate) model_files: Files,
}

/// Where the component of a plugin is read from.
enum ComponentSource<'a> {
    /// A file: as declared, or as a run stores it.
    Path(PathBuf),
    /// The name of a stock plugin.
    Stock(&'a str),
    /// A component that was pulled from a registry into this folder.
    Registry(PathBuf, &'a RegistryReference),
}

impl ComponentSource<'_> {
    fn read(&self) -> Result<ComponentFile, ComponentError> {
        match self {
            ComponentSource::Path(path) => {
                ensure_regular_file(path)
                    .map_err(|source| SandboxError::Unreadable { path: path.clone(), source })?;
                Ok(ComponentFile::read(path)?)
            }
            ComponentSource::Stock(name) => stock_component(name),
            ComponentSource::Registry(folder, reference) => Ok(registry_component(folder, reference)?),
        }
    }
}

/// What a plugin is made of.
struct PluginParts {
    file: ComponentFile,
    config: String,
    assets: Assets,
    importer: Option<String>,
}

impl Loader<'_> {
    /// The files that a run stores besides plugins and assets.
    pub(crate) fn stored_files(&self) -> &[Asset] {
        self.stored.map_or(&[][..], |stored| stored.files)
    }

    /// The digest of a stored file, by the name that the declaration uses.
    pub(crate) fn stored_digest(&self, name: &str) -> Option<String> {
        self.stored_files().iter().find(|file| file.name == name).map(|file| file.sha256.clone())
    }

    /// The folder of compiled plugins and lowered models; `None` if they are not cached.
    pub(crate) fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    pub(crate) fn fault(&mut self, line: usize, message: String) {
        self.faults.push(Fault { line, message });
    }

    /// Loads the plugins of an invalid declaration, to collect their errors too. Plugin inputs are not
    /// checked, since the field tables may be what is invalid.
    fn try_all(&mut self, plugins: &Plugins) {
        for model in &plugins.models {
            self.decider(None, model, PluginRole::Model);
        }
        if let Some(comparator) = &plugins.comparator {
            self.decider(None, comparator, PluginRole::Comparator);
        }
        for metric in &plugins.metrics {
            self.metric(metric);
        }
    }

    /// The paths of the assets of a plugin: as declared, or as a run stores them.
    fn asset_paths(&self, plugin: &Plugin) -> Vec<(String, PathBuf)> {
        match self.stored_plugin(plugin) {
            Some(stored) => {
                let path = |digest: &str| self.folder.join(asset_file_name(digest));
                stored.assets.iter().map(|(name, digest)| (name.clone(), path(digest))).collect()
            }
            None => {
                let path = |path: &PathBuf| self.folder.join(path);
                plugin.assets.iter().map(|(name, declared)| (name.clone(), path(declared))).collect()
            }
        }
    }

    /// The path of the component that a run stores for a plugin, or that replaces it.
    fn stored_component(&self, stored: &StoredPlugin) -> PathBuf {
        let instead = self.stored.map_or(&[][..], |stored| stored.instead);
        match instead.iter().find(|(name, _)| *name == stored.name) {
            Some((_, path)) => path.clone(),
            None => self.folder.join(plugin_file_name(&stored.digest)),
        }
    }

    /// The plugin as the run stores it, if plugins are loaded from a run.
    fn stored_plugin(&self, plugin: &Plugin) -> Option<&StoredPlugin> {
        self.stored?.plugins.iter().find(|stored| stored.name == plugin.name)
    }

    /// Reads component, configuration and assets.
    fn read(&mut self, role: PluginRole, plugin: &Plugin) -> Option<PluginParts> {
        let what = format!("{} \"{}\"", role.name(), plugin.name);
        let importer = self.stored_plugin(plugin).and_then(|stored| stored.importer.clone());
        let source = match (self.stored_plugin(plugin), &plugin.source) {
            (Some(stored), source) => {
                let path = self.stored_component(stored);
                if let PluginSource::ModelFile(model) = source {
                    self.read_stored_files(model, &what);
                }
                ComponentSource::Path(path)
            }
            (None, PluginSource::Path(path)) => ComponentSource::Path(self.folder.join(path)),
            (None, PluginSource::Stock(name)) => ComponentSource::Stock(name),
            (None, PluginSource::Registry(reference)) => {
                ComponentSource::Registry(self.folder.clone(), reference)
            }
            (None, PluginSource::ModelFile(model)) => {
                let (file, assets, importer) = self.import_file(plugin, model, &what)?;
                let config = plugin.config.to_string();
                return Some(PluginParts { file, config, assets, importer: Some(importer) });
            }
        };
        let mut assets = Vec::new();
        let mut sound = true;
        for (name, path) in self.asset_paths(plugin) {
            match read_file(&path) {
                Ok(bytes) => assets.push((name, bytes)),
                Err(error) => {
                    sound = false;
                    let path = path.display();
                    self.fault(
                        plugin.line,
                        format!("{what}: cannot read its asset `{name}`, {path}: {error}; correct the path"),
                    );
                }
            }
        }
        match source.read() {
            Ok(file) if sound => {
                let config = plugin.config.to_string();
                Some(PluginParts { file, config, assets: assets.into(), importer })
            }
            Ok(_) => None,
            Err(error) => {
                self.fault(plugin.source_line, format!("{what}: {error}"));
                None
            }
        }
    }

    /// Reports why a plugin cannot be loaded, on the line that can fix it.
    fn push_rejection(&mut self, role: PluginRole, plugin: &Plugin, error: &SandboxError) {
        let line = match error {
            SandboxError::ConfigMismatch { mismatches } => {
                return mismatches.iter().for_each(|mismatch| self.push_mismatch(role, plugin, mismatch));
            }
            SandboxError::Config { .. } => plugin.config_line,
            SandboxError::Call(_) => plugin.line,
            _ => plugin.source_line,
        };
        self.fault(line, format!("{} \"{}\": {error}", role.name(), plugin.name));
    }

    /// Reports a value of a configuration that does not fit the plugin's schema.
    fn push_mismatch(&mut self, role: PluginRole, plugin: &Plugin, mismatch: &ConfigMismatch) {
        let positions = &plugin.config_positions;
        let position = match mismatch.is_key {
            true => positions.key(&mismatch.pointer),
            false => positions.value(&mismatch.pointer),
        };
        let (line, message) = match position {
            Some(Position { line, column }) => (line, mismatch.at_column(column)),
            None => (plugin.config_line, mismatch.to_string()),
        };
        self.fault(line, format!("{} \"{}\": cannot configure it: {message}", role.name(), plugin.name));
    }

    fn decider(
        &mut self,
        study: Option<&Study>,
        plugin: &Plugin,
        role: PluginRole,
    ) -> Option<LoadedPlugin<DeciderPlugin>> {
        let PluginParts { file, config, assets, importer } = self.read(role, plugin)?;
        let cache = self.cache.as_deref();
        let loaded = DeciderPlugin::load(&self.sandbox, &file, role, config, assets.clone(), cache);
        match loaded {
            Ok(mut loaded) => {
                if let Some(study) = study {
                    self.check_reads(study, plugin, role, &loaded.reads);
                }
                // The component is the same for all trained models, so the file tells them apart.
                if let Some(name) = plugin.model_file().and_then(|model| model.path.file_name()) {
                    loaded.title = format!("{}, {}", name.to_string_lossy(), loaded.title);
                }
                Some(LoadedPlugin { name: plugin.name.clone(), file, assets, importer, plugin: loaded })
            }
            Err(error) => {
                self.push_rejection(role, plugin, &error);
                None
            }
        }
    }

    fn metric(&mut self, plugin: &Plugin) -> Option<LoadedPlugin<ScorerPlugin>> {
        let PluginParts { file, config, assets, importer } = self.read(PluginRole::Metric, plugin)?;
        match ScorerPlugin::load(&self.sandbox, &file, config, assets.clone(), self.cache.as_deref()) {
            Ok(loaded) => {
                let name = plugin.name.clone();
                Some(LoadedPlugin { name, file, assets, importer, plugin: loaded })
            }
            Err(error) => {
                self.push_rejection(PluginRole::Metric, plugin, &error);
                None
            }
        }
    }
}
