//! `understudy case`: one decided row in full.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use jiff::Timestamp;

use super::Exit;
use super::output::print_out;
use super::report::style;
use understudy_audit::{self as audit, CaseQuery};
use understudy_engine::PluginOverrides;
use understudy_report::render_case;
use understudy_run_log::signed_head::Signer;

/// Show one decided row in full.
///
/// Prints the snapshot, the decision, each model's answer with its scores, and similar rows on which the
/// model also disagrees. The ledger records to whom they were shown. A row is shown only after its decision
/// has arrived and its horizon has passed.
#[derive(clap::Args)]
pub(super) struct Case {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Id of the row.
    #[arg(value_name = "ID")]
    id: String,
    /// Observed time of the snapshot, which selects among rows with the same id, such as
    /// 2026-04-20T06:00:00+02:00.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Also show the text of the snapshot.
    #[arg(long)]
    raw: bool,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Case {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let who = audit::operator(self.who)?;
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let at = self.at.map(|at| {
            at.parse::<Timestamp>().map_err(|_| {
                anyhow!("cannot parse --at \"{at}\": expected a time with a zone, such as 2026-04-20T06:00:00+02:00")
            })
        });
        let at = at.transpose()?;
        let (sealed_study, _) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        audit::ensure_all_fields(&self.run)?;
        ensure!(
            !self.raw || sealed_study.study.log.keep_raw,
            "the study declares `log.keep-raw = false`, so that the run stores no text of snapshots; omit --raw"
        );
        let wanted = CaseQuery { id: self.id, at, raw: self.raw };
        let shown = audit::case(&sealed_study, &self.run, &wanted, who, signer)?;
        print_out(render_case(&shown, style(std::io::stdout().is_terminal())).trim_end())?;
        Ok(Exit::Done)
    }
}
