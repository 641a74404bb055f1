//! Entries of a ledger and their text form.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ledger::event::Event;
use understudy_study::hexadecimal;

/// The field `previous` of the first entry.
pub(super) const NO_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The text between the body of an entry and its own hash.
pub(super) const HASH: &str = ",\"hash\":\"";

/// An entry of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the entry, from 0.
    pub entry: u64,
    /// When the entry was written.
    pub at: Timestamp,
    /// SHA-256 of the previous line without its line feed, in hexadecimal.
    pub previous: String,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// Whether the run is closed: its sources have ended, and it cannot be resumed.
pub fn is_closed(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| matches!(entry.event, Event::RunClosed { .. }))
}

/// The hash of the last entry, in hexadecimal; empty if there is none.
pub fn head(entries: &[Entry]) -> String {
    entries.last().map_or_else(String::new, |last| {
        let line = line(last);
        let hash = line.rsplit_once(HASH).map_or("", |(_, hash)| hash);
        hash.trim_end_matches(['"', '}']).to_owned()
    })
}

/// The line of an entry, without its line feed.
pub(super) fn line(entry: &Entry) -> String {
    let body = serde_json::to_string(entry).expect("an entry is plain data");
    let body = body.strip_suffix('}').unwrap_or(&body);
    format!("{body}{HASH}{}\"}}", hexadecimal(&Sha256::digest(body)))
}
