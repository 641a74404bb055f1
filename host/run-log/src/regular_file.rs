//! Reads files that a declaration or a command names.
//!
//! Invariant: only a regular file is opened. Opening a named pipe blocks until a writer opens it, and a device may
//! have no end.

use std::fs::{self, FileType};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// The bytes of a regular file.
///
/// # Errors
/// If the file cannot be read, or is not a regular one.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    ensure_regular_file(path)?;
    fs::read(path)
}

/// The text of a regular file.
///
/// # Errors
/// If the file cannot be read, is not a regular one, or is not UTF-8.
pub fn read_text_file(path: &Path) -> Result<String, Error> {
    ensure_regular_file(path)?;
    fs::read_to_string(path)
}

/// Checks that a path names a regular file, directly or through symbolic links.
///
/// # Errors
/// If the path names something else ([`ErrorKind::IsADirectory`], [`ErrorKind::InvalidInput`]), or nothing.
pub fn ensure_regular_file(path: &Path) -> Result<(), Error> {
    let kind = fs::metadata(path)?.file_type();
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
