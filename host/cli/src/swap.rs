//! `understudy swap`: another plugin for a part of a run that is served.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Exit, found};
use understudy_audit as audit;
use understudy_service::control_client::ask;

/// Exchange a plugin of a run that is served, without losing a snapshot. The new one is compiled, checked and tried on the
/// latest pairs beside the old one; then it takes the part between two snapshots. See `[swaps]` in the declaration.
#[derive(clap::Args)]
pub(super) struct Swap {
    /// The run's directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The plugin to exchange: its name in the study, or `comparator`.
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// The new component; left out if only the configuration changes.
    #[arg(value_name = "NEW.WASM", conflicts_with = "undo")]
    component: Option<PathBuf>,
    /// The new configuration, a file with a JSON object.
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    config: Option<PathBuf>,
    /// Bring back the one that was before.
    #[arg(long)]
    undo: bool,
    /// Exchange it though it does not come to the same: what follows is measured by a new yardstick.
    #[arg(long)]
    anyway: bool,
    /// Why: it stands in the ledger and in the report.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who wants it [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

impl Swap {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let mut wish = json!({
            "plugin": self.plugin,
            "reason": self.reason,
            "who": audit::who(self.who)?,
            "undo": self.undo,
            "anyway": self.anyway,
        });
        if let Some(path) = &self.component {
            let bytes = std::fs::read(path)
                .with_context(|| format!("cannot read {}; name the new component", path.display()))?;
            wish["component"] = STANDARD.encode(bytes).into();
            wish["file"] = path.display().to_string().into();
        }
        if let Some(path) = &self.config {
            let shown = path.display();
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
            let config: Value =
                serde_json::from_str(&text).with_context(|| format!("{shown} is not JSON"))?;
            if !config.is_object() {
                bail!("{shown} holds no JSON object; a configuration is one");
            }
            wish["config"] = config;
        }
        if self.component.is_none() && self.config.is_none() && !self.undo {
            bail!("nothing is to be exchanged; name the new component, --config FILE, or --undo");
        }
        let swapped = ask(&self.run, Method::POST, "/v1/swaps", Some(&wish))?;
        let tried = match (swapped["tried"]["pairs"].as_u64(), swapped["tried"]["same"].as_u64()) {
            (Some(pairs), Some(same)) => {
                format!("; on the latest {pairs} pairs both came to the same in {same}")
            }
            _ => String::new(),
        };
        let yardstick = match swapped["new-yardstick"].as_bool() {
            Some(true) => "; what follows is measured by a new yardstick",
            _ => "",
        };
        found(format_args!(
            "generation {}: \"{}\" is now {}, from snapshot {} and decision {} on{tried}{yardstick}",
            swapped["generation"],
            swapped["plugin"].as_str().unwrap_or_default(),
            swapped["sha256"].as_str().and_then(|digest| digest.get(..12)).unwrap_or_default(),
            swapped["from"]["snapshots"],
            swapped["from"]["decisions"],
        ))?;
        Ok(Exit::Done)
    }
}
