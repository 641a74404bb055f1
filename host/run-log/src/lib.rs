//! The run log: the directory that holds what a run saw and answered.
//!
//! ```text
//! study.toml  seal.json              what was promised
//! ledger.jsonl  ledger.note          what happened, each entry chained to the one before; its signed head
//! plugins/<digest>.wasm              what ran
//! snapshots/*.arrows *.parquet       each snapshot with its answers          (open segment, then sealed)
//! decisions/*.arrows *.parquet       the substrate's decisions as they came
//! excluded/*.arrows *.parquet        records that take no part, as they came, with the reason
//! pairs/*.arrows *.parquet           derived: which decision met which snapshot, and the comparator's answer
//! checkpoint.bin                     derived: the sums that every figure is made from
//! report.json                        derived: the figures
//! interim/*.json *.html              reports before the end, as they were
//! report.html                        derived: the report as a page
//! verdict.json                       derived: the verdict, once one was asked for
//! reviews.jsonl                      derived: the ledger's judgements of disagreements, once there are some
//! ```
//!
//! The tables are cut together into groups: the files of one number. A group is closed, then sealed as Parquet, then
//! written into the ledger.
//!
//! Always holds: a `.parquet` file is whole (it is written aside and renamed); an `.arrows` file is a run of whole
//! batches, each with a checksum, and at most one torn one at its end; a group is in the ledger before its `.arrows`
//! files are removed.

pub mod checkpoint;
mod directory;
pub mod ledger;
pub mod note;
mod reader;
mod recover;
pub mod retention;
mod sealer;
mod segments;
mod stream;
mod writer;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use directory::{Found, RunDirectory};
pub use reader::{RowGroup, RowSelection, ScanOptions, SegmentFile, TableRows, count_rows, row_groups, segments};
pub use recover::{Recovered, last_mark, present, recover};
pub use sealer::Sealer;
pub use stream::open_segment;
pub use writer::{Acknowledge, Commit, Cut, LogWriter, Writing};
use understudy_study::StreamKind;

/// The name of the file that holds where the run stood.
pub const CHECKPOINT: &str = "checkpoint.bin";
/// The name of the file that holds the figures.
pub const REPORT: &str = "report.json";
/// The folder of the reports before the end.
pub const INTERIM: &str = "interim";
/// The name of the file that holds the report as a page.
pub const PAGE: &str = "report.html";
/// The name of the file that holds the verdict.
pub const VERDICT: &str = "verdict.json";

/// The tables of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Snapshots with their answers.
    Snapshots,
    /// Decisions.
    Decisions,
    /// Records that take no part.
    Excluded,
    /// Pairs.
    Pairs,
}

impl Table {
    /// The table of the accepted records of a stream.
    pub const fn from_stream(kind: StreamKind) -> Table {
        match kind {
            StreamKind::Snapshots => Table::Snapshots,
            StreamKind::Decisions => Table::Decisions,
        }
    }

    /// All tables.
    pub const ALL: [Table; 4] = [Table::Snapshots, Table::Decisions, Table::Excluded, Table::Pairs];

    /// The folder's name.
    pub fn folder(self) -> &'static str {
        match self {
            Table::Snapshots => "snapshots",
            Table::Decisions => "decisions",
            Table::Excluded => "excluded",
            Table::Pairs => "pairs",
        }
    }
}

/// Mode of a file that this program creates, before the umask.
const DEFAULT_MODE: u32 = 0o666;
/// Mode of a file that only its owner may read and write.
const PRIVATE_MODE: u32 = 0o600;

/// Writes a temporary file with a mode, syncs it and renames it to `path`, so that no reader sees a partial file.
fn replace_with_mode(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
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
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with_mode(path, bytes, DEFAULT_MODE)
}

/// Replaces a file atomically and syncs its folder.
///
/// # Errors
/// If the system refuses.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    write_with_mode(path, bytes, DEFAULT_MODE)
}

/// Replaces a file atomically and syncs its folder; only the owner may read and write the new file.
///
/// # Errors
/// If the system refuses.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    write_with_mode(path, bytes, PRIVATE_MODE)
}

fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), LogError> {
    replace_with_mode(path, bytes, mode).map_err(LogError::io("write", path))?;
    // A bare file name is in the current folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    stream::sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a file, in hexadecimal, and its size. It is read piece by piece.
///
/// # Errors
/// When it cannot be read.
pub fn file_digest(path: &Path) -> io::Result<(String, u64)> {
    const BLOCK: usize = 1 << 20;
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut size = 0;
    loop {
        match file.read(&mut block)? {
            0 => return Ok((hexadecimal(&hash.finalize()), size)),
            read => {
                hash.update(&block[..read]);
                size += read as u64;
            }
        }
    }
}

/// Why the log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system refuses.
    #[error("cannot {verb} {}: {error}{}", path.display(), advice(error))]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Arrow or Parquet refuses.
    #[error("cannot {verb} {}: {why}", path.display())]
    Format {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the library said.
        why: String,
    },
    /// The directory cannot be used for this run.
    #[error("{0}")]
    Directory(String),
    /// The ledger refuses.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
}

impl LogError {
    fn io<'a>(verb: &'static str, path: &'a Path) -> impl Fn(io::Error) -> LogError + 'a {
        move |error| LogError::Io { verb, path: path.to_owned(), error }
    }

    fn arrow(verb: &'static str, path: &Path) -> impl Fn(arrow::error::ArrowError) -> LogError {
        let path = path.to_owned();
        move |error| match error {
            arrow::error::ArrowError::IoError(_, error) => LogError::Io { verb, path: path.clone(), error },
            other => LogError::Format { verb, path: path.clone(), why: other.to_string() },
        }
    }

    fn damaged(verb: &'static str, path: &Path) -> impl Fn(String) -> LogError {
        let path = path.to_owned();
        move |why| LogError::Format { verb, path: path.clone(), why }
    }

    fn parquet(verb: &'static str, path: &Path) -> impl Fn(parquet::errors::ParquetError) -> LogError {
        let path = path.to_owned();
        move |error| match error {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(error) => LogError::Io { verb, path: path.clone(), error: *error },
                Err(other) => LogError::Format { verb, path: path.clone(), why: other.to_string() },
            },
            other => LogError::Format { verb, path: path.clone(), why: other.to_string() },
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or choose another directory with --run. What was written before is kept"
        }
        io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory => "; choose a directory that may be written to with --run",
        _ => "",
    }
}
