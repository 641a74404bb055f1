//! Who was shown what: an entry of the ledger before anybody is.
//!
//! Always holds: nothing is shown unless the entry is on disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{anyhow, bail};
use arrow::array::{AsArray as _, RecordBatch};
use sha2::{Digest as _, Sha256};

use super::decided::Counts;
use understudy_run_log::hexadecimal;
use understudy_run_log::ledger::{Event, Ledger, LedgerError};
use understudy_run_log::note::Signer;

/// Rows that are about to be shown.
pub struct Exposure {
    who: String,
    how: String,
    ids: Sha256,
    rows: u64,
}

impl Exposure {
    /// Nothing yet. `who` is to be shown it, by `how`.
    pub fn new(who: String, how: String) -> Exposure {
        Exposure { who, how, ids: Sha256::new(), rows: 0 }
    }

    /// These rows are to be shown, too. Their first column has the ids.
    pub fn add(&mut self, batch: &RecordBatch) {
        batch.column(0).as_string::<i32>().iter().flatten().for_each(|id| self.add_id(id));
    }

    /// The row with this id is to be shown, too.
    pub fn add_id(&mut self, id: &str) {
        self.ids.update(id.as_bytes());
        self.ids.update(b"\n");
        self.rows += 1;
    }

    /// Writes the entry, and gives the ledger.
    ///
    /// # Errors
    /// When the ledger is not whole or cannot be written: then nothing may be shown.
    pub fn record(self, run: &Path, counts: Counts, signer: Option<Signer>) -> anyhow::Result<Ledger> {
        let refused = |error: LedgerError| {
            let why = match &error {
                LedgerError::Io { verb, path, error } => format!("cannot {verb} {}: {error}", path.display()),
                other => other.to_string(),
            };
            anyhow!(
                "{why}; whoever is shown answers is recorded, and as that cannot be done nothing is shown"
            )
        };
        let (ledger, _) = Ledger::open(run, signer).map_err(refused)?;
        ledger
            .append(Event::Exposure {
                who: self.who,
                command: self.how,
                rows: self.rows,
                ids: hexadecimal(&self.ids.finalize()),
                withheld: counts.refused,
                since: counts.since,
            })
            .map_err(refused)?;
        Ok(ledger)
    }
}

/// Who looks: as said, or as the system calls the user, by number if it knows no name.
///
/// # Errors
/// When the system does not say.
pub fn who(said: Option<String>) -> anyhow::Result<String> {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.trim().is_empty());
    if said.as_ref().is_some_and(|said| said.trim().is_empty()) {
        bail!("--who is empty, and it is recorded who is shown answers; write a name");
    }
    if said.as_ref().is_some_and(|said| said.chars().any(char::is_control)) {
        bail!("--who has a line break or another control character in it; write a name on one line");
    }
    if let Some(who) = said.or_else(|| name("USER")).or_else(|| name("LOGNAME")) {
        return Ok(who);
    }
    let own = std::fs::metadata("/proc/self").map_err(|_| {
        anyhow!(
            "it is recorded who is shown answers, and the system does not say who you are; say it with --who"
        )
    })?;
    Ok(format!("user {}", own.uid()))
}
