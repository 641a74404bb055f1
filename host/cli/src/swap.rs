//! `understudy swap`: a new plugin for a served run.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Exit;
use super::output::print_out;
use understudy_audit as audit;
use understudy_engine::stock_component;
use understudy_run_log::{read_file, read_text_file};
use understudy_service::control_client::request_json;
use understudy_study::{PluginSource, short_digest};

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
    /// New component: the name of a stock plugin, or a path, which has a slash or ends in .wasm. Omit it to change the
    /// configuration only.
    #[arg(value_name = "NEW", conflicts_with = "undo")]
    component: Option<String>,
    /// New configuration: a file with a JSON object.
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    config: Option<PathBuf>,
    /// Restore the previous version.
    #[arg(long)]
    undo: bool,
    /// Swap even if the answers are not equivalent. Later results count as a comparator change.
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
            let bytes = match PluginSource::component(component) {
                PluginSource::Path(path) => {
                    read_file(&path).with_context(|| format!("cannot read component {component}"))?
                }
                _ => stock_component(component)?.bytes,
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
        if self.component.is_none() && self.config.is_none() && !self.undo {
            bail!("the swap changes nothing; name a new component, --config FILE, or --undo");
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
