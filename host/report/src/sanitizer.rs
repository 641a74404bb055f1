//! Makes text from plugins and records safe to display.
//!
//! Invariants: sanitized text cannot control a terminal, break its line or change the direction of text.

/// The character to display: characters that break a line become a space; other control characters, and those that
/// change the direction of text, become `�`.
pub(super) fn printable(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), which reorder a line.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// The text on one line, with single spaces between words and none at the ends.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text.chars().map(printable).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
