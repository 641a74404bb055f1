//! The seal beside a study: `seal.json` beside `study.toml`, `NAME.seal.json` beside any other `NAME.toml`.
//!
//! It is made by `understudy seal`, perhaps long before the study is run and perhaps by somebody else. Whoever runs the
//! study has to keep what it promises.
//!
//! Always holds: a seal that is there is never written over; a seal that is given back is whole, its signature, if it has
//! one, is valid, and the study is what it promises.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::{SEAL, Seal};
use understudy_run_log::signed_head::Signer;

/// Why a study cannot be run under its seal, or sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The seal cannot be read.
    #[error("cannot read {}: {error}; a study that was sealed is run under its seal", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {error}; a seal stands beside its study, so make that folder one that may be written to", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be believed.
    #[error(
        "{} cannot be believed: {what}; put a copy of it back, or move it away and seal the study anew with `understudy seal`",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The study is another now.
    #[error(
        "{} was sealed in {} on {sealed_at}, and what was promised has changed since: {}; put it back, or move the seal away \
         and seal the study anew with `understudy seal`",
        study.display(),
        path.display(),
        changes.join(", ")
    )]
    Changed {
        /// The study's file.
        study: PathBuf,
        /// The seal's file.
        path: PathBuf,
        /// When it was sealed.
        sealed_at: Timestamp,
        /// What has changed, each in words.
        changes: Vec<String>,
    },
    /// It is to be signed, and is there already without that signature.
    #[error(
        "{} is there already, {}; leave --sign-key out, or move the seal away to seal the study anew",
        path.display(),
        key.as_ref().map_or_else(|| "and is not signed".to_owned(), |key| format!("signed by another key, {key}"))
    )]
    Signed {
        /// The seal's file.
        path: PathBuf,
        /// The key that it is signed with.
        key: Option<String>,
    },
}

/// Where the seal of a study stands.
pub fn seal_path(study: &Path) -> PathBuf {
    match study.file_name().is_some_and(|name| name == "study.toml") {
        true => study.with_file_name(SEAL),
        false => study.with_extension(SEAL),
    }
}

/// The seal beside a study, if there is one.
///
/// # Errors
/// When it cannot be believed, or the study is not what it promises.
pub fn promised(prepared: &LoadedStudy) -> Result<Option<Seal>, SealError> {
    let path = seal_path(&prepared.path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SealError::Unreadable { path, error }),
    };
    let sound = Seal::parse(&bytes).and_then(|seal| match seal.replay_of {
        None => seal.signer().map(|_| seal),
        Some(_) => Err("it is that of a replay of another run's log".to_owned()),
    });
    let seal = match sound {
        Ok(seal) => seal,
        Err(what) => return Err(SealError::Damaged { path, what }),
    };
    let changes = seal.changes(&Seal::of(prepared, seal.sealed_at));
    match changes.is_empty() {
        true => Ok(Some(seal)),
        false => {
            let (study, sealed_at) = (prepared.path.clone(), seal.sealed_at);
            Err(SealError::Changed { study, path, sealed_at, changes })
        }
    }
}

/// Seals a study, unless there is a seal that promises the same. Gives the seal, and whether it is new.
///
/// # Errors
/// When there is another seal, or one that is not signed with the key that it is to be signed with, or when it cannot be
/// written.
pub fn promise(prepared: &LoadedStudy, signer: Option<&Signer>) -> Result<(Seal, bool), SealError> {
    let path = seal_path(&prepared.path);
    if let Some(seal) = promised(prepared)? {
        let key = seal.signed.as_ref().map(|signature| signature.key.clone());
        return match signer.is_none_or(|signer| key == Some(signer.verifier().to_string())) {
            true => Ok((seal, false)),
            false => Err(SealError::Signed { path, key }),
        };
    }
    let seal = Seal::of(prepared, Timestamp::now());
    let seal = match signer {
        Some(signer) => seal.sign(signer),
        None => seal,
    };
    match write(&path, &seal.to_json()) {
        Ok(()) => Ok((seal, true)),
        Err(error) => Err(SealError::Unwritable { path, error }),
    }
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a seal would be in the way, and the error is told.
        let _ = fs::remove_file(path);
    }
    written
}
