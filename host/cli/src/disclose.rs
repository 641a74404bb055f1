//! `understudy disclose`: an exposure or a change that the program cannot observe.

use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use jiff::Timestamp;

use super::Exit;
use super::note::append_entry;
use understudy_audit as audit;
use understudy_run_log::ledger::Event;
use understudy_study::InterferenceKind;

/// Record an exposure or a change that the program cannot observe.
///
/// Records in the ledger that answers were shown to somebody, or that the substrate or the comparator
/// changed. The study declares how this affects the verdict. The entry cannot be removed.
#[derive(clap::Args)]
pub(super) struct Disclose {
    /// Run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Kind of interference.
    #[arg(value_enum)]
    what: InterferenceKind,
    /// Time from which decisions may be affected, such as 2026-04-20T06:00:00+02:00.
    #[arg(long, value_name = "TIME")]
    since: String,
    /// Description, such as who saw what.
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// Name recorded in the ledger [default: login name].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Disclose {
    pub fn execute(self) -> anyhow::Result<Exit> {
        ensure!(
            !self.text.trim().is_empty(),
            "--text is empty; describe the interference, such as who saw what"
        );
        let since: Timestamp = self.since.parse().map_err(|_| {
            anyhow!(
                "cannot parse --since \"{}\": expected a time with a zone, such as 2026-04-20T06:00:00+02:00",
                self.since
            )
        })?;
        ensure!(
            since <= Timestamp::now(),
            "--since {since} is in the future, and the entry cannot be removed; give the time at which the interference began"
        );
        let who = audit::operator(self.who)?;
        let event = Event::Disclosure { interference: self.what, who, text: self.text, since };
        append_entry(&self.run, self.sign_key.as_deref(), event)
    }
}
