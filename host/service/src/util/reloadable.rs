//! What was read from files, and is read again once they have changed: a token is withdrawn and a certificate renewed while a
//! study goes on for weeks.
//!
//! Always holds: what could not be read leaves in force what was in force; the files are looked at no more than once a second.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was looked at is taken to be so.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How it is read.
type Reading<T> = Box<dyn Fn(&[PathBuf]) -> anyhow::Result<T> + Send + Sync>;

/// What was read from files.
pub struct Fresh<T> {
    files: Vec<PathBuf>,
    read: Reading<T>,
    look_again: Duration,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    value: Arc<T>,
    stamps: Vec<Option<Stamp>>,
    looked: Instant,
}

/// By what it is seen that a file has changed: its device, its number there, its size, and its time in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

impl<T> Fresh<T> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(
        files: Vec<PathBuf>,
        read: impl Fn(&[PathBuf]) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<Fresh<T>> {
        // Before the reading, so that what changes during it is read once more.
        let stamps = stamps(&files);
        let value = Arc::new(read(&files)?);
        let held = Mutex::new(Held { value, stamps, looked: Instant::now() });
        Ok(Fresh { files, read: Box::new(read), look_again: LOOK_AGAIN, held })
    }

    /// What is in force. It may read a small file on the thread of the caller, once a second at most.
    pub fn now(&self) -> Arc<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked.elapsed() >= self.look_again {
            held.looked = Instant::now();
            let stamps = stamps(&self.files);
            if stamps != held.stamps {
                held.stamps = stamps;
                match (self.read)(&self.files) {
                    Ok(value) => {
                        held.value = Arc::new(value);
                        tracing::info!(files = ?self.files, "read again, since it has changed");
                    }
                    Err(error) => {
                        let error = format!("{error:#}");
                        tracing::warn!(error, "cannot be read again; what was read before stays in force");
                    }
                }
            }
        }
        held.value.clone()
    }
}

impl<T> fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("files", &self.files).finish_non_exhaustive()
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
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

    /// A file, read anew whenever it is asked for.
    fn of(path: &Path) -> anyhow::Result<Fresh<String>> {
        let fresh = Fresh::read(vec![path.to_owned()], |files| {
            let text = fs::read_to_string(&files[0])?;
            ensure!(text.starts_with("good"), "it is not good");
            Ok(text)
        })?;
        Ok(Fresh { look_again: Duration::ZERO, ..fresh })
    }

    #[test]
    fn what_has_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "good 1").unwrap();
        let fresh = of(&path).unwrap();
        assert_eq!(*fresh.now(), "good 1");
        fs::write(&path, "good, again").unwrap();
        assert_eq!(*fresh.now(), "good, again");
    }

    #[test]
    fn what_cannot_be_read_leaves_in_force_what_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(of(&path).is_err());
        fs::write(&path, "good").unwrap();
        let fresh = of(&path).unwrap();
        fs::write(&path, "spoilt").unwrap();
        assert_eq!(*fresh.now(), "good");
        fs::remove_file(&path).unwrap();
        assert_eq!(*fresh.now(), "good");
        fs::write(&path, "good as new").unwrap();
        assert_eq!(*fresh.now(), "good as new");
    }
}
