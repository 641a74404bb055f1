//! Reads and writes the seal beside a study: `seal.json` beside `study.toml`, `NAME.seal.json` beside any
//! other `NAME.toml`.
//!
//! `understudy seal` creates it, possibly long before the run and by somebody else. A run of the study must
//! match it.
//!
//! Invariants: an existing seal is never overwritten; a loaded seal is complete, its signature is valid if it
//! has one, and the study matches it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::{SEAL, Seal};
use understudy_run_log::signed_head::Signer;

/// Why a study cannot be sealed, or run under its seal.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The seal cannot be read.
    #[error("cannot read {}: {error}; a sealed study runs only under its seal", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The seal cannot be written.
    #[error("cannot write {}: {error}; the seal is stored beside the study; make the folder writable", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The seal is damaged or its signature is invalid.
    #[error(
        "{} is damaged: {what}; restore it from a copy, or move it away and seal the study again with `understudy seal`",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The defect.
        what: String,
    },
    /// The study has changed since it was sealed.
    #[error(
        "{} was sealed in {} on {sealed_at} and has changed since: {}; revert the changes, or move the seal away and seal the study again with `understudy seal`",
        study.display(),
        path.display(),
        changes.join(", ")
    )]
    Changed {
        /// The study's file.
        study: PathBuf,
        /// The seal's file.
        path: PathBuf,
        /// When it was sealed, to the second.
        sealed_at: String,
        /// The changes, each in words.
        changes: Vec<String>,
    },
    /// A seal exists without the requested signature.
    #[error(
        "{} already exists, {}; omit --sign-key, or move the seal away to seal the study again",
        path.display(),
        key.as_ref().map_or_else(|| "and is not signed".to_owned(), |key| format!("signed by another key, {key}"))
    )]
    Signed {
        /// The seal's file.
        path: PathBuf,
        /// The key that signed the existing seal.
        key: Option<String>,
    },
}

/// Path of the seal that belongs to a study file.
pub fn seal_path(study: &Path) -> PathBuf {
    match study.file_name().is_some_and(|name| name == "study.toml") {
        true => study.with_file_name(SEAL),
        false => study.with_extension(SEAL),
    }
}

/// Loads the seal beside a study and checks that the study matches it; `None` if there is no seal.
///
/// # Errors
/// If the seal cannot be read or is invalid, or if the study does not match it.
pub fn load_and_verify(loaded_study: &LoadedStudy) -> Result<Option<Seal>, SealError> {
    let path = seal_path(&loaded_study.path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SealError::Unreadable { path, error }),
    };
    let sound = Seal::parse(&bytes).and_then(|seal| match seal.replay_of {
        None => seal.signer().map(|_| seal),
        Some(_) => Err("it belongs to a replay of another run's log".to_owned()),
    });
    let seal = match sound {
        Ok(seal) => seal,
        Err(what) => return Err(SealError::Damaged { path, what }),
    };
    let changes = seal.changes(&Seal::from_study(loaded_study, seal.sealed_at));
    match changes.is_empty() {
        true => Ok(Some(seal)),
        false => {
            let (study, sealed_at) = (loaded_study.path.clone(), seal.time_text());
            Err(SealError::Changed { study, path, sealed_at, changes })
        }
    }
}

/// Seals a study, unless it is already sealed with the same content. Returns the seal, and whether it is new.
///
/// # Errors
/// When there is another seal, or one that is not signed with the key that it is to be signed with, or when
/// it cannot be written.
pub fn create_or_verify(
    loaded_study: &LoadedStudy,
    signer: Option<&Signer>,
) -> Result<(Seal, bool), SealError> {
    let path = seal_path(&loaded_study.path);
    if let Some(seal) = load_and_verify(loaded_study)? {
        let key = seal.signed.as_ref().map(|signature| signature.key.clone());
        return match signer.is_none_or(|signer| key == Some(signer.verifier().to_string())) {
            true => Ok((seal, false)),
            false => Err(SealError::Signed { path, key }),
        };
    }
    let seal = Seal::from_study(loaded_study, Timestamp::now());
    let seal = match signer {
        Some(signer) => seal.sign(signer),
        None => seal,
    };
    match write(&path, &seal.to_json()) {
        Ok(()) => Ok((seal, true)),
        Err(error) => Err(SealError::Unwritable { path, error }),
    }
}

/// Writes a file that must not exist yet.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // An incomplete seal would block the next attempt; the caller reports the error.
        let _ = fs::remove_file(path);
    }
    written
}
