//! `ledger.jsonl`: what happened to a study, one entry a line, each naming the one before.
//!
//! A line is a JSON object: the entry's number, its time, `previous` (the SHA-256 of the whole line before it, without its
//! line feed; zeros for the first), what happened, and `hash` (the SHA-256 of the line up to `,"hash"`), so that a change
//! of the last line shows too.
//!
//! Always holds: a line is on disk before the append returns; several processes may append; what is read is, to the byte,
//! what was written, or a fault that says where it is not.

mod check;
mod event;
mod review;
mod state;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use check::{Fault, check};
pub use event::{Asset, Event, FileDigest, Segment, SwapTrigger, ShadowResult};
pub use review::{FailureMode, Judgement, SampledStratum};
pub use state::{
    DeterminismTotals, InterferenceSource, LedgerState, RecordedInterference, RecordedSwap, RecordedVerdict, RunStart,
    SwapOutcome,
};

use super::note::{NoteError, Signer, Tree};
use super::{hexadecimal, replace};

/// The name of the file.
pub const LEDGER: &str = "ledger.jsonl";
/// The name of the file that holds the signed head.
pub const NOTE: &str = "ledger.note";
/// What the first entry names as the one before it.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What stands between an entry and its own hash.
const HASH: &str = ",\"hash\":\"";

/// An entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 0.
    pub entry: u64,
    /// When it was written.
    pub at: Timestamp,
    /// SHA-256 of the line before it, in hexadecimal.
    pub previous: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Whether these entries tell that the run was closed: its sources have ended, and nothing more can come.
pub fn is_closed(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| matches!(entry.event, Event::RunClosed { .. }))
}

/// The hash of the last of these entries, in hexadecimal; empty if there is none.
pub fn head(entries: &[Entry]) -> String {
    entries.last().map_or_else(String::new, |last| {
        let line = line(last);
        let hash = line.rsplit_once(HASH).map_or("", |(_, hash)| hash);
        hash.trim_end_matches(['"', '}']).to_owned()
    })
}

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The system refuses.
    #[error("cannot {verb} {}: {error}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is not whole.
    #[error(
        "{}:{}: {}; the run cannot go on from it: `understudy verify` says what else is wrong, and a copy of the file as it \
         was puts it right",
        path.display(),
        fault.line,
        fault.what
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first thing that is wrong.
        fault: Fault,
    },
    /// The head that is there is not one of this ledger.
    #[error(
        "{}: {what}; no other head is signed over it: `understudy verify` says what else is wrong, and copies of ledger and \
         head as they were put it right",
        path.display()
    )]
    Head {
        /// The head's file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The key is not the ledger's.
    #[error(
        "{} was opened {}, so it is not signed with the key {own}; leave --sign-key out, or give the ledger's own key",
        path.display(),
        key.as_ref().map_or_else(|| "without a key".to_owned(), |key| format!("with the key {key}"))
    )]
    Key {
        /// The ledger.
        path: PathBuf,
        /// The key that was given.
        own: String,
        /// The key that it was opened with.
        key: Option<String>,
    },
    /// Its head cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl LedgerError {
    fn io<'a>(verb: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> LedgerError + 'a {
        move |error| LedgerError::Io { verb, path: path.to_owned(), error }
    }
}

/// Appends to the ledger of a run. Clones append to the same.
#[derive(Clone)]
pub struct Ledger {
    path: PathBuf,
    signing: Option<Arc<Mutex<Signing>>>,
}

/// What signs the head.
struct Signing {
    signer: Signer,
    tree: Tree,
    /// How much of the ledger is in the tree.
    read: u64,
}

impl Ledger {
    /// Begins the ledger of a run, in place of any that is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create(run: &Path, signer: Option<Signer>) -> Result<Ledger, LedgerError> {
        let path = run.join(LEDGER);
        // Its name has to be on disk before a line is.
        let created = File::create(&path).and_then(|_| File::open(run)?.sync_all());
        created.map_err(LedgerError::io("write", &path))?;
        Ok(Ledger::at(path, signer))
    }

    /// Opens the ledger of a run to append to, and gives its entries. A last line without its line feed was never whole,
    /// and is cut off.
    ///
    /// # Errors
    /// When the system refuses, or the ledger is not whole.
    pub fn open(run: &Path, signer: Option<Signer>) -> Result<(Ledger, Vec<Entry>), LedgerError> {
        let path = run.join(LEDGER);
        let ledger = Ledger::at(path, signer);
        let mut file = ledger.locked()?;
        cut_torn(&mut file).map_err(LedgerError::io("write", &ledger.path))?;
        let bytes = whole(&mut file).map_err(LedgerError::io("read", &ledger.path))?;
        let (entries, mut faults) = check(&bytes);
        if !faults.is_empty() {
            return Err(LedgerError::Broken { path: ledger.path, fault: faults.swap_remove(0) });
        }
        if let Some(signing) = &ledger.signing {
            signing.lock().unwrap_or_else(PoisonError::into_inner).may_sign(
                &ledger.path,
                &bytes,
                &entries,
            )?;
        }
        Ok((ledger, entries))
    }

    fn at(path: PathBuf, signer: Option<Signer>) -> Ledger {
        let signing = |signer| Arc::new(Mutex::new(Signing { signer, tree: Tree::default(), read: 0 }));
        Ledger { path, signing: signer.map(signing) }
    }

    /// The verifier key of the head's signature.
    pub fn key(&self) -> Option<String> {
        let signing = self.signing.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(signing.signer.verifier().to_string())
    }

    /// Appends what happened, now, and puts it on disk.
    ///
    /// # Errors
    /// When the system refuses, or the last line is no entry; the ledger is then as it was before. When only the head
    /// cannot be signed, the entry stands.
    pub fn append(&self, event: Event) -> Result<Entry, LedgerError> {
        let mut file = self.locked()?;
        let length = cut_torn(&mut file).map_err(LedgerError::io("write", &self.path))?;
        let last = last_line(&mut file, length).map_err(LedgerError::io("read", &self.path))?;
        let (number, previous) = match last.as_deref().and_then(|last| last.strip_suffix(b"\n")) {
            None => (0, NONE.to_owned()),
            Some(last) => match check::entry(last) {
                Ok(entry) => (entry.entry + 1, hexadecimal(&Sha256::digest(last))),
                Err(what) => {
                    let bytes = whole(&mut file).map_err(LedgerError::io("read", &self.path))?;
                    let line = bytes.iter().filter(|byte| **byte == b'\n').count();
                    return Err(LedgerError::Broken { path: self.path.clone(), fault: Fault { line, what } });
                }
            },
        };
        let entry = Entry { entry: number, at: Timestamp::now(), previous, event };
        let line = format!("{}\n", line(&entry));
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // A line that is not whole is cut off when the ledger is opened, too.
            let _ = file.set_len(length);
            return Err(LedgerError::io("write", &self.path)(error));
        }
        if let Some(signing) = &self.signing {
            signing.lock().unwrap_or_else(PoisonError::into_inner).sign(&self.path, &mut file)?;
        }
        Ok(entry)
    }

    /// The file, which nobody else writes while this is held; positioned at its beginning, written at its end.
    fn locked(&self) -> Result<File, LedgerError> {
        let file = OpenOptions::new().read(true).append(true).open(&self.path);
        let file = file.map_err(LedgerError::io("open", &self.path))?;
        file.lock().map_err(LedgerError::io("lock", &self.path))?;
        Ok(file)
    }
}

impl Signing {
    /// Whether a new head may take the place of the one that is there: that must be of this key, and of the first lines of
    /// this ledger. Otherwise a head that shows that the ledger was cut would be signed away.
    fn may_sign(&self, path: &Path, bytes: &[u8], entries: &[Entry]) -> Result<(), LedgerError> {
        let own = self.signer.verifier();
        let key = match entries.first().map(|entry| &entry.event) {
            Some(Event::RunStarted { key, .. }) => key.clone(),
            _ => None,
        };
        if key.as_ref() != Some(&own.to_string()) {
            return Err(LedgerError::Key { path: path.to_owned(), own: own.to_string(), key });
        }
        let note = path.with_file_name(NOTE);
        let head = std::fs::read_to_string(&note).map_err(LedgerError::io("read", &note))?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
        own.check(&head, lines).map(drop).map_err(|what| LedgerError::Head { path: note, what })
    }

    /// Signs the head as it is now, with what others have appended.
    fn sign(&mut self, path: &Path, file: &mut File) -> Result<(), LedgerError> {
        let mut new = Vec::new();
        let read = file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut new));
        read.map_err(LedgerError::io("read", path))?;
        self.read += new.len() as u64;
        new.strip_suffix(b"\n").into_iter().flat_map(|lines| lines.split(|byte| *byte == b'\n')).for_each(
            |line| {
                self.tree.push(line);
            },
        );
        let note = path.with_file_name(NOTE);
        replace(&note, self.signer.sign(&self.tree).as_bytes()).map_err(LedgerError::io("write", &note))
    }
}

/// An entry's line, without its line feed.
fn line(entry: &Entry) -> String {
    let body = serde_json::to_string(entry).expect("an entry is plain data");
    let body = body.strip_suffix('}').unwrap_or(&body);
    format!("{body}{HASH}{}\"}}", hexadecimal(&Sha256::digest(body)))
}

/// All that is in a file.
fn whole(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Cuts off a last line that has no line feed: it was never whole, and nobody was told of it. Gives the length then.
fn cut_torn(file: &mut File) -> std::io::Result<u64> {
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

/// The last line, with its line feed if it has one. What is read for it does not depend on the ledger's length.
fn last_line(file: &mut File, length: u64) -> std::io::Result<Option<Vec<u8>>> {
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

#[cfg(test)]
mod tests;
