//! The verdict that a run records, with what identifies it.
//!
//! Invariants: a verdict that is returned has the digest in the ledger, covers all later events, and is about the seal of the
//! run.

use std::path::Path;

use anyhow::bail;

use crate::run_files::{read_entries, read_seal, read_verdict};
use crate::verdict::interferences::events_since_verdict;
use understudy_engine::{SEAL, Seal};
use understudy_run_log::VERDICT;
use understudy_run_log::ledger::{self, Entry, LedgerState};
use understudy_sandbox::sha256_hex;
use understudy_statistics::verdict::Verdict;

/// A run with its latest verdict.
pub struct DecidedRun {
    /// The seal of the run.
    pub seal: Seal,
    /// SHA-256 of the seal, in hexadecimal.
    pub seal_sha256: String,
    /// The entries of the ledger.
    pub entries: Vec<Entry>,
    /// The verdict.
    pub verdict: Verdict,
    /// SHA-256 of `verdict.json`, in hexadecimal.
    pub verdict_sha256: String,
}

impl DecidedRun {
    /// Reads the verdict that `run` records, and what it is about.
    ///
    /// # Errors
    /// If the run has no verdict or one that later events make obsolete, or its files do not match the ledger.
    pub fn read(run: &Path) -> anyhow::Result<DecidedRun> {
        let seal = read_seal(run)?;
        let entries = read_entries(run)?;
        let recorded = LedgerState::from_entries(&entries);
        let Some(entry) = &recorded.verdict else {
            bail!(
                "{} has no recorded verdict; run `understudy decide` first. It records none without a threshold, or if the run \
                 fails verification",
                run.display()
            );
        };
        let later = events_since_verdict(entry.closed, &recorded);
        if !later.is_empty() {
            bail!(
                "the verdict of {} does not cover later events ({}); run `understudy decide` again",
                run.display(),
                later.join("; ")
            );
        }
        let verdict = read_verdict(run, entry)?;
        let verdict_sha256 = entry.file.sha256.clone();
        let seal_sha256 = sha256_hex(seal.to_json().as_bytes());
        if verdict.seal != seal_sha256 {
            bail!(
                "{} does not match the verdict in {}; run `understudy verify` for details",
                run.join(SEAL).display(),
                run.join(VERDICT).display()
            );
        }
        Ok(DecidedRun { seal, seal_sha256, entries, verdict, verdict_sha256 })
    }

    /// The hash of the first entry of the ledger, in hexadecimal. It vouches for the seal, the declaration and the start of the
    /// run, so no other run has it.
    pub fn first_entry(&self) -> String {
        ledger::head(&self.entries[..self.entries.len().min(1)])
    }
}
