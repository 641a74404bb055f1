//! The run log: the directory that holds what a run saw and answered.
//!
//! ```text
//! study.toml                         the declaration as it was when the run began
//! plugins/<digest>.wasm              what ran
//! snapshots/*.arrows *.parquet       each snapshot with its answers          (open segment, then sealed)
//! decisions/*.arrows *.parquet       the substrate's decisions as they came
//! refused/*.arrows *.parquet         records that take no part, as they came, with the reason
//! pairs/*.arrows *.parquet           derived: which decision met which snapshot, and the comparator's answer
//! checkpoint.bin                     derived: the sums that every figure is made from
//! report.json                        derived: the figures
//! ```
//!
//! Always holds: a `.parquet` file is whole (it is written aside and renamed); an `.arrows` file is a run of whole
//! batches and at most one torn one at its end; no row stands in both.

pub mod checkpoint;
mod directory;
mod segments;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

pub use directory::RunDirectory;
pub use writer::{LogWriter, Table, Writing, Written};

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
