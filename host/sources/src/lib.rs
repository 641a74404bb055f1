//! Where records come from: JSON Lines out of a file or standard input.
//!
//! Always holds: records are handed on in the order in which they stand, each with its line; a batch is whatever waits,
//! up to a limit; what stands before a break in a file is handed on, and the break is reported; a file that is read on is
//! the one that was read before, with what has come since behind it.

mod lines;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

pub use lines::{LineReader, push_line};

use understudy_records::batch::{Mark, begins_with, record_digest};
use understudy_study::Source;

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
    /// It is not the file that was read before.
    #[error(
        "{name} is not the file that was read before: line {line} is not the record that was read there. Put that file \
         back, with what has come since behind it, or run into another directory with --run"
    )]
    Changed {
        /// The file.
        name: String,
        /// The line of the last record that was read.
        line: u64,
    },
}

/// Opens a source, to read what comes after a record that was read before. `folder` is the study's own.
///
/// What cannot be wound back, standard input or a named pipe, goes on as it comes. A line that was read before it was
/// written to its end is read anew: what was there of it was no record.
///
/// # Errors
/// When a file cannot be opened, or does not hold that record where it did.
pub fn open(
    source: &Source,
    folder: &Path,
    record_bytes: usize,
    after: Option<Mark>,
) -> Result<LineReader, SourceError> {
    let Source::File(path) = source else {
        debug_assert_eq!(*source, Source::Stdin, "what comes over HTTP is delivered, not read");
        return Ok(LineReader::new(Box::new(io::stdin()), "standard input".to_owned(), record_bytes));
    };
    let path = folder.join(path);
    let name = path.display().to_string();
    let cannot = |error| SourceError::Open { name: name.clone(), error };
    let after = match after {
        Some(mark) if path.metadata().map_err(cannot)?.is_file() => mark,
        _ => return Ok(LineReader::new(decompressed(&path, 0).map_err(cannot)?, name, record_bytes)),
    };
    let changed = || SourceError::Changed { name: name.clone(), line: after.line };
    let lines = || match decompressed(&path, after.offset) {
        Ok(reader) => Ok(LineReader::starting(reader, name.clone(), record_bytes, after.line, after.offset)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed()),
        Err(error) => Err(cannot(error)),
    };
    let mut behind = lines()?;
    match behind.next(1)?.filter(|found| found.line(0) == after.line) {
        Some(found) if record_digest(found.text(0)) == after.digest => Ok(behind),
        Some(found) if begins_with(found.text(0), after.digest) => lines(),
        _ => Err(changed()),
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

/// Whether a source can be read from where it was left: a file can; standard input and a named pipe go on as they come. Who
/// sends over HTTP sends again what was not acknowledged.
pub fn can_be_wound_back(source: &Source, folder: &Path) -> bool {
    match source {
        Source::File(path) => folder.join(path).is_file(),
        Source::Stdin => false,
        Source::Http => true,
    }
}

/// A file's content from byte `offset` on; gzip (with any number of members) and zstd are told by their first bytes.
fn decompressed(path: &Path, offset: u64) -> io::Result<Box<dyn Read + Send>> {
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
    let mut reader: Box<dyn Read + Send> = match magic {
        [0x1f, 0x8b, ..] if found >= 2 => {
            Box::new(flate2::bufread::MultiGzDecoder::new(compressed(&magic[..found], file)))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(compressed(&magic, file))?)
        }
        _ if offset == 0 => Box::new(io::Cursor::new(magic[..found].to_vec()).chain(file)),
        _ => {
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Box::new(file));
        }
    };
    // What was compressed cannot be entered in the middle.
    io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
    Ok(reader)
}

/// A compressed file whose first bytes have been read.
fn compressed(first: &[u8], rest: File) -> impl BufRead + Send + use<> {
    BufReader::with_capacity(1 << 16, io::Cursor::new(first.to_vec()).chain(rest))
}
