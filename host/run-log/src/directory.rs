//! The run directory: made once, for one study, and one process at a time writes it.
//!
//! Always holds: what is there is looked at only by the process that holds the lock; a directory whose run has begun is
//! never begun anew.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ledger::LEDGER;
use super::stream::{make_folder, sync_folder};
use super::{LogError, write_file};

/// Stands in the directory from its making until the ledger has its first entries. Nothing was read by then.
const BEGINNING: &str = "beginning.tmp";

/// A run directory that this process writes.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// The directory itself, locked for as long as this is held.
    _lock: Arc<File>,
}

/// What was found where a run is to be written.
pub enum Found {
    /// Nothing, or what is left of a run that was cut off before it began: it can be written anew.
    Fresh(RunDirectory),
    /// A run of this study.
    Run(RunDirectory),
}

impl RunDirectory {
    /// Makes the directory, or opens that of a run of a study of the same name, and locks it. `sealed` is the name in the
    /// seal, where there is one. Whether it is the same study in all else is for the seal to say.
    ///
    /// # Errors
    /// When it holds something else, saying what, when another process writes it, or when it cannot be written.
    pub fn open(path: &Path, study: &str, sealed: Option<&str>) -> Result<Found, LogError> {
        match fs::read_dir(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_folder(path)?;
            }
            Err(error) => return Err(LogError::io("use", path)(error)),
        }
        let directory = Self::lock(path)?;
        let mut entries = fs::read_dir(path).map_err(LogError::io("use", path))?;
        if entries.next().is_none() || path.join(BEGINNING).exists() {
            return Ok(Found::Fresh(directory));
        }
        Self::recognise(path, study, sealed)?;
        let ledger = path.join(LEDGER);
        let mut first = Vec::new();
        File::open(&ledger)
            .and_then(|ledger| BufReader::new(ledger).read_until(b'\n', &mut first))
            .map_err(LogError::io("read", &ledger))?;
        match first.ends_with(b"\n") {
            true => Ok(Found::Run(directory)),
            false => Err(LogError::Directory(format!(
                "{} has no first entry: it was cut or emptied; put a copy of it back to go on, or choose another \
                 directory with --run",
                ledger.display()
            ))),
        }
    }

    /// Locks a directory, so that no other process writes it.
    ///
    /// # Errors
    /// When another one does, or it cannot be opened.
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

    /// Whether the directory, which is not empty, holds a run of a study of this name.
    fn recognise(path: &Path, study: &str, sealed: Option<&str>) -> Result<(), LogError> {
        let shown = path.display();
        // A study's own folder has a study.toml too.
        if !path.join(LEDGER).is_file() {
            return Err(LogError::Directory(match sealed {
                Some(_) => format!(
                    "{shown} holds a run whose {LEDGER} is gone; put a copy of it back to go on, or choose another \
                     directory with --run"
                ),
                None => {
                    format!("{shown} is not empty and holds no run; choose another directory with --run")
                }
            }));
        }
        // What was sealed is what counts. The run's own copy may have been damaged since.
        let held = || name(&fs::read_to_string(path.join("study.toml")).ok()?);
        match sealed.map(str::to_owned).or_else(held) {
            Some(other) if other != study => Err(LogError::Directory(format!(
                "{shown} already holds a run of another study, \"{other}\"; choose another directory with --run"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether a process is writing the run in `path`.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn is_being_written(path: &Path) -> Result<bool, LogError> {
        let directory = File::open(path).map_err(LogError::io("read", path))?;
        match directory.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(LogError::io("lock", path)(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file aside, syncs it and renames it to its name, so that it is never seen half-written. Folders in
    /// the name are made.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write_file(&path, bytes)
    }

    /// Marks a directory that is being filled: what is in it is of no run until [`RunDirectory::begun`].
    ///
    /// # Errors
    /// When the system refuses.
    pub fn begin(&self) -> Result<(), LogError> {
        let path = self.path.join(BEGINNING);
        fs::write(&path, "").map_err(LogError::io("write", &path))
    }

    /// The ledger has its first entries: the run has begun.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn begun(&self) -> Result<(), LogError> {
        let path = self.path.join(BEGINNING);
        fs::remove_file(&path).map_err(LogError::io("remove", &path))?;
        // If it came back after a power failure, the run behind it would be begun anew.
        sync_folder(&self.path)
    }
}

/// The name in a declaration, for a message.
fn name(declaration: &str) -> Option<String> {
    let table: toml::Table = declaration.parse().ok()?;
    Some(table.get("study")?.as_str()?.to_owned())
}
