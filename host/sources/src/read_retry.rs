//! Reads that a signal cannot interrupt.

use std::io::{self, ErrorKind, Read};

/// Reads once into `buffer`, again after each interruption by a signal. Returns the number of bytes; 0 at the end.
///
/// # Errors
/// When the source cannot be read.
pub(crate) fn read_retrying(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Interrupted(Vec<io::Result<usize>>);

    impl Read for Interrupted {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.pop().expect("no further read")
        }
    }

    #[test]
    fn a_read_is_repeated_after_an_interruption_only() {
        let mut reader = Interrupted(vec![
            Err(ErrorKind::UnexpectedEof.into()),
            Ok(3),
            Err(ErrorKind::Interrupted.into()),
        ]);
        assert_eq!(read_retrying(&mut reader, &mut [0; 8]).unwrap(), 3);
        assert_eq!(read_retrying(&mut reader, &mut [0; 8]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
