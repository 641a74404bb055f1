//! `understudy status`: where a served run stands.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;

use super::standing::lines;
use super::{Exit, found};
use understudy_service::{Status as Stands, control_client};

/// Where it is asked.
const PATH: &str = "/v1/status";

/// Show where a run stands that `understudy serve` serves: its records, models, plugins, and what waits.
#[derive(clap::Args)]
pub(super) struct Status {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// In which form.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

/// A form of the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text.
    #[default]
    Text,
    /// All of it as JSON.
    Json,
}

impl Status {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let status = asked(&self.run)?;
        match self.format {
            Format::Text => lines(&status).iter().try_for_each(found)?,
            Format::Json => found(serde_json::to_string_pretty(&status)?)?,
        }
        Ok(Exit::Done)
    }
}

/// The status of the run in a directory.
///
/// # Errors
/// When nobody serves it, or what serves it is another version.
pub(super) fn asked(run: &Path) -> anyhow::Result<Stands> {
    let status = control_client::ask(run, Method::GET, PATH, None)?;
    serde_json::from_value(status)
        .context("what serves the run is another version of understudy; use the same")
}
