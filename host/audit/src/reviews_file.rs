//! `reviews.jsonl`: the judgements of a run, one per line, for tools that do not read ledgers.
//!
//! Invariants: the file is derived from the ledger. It does not exist while the ledger has a judgement that
//! it lacks, so it is never out of date.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::run_files::read_entries;
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement};
use understudy_run_log::write_file;

/// The name of the file.
pub const REVIEWS: &str = "reviews.jsonl";

/// A line of the file.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'e> {
    /// The number of the entry in the ledger.
    entry: u64,
    at: Timestamp,
    who: &'e str,
    model: &'e str,
    id: &'e str,
    observed_at: Timestamp,
    stratum: &'e str,
    judgement: Judgement,
    failure_mode: Option<FailureMode>,
    note: &'e str,
}

/// The content that the file must have for these entries.
pub fn expected_content(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match &entry.event {
        Event::Review { who, model, id, observed_at, stratum, judgement, failure_mode, note } => {
            let (judgement, failure_mode, observed_at) = (*judgement, *failure_mode, *observed_at);
            let Entry { entry, at, .. } = *entry;
            let line =
                Line { entry, at, who, model, id, observed_at, stratum, judgement, failure_mode, note };
            Some(serde_json::to_string(&line).expect("a judgement is plain data") + "\n")
        }
        _ => None,
    };
    entries.iter().filter_map(line).collect()
}

/// Removes the file, before a judgement is added to the ledger.
///
/// # Errors
/// If the file cannot be removed.
pub fn remove(run: &Path) -> anyhow::Result<()> {
    let path = run.join(REVIEWS);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes the file from the ledger.
///
/// # Errors
/// If the ledger has a fault, or the file cannot be written.
pub fn write(run: &Path) -> anyhow::Result<()> {
    Ok(write_file(&run.join(REVIEWS), expected_content(&read_entries(run)?).as_bytes())?)
}
