//! Checks sources before a run.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use understudy_study::{RecordFormat, Source, Stream, StreamKind, Study};

use crate::SourceError;
use crate::decompression::{check_format, is_a_directory};
use crate::file_reader::open_csv;
use crate::parquet_reader::check_parquet;

/// Checks before a run that both sources can be read, by the first bytes of files and the columns of tables, and that they are
/// not the same pipe. Returns all errors with the stream of each.
pub fn check(study: &Study, folder: &Path) -> Vec<(StreamKind, SourceError)> {
    let unreadable = StreamKind::ALL.into_iter().filter_map(|kind| {
        let error = check_source(study.source(kind), study.stream(kind), folder).err()?;
        Some((kind, error))
    });
    let mut errors: Vec<_> = unreadable.collect();
    if errors.is_empty() {
        let shared = ensure_separate_pipes(&study.snapshots_source, &study.decisions_source, folder).err();
        errors.extend(shared.map(|error| (StreamKind::Decisions, error)));
    }
    errors
}

/// Checks that a source can be read.
///
/// # Errors
/// When a file does not exist, is a directory, must not be read, has a format that is not supported, or does not have the
/// columns of the stream.
fn check_source(source: &Source, stream: &Stream, folder: &Path) -> Result<(), SourceError> {
    let (path, format) = match source {
        Source::File(file) => (folder.join(&file.path), file.format),
        Source::Stdin | Source::Http => return Ok(()),
    };
    if format == RecordFormat::Parquet {
        return check_parquet(&path, Some(stream));
    }
    // Opening a named pipe would block until somebody writes to it.
    let result = path.metadata().and_then(|file| match file.is_file() {
        true => check_format(&path),
        false if file.is_dir() => Err(is_a_directory()),
        false => Ok(()),
    });
    result.map_err(|error| SourceError::opening(&path.display().to_string(), error))?;
    match format {
        RecordFormat::Csv if path.is_file() => open_csv(&path, Some(stream), 0, None).map(drop),
        _ => Ok(()),
    }
}

/// Checks that two sources are not the same pipe. Two readers would share its records between them.
///
/// # Errors
/// If they are, also by different paths.
fn ensure_separate_pipes(snapshots: &Source, decisions: &Source, folder: &Path) -> Result<(), SourceError> {
    let pipe_at = |path: &Path| {
        let file = path.metadata().ok().filter(|file| file.file_type().is_fifo())?;
        Some((file.dev(), file.ino()))
    };
    let pipe = |source: &Source| match source {
        Source::File(file) => pipe_at(&folder.join(&file.path)),
        // The path is that of Linux and macOS.
        Source::Stdin => pipe_at(Path::new("/dev/stdin")),
        Source::Http => None,
    };
    let name = |source: &Source| match source {
        Source::File(file) => folder.join(&file.path).display().to_string(),
        Source::Stdin | Source::Http => "standard input".to_owned(),
    };
    match pipe(snapshots) {
        Some(found) if pipe(decisions) == Some(found) => {
            Err(SourceError::SharedPipe { name: name(snapshots) })
        }
        _ => Ok(()),
    }
}
