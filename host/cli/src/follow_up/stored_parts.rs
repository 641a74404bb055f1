//! The plugins and files of a decided study, as the run stores them.
//!
//! Invariants: each is the sealed one by its SHA-256.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use understudy_engine::{Seal, SealedPlugin, asset_file_name, plugin_file_name, stock_component};
use understudy_run_log::ledger::Asset;
use understudy_run_log::read_file;
use understudy_sandbox::sha256_hex;
use understudy_study::{Plugin, PluginSource, Shares, Study};

/// What a declaration writes for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredPart {
    /// The name of the plugin in the study.
    pub name: String,
    /// The name of a stock plugin, or the path of a component.
    pub plugin: String,
    /// Names and paths of the assets.
    pub assets: Vec<(String, String)>,
    /// Whether the plugin was declared as the file of a trained model. The component then runs the model that was imported
    /// from it.
    pub is_trained_model: bool,
}

/// The plugins of a study, and the files of its references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredParts {
    /// The plugins: models, comparator, metrics.
    pub plugins: Vec<StoredPart>,
    /// Declared paths of further files, and the paths in the run.
    pub files: Vec<(String, String)>,
}

/// The plugins and files that `run` stores. `written` is the path of the run directory as the declaration writes it.
///
/// # Errors
/// If a file is missing or is not the sealed one.
pub(super) fn stored_parts(
    run: &Path,
    seal: &Seal,
    study: &Study,
    written: &Path,
) -> anyhow::Result<StoredParts> {
    let store = Store { run, written };
    let declared = study.models.iter().chain([&study.comparator]).chain(&study.metrics);
    let plugin = |plugin: &Plugin| {
        let sealed = seal.plugins.iter().find(|sealed| sealed.name == plugin.name);
        let sealed = sealed.with_context(|| format!("the seal lacks the plugin \"{}\"", plugin.name))?;
        store.plugin(plugin, sealed)
    };
    let plugins = declared.map(plugin).collect::<anyhow::Result<_>>()?;
    let references = study.threshold.iter().flat_map(|threshold| &threshold.references);
    let mut files = Vec::new();
    for reference in references {
        let Shares::File(path) = &reference.shares else { continue };
        let name = path.to_string_lossy().into_owned();
        let sealed = seal.files.iter().find(|file| file.name == name);
        let sealed = sealed.with_context(|| format!("the seal lacks the file {name}"))?;
        files.push((name, store.asset(sealed, "a reference of the threshold")?));
    }
    Ok(StoredParts { plugins, files })
}

/// The files of a run.
struct Store<'a> {
    run: &'a Path,
    written: &'a Path,
}

impl Store<'_> {
    fn plugin(&self, plugin: &Plugin, sealed: &SealedPlugin) -> anyhow::Result<StoredPart> {
        let what = format!("{} \"{}\"", sealed.role, sealed.name);
        let stock = match &plugin.source {
            PluginSource::Stock(name) => stock_component(name)
                .ok()
                .filter(|component| component.digest == sealed.sha256)
                .map(|_| name.clone()),
            PluginSource::Path(_) | PluginSource::ModelFile(_) | PluginSource::Registry(_) => None,
        };
        let component = match stock {
            Some(name) => name,
            None => self.file(
                &plugin_file_name(&sealed.sha256),
                &sealed.sha256,
                &format!("the component of {what}"),
            )?,
        };
        let asset = |asset: &Asset| {
            let path = self.asset(asset, &format!("the asset `{}` of {what}", asset.name))?;
            Ok((asset.name.clone(), path))
        };
        Ok(StoredPart {
            name: plugin.name.clone(),
            plugin: component,
            assets: sealed.assets.iter().map(asset).collect::<anyhow::Result<_>>()?,
            is_trained_model: plugin.model_file().is_some(),
        })
    }

    fn asset(&self, asset: &Asset, what: &str) -> anyhow::Result<String> {
        self.file(&asset_file_name(&asset.sha256), &asset.sha256, what)
    }

    /// The path of a stored file as a declaration writes it.
    fn file(&self, name: &str, sha256: &str, what: &str) -> anyhow::Result<String> {
        let path = self.run.join(name);
        match read_file(&path) {
            Ok(bytes) if sha256_hex(&bytes) == sha256 => Ok(self.declared(name)),
            Ok(_) => bail!(
                "cannot use {}: it is {what}, and not the one that was sealed; restore the run directory from a copy",
                path.display()
            ),
            Err(error) => {
                bail!(
                    "cannot read {}: {error}; it is {what}; restore the run directory from a copy",
                    path.display()
                )
            }
        }
    }

    /// A path with a slash, since a plugin without one is a stock plugin.
    fn declared(&self, name: &str) -> String {
        let path: PathBuf = self.written.join(name);
        path.to_string_lossy().into_owned()
    }
}
