//! Files and folders whose names survive a power failure.

use std::fs::File;
use std::path::Path;

use crate::atomic_file::{DEFAULT_MODE, PRIVATE_MODE, replace_with_mode};
use crate::error::LogError;

/// Replaces a file atomically and syncs its folder.
///
/// # Errors
/// If a file operation fails.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    write_with_mode(path, bytes, DEFAULT_MODE)
}

/// Replaces a file atomically and syncs its folder; only the owner may read and write the new file.
///
/// # Errors
/// If a file operation fails.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    write_with_mode(path, bytes, PRIVATE_MODE)
}

fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), LogError> {
    replace_with_mode(path, bytes, mode).map_err(LogError::io("write", path))?;
    sync_folder(folder_of(path))
}

/// The folder of a file. A bare file name is in the current folder.
pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Syncs a folder, so that the names in it are on disk.
///
/// # Errors
/// If the system call fails.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LogError::io("sync", folder))
}

/// Creates a folder if it does not exist, and syncs its parent. Without that, synced files in it could be
/// lost.
///
/// # Errors
/// If the system call fails.
pub(crate) fn make_folder(folder: &Path) -> Result<(), LogError> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(LogError::io("create", folder))?;
    match folder.parent() {
        Some(parent) if parent != Path::new("") => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}
