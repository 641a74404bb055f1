//! Digests of files.

use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::regular_file::open_file;
use understudy_study::hexadecimal;

/// The SHA-256 of a file, in hexadecimal, and its size in bytes. The file is read in blocks of one MiB.
///
/// # Errors
/// If the file cannot be read.
pub fn file_digest(path: &Path) -> io::Result<(String, u64)> {
    const BLOCK: usize = 1 << 20;
    let mut file = open_file(path)?;
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
