//! Text from plugins and records, made fit to be shown.
//!
//! Always holds: what is shown cannot command a terminal, break its line or turn text round.

/// A character as it may be shown: a control character becomes a space or `�`, and so does one that changes the direction
/// of text or breaks the line.
pub(super) fn shown(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9): they reorder a line.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Text on one line, with single spaces between its words and none around them.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text.chars().map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
