//! Reads concatenated strings in place.
//!
//! Invariants:
//! - The bytes are validated as UTF-8 once, on construction. Reading a string only checks that it begins and
//!   ends at character boundaries.

use crate::Text;

/// A view of the strings in a [`Text`].
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    text: &'a str,
    offsets: &'a [u32],
}

impl<'a> Strings<'a> {
    /// Validates `text`.
    ///
    /// # Errors
    /// If the bytes are not UTF-8.
    pub fn new(text: &'a Text) -> Result<Self, String> {
        let read = std::str::from_utf8(&text.bytes).map_err(|error| format!("text is not UTF-8: {error}"))?;
        Ok(Self { text: read, offsets: &text.offsets })
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// The string at `index`; `None` if `index` or its offsets are out of range, or if it splits a character.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let start = *self.offsets.get(index)? as usize;
        let end = *self.offsets.get(index + 1)? as usize;
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_in_place() {
        let text = Text { offsets: vec![0, 1, 1, 4], bytes: "aé!".into() };
        let strings = Strings::new(&text).unwrap();
        assert_eq!(strings.len(), 3);
        assert_eq!([0, 1, 2, 3].map(|index| strings.get(index)), [Some("a"), Some(""), Some("é!"), None]);
    }

    #[test]
    fn invalid_text_is_rejected() {
        assert!(Strings::new(&Text { offsets: vec![0, 1], bytes: vec![0xff] }).is_err());
        let split = Text { offsets: vec![0, 1, 9], bytes: "é".into() };
        let strings = Strings::new(&split).unwrap();
        assert_eq!([strings.get(0), strings.get(1)], [None, None]);
        assert_eq!(Strings::new(&Text { offsets: vec![], bytes: vec![] }).unwrap().len(), 0);
    }
}
