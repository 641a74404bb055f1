//! `understudy swap`: a new plugin for a served run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Exit;
use super::output::print_out;
use understudy_audit as audit;
use understudy_engine::{component_named, read_model_files};
use understudy_run_log::{read_file, read_text_file};
use understudy_service::control_client::request_json;
use understudy_study::{PluginSource, parse, short_digest};

/// Swap a plugin of a served run.
///
/// The new plugin is compiled, checked and compared with the current one on the latest pairs. It then
/// replaces the current one between two snapshots, and no snapshot is lost. See `[swaps]` in the declaration.
#[derive(clap::Args)]
pub(super) struct Swap {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Name of the plugin in the study, or `comparator`.
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// New component: the name of a stock plugin, a path, which has a slash or ends in .wasm, or a reference to a registry, which begins
    /// with oci:// and was pulled into the current folder. Omit it to change the configuration only.
    #[arg(value_name = "NEW", conflicts_with = "undo")]
    component: Option<String>,
    /// New file of a trained model, or folder that MLflow has saved. It is imported with the options that the study declares.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["undo", "component", "config"])]
    file: Option<PathBuf>,
    /// New configuration: a file with a JSON object.
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    config: Option<PathBuf>,
    /// Restore the previous version.
    #[arg(long)]
    undo: bool,
    /// Swap even if the answers are not equivalent. The swap is then a comparator change.
    #[arg(long)]
    force: bool,
    /// Reason, recorded in the ledger and in the report.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

impl Swap {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let mut request = json!({
            "plugin": self.plugin,
            "reason": self.reason,
            "who": audit::operator(self.who)?,
            "undo": self.undo,
            "force": self.force,
        });
        if let Some(component) = &self.component {
            let bytes = match PluginSource::component(component)? {
                PluginSource::Path(path) => {
                    read_file(&path).with_context(|| format!("cannot read component {component}"))?
                }
                _ => component_named(component)?.bytes,
            };
            request["component"] = STANDARD.encode(bytes).into();
            request["file"] = component.as_str().into();
        }
        if let Some(path) = &self.config {
            let shown = path.display();
            let text = read_text_file(path).with_context(|| format!("cannot read configuration {shown}"))?;
            let config: Value =
                serde_json::from_str(&text).with_context(|| format!("configuration {shown} is not JSON"))?;
            if !config.is_object() {
                bail!("configuration {shown} is not a JSON object; write one");
            }
            request["config"] = config;
        }
        if let Some(path) = &self.file {
            request["model"] = model_files(&self.run, &self.plugin, path)?;
        }
        if self.component.is_none() && self.config.is_none() && self.file.is_none() && !self.undo {
            bail!("the swap changes nothing; name a new component, --file FILE, --config FILE, or --undo");
        }
        let swap = request_json(&self.run, Method::POST, "/v1/swaps", Some(&request))?;
        let shadow = match (swap["shadow"]["pairs"].as_u64(), swap["shadow"]["agreeing"].as_u64()) {
            (Some(pairs), Some(agreeing)) => {
                format!("; agrees with the previous version on {agreeing} of {pairs} recent pairs")
            }
            _ => String::new(),
        };
        let comparator_change = match swap["comparator-change"].as_bool() {
            Some(true) => "; later results count as a comparator change",
            _ => "",
        };
        print_out(format_args!(
            "generation {}: \"{}\" is {} from snapshot {} and decision {}{shadow}{comparator_change}",
            swap["generation"],
            swap["plugin"].as_str().unwrap_or_default(),
            swap["sha256"].as_str().map(short_digest).unwrap_or_default(),
            swap["first-sequences"]["snapshots"],
            swap["first-sequences"]["decisions"],
        ))?;
        Ok(Exit::Done)
    }
}

/// The files of a trained model for the request. They are imported here first, since only that tells which files belong to a model.
fn model_files(run: &Path, plugin: &str, path: &Path) -> anyhow::Result<Value> {
    let declaration = run.join("study.toml");
    let text = read_text_file(&declaration)
        .with_context(|| format!("cannot read {}; name a run directory", declaration.display()))?;
    let study = parse(&text).map_err(|invalid| anyhow!("{}", invalid.faults.display(&declaration)))?;
    let declared = study.models.iter().chain([&study.comparator]).find(|declared| declared.name == plugin);
    let Some(model) = declared.and_then(|declared| declared.model_file()) else {
        bail!(
            "the study declares no file of a trained model for \"{plugin}\"; name a component instead of --file"
        );
    };
    let (path, files) = read_model_files(path, &model.options().to_string())
        .with_context(|| format!("cannot import {}", path.display()))?;
    let others: Map<String, Value> =
        files.others.iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes).into())).collect();
    Ok(json!({ "file": path.to_string_lossy(), "bytes": STANDARD.encode(&files.main), "others": others }))
}
