//! `understudy status`: the status of a served run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::http::Method;

use super::Exit;
use super::output::print_out;
use super::report::Format;
use super::status_text::status_lines;
use understudy_service::{Status as RunStatus, control_client};

/// Path of the status endpoint.
const PATH: &str = "/v1/status";

/// Show the status of a served run.
///
/// Prints records, models, plugins, queued deliveries, memory and disk.
#[derive(clap::Args)]
pub(super) struct Status {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

impl Status {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let status = request_status(&self.run)?;
        match self.format {
            Format::Text => status_lines(&status).iter().try_for_each(print_out)?,
            Format::Json => print_out(serde_json::to_string_pretty(&status)?)?,
        }
        Ok(Exit::Done)
    }
}

/// Requests the status of the run in a directory.
///
/// # Errors
/// If no process serves the run, or it has another version.
pub(super) fn request_status(run: &Path) -> anyhow::Result<RunStatus> {
    let status = control_client::request_json(run, Method::GET, PATH, None)?;
    serde_json::from_value(status).context(
        "cannot read the status: the serving process has another version of understudy; use the same version",
    )
}
