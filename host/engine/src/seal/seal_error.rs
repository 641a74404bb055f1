//! Defines the errors of sealing a study and of running it under its seal, and the path of the seal in such an error.

use std::io;
use std::path::{Path, PathBuf};

use crate::seal::manifest::SEAL;
use understudy_run_log::register::RegisterError;

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
