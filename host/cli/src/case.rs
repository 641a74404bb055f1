//! `understudy case`: one decided row, with all that is known of it.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use jiff::Timestamp;

use super::report::style;
use super::{Exit, found};
use understudy_audit::{self as audit, Wanted};
use understudy_engine::WhatIf;
use understudy_report::model::case;
use understudy_run_log::note::Signer;

/// Show one decided row of a run: the snapshot, the decision, what each model answered and how that was scored, and like cases
/// in which the model differs too. It is recorded in the ledger who is shown them. A row whose decision has not come, or whose
/// horizon is not over, is not shown.
#[derive(clap::Args)]
pub(super) struct Case {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The id of the row.
    #[arg(value_name = "ID")]
    id: String,
    /// The observed time of its snapshot, where the id was used more than once, such as 2026-04-20T06:00:00+02:00.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Show the snapshot's own text, too.
    #[arg(long)]
    raw: bool,
    /// Who is shown the answers [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Case {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::who(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let at = self.at.map(|at| {
            at.parse::<Timestamp>().map_err(|_| {
                anyhow!("--at is \"{at}\", which is no time with a zone; write one such as 2026-04-20T06:00:00+02:00")
            })
        });
        let at = at.transpose()?;
        let (prepared, _) = audit::sealed(&self.run, &WhatIf::default())?;
        audit::has_its_fields(&self.run)?;
        ensure!(
            !self.raw || prepared.study.log.keep_raw,
            "the study declares `log.keep-raw = false`, so the run has no text of its snapshots; leave --raw out"
        );
        let wanted = Wanted { id: self.id, at, raw: self.raw };
        let shown = audit::case(&prepared, &self.run, &wanted, who, signer)?;
        found(case(&shown, style(std::io::stdout().is_terminal())).trim_end())?;
        Ok(Exit::Done)
    }
}
