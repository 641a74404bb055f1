//! `understudy note`: something that whoever reads the ledger should know.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::{Exit, found};
use understudy_audit as audit;
use understudy_run_log::ledger::{Event, LEDGER, Ledger};
use understudy_run_log::note::Signer;

/// Write a note into the ledger of a run, such as why it was stopped. It cannot be taken out again.
#[derive(clap::Args)]
pub(super) struct Note {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// What is to be known.
    #[arg(value_name = "TEXT")]
    text: String,
    /// Whose note it is [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Note {
    pub fn execute(self) -> anyhow::Result<Exit> {
        ensure!(
            !self.text.trim().is_empty(),
            "a note without a word cannot be taken back either; write what is to be known"
        );
        let who = audit::who(self.who)?;
        enter(&self.run, self.sign_key.as_deref(), Event::Note { who, text: self.text })
    }
}

/// Writes an entry into the ledger of a run, and says which it is.
pub(super) fn enter(run: &Path, sign_key: Option<&Path>, event: Event) -> anyhow::Result<Exit> {
    audit::entries(run)?;
    let signer = sign_key.map(Signer::read).transpose()?;
    let (ledger, _) = Ledger::open(run, signer)?;
    let entry = ledger.append(event)?;
    found(format_args!("entry {} of {}", entry.entry, run.join(LEDGER).display()))?;
    Ok(Exit::Done)
}
