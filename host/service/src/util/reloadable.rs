//! A value that is read from files and reloaded when they change, so that a token is revoked or a certificate
//! renewed without a restart.
//!
//! Invariants:
//! - A failed reload leaves the previous value in force.
//! - The files are checked at most once per [`CHECK_INTERVAL`].

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Minimum time between two checks of the files.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

type ReloadFunction<T> = Box<dyn Fn(&[PathBuf]) -> anyhow::Result<T> + Send + Sync>;

/// A value loaded from files.
pub struct Reloadable<T> {
    files: Vec<PathBuf>,
    loader: ReloadFunction<T>,
    check_interval: Duration,
    state: Mutex<ReloadState<T>>,
}

struct ReloadState<T> {
    value: Arc<T>,
    stamps: Vec<Option<FileStamp>>,
    last_check: Instant,
}

/// Identifies a version of a file: device, inode, size in bytes, modification time in seconds and
/// nanoseconds.
type FileStamp = (u64, u64, u64, i64, i64);

impl<T> Reloadable<T> {
    /// Loads the value for the first time.
    ///
    /// # Errors
    /// If `loader` fails.
    pub fn load(
        files: Vec<PathBuf>,
        loader: impl Fn(&[PathBuf]) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<Reloadable<T>> {
        // Stamped first, so that a change during loading causes a reload.
        let stamps = stamps(&files);
        let value = Arc::new(loader(&files)?);
        let state = Mutex::new(ReloadState { value, stamps, last_check: Instant::now() });
        Ok(Reloadable { files, loader: Box::new(loader), check_interval: CHECK_INTERVAL, state })
    }

    /// The value in force. It may read small files on the calling thread, at most once per second.
    pub fn current(&self) -> Arc<T> {
        let mut state = self.state.lock();
        if state.last_check.elapsed() >= self.check_interval {
            state.last_check = Instant::now();
            let stamps = stamps(&self.files);
            if stamps != state.stamps {
                state.stamps = stamps;
                match (self.loader)(&self.files) {
                    Ok(value) => {
                        state.value = Arc::new(value);
                        tracing::info!(files = ?self.files, "files reloaded after a change");
                    }
                    Err(error) => {
                        let error = format!("{error:#}");
                        tracing::warn!(error, "cannot reload files; the previous content stays in force");
                    }
                }
            }
        }
        state.value.clone()
    }
}

impl<T> fmt::Debug for Reloadable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloadable").field("files", &self.files).finish_non_exhaustive()
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<FileStamp>> {
    let stamp = |path: &Path| {
        let about = path.metadata().ok()?;
        Some((about.dev(), about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
    };
    files.iter().map(|path| stamp(path)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use anyhow::ensure;

    use super::*;

    /// A file that is checked at every access.
    fn reloadable(path: &Path) -> anyhow::Result<Reloadable<String>> {
        let file = Reloadable::load(vec![path.to_owned()], |files| {
            let text = fs::read_to_string(&files[0])?;
            ensure!(text.starts_with("good"), "the file is not good");
            Ok(text)
        })?;
        Ok(Reloadable { check_interval: Duration::ZERO, ..file })
    }

    #[test]
    fn a_changed_file_is_reloaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "good 1").unwrap();
        let file = reloadable(&path).unwrap();
        assert_eq!(*file.current(), "good 1");
        fs::write(&path, "good, again").unwrap();
        assert_eq!(*file.current(), "good, again");
    }

    #[test]
    fn a_failed_reload_keeps_the_previous_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(reloadable(&path).is_err());
        fs::write(&path, "good").unwrap();
        let file = reloadable(&path).unwrap();
        fs::write(&path, "spoilt").unwrap();
        assert_eq!(*file.current(), "good");
        fs::remove_file(&path).unwrap();
        assert_eq!(*file.current(), "good");
        fs::write(&path, "good as new").unwrap();
        assert_eq!(*file.current(), "good as new");
    }
}
