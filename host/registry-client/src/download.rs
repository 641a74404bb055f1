//! The download of one component into the folder of a study.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use understudy_run_log::read_file;
use understudy_study::{ComponentManifest, RegistryContentError, RegistryReference, RegistryTarget};

use super::client::{ClientError, Registry};

/// The largest component, in bytes. Components in Python, which contain an interpreter, have about 50 MB.
const MAX_COMPONENT: u64 = 512 << 20;

/// A component that is in the folder.
pub struct Download {
    /// The reference that pins it.
    pub reference: RegistryReference,
    /// Its size.
    pub bytes: u64,
    /// Whether it was downloaded, and not there already.
    pub is_new: bool,
}

/// Why a component cannot be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The registry does not give it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The registry gives something else.
    #[error(transparent)]
    Content(#[from] RegistryContentError),
    /// The component is too large.
    #[error("the component has {0} bytes; the largest allowed has {MAX_COMPONENT}")]
    TooLarge(u64),
    /// A file cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        reason: io::Error,
    },
}

/// Downloads a component and its manifest into a folder, unless they are there.
///
/// # Errors
/// If the registry does not give the component that the reference pins, or a file cannot be written.
pub fn download(
    registry: &mut impl Registry,
    target: &RegistryTarget,
    folder: &Path,
) -> Result<Download, DownloadError> {
    if let RegistryTarget::Digest(reference) = target
        && let Some(bytes) = pulled_size(reference, folder)
    {
        return Ok(Download { reference: reference.clone(), bytes, is_new: false });
    }
    let manifest = registry.manifest(&target.manifest_name())?;
    let reference = target.pinned_by(&manifest);
    let described = ComponentManifest::pinned(&reference, &manifest)?;
    if described.size > MAX_COMPONENT {
        return Err(DownloadError::TooLarge(described.size));
    }
    let component = registry.blob(&described.digest, described.size)?;
    described.check(&component)?;
    // The manifest comes last: where it is, the component is whole.
    write(&folder.join(reference.component_path()), &component)?;
    write(&folder.join(reference.manifest_path()), &manifest)?;
    Ok(Download { reference, bytes: described.size, is_new: true })
}

/// The size of a component that is in the folder and is the one that the reference pins.
fn pulled_size(reference: &RegistryReference, folder: &Path) -> Option<u64> {
    let manifest = read_file(&folder.join(reference.manifest_path())).ok()?;
    let described = ComponentManifest::pinned(reference, &manifest).ok()?;
    let component = read_file(&folder.join(reference.component_path())).ok()?;
    described.check(&component).ok().map(|()| described.size)
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), DownloadError> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|reason| DownloadError::Unwritable { path: path.to_owned(), reason })
}

#[cfg(test)]
mod tests;
