//! Shortens values of clients for messages.

/// Characters of a value that a message shows.
const MAX_CHARACTERS: usize = 80;

/// A value of a client for a message, cut to 80 characters.
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(excerpt("as it is"), "as it is");
        assert_eq!(excerpt(&"\u{e9}".repeat(80)), "\u{e9}".repeat(80));
        assert_eq!(excerpt(&"\u{e9}".repeat(81)), "\u{e9}".repeat(80) + "...");
    }
}
