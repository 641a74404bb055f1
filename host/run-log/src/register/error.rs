//! Errors of reading and writing a register.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use crate::chained_lines::LineFault;
use crate::error::LogError;

/// Why a register cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A file operation failed.
    #[error("cannot {verb} the register {}: {error}{}", path.display(), advice(error))]
    Io {
        /// The operation, such as "read".
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: Error,
    },
    /// The folder of a new register does not exist.
    #[error(
        "cannot open the register {}: the folder {} does not exist; create it, or mount the share that has it",
        path.display(),
        folder.display()
    )]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder that does not exist.
        folder: PathBuf,
    },
    /// The path names no regular file.
    #[error("cannot use the register {}: {error}; name a file as `register`", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        error: Error,
    },
    /// The file is not a register.
    #[error("{} is not a register: its first line does not open one; name another file as `register`", path.display())]
    NotARegister {
        /// The file.
        path: PathBuf,
    },
    /// A line of the register has a fault.
    #[error(
        "cannot use the register {}:{}: {}; run `understudy register verify` for all faults, and restore the file from a copy",
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
    /// The folder of a new register cannot be synced.
    #[error("cannot create the register {}: {error}", path.display())]
    Unsynced {
        /// The file.
        path: PathBuf,
        /// The error of the sync.
        error: Box<LogError>,
    },
    /// The operating system gave no random bits for the first entry.
    #[error("cannot create a register: cannot read OS randomness: {0}")]
    Random(getrandom::Error),
}

impl RegisterError {
    pub(super) fn io<'a>(verb: &'static str, path: &'a Path) -> impl Fn(Error) -> RegisterError + 'a {
        move |error| RegisterError::Io { verb, path: path.to_owned(), error }
    }
}

/// What to do about an error of the system; empty if there is no advice.
fn advice(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space: a study that names a register starts once its entry is on disk"
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "; make it accessible to this user: a study that names a register starts once its entry is on disk"
        }
        _ => "",
    }
}
