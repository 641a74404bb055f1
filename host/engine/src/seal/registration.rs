//! Appends a new seal to the register that the study names, and checks that an existing seal is in it.
//!
//! Invariants:
//! - A seal is on disk before its entry, so that an interrupted sealing is completed and not repeated.
//! - The register stays locked from the time when a seal gets its position until its entry is on disk.

use std::path::{Component, Path, PathBuf};

use crate::plugins::load::LoadedStudy;
use crate::seal::manifest::Seal;
use crate::seal::seal_error::{SealError, seal_path};
use crate::seal::study_identity::{check_registered, registered_seal};
use understudy_run_log::register::{Register, RegisterEvent, read_register, register_file};
use understudy_run_log::signed_head::Signer;

/// The file of the register that a study names; `None` if it names none.
pub fn study_register(loaded: &LoadedStudy) -> Option<PathBuf> {
    let path = loaded.study.register.as_ref()?;
    Some(register_file(&loaded.folder.join(path)))
}

/// Opens and locks the register that a study names; `None` if it names none. A seal that exists must be in it.
///
/// # Errors
/// If the register cannot be opened, or does not have the seal.
pub(crate) fn open_register(
    loaded: &LoadedStudy,
    seal: Option<&Seal>,
    signer: Option<&Signer>,
) -> Result<Option<Register>, SealError> {
    let Some(path) = study_register(loaded) else { return Ok(None) };
    if let Some(seal) = seal {
        // Otherwise a register that was removed would be created again here.
        ensure_registered(loaded, seal)?;
    }
    Ok(Some(Register::open(&path, signer)?))
}

/// Checks that a seal is in the register that the study names, if it names one.
///
/// # Errors
/// If the register cannot be read, or does not have the seal.
pub(crate) fn ensure_registered(loaded: &LoadedStudy, seal: &Seal) -> Result<(), SealError> {
    let Some(register) = study_register(loaded) else { return Ok(()) };
    let found = match read_register(&register)? {
        Some(content) => check_registered(&content, seal, &loaded.study),
        None => Err("the register does not exist".to_owned()),
    };
    found.map_err(|what| SealError::Unregistered { path: seal_path(&loaded.path), register, what })
}

/// The keys that sign a new seal and its entry in the register; `None` leaves that unsigned.
#[derive(Clone, Copy, Default)]
pub(crate) struct SealSigners<'s> {
    /// Signs the seal.
    pub seal: Option<&'s Signer>,
    /// Signs the entry.
    pub entry: Option<&'s Signer>,
}

/// Gives a new seal its position in the register, signs it, stores it with `store`, and appends its entry.
///
/// # Errors
/// If the seal cannot be stored, or the register cannot be written.
pub(crate) fn register_seal<E: From<SealError>>(
    loaded: &LoadedStudy,
    register: Option<&mut Register>,
    seal: Seal,
    signers: SealSigners<'_>,
    store: impl FnOnce(&Seal) -> Result<(), E>,
) -> Result<Seal, E> {
    let key = signers.entry.map(|signer| signer.verifier().to_string());
    let position = register.as_ref().map(|register| register.content().next_position(key));
    let seal = Seal { register: position, ..seal };
    let seal = match signers.seal {
        Some(signer) => seal.sign(signer),
        None => seal,
    };
    store(&seal)?;
    if let Some(register) = register {
        let event = RegisterEvent::StudySealed(registered_seal(loaded, &seal));
        register.append(event, signers.entry).map_err(SealError::from)?;
    }
    Ok(seal)
}

/// The path of a register's file relative to a run directory; unchanged if one of them does not exist.
pub(crate) fn path_from_run(register: &Path, run: &Path) -> PathBuf {
    let (Ok(register_path), Ok(run)) = (register.canonicalize(), run.canonicalize()) else {
        return register.to_owned();
    };
    let (to, from): (Vec<_>, Vec<_>) = (register_path.components().collect(), run.components().collect());
    let shared = to.iter().zip(&from).take_while(|(to, from)| to == from).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_is_found_from_the_run_directory() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("study/runs/first")).unwrap();
        std::fs::write(path("register.jsonl"), "").unwrap();
        std::fs::write(path("study/runs/first/register.jsonl"), "").unwrap();
        for (register, expected) in [
            ("register.jsonl", "../../../register.jsonl"),
            ("study/../register.jsonl", "../../../register.jsonl"),
            ("study/runs/first/register.jsonl", "register.jsonl"),
        ] {
            assert_eq!(path_from_run(&path(register), &path("study/runs/first")), Path::new(expected));
        }
    }
}
