//! Where records come from: JSON Lines out of a file or standard input.
//!
//! Always holds: records are handed on in the order in which they stand, each with its line; a batch is whatever waits,
//! up to a limit; what stands before a break in a file is handed on, and the break is reported.

mod lines;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

pub use lines::LineReader;

use crate::study::Source;

/// Why a source gave out before its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be opened.
    #[error("cannot read {name}: {error}; write where it is in `[sources]`")]
    Open {
        /// The file.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// It broke off.
    #[error("{name} breaks off after line {line}: {why}; what stands before was taken. Fetch the file anew")]
    Broken {
        /// The file.
        name: String,
        /// The last whole line.
        line: u64,
        /// What was found there.
        why: String,
    },
}

/// Opens a source. `folder` is the study's own.
///
/// # Errors
/// When a file cannot be opened.
pub fn open(source: &Source, folder: &Path, record_bytes: usize) -> Result<LineReader, SourceError> {
    match source {
        Source::Stdin => {
            Ok(LineReader::new(Box::new(io::stdin()), "standard input".to_owned(), record_bytes))
        }
        Source::File(path) => {
            let path = folder.join(path);
            let name = path.display().to_string();
            let reader =
                decompressed(&path).map_err(|error| SourceError::Open { name: name.clone(), error })?;
            Ok(LineReader::new(reader, name, record_bytes))
        }
    }
}

/// Whether a source can be read, without reading it: so that what is wrong is said before a run.
///
/// # Errors
/// When a file is not there, is a folder, or may not be read.
pub fn check(source: &Source, folder: &Path) -> Result<(), SourceError> {
    let Source::File(path) = source else { return Ok(()) };
    let path = folder.join(path);
    // Opening a named pipe would wait for its writer.
    let found = path.metadata().and_then(|file| match file.is_file() {
        true => File::open(&path).map(drop),
        false if file.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        false => Ok(()),
    });
    found.map_err(|error| SourceError::Open { name: path.display().to_string(), error })
}

/// A file's content; gzip (with any number of members) and zstd are told by their first bytes.
fn decompressed(path: &PathBuf) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = [0; 4];
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut found = 0;
    while found < magic.len() {
        match file.read(&mut magic[found..])? {
            0 => break,
            more => found += more,
        }
    }
    let file = io::Cursor::new(magic[..found].to_vec()).chain(file);
    Ok(match magic {
        [0x1f, 0x8b, ..] if found >= 2 => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}
