//! Whether a ledger is whole: every line to the byte, and each chained to the one before.

use sha2::{Digest, Sha256};

use super::{Entry, HASH, NONE, line};
use crate::hexadecimal;

/// Something that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// The entries that can be read, and everything that is wrong.
pub fn check(bytes: &[u8]) -> (Vec<Entry>, Vec<Fault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut previous = NONE.to_owned();
    let mut number = 0;
    for (at, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let mut fault = |what: String| faults.push(Fault { line: at + 1, what });
        let Some(text) = text.strip_suffix(b"\n") else {
            fault("it ends in the middle of a line".to_owned());
            continue;
        };
        match entry(text) {
            Ok(entry) => {
                if entry.previous != previous {
                    fault(
                        "it does not follow the line before: one was changed, taken out or put in".to_owned(),
                    );
                }
                if entry.entry != number {
                    fault(format!("it is entry {}, and {number} belongs here", entry.entry));
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

/// The entry in a line, which must be written as an entry is.
pub(super) fn entry(text: &[u8]) -> Result<Entry, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let (body, hash) = text.rsplit_once(HASH).ok_or("it has no hash")?;
    if hash.strip_suffix("\"}") != Some(&hexadecimal(&Sha256::digest(body))) {
        return Err("it was changed: its hash does not match".to_owned());
    }
    let entry: Entry = serde_json::from_str(&format!("{body}}}"))
        .map_err(|error| format!("it cannot be read: {error}; perhaps a newer understudy wrote it"))?;
    match line(&entry) == text {
        true => Ok(entry),
        false => Err("it is not written as an entry is; perhaps a newer understudy wrote it".to_owned()),
    }
}
