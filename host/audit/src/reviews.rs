//! `reviews.jsonl`: the judgements of a run, one a line, for those who do not read ledgers.
//!
//! Always holds: it is made from the ledger and says nothing else; it is not there while the ledger has a judgement more than
//! it, so it is never behind.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;

use super::entries;
use super::finding::Findings;
use understudy_report::counted;
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement};
use understudy_run_log::write_file;

/// The name of the file.
pub const REVIEWS: &str = "reviews.jsonl";

/// One line.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'e> {
    /// The number of the ledger's entry.
    entry: u64,
    at: Timestamp,
    who: &'e str,
    model: &'e str,
    id: &'e str,
    observed_at: Timestamp,
    stratum: &'e str,
    judgement: Judgement,
    mode: Option<FailureMode>,
    note: &'e str,
}

/// What the file has to say by these entries.
fn text(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match &entry.event {
        Event::Review { who, model, id, observed_at, stratum, judgement, failure_mode: mode, note } => {
            let (judgement, mode, observed_at) = (*judgement, *mode, *observed_at);
            let Entry { entry, at, .. } = *entry;
            let line = Line { entry, at, who, model, id, observed_at, stratum, judgement, mode, note };
            Some(serde_json::to_string(&line).expect("a judgement is plain data") + "\n")
        }
        _ => None,
    };
    entries.iter().filter_map(line).collect()
}

/// Takes the file away, before the ledger gets a judgement more.
///
/// # Errors
/// When the system refuses.
pub fn take_away(run: &Path) -> anyhow::Result<()> {
    let path = run.join(REVIEWS);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes the file as the ledger has it now.
///
/// # Errors
/// When the ledger is not whole, or the system refuses.
pub fn write(run: &Path) -> anyhow::Result<()> {
    Ok(write_file(&run.join(REVIEWS), text(&entries(run)?).as_bytes())?)
}

/// Holds the file, where it is there, against the ledger's entries.
pub fn check(run: &Path, entries: &[Entry], findings: &mut Findings) {
    let found = match fs::read(run.join(REVIEWS)) {
        Ok(found) => found,
        // It can be made again.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => return findings.fault(REVIEWS, format_args!("cannot be read: {error}")),
    };
    findings.look("reviews", |findings| {
        let wanted = text(entries);
        if found != wanted.as_bytes() {
            let what = "it is not what the ledger gives; the ledger has the judgements: remove the file, and it is written anew \
                        with the next one";
            findings.fault(REVIEWS, what);
        }
        let judgements = counted(wanted.lines().count() as u64, "judgement", "judgements");
        format!("{judgements}, as the ledger has them")
    });
}
