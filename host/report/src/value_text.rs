//! The text of values from records and plugins, such as answers, ids and condition values.
//!
//! Invariants: two different values never have the same text. A text has no invisible character, no space at its ends
//! and no two spaces in a row. It cannot control a terminal or change the direction of a line. A text that is cut says
//! so and ends in a digest of the value.
//!
//! A character that a reader could miss or take for another one is written as its code point, as in Rust: `\u{a0}`.
//! Among these are Greek and Cyrillic letters that look like Latin ones, in a value without any other Greek or Cyrillic
//! letter. All other values are shown as they are.

use std::fmt::Write as _;

use understudy_sandbox::sha256_hex;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, compose};

/// The text of an empty value.
const EMPTY: &str = "\"\"";
/// The text of a value that is missing from a record.
pub(crate) const MISSING: &str = "(missing)";
/// The text of a missing answer.
pub(crate) const NO_ANSWER: &str = "(no answer)";
/// The text of a ranking without items, where the first item would be shown.
pub(crate) const EMPTY_RANKING: &str = "(empty ranking)";
/// The text of all values that are not shown one by one.
pub(crate) const OTHERS: &str = "(others)";
/// How the reason in place of a missing answer begins.
const REASONS: [&str; 4] = ["(abstained", "(failed", "(broke", "(blinded"];

/// Greek and Cyrillic letters that look like Latin letters.
const LATIN_LOOKALIKES: &str = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧνοАВЕЅІЈКМНОРСТУХҮԌԜаеорсухѕіјһӏԁԛԝ";
/// Punctuation and symbols that look like the ASCII characters `-`, `/`, `:`, `.` and `,`.
const ASCII_LOOKALIKES: [char; 9] = [
    '\u{2d7}', '\u{2010}', '\u{2011}', '\u{2212}', '\u{2044}', '\u{2215}', '\u{2236}', '\u{2024}', '\u{201a}',
];

/// The number of hexadecimal digits of a digest behind a cut text.
const DIGEST_DIGITS: usize = 6;
/// The number of characters that a cut adds: an ellipsis, `#` and the digest.
pub(crate) const CUT_MARK: usize = 2 + DIGEST_DIGITS;

/// The text of a value. Characters that are invisible, that are spaces at an end or in a row, or that make the value
/// look like another one are written as `\u{…}`. An empty value is `""`.
pub fn value_text(value: &str) -> String {
    if value.is_empty() {
        return EMPTY.to_owned();
    }
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return value.to_owned();
    }
    // Normalization form C (UAX #15).
    let is_composed = unicode_normalization::is_nfc(value);
    let is_latin = value.chars().all(|c| !c.is_alphabetic() || is_latin(c) || looks_latin(c));
    let chars: Vec<char> = value.chars().collect();
    let mut text = String::with_capacity(value.len());
    let mut is_escaped = false;
    // The character that the one at hand could be composed with.
    let mut base = None;
    for (at, &c) in chars.iter().enumerate() {
        let composed = base.and_then(|base| compose(base, c));
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1).copied();
        is_escaped = match c {
            ' ' => [before, after].iter().any(|neighbour| neighbour.is_none_or(|c| c == ' ')),
            // What would read as an escape.
            '\\' => chars[at + 1..].starts_with(&['u', '{']),
            _ if c.is_ascii_graphic() => at == 0 && is_reserved(value),
            _ if !is_visible(c) || ASCII_LOOKALIKES.contains(&c) => true,
            _ if is_latin && looks_latin(c) => true,
            // A mark joins the character before it, so it needs one that is shown as it is.
            _ if is_mark(c) => !is_composed || is_escaped || before.is_none_or(|c| c == ' '),
            _ => !is_composed && (composed.is_some() || !std::iter::once(c).nfc().eq([c])),
        };
        if composed.is_some() || canonical_combining_class(c) == 0 {
            base = composed.or(Some(c));
        }
        match is_escaped {
            true => write!(text, "\\u{{{:x}}}", u32::from(c)).expect("a string takes any text"),
            false => text.push(c),
        }
    }
    text
}

/// The text of a value within a list or a sentence. It is in quotation marks if it contains one of `separators`, so that
/// the list can be read in one way only.
pub fn listed_value(value: &str, separators: &[&str]) -> String {
    let text = value_text(value);
    let is_plain = !text.starts_with('"') && !separators.iter().any(|separator| text.contains(separator));
    if is_plain || value.is_empty() { text } else { format!("\"{}\"", text.replace('"', "\\u{22}")) }
}

/// Values in a list, separated by commas.
pub(crate) fn value_list<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    values.into_iter().map(|value| listed_value(value, &[", "])).collect::<Vec<_>>().join(", ")
}

/// What follows a text that is cut: an ellipsis and the first digits of the text's SHA-256.
pub(crate) fn cut_mark(text: &str) -> String {
    format!("…#{}", &sha256_hex(text.as_bytes())[..DIGEST_DIGITS])
}

/// Whether a value equals a text that this module shows in place of an absent or empty value.
fn is_reserved(value: &str) -> bool {
    [EMPTY, MISSING, NO_ANSWER, EMPTY_RANKING, OTHERS].contains(&value)
        || REASONS.iter().any(|reason| value.starts_with(reason))
}

/// Whether a character leaves a mark of its own, so that a reader can see that it is there. Separators other than the
/// space, controls, format characters, and characters without an agreed shape do not.
pub(crate) fn is_visible(c: char) -> bool {
    let is_blank = matches!(c,
        // Characters that are ignored or blank by definition, although they are letters, marks or symbols.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}');
    !is_blank && (c == ' ' || is_printable(c))
}

/// Whether the standard library shows a character as it is. Behind another character it shows marks, too.
fn is_printable(c: char) -> bool {
    if matches!(c, '\\' | '"' | '\'') {
        return true;
    }
    let mut text = String::from("x");
    text.push(c);
    text.escape_debug().count() == 2
}

/// Whether a character joins the one before it.
fn is_mark(c: char) -> bool {
    canonical_combining_class(c) != 0 || c.escape_debug().count() > 1
}

/// Whether a letter is ASCII, or in one of the blocks of Latin letters with marks.
fn is_latin(c: char) -> bool {
    matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Whether a letter of another script, or a Roman numeral, looks like Latin letters.
fn looks_latin(c: char) -> bool {
    LATIN_LOOKALIKES.contains(c) || matches!(c, '\u{2160}'..='\u{217f}')
}

#[cfg(test)]
mod tests;
