//! The report of a panic, byte by byte. Made without allocating: the allocator may be what panicked.

use std::fmt::{self, Write};
use std::panic::Location;

/// The longest message, in bytes. A longer one is cut before the character that does not fit.
const LONGEST_MESSAGE: usize = 4096;
/// The longest report, in bytes.
#[cfg(target_arch = "wasm32")]
pub const LONGEST: usize = INVERTED_MAGIC.len() + size_of::<u32>() + LONGEST_MESSAGE;
/// The magic with all its bits turned, so that the magic itself is not among the module's data.
const INVERTED_MAGIC: [u8; 32] = inverted(*b"\0understudy panic report v1\0\0\0\0\0");

const fn inverted(mut bytes: [u8; 32]) -> [u8; 32] {
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = !bytes[index];
        index += 1;
    }
    bytes
}

/// What a panic said, and where.
pub struct Message {
    bytes: [u8; LONGEST_MESSAGE],
    length: usize,
}

impl Message {
    /// `said` at `place`, cut to the longest message.
    pub fn new(place: Option<&Location<'_>>, said: &str) -> Self {
        let mut message = Self { bytes: [0; LONGEST_MESSAGE], length: 0 };
        // An error only says that the message was cut.
        let _ = match place {
            Some(place) => write!(message, "{place}: {said}"),
            None => message.write_str(said),
        };
        message
    }

    /// The report: magic, length, message.
    pub fn report(&self) -> impl Iterator<Item = u8> {
        let magic = INVERTED_MAGIC.iter().map(|byte| !byte);
        let length = (self.length as u32).to_le_bytes();
        magic.chain(length).chain(self.bytes[..self.length].iter().copied())
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut fits = text.len().min(LONGEST_MESSAGE - self.length);
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        self.bytes[self.length..self.length + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.length += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(said: &str) -> Vec<u8> {
        Message::new(None, said).report().collect()
    }

    #[test]
    fn a_report_is_magic_length_and_message() {
        assert_eq!(report("é!"), b"\0understudy panic report v1\0\0\0\0\0\x03\0\0\0\xc3\xa9!");
    }

    #[test]
    fn a_message_says_where() {
        let here = Location::caller();
        let message = Message::new(Some(here), "no such room");
        let expected = format!("{}:{}:{}: no such room", file!(), here.line(), here.column());
        assert_eq!(&message.bytes[..message.length], expected.as_bytes());
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = format!("a{}", "é".repeat(3000));
        let report = report(&long);
        assert_eq!(report[32..36], 4095u32.to_le_bytes());
        assert_eq!(std::str::from_utf8(&report[36..]), Ok(&long[..4095]));
    }
}
