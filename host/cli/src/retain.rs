//! `understudy retain`: dropping what a study keeps for a time only, once that is over.

use std::path::PathBuf;

use anyhow::bail;

use super::{Exit, found};
use understudy_audit as audit;
use understudy_engine::WhatIf;
use understudy_run_log::RunDirectory;
use understudy_run_log::ledger::{Ledger, is_closed};
use understudy_run_log::note::Signer;
use understudy_run_log::retention::{Retention, finish_interrupted};

/// Drop the snapshots' own text and fields from a run that has ended, where the time is over for which its study keeps them
/// (`log.retain`). Their ids, digests, answers and scores stay, and so do the decisions and the refused records. `log`,
/// `export` and what-ifs need the fields, and show nothing of the run from then on. A run that goes on does so by itself.
#[derive(clap::Args)]
pub(super) struct Retain {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Retain {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.run.display();
        let (prepared, _) = audit::sealed(&self.run, &WhatIf::default())?;
        let Some(after) = prepared.study.log.retain else {
            bail!("the study of {shown} keeps its snapshots for ever: it declares no `log.retain`");
        };
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let _directory = RunDirectory::lock(&self.run)?;
        let (ledger, entries) = Ledger::open(&self.run, signer)?;
        if !is_closed(&entries) {
            bail!("{shown} holds a run that has not ended; it drops what is due by itself when it goes on");
        }
        finish_interrupted(&self.run, &entries)?;
        let reduced = Retention::of(&entries, after).reduce(&self.run, &ledger, None)?;
        match reduced {
            0 => found("nothing is due")?,
            1 => found("1 segment has lost its snapshots' own text and fields; the ledger says so")?,
            more => found(format_args!(
                "{more} segments have lost their snapshots' own text and fields; the ledger says so"
            ))?,
        }
        Ok(Exit::Done)
    }
}
