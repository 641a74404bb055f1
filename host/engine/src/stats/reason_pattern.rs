//! The words of a reason apart from the values that it quotes, so that reasons that differ only in values are counted
//! together.
//!
//! Invariants: merging depends neither on the order nor on the grouping of the merges. A merged pattern keeps every value
//! that all its reasons share.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Maximum number of characters of a reason that are kept, with one character for each value.
pub const MAX_CHARS: usize = 1000;
/// Maximum number of characters of a value that are kept.
const MAX_VALUE: usize = 80;

/// Quotation marks that open, with the marks that close.
const QUOTATION_MARKS: [(char, char); 7] =
    [('`', '`'), ('"', '"'), ('\'', '\''), ('“', '”'), ('„', '“'), ('‘', '’'), ('«', '»')];

/// One reason, or several that differ only in values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReasonPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Part {
    Words(String),
    /// A value, or `None` if the reasons have different ones.
    Value(Option<String>),
}

impl ReasonPattern {
    /// The pattern of one reason. Values are texts between quotation marks, numbers, and JSON from its first bracket on. A
    /// name between backticks at the start is the function that failed, and no value.
    pub fn new(reason: &str) -> ReasonPattern {
        let mut pattern = PatternBuilder::default();
        let mut rest = reason;
        let mut before = None;
        while let Some(c) = rest.chars().next() {
            if pattern.chars >= MAX_CHARS {
                pattern.words("…");
                break;
            }
            let is_after_word = before.is_some_and(|c: char| c.is_alphanumeric() || c == '_');
            let function = if before.is_none() { function_length(rest) } else { None };
            let end = match (c, quoted(rest, is_after_word)) {
                _ if function.is_some() => {
                    let end = function.unwrap_or(0);
                    pattern.words(&rest[..end]);
                    end
                }
                (_, Some((text, close))) => {
                    pattern.words(&rest[..c.len_utf8()]);
                    pattern.value(text);
                    pattern.words(close.encode_utf8(&mut [0; 4]));
                    (c.len_utf8() + text.len() + close.len_utf8()).min(rest.len())
                }
                ('[' | '{', None) => {
                    pattern.value(rest);
                    rest.len()
                }
                (c, None) if c.is_ascii_digit() && !is_after_word => {
                    let end = number_length(rest);
                    pattern.value(&rest[..end]);
                    end
                }
                (c, None) => {
                    pattern.words(&rest[..c.len_utf8()]);
                    c.len_utf8()
                }
            };
            before = rest[..end].chars().next_back();
            rest = &rest[end..];
        }
        ReasonPattern(pattern.parts)
    }

    /// The reason with `…` in place of every value. Reasons with the same key are counted together.
    pub fn key(&self) -> String {
        self.0.iter().map(|part| if let Part::Words(words) = part { words } else { "…" }).collect()
    }

    /// The reason with `…` in place of the values that differ.
    pub fn text(&self) -> String {
        let part = |part: &Part| match part {
            Part::Words(text) | Part::Value(Some(text)) => text.clone(),
            Part::Value(None) => "…".to_owned(),
        };
        self.0.iter().map(part).collect()
    }

    /// Whether all reasons have the same values.
    pub fn is_uniform(&self) -> bool {
        !self.0.contains(&Part::Value(None))
    }

    /// Merges the pattern of other reasons with the same key.
    pub fn merge(&mut self, other: &ReasonPattern) {
        let is_same = |(own, other): (&Part, &Part)| match (own, other) {
            (Part::Words(own), Part::Words(other)) => own == other,
            (own, other) => matches!((own, other), (Part::Value(_), Part::Value(_))),
        };
        if self.0.len() != other.0.len() || !self.0.iter().zip(&other.0).all(is_same) {
            // One of the reasons has a `…` of its own.
            self.0 = without_values(&self.key());
            return;
        }
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            if own != other {
                *own = Part::Value(None);
            }
        }
    }
}

/// The parts of a key, with an unknown value for each `…`.
fn without_values(key: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (at, words) in key.split('…').enumerate() {
        if at > 0 {
            parts.push(Part::Value(None));
        }
        if !words.is_empty() {
            parts.push(Part::Words(words.to_owned()));
        }
    }
    parts
}

#[derive(Default)]
struct PatternBuilder {
    parts: Vec<Part>,
    /// The characters of the key so far.
    chars: usize,
}

impl PatternBuilder {
    fn words(&mut self, text: &str) {
        self.chars += text.chars().count();
        match self.parts.last_mut() {
            Some(Part::Words(words)) => words.push_str(text),
            _ => self.parts.push(Part::Words(text.to_owned())),
        }
    }

    /// Adds a value. A long one is cut, with a hash of the whole.
    fn value(&mut self, text: &str) {
        self.chars += 1;
        let kept = match text.char_indices().nth(MAX_VALUE) {
            Some((end, _)) => format!("{}…#{:06x}", &text[..end], xxh3_64(text.as_bytes()) & 0xff_ffff),
            None => text.to_owned(),
        };
        self.parts.push(Part::Value(Some(kept)));
    }
}

/// The length of the name in backticks that a text begins with; `None` without one.
fn function_length(text: &str) -> Option<usize> {
    let name = text.strip_prefix('`')?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    name[end..].starts_with("` ").then_some(end + 2)
}

/// The text between the quotation marks at the start of `text`, and the mark that closes it; `None` without such a mark. A
/// backtick or a double quotation mark that is never closed quotes all that follows.
fn quoted(text: &str, is_after_word: bool) -> Option<(&str, char)> {
    let mut chars = text.chars();
    let open = chars.next()?;
    let inner = chars.as_str();
    let (_, close) = *QUOTATION_MARKS.iter().find(|(mark, _)| *mark == open)?;
    let is_apostrophe = open == '\'';
    if is_apostrophe && is_after_word {
        return None;
    }
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        // An apostrophe within a word closes nothing.
        let is_end = c == close && !is_escaped;
        let next = inner[at + c.len_utf8()..].chars().next();
        if is_end && !(is_apostrophe && next.is_some_and(char::is_alphanumeric)) {
            return Some((&inner[..at], close));
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    matches!(open, '`' | '"').then_some((inner, close))
}

/// The length of the number that a text begins with: its digits, with points, commas, colons and hyphens between digits, as
/// in times; or the digits of a hexadecimal number.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return 2 + hexadecimal.bytes().take_while(u8::is_ascii_hexdigit).count();
    }
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while is_digit(end) || (matches!(bytes.get(end), Some(b'.' | b',' | b':' | b'-')) && is_digit(end + 1)) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_do_not_separate_reasons() {
        let texts = [
            ("the ranking repeats `i0`", "the ranking repeats `…`"),
            ("field `f`: 300 does not fit u8", "field `…`: … does not fit u8"),
            ("no rate on 2026-03-01 10:00:00.5", "no rate on … …"),
            ("neither a string nor an array: [1.5,\"a\"]", "neither a string nor an array: …"),
            ("unknown room \"b 7\", -3.5 nights", "unknown room \"…\", -… nights"),
            ("unclosed `a", "unclosed `…`"),
            ("`decide` panicked: KeyError: 'reboot loop; again'", "`decide` panicked: KeyError: '…'"),
            ("KeyError: 'Überlast; später „rot“ 7'", "KeyError: '…'"),
            ("KeyError: 'it\\'s'", "KeyError: '…'"),
            ("the model's table can't hold the rows' keys", "the model's table can't hold the rows' keys"),
            ("<rule at 0x7f3ac0> said “nein”, «non»", "<rule at …> said “…”, «…»"),
            ("", ""),
        ];
        texts.iter().for_each(|(text, expected)| {
            assert_eq!(ReasonPattern::new(text).key(), *expected);
            if !text.starts_with("unclosed") {
                assert_eq!(ReasonPattern::new(text).text(), *text);
            }
        });
        let long = ReasonPattern::new(&"é".repeat(4_000));
        assert_eq!(long.key().chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn a_merged_reason_keeps_what_its_reasons_share() {
        let merged = |texts: &[&str]| {
            let mut pattern = ReasonPattern::new(texts[0]);
            for text in &texts[1..] {
                let other = ReasonPattern::new(text);
                assert_eq!(other.key(), pattern.key());
                pattern.merge(&other);
            }
            pattern.text()
        };
        let traceback = |key: &str| {
            format!(
                "`decide` panicked: File \"app.py\", line 12, in predict: KeyError: {key}; at most 30 rows"
            )
        };
        assert_eq!(
            merged(&[&traceback("'müde; rot'"), &traceback("'wach'")]),
            "`decide` panicked: File \"app.py\", line 12, in predict: KeyError: '…'; at most 30 rows"
        );
        assert_eq!(merged(&[&traceback("'müde'"), &traceback("'müde'")]), traceback("'müde'"));
        let long = |end: &str| format!("unknown `{}{end}`", "x".repeat(200));
        assert_eq!(merged(&[&long("a"), &long("b")]), "unknown `…`");
        // Which function failed is part of the words.
        let keys = ["`score` used up its fuel", "`reduce` used up its fuel"]
            .map(|text| ReasonPattern::new(text).key());
        assert_ne!(keys[0], keys[1]);
    }

    proptest! {
        #[test]
        fn merging_depends_on_neither_order_nor_grouping(values in prop::collection::vec((0..3u8, 0..3u8), 3)) {
            let [a, b, c] = [0, 1, 2].map(|at| {
                let (one, two) = values[at];
                // A reason may have a `…` of its own.
                let two = if two == 2 { "…".to_owned() } else { two.to_string() };
                ReasonPattern::new(&format!("field `{one}` has {two}"))
            });
            let merge = |one: &ReasonPattern, other: &ReasonPattern| {
                let mut merged = one.clone();
                merged.merge(other);
                merged
            };
            prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
            prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        }

        #[test]
        fn any_text_has_a_pattern(text in "\\PC{0,80}", marks in "[`\"'“”„‘’«»0x\\\\\\[a ]{0,30}") {
            for text in [text.as_str(), marks.as_str()] {
                prop_assert!(ReasonPattern::new(text).is_uniform());
            }
        }
    }
}
