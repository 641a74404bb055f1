//! Components that were pulled from a registry.
//!
//! Invariants: no network; a pulled component is used only if manifest and component have the digests that the reference pins.

use std::io;
use std::path::{Path, PathBuf};

use understudy_run_log::read_file;
use understudy_sandbox::{ComponentFile, SandboxError};
use understudy_study::{ComponentManifest, RegistryContentError, RegistryReference};

/// Why there is no pulled component.
#[derive(Debug, thiserror::Error)]
pub enum RegistryComponentError {
    /// A file is missing or cannot be read.
    #[error(
        "{reference} is not pulled: cannot read {}: {reason}; run `understudy plugin pull {reference}` in the folder of the study",
        path.display()
    )]
    NotPulled {
        /// The declared reference.
        reference: Box<RegistryReference>,
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        reason: io::Error,
    },
    /// A file is not what the reference pins.
    #[error(
        "{} is not {reference}: {reason}; remove it, and run `understudy plugin pull {reference}` in the folder of the study",
        path.display()
    )]
    Different {
        /// The declared reference.
        reference: Box<RegistryReference>,
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: RegistryContentError,
    },
    /// The file is no component.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// The component that was pulled into the folder of a study.
///
/// # Errors
/// If it was not pulled, is not the one that the reference pins, or is no component.
pub fn registry_component(
    folder: &Path,
    reference: &RegistryReference,
) -> Result<ComponentFile, RegistryComponentError> {
    let read = |path: &Path| {
        read_file(path).map_err(|reason| RegistryComponentError::NotPulled {
            reference: Box::new(reference.clone()),
            path: path.to_owned(),
            reason,
        })
    };
    let differs = |path: &Path, reason| RegistryComponentError::Different {
        reference: Box::new(reference.clone()),
        path: path.to_owned(),
        reason,
    };
    let path = folder.join(reference.manifest_path());
    let manifest =
        ComponentManifest::pinned(reference, &read(&path)?).map_err(|error| differs(&path, error))?;
    let path = folder.join(reference.component_path());
    let component = read(&path)?;
    manifest.check(&component).map_err(|error| differs(&path, error))?;
    Ok(ComponentFile::from_bytes(&path, component)?)
}
