//! Reads and writes the seal beside a study: `seal.json` beside `study.toml`, `NAME.seal.json` beside any
//! other `NAME.toml`.
//!
//! `understudy seal` creates it, possibly long before the run and by somebody else. A run of the study must
//! match it.
//!
//! Invariants: an existing seal is never overwritten; a loaded seal is complete, its signature is valid if it
//! has one, and the study matches it. If the study names a register, the seal's entry is there before the seal
//! file has its final name.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use jiff::Timestamp;

use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::Seal;
use crate::seal::registration::{SealSigners, ensure_registered, open_register, register_seal};
use crate::seal::seal_error::{SealError, seal_path};
use crate::seal::study_identity::check_registered;
use understudy_run_log::read_file;
use understudy_run_log::register::Register;
use understudy_run_log::signed_head::Signer;

/// Loads the seal beside a study and checks that the study matches it; `None` if there is no seal.
///
/// # Errors
/// If the seal cannot be read or is invalid, or if the study does not match it.
pub fn load_and_verify(loaded_study: &LoadedStudy) -> Result<Option<Seal>, SealError> {
    let path = seal_path(&loaded_study.path);
    let bytes = match read_file(&path) {
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
    if let Some(seal) = registered_seal_beside(loaded_study, signer)? {
        return Ok((seal, false));
    }
    let mut register = open_register(loaded_study, None, signer)?;
    // Another process may have sealed the study while this one waited for the register.
    if let Some(seal) = registered_seal_beside(loaded_study, signer)? {
        return Ok((seal, false));
    }
    let path = seal_path(&loaded_study.path);
    let unwritable = |error| SealError::Unwritable { path: path.clone(), error };
    let pending = path.with_extension("json.tmp");
    let pending_seal =
        register.as_ref().and_then(|register| read_pending_seal(loaded_study, &pending, register, signer));
    let seal = match pending_seal {
        Some(seal) => seal,
        None => {
            let seal = Seal::from_study(loaded_study, Timestamp::now());
            let file = if register.is_some() { &pending } else { &path };
            if register.is_some() {
                // An interrupted sealing may have left this file behind, and creating an existing file fails.
                let _ = fs::remove_file(&pending);
            }
            let store = |seal: &Seal| create(file, &seal.to_json()).map_err(unwritable);
            register_seal(
                loaded_study,
                register.as_mut(),
                seal,
                SealSigners { seal: signer, entry: signer },
                store,
            )?
        }
    };
    if register.is_some() {
        fs::rename(&pending, &path).map_err(unwritable)?;
    }
    Ok((seal, true))
}

/// The seal beside a study, which must have the requested signature and be in its register.
fn registered_seal_beside(
    loaded_study: &LoadedStudy,
    signer: Option<&Signer>,
) -> Result<Option<Seal>, SealError> {
    let Some(seal) = load_and_verify(loaded_study)? else { return Ok(None) };
    if !is_signed_by(&seal, signer) {
        let key = seal.signed.map(|signature| signature.key);
        return Err(SealError::Signed { path: seal_path(&loaded_study.path), key });
    }
    ensure_registered(loaded_study, &seal)?;
    Ok(Some(seal))
}

/// The seal in the file `pending`, which a sealing that was interrupted after its entry in the register left behind.
/// `None` if it is not the requested seal, or is not in the register.
fn read_pending_seal(
    loaded_study: &LoadedStudy,
    pending: &Path,
    register: &Register,
    signer: Option<&Signer>,
) -> Option<Seal> {
    let seal = Seal::parse(&read_file(pending).ok()?).ok()?;
    let is_requested = seal.signer().is_ok()
        && seal.signed.is_some() == signer.is_some()
        && is_signed_by(&seal, signer)
        && seal.changes(&Seal::from_study(loaded_study, seal.sealed_at)).is_empty()
        && check_registered(register.content(), &seal, &loaded_study.study).is_ok();
    is_requested.then_some(seal)
}

/// Whether a seal is signed with the key of `signer`; true without a signer.
fn is_signed_by(seal: &Seal, signer: Option<&Signer>) -> bool {
    let key = seal.signed.as_ref().map(|signature| &signature.key);
    signer.is_none_or(|signer| key == Some(&signer.verifier().to_string()))
}

/// Creates, writes and syncs a new file. Removes it after an error in writing.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // An incomplete seal would block the next attempt; the caller reports the error.
        let _ = fs::remove_file(path);
    }
    written
}
