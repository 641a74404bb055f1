//! Reads and writes lines of JSON that are chained by digests: the form of a ledger and of a register of seals.
//!
//! A line is a JSON object: the entry's number, its time, `previous`, the event, and `hash`. `previous` is
//! the SHA-256 of the whole previous line without its line feed, or zeros in the first entry. `hash` is the
//! SHA-256 of the line up to `,"hash"`, so that a change of the last line is detected, too.
//!
//! Invariant: lines without faults have exactly the bytes that were written. Only lines missing at the end are
//! not detected.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use understudy_study::hexadecimal;

/// The field `previous` of the first entry.
pub(crate) const NO_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The text between the body of an entry and its own hash.
pub(crate) const HASH: &str = ",\"hash\":\"";

/// An entry: an event with its place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainedEntry<E> {
    /// The number of the entry, from 0.
    pub entry: u64,
    /// When the entry was written.
    pub at: Timestamp,
    /// SHA-256 of the previous line without its line feed, in hexadecimal.
    pub previous: String,
    /// The event.
    #[serde(flatten)]
    pub event: E,
}

/// What is wrong with one line of a chained file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line, from 1.
    pub line: usize,
    /// The fault, as a clause.
    pub what: String,
}

/// The line of an entry, without its line feed.
pub(crate) fn line<E: Serialize>(entry: &ChainedEntry<E>) -> String {
    let body = serde_json::to_string(entry).expect("an entry is plain data");
    let body = body.strip_suffix('}').unwrap_or(&body);
    format!("{body}{HASH}{}\"}}", hexadecimal(&Sha256::digest(body)))
}

/// The SHA-256 of a line without its line feed, in hexadecimal: the next entry's `previous`.
pub(crate) fn line_digest(line: &[u8]) -> String {
    hexadecimal(&Sha256::digest(line))
}

/// Reads entries. Returns those that can be read, and all faults.
pub(crate) fn check<E: Serialize + DeserializeOwned>(bytes: &[u8]) -> (Vec<ChainedEntry<E>>, Vec<LineFault>) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    let mut previous = NO_PREVIOUS.to_owned();
    let mut number = 0;
    for (at, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let mut fault = |what: String| faults.push(LineFault { line: at + 1, what });
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
        previous = line_digest(text);
    }
    (entries, faults)
}

/// Parses a line, which must have the canonical form of an entry.
pub(crate) fn entry<E: Serialize + DeserializeOwned>(text: &[u8]) -> Result<ChainedEntry<E>, String> {
    let text = str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let (body, hash) = text.rsplit_once(HASH).ok_or("it has no hash")?;
    if hash.strip_suffix("\"}") != Some(&hexadecimal(&Sha256::digest(body))) {
        return Err("it was changed: its hash does not match".to_owned());
    }
    let entry: ChainedEntry<E> = serde_json::from_str(&format!("{body}}}")).map_err(|error| {
        format!("it cannot be parsed: {error}; a newer version of understudy may have written it")
    })?;
    match line(&entry) == text {
        true => Ok(entry),
        false => Err("it does not have the canonical form of an entry; a newer version of understudy may have written it".to_owned()),
    }
}

/// Reads a file from its start.
pub(crate) fn read_all(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes a last line without a line feed: it is incomplete, and its append never returned. Returns the new
/// length.
pub(crate) fn remove_incomplete_line(file: &mut File) -> std::io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    match last_line(file, length)? {
        Some(last) if !last.ends_with(b"\n") => {
            let length = length - last.len() as u64;
            file.set_len(length)?;
            Ok(length)
        }
        _ => Ok(length),
    }
}

/// The last line, with its line feed if it has one. The bytes read do not depend on the file's length.
pub(crate) fn last_line(file: &mut File, length: u64) -> std::io::Result<Option<Vec<u8>>> {
    if length == 0 {
        return Ok(None);
    }
    let mut tail = Vec::new();
    let mut step = 4096;
    loop {
        let start = length.saturating_sub(step);
        file.seek(SeekFrom::Start(start))?;
        tail.clear();
        (&*file).take(length - start).read_to_end(&mut tail)?;
        let text = tail.strip_suffix(b"\n").unwrap_or(&tail);
        match text.iter().rposition(|byte| *byte == b'\n') {
            Some(before) => return Ok(Some(tail[before + 1..].to_vec())),
            None if start == 0 => return Ok(Some(tail)),
            None => step *= 4,
        }
    }
}
