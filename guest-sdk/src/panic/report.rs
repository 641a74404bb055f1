//! Encodes a panic report without allocating, because the allocator may be what panicked.

use std::fmt::{self, Write};
use std::panic::Location;

/// Maximum length of a message in bytes. A longer message is cut before the character that does not fit.
const MAX_MESSAGE: usize = 4096;
/// Maximum length of a report in bytes.
#[cfg(target_arch = "wasm32")]
pub const MAX_REPORT: usize = INVERTED_MAGIC.len() + size_of::<u32>() + MAX_MESSAGE;
/// The magic with all bits inverted, so that the magic itself is not in the data of the module.
const INVERTED_MAGIC: [u8; 32] = inverted(*b"\0understudy panic report v1\0\0\0\0\0");

const fn inverted(mut bytes: [u8; 32]) -> [u8; 32] {
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = !bytes[index];
        index += 1;
    }
    bytes
}

/// The location and text of a panic.
pub struct Message {
    bytes: [u8; MAX_MESSAGE],
    length: usize,
}

impl Message {
    /// Formats `text` at `location`, cut to the maximum length.
    pub fn new(location: Option<&Location<'_>>, text: &str) -> Self {
        let mut message = Self { bytes: [0; MAX_MESSAGE], length: 0 };
        // An error only means that the message was cut.
        let _ = match location {
            Some(location) => write!(message, "{location}: {text}"),
            None => message.write_str(text),
        };
        message
    }

    /// The bytes of the report: magic, length, message.
    pub fn report(&self) -> impl Iterator<Item = u8> {
        let magic = INVERTED_MAGIC.iter().map(|byte| !byte);
        let length = (self.length as u32).to_le_bytes();
        magic.chain(length).chain(self.bytes[..self.length].iter().copied())
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut fits = text.len().min(MAX_MESSAGE - self.length);
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

    fn report(text: &str) -> Vec<u8> {
        Message::new(None, text).report().collect()
    }

    #[test]
    fn a_report_consists_of_magic_length_and_message() {
        assert_eq!(report("é!"), b"\0understudy panic report v1\0\0\0\0\0\x03\0\0\0\xc3\xa9!");
    }

    #[test]
    fn a_message_begins_with_its_location() {
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
