//! The run directory: it belongs to one study, and one process at a time writes it.
//!
//! Invariants: only the process that holds the lock inspects the content before it writes. A run that has
//! started is never overwritten.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::durable_file::write_file;
use crate::durable_file::{make_folder, sync_folder};
use crate::error::LogError;
use crate::layout::SEAL;
use crate::ledger::LEDGER;
use crate::regular_file::{create_file, open_file, read_text_file};

/// Marker file that exists until the ledger has its first entries. No record is read before that.
const STARTING: &str = "starting.tmp";

/// A run directory that this process writes.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// The open directory, locked while any clone exists.
    _lock: Arc<File>,
}

/// The content of a run directory.
pub enum DirectoryContent {
    /// Nothing, or the files of a run that was cut off before it started. They can be overwritten.
    Empty(RunDirectory),
    /// A run of this study.
    Run(RunDirectory),
}

impl RunDirectory {
    /// Creates the directory, or opens that of a run of a study with the same name, and locks it. `sealed` is
    /// the name in the seal, if there is one. The caller checks against the seal that the study is the same
    /// in all else.
    ///
    /// # Errors
    /// If it holds something else, another process writes it, or it cannot be written.
    pub fn open(path: &Path, study: &str, sealed: Option<&str>) -> Result<DirectoryContent, LogError> {
        match fs::read_dir(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_folder(path)?;
            }
            Err(error) => return Err(LogError::io("use", path)(error)),
        }
        let directory = Self::lock(path)?;
        let mut entries = fs::read_dir(path).map_err(LogError::io("use", path))?;
        if entries.next().is_none() || path.join(STARTING).exists() {
            return Ok(DirectoryContent::Empty(directory));
        }
        Self::check_study(path, study, sealed)?;
        let ledger = path.join(LEDGER);
        let mut first = Vec::new();
        open_file(&ledger)
            .and_then(|ledger| BufReader::new(ledger).read_until(b'\n', &mut first))
            .map_err(LogError::io("read", &ledger))?;
        match first.ends_with(b"\n") {
            true => Ok(DirectoryContent::Run(directory)),
            false => Err(LogError::Directory(format!(
                "{} has no complete first entry: it was truncated; restore it from a copy to resume the run, or choose another \
                 directory with --run",
                ledger.display()
            ))),
        }
    }

    /// Locks a directory, so that no other process writes it.
    ///
    /// # Errors
    /// If another process holds the lock, or the directory cannot be opened.
    pub fn lock(path: &Path) -> Result<RunDirectory, LogError> {
        let lock = File::open(path).map_err(LogError::io("use", path))?;
        match lock.try_lock() {
            Ok(()) => Ok(RunDirectory { path: path.to_owned(), _lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(LogError::Directory(format!(
                "{} is being written by another process; wait for it to end, or stop it",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(LogError::io("lock", path)(error)),
        }
    }

    /// Checks that a non-empty directory holds a run of a study with this name.
    fn check_study(path: &Path, study: &str, sealed: Option<&str>) -> Result<(), LogError> {
        let shown = path.display();
        // The folder of a declaration has a study.toml, too.
        if !path.join(LEDGER).is_file() {
            return Err(LogError::Directory(match sealed {
                Some(_) => format!(
                    "{shown} holds a run without {LEDGER}; restore it from a copy to resume the run, or choose another \
                     directory with --run"
                ),
                None => {
                    format!("{shown} is not empty and holds no run; choose another directory with --run")
                }
            }));
        }
        // The name in the seal takes precedence: the run's copy of the declaration may have been damaged.
        let declared = || name(&read_text_file(&path.join("study.toml")).ok()?);
        match sealed.map(str::to_owned).or_else(declared) {
            Some(other) if other != study => Err(LogError::Directory(format!(
                "{shown} already holds a run of another study, \"{other}\"; choose another directory with --run"
            ))),
            _ => Ok(()),
        }
    }

    /// Checks that `path` is the directory of a run. A damaged run may lack its ledger or its seal, but not both.
    ///
    /// # Errors
    /// [`LogError::NoRun`] with what is there instead, or [`LogError::Io`] if the directory cannot be read.
    pub fn ensure_run(path: &Path) -> Result<(), LogError> {
        let no_run = |why: String| LogError::NoRun { path: path.to_owned(), why };
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(no_run("there is no such directory".to_owned()));
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(no_run("a folder in the path is a file".to_owned()));
            }
            Err(error) => return Err(LogError::io("read", path)(error)),
            Ok(found) if !found.is_dir() => return Err(no_run("it is a file, not a directory".to_owned())),
            Ok(_) => {}
        }
        for name in [LEDGER, SEAL] {
            let file = path.join(name);
            // An error other than that it is missing says that the directory cannot be searched.
            match file.try_exists() {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => return Err(LogError::io("read", &file)(error)),
            }
        }
        Err(no_run(format!("{LEDGER} is missing")))
    }

    /// Whether a process is writing the run in `path`.
    ///
    /// # Errors
    /// If the directory cannot be opened.
    pub fn is_being_written(path: &Path) -> Result<bool, LogError> {
        let directory = File::open(path).map_err(LogError::io("read", path))?;
        match directory.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(LogError::io("lock", path)(error)),
        }
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file atomically. Folders in the name are created.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write_file(&path, bytes)
    }

    /// Marks the directory as starting: its content is not a run until [`RunDirectory::begun`].
    ///
    /// # Errors
    /// If the system call fails.
    pub fn begin(&self) -> Result<(), LogError> {
        let path = self.path.join(STARTING);
        create_file(&path).map(drop).map_err(LogError::io("write", &path))
    }

    /// Marks the run as started, once the ledger has its first entries.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn begun(&self) -> Result<(), LogError> {
        let path = self.path.join(STARTING);
        fs::remove_file(&path).map_err(LogError::io("remove", &path))?;
        // If the marker came back after a power failure, the run would be overwritten.
        sync_folder(&self.path)
    }
}

/// The name of the study in a declaration.
fn name(declaration: &str) -> Option<String> {
    let table: toml::Table = declaration.parse().ok()?;
    Some(table.get("study")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_instead_of_a_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("empty")).unwrap();
        let fault = |name: &str| {
            let error = RunDirectory::ensure_run(&path(name)).unwrap_err();
            error.to_string().replace(&format!("{}/", folder.path().display()), "")
        };
        insta::assert_snapshot!([fault("none"), fault("file"), fault("file/run"), fault("empty")].join("\n"), @r"
        none holds no run: there is no such directory; name a directory written by `understudy run` or `understudy serve`
        file holds no run: it is a file, not a directory; name a directory written by `understudy run` or `understudy serve`
        file/run holds no run: a folder in the path is a file; name a directory written by `understudy run` or `understudy serve`
        empty holds no run: ledger.jsonl is missing; name a directory written by `understudy run` or `understudy serve`
        ");
        for name in [LEDGER, SEAL] {
            let run = tempfile::tempdir().unwrap();
            fs::write(run.path().join(name), "").unwrap();
            assert!(RunDirectory::ensure_run(run.path()).is_ok(), "{name}");
        }
    }
}
