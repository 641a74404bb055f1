//! Checks the lines of a ledger and their chain.
//!
//! Invariant: a ledger without faults has exactly the bytes that were written, except for missing lines at
//! its end.

use sha2::{Digest, Sha256};

use crate::ledger::entry::{Entry, HASH, NO_PREVIOUS, line};
use understudy_study::hexadecimal;

/// A fault of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFault {
    /// The line, from 1.
    pub line: usize,
    /// The fault, as a clause.
    pub what: String,
}

/// Reads the entries of a ledger. Returns those that can be read, and all faults.
pub fn check(bytes: &[u8]) -> (Vec<Entry>, Vec<LedgerFault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut previous = NO_PREVIOUS.to_owned();
    let mut number = 0;
    for (at, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let mut fault = |what: String| faults.push(LedgerFault { line: at + 1, what });
        let Some(text) = text.strip_suffix(b"\n") else {
            fault("the line is incomplete".to_owned());
            continue;
        };
        match entry(text) {
            Ok(entry) => {
                if entry.previous != previous {
                    fault(
                        "it does not continue the line before: a line was changed, removed or inserted"
                            .to_owned(),
                    );
                }
                if entry.entry != number {
                    fault(format!("it is entry {}, expected {number}", entry.entry));
                }
                number = entry.entry + 1;
                entries.push(entry);
            }
            Err(what) => {
                fault(what);
                number += 1;
            }
        }
        previous = hexadecimal(&Sha256::digest(text));
    }
    (entries, faults)
}

/// Parses a line, which must have the canonical form of an entry.
pub(super) fn entry(text: &[u8]) -> Result<Entry, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let (body, hash) = text.rsplit_once(HASH).ok_or("it has no hash")?;
    if hash.strip_suffix("\"}") != Some(&hexadecimal(&Sha256::digest(body))) {
        return Err("it was changed: its hash does not match".to_owned());
    }
    let entry: Entry = serde_json::from_str(&format!("{body}}}")).map_err(|error| {
        format!("it cannot be parsed: {error}; a newer version of understudy may have written it")
    })?;
    match line(&entry) == text {
        true => Ok(entry),
        false => Err("it does not have the canonical form of an entry; a newer version of understudy may have written it".to_owned()),
    }
}
