//! Errors of reading and writing the log.

use std::io;
use std::path::{Path, PathBuf};

use crate::io_advice::io_advice;
use crate::ledger::LedgerError;

/// Why the log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file operation failed.
    #[error("cannot {verb} {}: {error}{}", path.display(), io_advice(verb, error))]
    Io {
        /// The operation, such as "read".
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Arrow or Parquet failed, or a file is damaged.
    #[error("cannot {verb} {}: {why}", path.display())]
    Format {
        /// The operation, such as "read".
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// A path that was named as a run holds none.
    #[error("{} holds no run: {why}; name a directory written by `understudy run` or `understudy serve`", path.display())]
    NoRun {
        /// The path.
        path: PathBuf,
        /// What is there instead, as a sentence without its end.
        why: String,
    },
    /// The directory cannot be used for this run.
    #[error("{0}")]
    Directory(String),
    /// The ledger has a fault, or cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl LogError {
    pub(crate) fn io<'a>(verb: &'static str, path: &'a Path) -> impl Fn(io::Error) -> LogError + 'a {
        move |error| LogError::Io { verb, path: path.to_owned(), error }
    }

    pub(crate) fn arrow(verb: &'static str, path: &Path) -> impl Fn(arrow::error::ArrowError) -> LogError {
        let path = path.to_owned();
        move |error| match error {
            arrow::error::ArrowError::IoError(_, error) => LogError::Io { verb, path: path.clone(), error },
            other => LogError::Format { verb, path: path.clone(), why: other.to_string() },
        }
    }

    pub(crate) fn damaged(verb: &'static str, path: &Path) -> impl Fn(String) -> LogError {
        let path = path.to_owned();
        move |why| LogError::Format { verb, path: path.clone(), why }
    }

    pub(crate) fn parquet(
        verb: &'static str,
        path: &Path,
    ) -> impl Fn(parquet::errors::ParquetError) -> LogError {
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
