//! `understudy end`: the end of a served run.

use std::path::PathBuf;

use axum::http::Method;
use serde_json::json;

use super::Exit;
use super::output::print_err;
use understudy_audit as audit;
use understudy_service::control_client::request_json;

/// End a served run.
///
/// The run accepts no more records, and is closed once the accepted ones are answered, logged and compared.
#[derive(clap::Args)]
pub(super) struct End {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Reason, recorded in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

impl End {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let request = json!({ "reason": self.reason, "who": audit::operator(self.who)? });
        request_json(&self.run, Method::POST, "/v1/end", Some(&request))?;
        print_err(format_args!("{} is ending; it is closed once its report is written", self.run.display()));
        Ok(Exit::Done)
    }
}
