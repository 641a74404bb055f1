//! Atomic replacement of files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Mode of a file that this program creates, before the umask.
pub(crate) const DEFAULT_MODE: u32 = 0o666;
/// Mode of a file that only its owner may read and write.
pub(crate) const PRIVATE_MODE: u32 = 0o600;

/// Writes a temporary file with a mode, syncs it and renames it to `path`, so that no reader sees a partial
/// file.
pub(crate) fn replace_with_mode(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    // An existing one was left behind by a killed process, perhaps with another mode.
    let _ = fs::remove_file(&temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The file is incomplete, and the caller receives the error.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Replaces a file atomically, without syncing its folder.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with_mode(path, bytes, DEFAULT_MODE)
}
