//! `understudy disclose`: something that came between, which this program cannot have seen.

use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use jiff::Timestamp;

use super::Exit;
use super::note::enter;
use understudy_audit as audit;
use understudy_run_log::ledger::Event;
use understudy_study::InterferenceKind;

/// Tell the ledger of a run that answers were shown to somebody, or that the substrate or its comparator changed. The study's
/// threshold says what that does to its verdict. It cannot be taken out again.
#[derive(clap::Args)]
pub(super) struct Disclose {
    /// The run directory.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// What came between.
    #[arg(value_enum)]
    what: InterferenceKind,
    /// From when on decisions may have been otherwise for it, such as 2026-04-20T06:00:00+02:00.
    #[arg(long, value_name = "TIME")]
    since: String,
    /// What is known of it, such as who was shown what.
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// Who tells of it [default: the user, as the system calls him or her]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Disclose {
    pub fn execute(self) -> anyhow::Result<Exit> {
        ensure!(
            !self.text.trim().is_empty(),
            "--text is empty; write what is known of it, such as who was shown what"
        );
        let since: Timestamp = self.since.parse().map_err(|_| {
            anyhow!(
                "--since is \"{}\", which is no time with a zone; write one such as 2026-04-20T06:00:00+02:00",
                self.since
            )
        })?;
        ensure!(
            since <= Timestamp::now(),
            "--since is {since}, which is still to come, and an entry cannot be taken out again; write when it began"
        );
        let who = audit::who(self.who)?;
        let event = Event::Disclosure { interference: self.what, who, text: self.text, since };
        enter(&self.run, self.sign_key.as_deref(), event)
    }
}
