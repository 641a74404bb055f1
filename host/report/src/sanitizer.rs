//! Makes sentences with text from plugins and records safe to display.
//!
//! Invariants: sanitized text cannot control a terminal, break its line or change the direction of text. The text of a
//! value, from [`value_text`](crate::value_text::value_text), is left as it is.

use std::fmt::Write as _;

/// A text on one line: characters that break a line become a space; other control characters, and those that change the
/// direction of text, are written as `\u{…}`.
pub(super) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => line.push(' '),
            // Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), which reorder a line.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escape(&mut line, c)
            }
            c if c.is_control() => escape(&mut line, c),
            c => line.push(c),
        }
    }
    line
}

fn escape(line: &mut String, c: char) {
    write!(line, "\\u{{{:x}}}", u32::from(c)).expect("a string takes any text");
}

/// A text on one line, with single spaces between words and none at the ends.
pub(super) fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}
