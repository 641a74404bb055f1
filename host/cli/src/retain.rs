//! `understudy retain`: deletion of snapshots whose retention period has passed.

use std::path::PathBuf;

use anyhow::bail;

use super::Exit;
use super::output::print_out;
use understudy_audit as audit;
use understudy_engine::PluginOverrides;
use understudy_run_log::RunDirectory;
use understudy_run_log::ledger::{Ledger, is_closed};
use understudy_run_log::retention::{Retention, finish_interrupted};
use understudy_run_log::signed_head::Signer;

/// Delete snapshot contents whose retention period has passed.
///
/// Deletes text and fields of snapshots from an ended run after the period that its study declares
/// (`log.retain`). Ids, digests, answers, scores, decisions and excluded records stay. `log`, `export` and
/// what-if replays need the fields and no longer work for the run. A running study deletes automatically.
#[derive(clap::Args)]
pub(super) struct Retain {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Retain {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.run.display();
        let (sealed_study, _) = audit::load_sealed_study(&self.run, &PluginOverrides::default())?;
        let Some(after) = sealed_study.study.log.retain else {
            bail!(
                "cannot delete from {shown}: its study declares no `log.retain`, so that snapshots are kept forever"
            );
        };
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let _directory = RunDirectory::lock(&self.run)?;
        let (ledger, entries) = Ledger::open(&self.run, signer)?;
        if !is_closed(&entries) {
            bail!(
                "cannot delete from {shown}: the run has not ended; it deletes by itself when it is resumed"
            );
        }
        finish_interrupted(&self.run, &entries)?;
        let reduced = Retention::from_entries(&entries, after).reduce(&self.run, &ledger, None)?;
        match reduced {
            0 => print_out("no segment is due")?,
            1 => print_out("deleted text and fields of snapshots in 1 segment; recorded in the ledger")?,
            more => print_out(format_args!(
                "deleted text and fields of snapshots in {more} segments; recorded in the ledger"
            ))?,
        }
        Ok(Exit::Done)
    }
}
