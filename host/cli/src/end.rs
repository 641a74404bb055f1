//! `understudy end`: nothing more will come to a run that is served.

use std::path::PathBuf;

use axum::http::Method;
use serde_json::json;

use super::{Exit, tell};
use understudy_audit as audit;
use understudy_service::control_client::ask;

/// End a run that is served: it takes nothing more, and is closed once what it has taken is answered, logged and compared.
#[derive(clap::Args)]
pub(super) struct End {
    /// The run's directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Why: it stands in the ledger.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

impl End {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let wish = json!({ "reason": self.reason, "who": audit::who(self.who)? });
        ask(&self.run, Method::POST, "/v1/end", Some(&wish))?;
        tell(format_args!("{} is ending; it is closed once it has its report", self.run.display()));
        Ok(Exit::Done)
    }
}
