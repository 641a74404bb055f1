//! The register of seals: a log that several studies share, so that a second try of a study is visible.
//!
//! Invariants:
//! - An entry is on disk before the append returns.
//! - Only the holder of the exclusive lock appends. So a position that is read under the lock is that of the next
//!   entry.
//! - A file that is not a register is never changed.
//!
//! Each line has the form of a ledger's, see [`ChainedEntry`]. The first entry opens the
//! register, and its digest is the register's identity. A seal names that identity, its own entry number and
//! the digest of the entry before. So the seal alone suffices to detect that it is missing, or that the register
//! was replaced, truncated or rewritten before it.

mod content;
mod error;
mod event;

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use crate::register::content::{RegisterContent, RegisterPosition};
pub use crate::register::error::RegisterError;
pub use crate::register::event::{
    EntrySignature, RegisterEntry, RegisterEvent, RegisterRecord, RegisteredSeal,
};

use crate::chained_lines::{ChainedEntry, line, read_all};
use crate::durable_file::{folder_of, sync_folder};
use crate::regular_file::{ensure_regular_file, open_file, open_regular_file};
use crate::signed_head::Signer;
use understudy_study::hexadecimal;

/// The name of the register's file if a study names a directory.
const REGISTER: &str = "register.jsonl";
/// The beginning of the first line. It tells the rest of an interrupted first append from another file.
const FIRST_LINE: &[u8] = b"{\"entry\":0,";

/// The file of the register that `path` names: `path` itself, or `register.jsonl` in it if it is a directory.
pub fn register_file(path: &Path) -> PathBuf {
    let is_folder = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder { path.join(REGISTER) } else { path.to_owned() }
}

/// A register that this process has locked for appending. It is unlocked when this is dropped.
pub struct Register {
    path: PathBuf,
    file: File,
    /// The length of the complete lines, in bytes.
    length: u64,
    content: RegisterContent,
}

impl Register {
    /// Opens and locks the register in the file `path`, as [`register_file`] returns it. Waits for the lock. A file
    /// that does not exist is created, in a folder that does. An incomplete last line is removed: its append never
    /// returned. `signer` signs the first entry of a new register.
    ///
    /// # Errors
    /// If the file cannot be read, written or created, is not a register, or has a fault.
    pub fn open(path: &Path, signer: Option<&Signer>) -> Result<Register, RegisterError> {
        ensure_appendable(path)?;
        let path = path.to_owned();
        let folder = folder_of(&path).to_owned();
        let file = open_regular_file(&path, OpenOptions::new().read(true).append(true).create(true));
        let mut file = file.map_err(RegisterError::io("open", &path))?;
        file.lock().map_err(RegisterError::io("lock", &path))?;
        let bytes = read_all(&mut file).map_err(RegisterError::io("read", &path))?;
        let complete = complete_lines(&bytes);
        if complete.is_empty() && !bytes.starts_with(FIRST_LINE) && !FIRST_LINE.starts_with(&bytes) {
            return Err(RegisterError::NotARegister { path });
        }
        let content = RegisterContent::parse_valid(complete, &path)?;
        let length = complete.len() as u64;
        if length < bytes.len() as u64 {
            file.set_len(length).map_err(RegisterError::io("write", &path))?;
        }
        let mut register = Register { path, file, length, content };
        if register.content.entries().is_empty() {
            let mut nonce = [0; 16];
            getrandom::fill(&mut nonce).map_err(RegisterError::Random)?;
            let version = env!("CARGO_PKG_VERSION").to_owned();
            register.append(RegisterEvent::RegisterOpened { nonce: hexadecimal(&nonce), version }, signer)?;
            sync_folder(&folder).map_err(|error| RegisterError::Unsynced {
                path: register.path.clone(),
                error: Box::new(error),
            })?;
        }
        Ok(register)
    }

    /// The path of the file, also if a study names its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entries. The first one opens the register.
    pub fn content(&self) -> &RegisterContent {
        &self.content
    }

    /// Appends an event with the current time, signs it if there is a signer, and syncs it to disk.
    ///
    /// # Errors
    /// If the file cannot be written; then it is unchanged.
    pub fn append(
        &mut self,
        event: RegisterEvent,
        signer: Option<&Signer>,
    ) -> Result<&RegisterEntry, RegisterError> {
        let entry = ChainedEntry {
            entry: self.content.entries().len() as u64,
            at: Timestamp::now(),
            previous: self.content.last_digest().to_owned(),
            event: RegisterRecord { event, signed: None },
        };
        let entry = match signer {
            Some(signer) => entry.sign(signer),
            None => entry,
        };
        let line = format!("{}\n", line(&entry));
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        if let Err(error) = written {
            // If this fails, too, the incomplete line is removed when the register is opened next.
            let _ = self.file.set_len(self.length);
            return Err(RegisterError::io("write", &self.path)(error));
        }
        self.length += line.len() as u64;
        Ok(self.content.push(entry))
    }
}

/// Reads the register in the file `path`, as [`register_file`] returns it, while nobody appends to it. `None` if the
/// file does not exist. An incomplete last line is left out: its append never returned.
///
/// # Errors
/// If the file cannot be read, or has a fault.
pub fn read_register(path: &Path) -> Result<Option<RegisterContent>, RegisterError> {
    match read_locked(path)? {
        Some(bytes) => RegisterContent::parse_valid(complete_lines(&bytes), path).map(Some),
        None => Ok(None),
    }
}

/// Checks that [`Register::open`] can append to the register in the file `path`, or create it. Changes nothing: whether a
/// file can be created is tried with one that has no name.
///
/// # Errors
/// If the file cannot be written, or its folder does not exist or takes no new file.
pub fn ensure_appendable(path: &Path) -> Result<(), RegisterError> {
    ensure_register_file(path)?;
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A symbolic link to a file that does not exist is followed, as by the call that creates the file.
            let folder = match std::fs::read_link(path) {
                Ok(target) => return ensure_appendable(&folder_of(path).join(target)),
                Err(_) => folder_of(path),
            };
            if !folder.is_dir() {
                return Err(RegisterError::NoFolder { path: path.to_owned(), folder: folder.to_owned() });
            }
            tempfile::tempfile_in(folder).map(drop).map_err(RegisterError::io("create", path))
        }
        Err(error) => Err(RegisterError::io("open", path)(error)),
    }
}

/// The bytes of a register's file, read while nobody appends to it; `None` if it does not exist. `path` is that of
/// the file.
///
/// # Errors
/// If the file cannot be read.
pub fn read_locked(path: &Path) -> Result<Option<Vec<u8>>, RegisterError> {
    ensure_register_file(path)?;
    let mut file = match open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RegisterError::io("read", path)(error)),
    };
    file.lock_shared().map_err(RegisterError::io("lock", path))?;
    read_all(&mut file).map(Some).map_err(RegisterError::io("read", path))
}

/// Checks that a path names a regular file or nothing.
///
/// # Errors
/// If the path names something else.
fn ensure_register_file(path: &Path) -> Result<(), RegisterError> {
    match ensure_regular_file(path) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::IsADirectory) => {
            Err(RegisterError::NotAFile { path: path.to_owned(), error })
        }
        _ => Ok(()),
    }
}

/// The lines that have a line feed.
pub fn complete_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &bytes[..end]
}

#[cfg(test)]
mod tests;
