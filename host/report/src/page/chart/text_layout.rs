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

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "\\PC{0,60}", room in 20..200i32) {
            let lines = wrap(&text, room, 12);
            let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(solid(&lines.concat()), solid(&text));
            for line in lines {
                let seen = line.chars().filter(|c| c.width() != Some(0)).count();
                prop_assert!(width(&line, 12) <= room || seen <= 1, "{}", line);
            }
        }
    }
}
