//! Strings laid end to end, read in place.
//!
//! Always holds: the bytes were found to be UTF-8 once, when the reader was made; a string is then a slice that is only
//! checked to begin and end between characters.

use crate::Text;

/// The strings of a [`Text`].
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    text: &'a str,
    offsets: &'a [u32],
}

impl<'a> Strings<'a> {
    /// Reads `text`.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn new(text: &'a Text) -> Result<Self, String> {
        let read =
            std::str::from_utf8(&text.bytes).map_err(|error| format!("its text is not UTF-8: {error}"))?;
        Ok(Self { text: read, offsets: &text.offsets })
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// String `index`; `None` if there is none, or if its offsets do not mark out whole characters.
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
    fn what_is_no_text_is_refused() {
        assert!(Strings::new(&Text { offsets: vec![0, 1], bytes: vec![0xff] }).is_err());
        let halved = Text { offsets: vec![0, 1, 9], bytes: "é".into() };
        let strings = Strings::new(&halved).unwrap();
        assert_eq!([strings.get(0), strings.get(1)], [None, None]);
        assert_eq!(Strings::new(&Text { offsets: vec![], bytes: vec![] }).unwrap().len(), 0);
    }
}
