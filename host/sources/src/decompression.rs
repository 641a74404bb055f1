//! Opens plain and compressed files.
//!
//! Invariants: the format is detected by the first bytes, not by the file name; offsets count decompressed bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

/// Opens a file at a byte of its decompressed content. Gzip may have any number of members.
pub(crate) fn open_decompressed(path: &Path, offset: u64) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = [0; 4];
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(is_a_directory());
    }
    let mut read = 0;
    while read < magic.len() {
        match file.read(&mut magic[read..])? {
            0 => break,
            more => read += more,
        }
    }
    let mut reader: Box<dyn Read + Send> = match magic {
        [0x1f, 0x8b, ..] if read >= 2 => {
            Box::new(flate2::bufread::MultiGzDecoder::new(buffered(&magic[..read], file)))
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(buffered(&magic, file))?)
        }
        _ if offset == 0 => Box::new(io::Cursor::new(magic[..read].to_vec()).chain(file)),
        _ => {
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Box::new(file));
        }
    };
    // A compressed file cannot be entered in the middle.
    io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
    Ok(reader)
}

/// The error for a directory in place of a file.
pub(crate) fn is_a_directory() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")
}

/// A file whose first bytes were already read.
fn buffered(first: &[u8], rest: File) -> impl BufRead + Send + use<> {
    BufReader::with_capacity(1 << 16, io::Cursor::new(first.to_vec()).chain(rest))
}
