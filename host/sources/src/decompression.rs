//! Opens plain and compressed files.
//!
//! Invariants: the format is recognised by the first bytes, not by the file name; offsets count decompressed bytes.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::Path;

use crate::file_signature::{FileSignature, recognise};
use crate::member_reader::MemberReader;
use crate::peek_reader::PeekReader;

/// Opens a file at a byte of its decompressed content.
///
/// # Errors
/// When the file cannot be read, or has a format that is not supported.
pub(crate) fn open_decompressed(path: &Path, offset: u64) -> io::Result<Box<dyn Read + Send>> {
    let file = open_file(path)?;
    let mut source = PeekReader::new(file);
    if offset > 0 && format_of(&mut source)? == FileSignature::Text {
        let mut file = source.into_inner();
        file.seek(SeekFrom::Start(offset))?;
        return Ok(Box::new(file));
    }
    let mut reader = decompressed(source)?;
    // A compressed file cannot be entered in the middle.
    io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
    Ok(reader)
}

/// Checks that a file can be read and has a supported format. Reads its beginning only.
///
/// # Errors
/// Like [`open_decompressed`].
pub(crate) fn check_format(path: &Path) -> io::Result<()> {
    format_of(&mut PeekReader::new(open_file(path)?)).map(drop)
}

fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(is_a_directory());
    }
    Ok(file)
}

/// The error for a directory in place of a file.
pub(crate) fn is_a_directory() -> io::Error {
    io::Error::new(ErrorKind::IsADirectory, "it is a directory")
}

/// Standard input, decompressed if it is compressed.
///
/// # Errors
/// When it cannot be read, or has a format that is not supported.
pub(crate) fn decompressed_stdin() -> io::Result<Box<dyn Read + Send>> {
    decompressed(PeekReader::new(io::stdin()))
}

/// A source that opens on the first read. Opening standard input or a named pipe waits for its writer,
/// so the thread that reads the source does it.
pub(crate) struct LazyReader<F> {
    open: Option<F>,
    opened: Option<Box<dyn Read + Send>>,
}

impl<F: FnOnce() -> io::Result<Box<dyn Read + Send>>> LazyReader<F> {
    pub fn new(open: F) -> LazyReader<F> {
        LazyReader { open: Some(open), opened: None }
    }
}

impl<F: FnOnce() -> io::Result<Box<dyn Read + Send>>> Read for LazyReader<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(open) = self.open.take() {
            self.opened = Some(open()?);
        }
        self.opened.as_mut().map_or(Ok(0), |opened| opened.read(out))
    }
}

fn decompressed<R: Read + Send + 'static>(mut source: PeekReader<R>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match format_of(&mut source)? {
        FileSignature::Compressed => Box::new(MemberReader::new(source)),
        FileSignature::Text | FileSignature::Unsupported(_) => Box::new(source),
    })
}

/// The format of a source by its first bytes; an error if it is not supported.
fn format_of<R: Read>(source: &mut PeekReader<R>) -> io::Result<FileSignature> {
    // Four bytes recognise most formats, and no record is shorter, so a pipe is not waited for in vain.
    match recognise(source.peek(4)?) {
        FileSignature::Unsupported(format) => Err(io::Error::new(ErrorKind::InvalidData, format)),
        format => Ok(format),
    }
}
