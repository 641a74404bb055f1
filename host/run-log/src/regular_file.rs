//! Opens and reads files of studies and runs, and files that a command names.
//!
//! Invariant: only a regular file is opened, directly or through symbolic links. Opening a named pipe would block
//! until a writer opens it, and a device may have no end.
//!
//! The kind is checked twice: by the path, so that nothing else is opened, and by the opened file, in case the path
//! was replaced in between. With `O_NONBLOCK`, opening a named pipe returns at once. The flag has no effect on a
//! regular file.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file for reading.
///
/// # Errors
/// If the file cannot be opened, or is not a regular one.
pub fn open_file(path: &Path) -> Result<File, Error> {
    open_regular_file(path, OpenOptions::new().read(true))
}

/// Opens a regular file with `options`, and replaces their custom flags. Creates the file if it is missing and the
/// options say so.
///
/// # Errors
/// Like [`open_file`].
pub fn open_regular_file(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    match ensure_regular_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = options.custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)?;
    ensure_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Creates a regular file, or truncates it.
///
/// # Errors
/// If the file cannot be created, or the path names something other than a regular file.
pub fn create_file(path: &Path) -> Result<File, Error> {
    open_regular_file(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// The bytes of a regular file.
///
/// # Errors
/// If the file cannot be read, or is not a regular one.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    open_file(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of a regular file that has at most `limit` bytes. A larger one is not read.
///
/// # Errors
/// If the file cannot be read, is not a regular one, or is larger ([`ErrorKind::FileTooLarge`]).
pub fn read_file_within(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = open_file(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= limit {
        // The file may grow while it is read.
        file.take(limit + 1).read_to_end(&mut bytes)?;
    }
    if length.max(bytes.len() as u64) > limit {
        let what = format!(
            "it has {} MiB, more than the {} MiB that are read",
            length.div_ceil(1 << 20),
            limit >> 20
        );
        return Err(Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// The text of a regular file.
///
/// # Errors
/// If the file cannot be read, is not a regular one, or is not UTF-8.
pub fn read_text_file(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    open_file(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Checks that a path names a regular file, directly or through symbolic links.
///
/// # Errors
/// If the path names something else ([`ErrorKind::IsADirectory`], [`ErrorKind::InvalidInput`]), or nothing.
pub fn ensure_regular_file(path: &Path) -> Result<(), Error> {
    ensure_regular(fs::metadata(path)?.file_type())
}

fn ensure_regular(kind: FileType) -> Result<(), Error> {
    if kind.is_file() {
        return Ok(());
    }
    let what = format!("it is {}, not a regular file", kind_name(kind));
    Err(Error::new(if kind.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::InvalidInput }, what))
}

fn kind_name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        read_file(path).unwrap_err().to_string()
    }

    #[test]
    fn special_files_are_refused_without_opening_them() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, rustix::fs::Mode::RWXU, 0).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(refusal(&pipe), "it is a named pipe, not a regular file");
        assert_eq!(refusal(&socket), "it is a socket, not a regular file");
        assert_eq!(refusal(Path::new("/dev/null")), "it is a device, not a regular file");
        assert_eq!(refusal(folder.path()), "it is a directory, not a regular file");
        assert_eq!(read_file(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_text_file(&link).unwrap(), "text");
    }
}
