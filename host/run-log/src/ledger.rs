//! `ledger.jsonl`: the events of a run, one entry per line, each chained to the one before.
//!
//! The form of a line is that of [`ChainedEntry`](crate::ChainedEntry).
//!
//! Invariants: a line is on disk before the append returns. Several processes may append. Reading returns
//! exactly what was written, or a fault with its line.

mod entry;
mod event;
mod recorded_interference;
mod recorded_swap;
mod review;
mod state;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

pub use crate::ledger::entry::{Entry, check, head, is_closed};
pub use crate::ledger::event::{
    Asset, Event, FileDigest, RunRegistration, Segment, ShadowResult, ShedCounts, StopReason, SwapTrigger,
    SwappedModel,
};
pub use crate::ledger::recorded_interference::{InterferenceSource, RecordedInterference};
pub use crate::ledger::recorded_swap::{RecordedSwap, SwapOutcome};
pub use crate::ledger::review::{FailureMode, Judgement, SampledStratum};
pub use crate::ledger::state::{DeterminismTotals, LedgerState, RecordedVerdict, RunStart};

use crate::atomic_file::replace;
use crate::chained_lines::{
    self, LineFault, NO_PREVIOUS, last_line, line, line_digest, read_all, remove_incomplete_line,
};
use crate::io_advice::io_advice;
use crate::regular_file::{create_file, open_regular_file, read_text_file};
use crate::signed_head::{NoteError, Signer, Tree};

/// The file name of the ledger.
pub const LEDGER: &str = "ledger.jsonl";
/// The file name of the signed head.
pub const NOTE: &str = "ledger.note";
/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file operation failed.
    #[error("cannot {verb} {}: {error}{}", path.display(), io_advice(verb, error))]
    Io {
        /// The operation, such as "read".
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The ledger has a fault.
    #[error(
        "cannot use {}:{}: {}; run `understudy verify` for all faults, and restore the file from a copy",
        path.display(),
        fault.line,
        fault.what
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first fault.
        fault: LineFault,
    },
    /// The signed head does not belong to this ledger.
    #[error(
        "cannot replace {}: {what}; run `understudy verify` for all faults, and restore ledger and head from copies",
        path.display()
    )]
    Head {
        /// The file of the head.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// The key is not the one with which the ledger was started.
    #[error(
        "cannot sign {} with the key {own}: it was started {}; leave out --sign-key, or use the ledger's key",
        path.display(),
        key.as_ref().map_or_else(|| "without a key".to_owned(), |key| format!("with the key {key}"))
    )]
    Key {
        /// The ledger.
        path: PathBuf,
        /// The given key.
        own: String,
        /// The ledger's key, if it has one.
        key: Option<String>,
    },
    /// The head cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl LedgerError {
    fn io<'a>(verb: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> LedgerError + 'a {
        move |error| LedgerError::Io { verb, path: path.to_owned(), error }
    }
}

/// Appends to the ledger of a run. Clones append to the same ledger.
#[derive(Clone)]
pub struct Ledger {
    path: PathBuf,
    signing: Option<Arc<Mutex<HeadSigner>>>,
}

/// The state for signing the head.
struct HeadSigner {
    signer: Signer,
    tree: Tree,
    /// Bytes of the ledger that are in the tree.
    read: u64,
}

impl Ledger {
    /// Creates the ledger of a run and replaces an existing one.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(run: &Path, signer: Option<Signer>) -> Result<Ledger, LedgerError> {
        let path = run.join(LEDGER);
        // The name must be on disk before the first line.
        let created = create_file(&path).and_then(|_| File::open(run)?.sync_all());
        created.map_err(LedgerError::io("write", &path))?;
        Ok(Ledger::from_path(path, signer))
    }

    /// Opens the ledger of a run for appending, and returns its entries. A last line without a line feed is
    /// incomplete and is removed.
    ///
    /// # Errors
    /// If the file cannot be read or written, the ledger has a fault, or the signer's key is not the
    /// ledger's.
    pub fn open(run: &Path, signer: Option<Signer>) -> Result<(Ledger, Vec<Entry>), LedgerError> {
        let path = run.join(LEDGER);
        let ledger = Ledger::from_path(path, signer);
        let mut file = ledger.locked()?;
        remove_incomplete_line(&mut file).map_err(LedgerError::io("write", &ledger.path))?;
        let bytes = read_all(&mut file).map_err(LedgerError::io("read", &ledger.path))?;
        let (entries, mut faults) = check(&bytes);
        if !faults.is_empty() {
            return Err(LedgerError::Broken { path: ledger.path, fault: faults.swap_remove(0) });
        }
        if let Some(signing) = &ledger.signing {
            signing.lock().unwrap_or_else(PoisonError::into_inner).check_head(
                &ledger.path,
                &bytes,
                &entries,
            )?;
        }
        Ok((ledger, entries))
    }

    fn from_path(path: PathBuf, signer: Option<Signer>) -> Ledger {
        let signing = |signer| Arc::new(Mutex::new(HeadSigner { signer, tree: Tree::default(), read: 0 }));
        Ledger { path, signing: signer.map(signing) }
    }

    /// The verifier key for the head's signature, if the head is signed.
    pub fn key(&self) -> Option<String> {
        let signing = self.signing.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(signing.signer.verifier().to_string())
    }

    /// Appends an event with the current time and syncs it to disk.
    ///
    /// # Errors
    /// If the file cannot be written, or its last line is not an entry; then the ledger is unchanged. If only
    /// the head cannot be signed, the entry is kept.
    pub fn append(&self, event: Event) -> Result<Entry, LedgerError> {
        let mut file = self.locked()?;
        let length = remove_incomplete_line(&mut file).map_err(LedgerError::io("write", &self.path))?;
        let last = last_line(&mut file, length).map_err(LedgerError::io("read", &self.path))?;
        let (number, previous) = match last.as_deref().and_then(|last| last.strip_suffix(b"\n")) {
            None => (0, NO_PREVIOUS.to_owned()),
            Some(last) => match chained_lines::entry::<Event>(last) {
                Ok(entry) => (entry.entry + 1, line_digest(last)),
                Err(what) => {
                    let bytes = read_all(&mut file).map_err(LedgerError::io("read", &self.path))?;
                    let line = bytes.iter().filter(|byte| **byte == b'\n').count();
                    return Err(LedgerError::Broken {
                        path: self.path.clone(),
                        fault: LineFault { line, what },
                    });
                }
            },
        };
        let entry = Entry { entry: number, at: Timestamp::now(), previous, event };
        let line = format!("{}\n", line(&entry));
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // If this fails, too, the incomplete line is removed when the ledger is opened next.
            let _ = file.set_len(length);
            return Err(LedgerError::io("write", &self.path)(error));
        }
        if let Some(signing) = &self.signing {
            signing.lock().unwrap_or_else(PoisonError::into_inner).sign(&self.path, &mut file)?;
        }
        Ok(entry)
    }

    /// Opens and locks the file. It is positioned at its beginning, and writes go to its end.
    fn locked(&self) -> Result<File, LedgerError> {
        let file = open_regular_file(&self.path, OpenOptions::new().read(true).append(true));
        let file = file.map_err(LedgerError::io("open", &self.path))?;
        file.lock().map_err(LedgerError::io("lock", &self.path))?;
        Ok(file)
    }
}

impl HeadSigner {
    /// Checks that the existing head is signed with this key and covers the first lines of this ledger.
    /// Otherwise signing a new head would hide that the ledger was truncated.
    fn check_head(&self, path: &Path, bytes: &[u8], entries: &[Entry]) -> Result<(), LedgerError> {
        let own = self.signer.verifier();
        let key = match entries.first().map(|entry| &entry.event) {
            Some(Event::RunStarted { key, .. }) => key.clone(),
            _ => None,
        };
        if key.as_ref() != Some(&own.to_string()) {
            return Err(LedgerError::Key { path: path.to_owned(), own: own.to_string(), key });
        }
        let note = path.with_file_name(NOTE);
        let head = read_text_file(&note).map_err(LedgerError::io("read", &note))?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
        own.check(&head, lines).map(drop).map_err(|what| LedgerError::Head { path: note, what })
    }

    /// Signs the current head, including entries that other processes appended.
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

#[cfg(test)]
mod tests;
