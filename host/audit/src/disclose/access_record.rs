//! Exposures: the ledger records who is shown a model's answers before they are shown.
//!
//! Invariant: nothing is shown unless the entry is on disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{anyhow, bail};
use arrow::array::{AsArray as _, RecordBatch};
use sha2::{Digest as _, Sha256};

use crate::disclose::decided_rows::DisclosureCounts;
use understudy_run_log::ledger::{Event, Ledger, LedgerError};
use understudy_run_log::signed_head::Signer;
use understudy_study::hexadecimal;

/// An exposure that is about to be recorded.
pub struct Exposure {
    who: String,
    command: String,
    ids: Sha256,
    rows: u64,
}

impl Exposure {
    /// An exposure without rows. `command` shows them to `who`.
    pub fn new(who: String, command: String) -> Exposure {
        Exposure { who, command, ids: Sha256::new(), rows: 0 }
    }

    /// Adds rows. Their first column has the ids.
    pub fn add(&mut self, batch: &RecordBatch) {
        batch.column(0).as_string::<i32>().iter().flatten().for_each(|id| self.add_id(id));
    }

    /// Adds the row with this id.
    pub fn add_id(&mut self, id: &str) {
        self.ids.update(id.as_bytes());
        self.ids.update(b"\n");
        self.rows += 1;
    }

    /// Writes the entry and returns the ledger.
    ///
    /// # Errors
    /// If the ledger has a fault or cannot be written. Then nothing may be shown.
    pub fn record(
        self,
        run: &Path,
        counts: DisclosureCounts,
        signer: Option<Signer>,
    ) -> anyhow::Result<Ledger> {
        let cannot_record = |error: LedgerError| {
            let why = match &error {
                LedgerError::Io { verb, path, error } => format!("cannot {verb} {}: {error}", path.display()),
                other => other.to_string(),
            };
            anyhow!("nothing is shown, because the exposure cannot be recorded: {why}")
        };
        let (ledger, _) = Ledger::open(run, signer).map_err(cannot_record)?;
        ledger
            .append(Event::Exposure {
                who: self.who,
                command: self.command,
                rows: self.rows,
                ids: hexadecimal(&self.ids.finalize()),
                withheld: counts.withheld,
                since: counts.since,
            })
            .map_err(cannot_record)?;
        Ok(ledger)
    }
}

/// The operator's name for the ledger: `named` or the login name, or else the user id.
///
/// # Errors
/// If the name is empty or has control characters, or the system has no user id.
pub fn operator(named: Option<String>) -> anyhow::Result<String> {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.trim().is_empty());
    if named.as_ref().is_some_and(|named| named.trim().is_empty()) {
        bail!("--who is empty; write a name, which the ledger records");
    }
    if named.as_ref().is_some_and(|named| named.chars().any(char::is_control)) {
        bail!("--who contains a control character; write a name on one line");
    }
    if let Some(who) = named.or_else(|| name("USER")).or_else(|| name("LOGNAME")) {
        return Ok(who);
    }
    let own = std::fs::metadata("/proc/self").map_err(|_| {
        anyhow!("cannot determine the user name, which the ledger records; set it with --who")
    })?;
    Ok(format!("user {}", own.uid()))
}
