//! Reads and writes the seal beside a study: `seal.json` beside `study.toml`, `NAME.seal.json` beside any
//! other `NAME.toml`.
//!
//! `understudy seal` creates it, possibly long before the run and by somebody else. A run of the study must
//! match it.
//!
//! Invariants: an existing seal is never overwritten; a loaded seal is complete, its signature is valid if it
//! has one, and the study matches it. A seal is in the register that the study names before it has its name.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::{SEAL, Seal};
use crate::seal::registration::{ensure_registered, open_register, register_seal};
use crate::seal::study_identity::check_registered;
use understudy_run_log::register::{Register, RegisterError};
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
    /// The register of seals cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The seal is not in the register that the study names.
    #[error(
        "{} is not in the register {}: {what}; restore the register from a copy, or move the seal away and seal the study again with `understudy seal`",
        path.display(),
        register.display()
    )]
    Unregistered {
        /// The seal's file.
        path: PathBuf,
        /// The register's file.
        register: PathBuf,
        /// Why.
        what: String,
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

/// Seals a study, unless it is already sealed with the same content. Returns the seal, and whether it is new. A new
/// seal is appended to the register that the study names.
///
/// # Errors
/// When there is another seal, or one that is not signed with the key that it is to be signed with, or that is not
/// in its register, or when seal or register cannot be written.
pub fn create_or_verify(
    loaded_study: &LoadedStudy,
    signer: Option<&Signer>,
) -> Result<(Seal, bool), SealError> {
    if let Some(seal) = existing(loaded_study, signer)? {
        return Ok((seal, false));
    }
    let mut register = open_register(loaded_study, None, signer)?;
    // Another process may have sealed the study while this one waited for the register.
    if let Some(seal) = existing(loaded_study, signer)? {
        return Ok((seal, false));
    }
    let path = seal_path(&loaded_study.path);
    let unwritable = |error| SealError::Unwritable { path: path.clone(), error };
    let pending = path.with_extension("json.tmp");
    let interrupted =
        register.as_ref().and_then(|register| interrupted(loaded_study, &pending, register, signer));
    let seal = match interrupted {
        Some(seal) => seal,
        None => {
            let seal = Seal::from_study(loaded_study, Timestamp::now());
            let (file, mut options) = (if register.is_some() { &pending } else { &path }, OpenOptions::new());
            match register {
                // What an interrupted sealing left behind is replaced.
                Some(_) => options.create(true).truncate(true),
                None => options.create_new(true),
            };
            let store = |seal: &Seal| write(&mut options, file, &seal.to_json()).map_err(unwritable);
            register_seal(loaded_study, register.as_mut(), seal, (signer, signer), store)?
        }
    };
    if register.is_some() {
        fs::rename(&pending, &path).map_err(unwritable)?;
    }
    Ok((seal, true))
}

/// The seal beside a study, which must have the requested signature and be in its register.
fn existing(loaded_study: &LoadedStudy, signer: Option<&Signer>) -> Result<Option<Seal>, SealError> {
    let Some(seal) = load_and_verify(loaded_study)? else { return Ok(None) };
    if !is_signed_by(&seal, signer) {
        let key = seal.signed.map(|signature| signature.key);
        return Err(SealError::Signed { path: seal_path(&loaded_study.path), key });
    }
    ensure_registered(loaded_study, &seal)?;
    Ok(Some(seal))
}

/// The seal of a sealing that was interrupted after its entry in the register, if it is the requested one.
fn interrupted(
    loaded_study: &LoadedStudy,
    pending: &Path,
    register: &Register,
    signer: Option<&Signer>,
) -> Option<Seal> {
    let seal = Seal::parse(&fs::read(pending).ok()?).ok()?;
    let is_requested = seal.signer().is_ok()
        && seal.signed.is_some() == signer.is_some()
        && is_signed_by(&seal, signer)
        && seal.changes(&Seal::from_study(loaded_study, seal.sealed_at)).is_empty()
        && check_registered(register.content(), &seal, &loaded_study.study).is_ok();
    is_requested.then_some(seal)
}

/// Whether a seal has the signature of this key, if there is one.
fn is_signed_by(seal: &Seal, signer: Option<&Signer>) -> bool {
    let key = seal.signed.as_ref().map(|signature| &signature.key);
    signer.is_none_or(|signer| key == Some(&signer.verifier().to_string()))
}

/// Writes and syncs a file. An incomplete one is removed.
fn write(options: &mut OpenOptions, path: &Path, text: &str) -> io::Result<()> {
    let mut file = options.write(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // An incomplete seal would block the next attempt; the caller reports the error.
        let _ = fs::remove_file(path);
    }
    written
}
