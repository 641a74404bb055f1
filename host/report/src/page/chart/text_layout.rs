//! Estimates the width of text, and breaks it into lines.
//!
//! Invariants: no character is lost. Widths are upper estimates for a sans-serif font, because the font of the reader is
//! unknown.

use unicode_width::UnicodeWidthChar as _;

/// The width of a text, in the unit of its size.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(thousandths).sum();
    thousandths * size / 1000
}

/// The advance of a character in thousandths of the font size: roughly that of Liberation Sans and Segoe UI, rounded up.
fn thousandths(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' => 290,
        'f' | 't' | 'r' | 'I' | ' ' | '(' | ')' | '[' | ']' | '/' | '-' => 360,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 900,
        'A'..='Z' => 700,
        '0'..='9' => 580,
        _ => match c.width() {
            Some(0) | None => 0,
            Some(1) => 590,
            Some(_) => 1050,
        },
    }
}

/// A text in lines of at most `room`: broken between words, or within a word that is too long for a line.
pub(super) fn wrap(text: &str, room: i32, size: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(&line, size) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    lines.push(line);
    lines
}

/// A text in lines of at most `room`, broken after commas and colons if their phrases fit.
pub(super) fn wrap_phrases(text: &str, room: i32, size: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in text.split_inclusive([',', ':']).fold(Vec::<String>::new(), with_phrase) {
        let phrase = phrase.trim();
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {phrase}"), size) <= room => {
                line.push(' ');
                line.push_str(phrase);
            }
            _ => lines.extend(wrap(phrase, room, size)),
        }
    }
    lines
}

/// Adds the next part of a text to its phrases. A comma within a number or a name ends no phrase.
fn with_phrase(mut phrases: Vec<String>, part: &str) -> Vec<String> {
    match phrases.last_mut() {
        Some(last) if !part.starts_with(char::is_whitespace) => last.push_str(part),
        _ => phrases.push(part.to_owned()),
    }
    phrases
}

/// The width of the longest line.
pub(super) fn widest<'a>(lines: impl IntoIterator<Item = &'a String>, size: i32) -> i32 {
    lines.into_iter().map(|line| width(line, size)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_between_words_if_possible() {
        assert_eq!(wrap("week ending 2016-07-03", 90, 12), ["week ending", "2016-07-03"]);
        assert_eq!(wrap("short", 90, 12), ["short"]);
        assert_eq!(wrap("", 90, 12), [""]);
        assert_eq!(wrap("Donaudampfschiff", 60, 12), ["Donauda", "mpfschiff"]);
    }

    #[test]
    fn phrases_are_broken_only_if_they_are_too_long() {
        let text = "and 3 more: 45,837 answered, 120 abstained, 9 failed";
        assert_eq!(
            wrap_phrases(text, 150, 12),
            ["and 3 more:", "45,837 answered,", "120 abstained, 9 failed"]
        );
        assert_eq!(wrap_phrases(text, 400, 12), [text]);
        assert_eq!(wrap_phrases("45,837 answered, 9", 80, 12), ["45,837", "answered, 9"]);
        assert_eq!(wrap_phrases("", 60, 12), [""; 0]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "\\PC{0,60}", room in 20..200i32) {
            let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            for lines in [wrap(&text, room, 12), wrap_phrases(&text, room, 12)] {
                prop_assert_eq!(solid(&lines.concat()), solid(&text));
                for line in lines {
                    let seen = line.chars().filter(|c| c.width() != Some(0)).count();
                    prop_assert!(width(&line, 12) <= room || seen <= 1, "{}", line);
                }
            }
        }
    }
}
