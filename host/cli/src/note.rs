//! `understudy note`: a note in the ledger.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::Exit;
use super::output::print_out;
use understudy_audit as audit;
use understudy_run_log::ledger::{Event, LEDGER, Ledger};
use understudy_run_log::signed_head::Signer;

/// Add a note to the ledger of a run.
///
/// A note explains an event to later readers, such as why the run was stopped. It cannot be removed.
#[derive(clap::Args)]
pub(super) struct Note {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Text of the note.
    #[arg(value_name = "TEXT")]
    text: String,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Note {
    pub fn execute(self) -> anyhow::Result<Exit> {
        ensure!(
            !self.text.trim().is_empty(),
            "the note is empty, and notes cannot be removed; write its text"
        );
        let who = audit::operator(self.who)?;
        append_entry(&self.run, self.sign_key.as_deref(), Event::Note { who, text: self.text })
    }
}

/// Appends an entry to the ledger of a run, and prints its number.
pub(super) fn append_entry(run: &Path, sign_key: Option<&Path>, event: Event) -> anyhow::Result<Exit> {
    audit::read_entries(run)?;
    let signer = sign_key.map(Signer::read).transpose()?;
    let (ledger, _) = Ledger::open(run, signer)?;
    let entry = ledger.append(event)?;
    print_out(format_args!("entry {} of {}", entry.entry, run.join(LEDGER).display()))?;
    Ok(Exit::Done)
}
