//! Entries of a ledger.

use crate::chained_lines::{ChainedEntry, HASH, LineFault, check as check_lines, line};
use crate::ledger::event::Event;

/// An entry of a ledger.
pub type Entry = ChainedEntry<Event>;

/// Reads the entries of a ledger. Returns those that can be read, and all faults.
pub fn check(bytes: &[u8]) -> (Vec<Entry>, Vec<LineFault>) {
    check_lines(bytes)
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
