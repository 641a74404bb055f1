//! A text canvas: lines of styled text of a limited width.
//!
//! Invariants: no line is wider than the canvas. All text is sanitized, so it cannot control the terminal or change the
//! direction of text. A value that is cut ends in a digest. Colour only repeats what the text says.

use unicode_width::UnicodeWidthChar;

use crate::format::counted;
use crate::sanitizer::printable;
use crate::value_text::{CUT_MARK, cut_mark, value_text};

/// The width and colour support of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The width in columns; values below 60 count as 60.
    pub width: usize,
    /// Whether to write ANSI escape sequences for colour.
    pub color: bool,
}

/// The minimum width in columns.
const MIN_WIDTH: usize = 60;

/// The emphasis of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Normal text.
    Plain,
    /// A title, in bold.
    Title,
    /// Secondary text, dimmed.
    Faint,
    /// A notice, in yellow.
    Notice,
    /// An alarm, in bold red.
    Alarm,
}

impl Ink {
    /// The parameters of its ANSI escape sequence (ECMA-48, select graphic rendition).
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Title => Some("1"),
            Self::Faint => Some("2"),
            Self::Notice => Some("33"),
            Self::Alarm => Some("1;31"),
        }
    }
}

/// A piece of a line: sanitized text with one emphasis.
#[derive(Clone, Debug)]
pub(super) struct Span {
    ink: Ink,
    text: String,
    /// Whether the text is that of a value, which keeps a digest if it is cut.
    is_value: bool,
}

impl Span {
    /// A span of sanitized text: characters that break a line become a space; other control characters, and those that
    /// change the direction of text, are written as `\u{…}`.
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Span {
        Span { ink, text: printable(text.as_ref()), is_value: false }
    }

    /// The text of a value, see [`value_text`].
    pub fn value(ink: Ink, value: impl AsRef<str>) -> Span {
        Span { ink, text: value_text(value.as_ref()), is_value: true }
    }

    /// The span, which keeps a digest of its text if it is cut.
    pub fn with_digest(self) -> Span {
        Span { is_value: true, ..self }
    }

    /// The span, indented by this number of spaces.
    pub fn indented(self, indent: usize) -> Span {
        Span { text: format!("{}{}", " ".repeat(indent), self.text), ..self }
    }

    /// The sanitized text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        width(&self.text)
    }

    /// The span, clipped to at most `max` columns.
    pub fn clipped(&self, max: usize) -> Span {
        let text = if self.is_value { clipped_value(&self.text, max) } else { clipped(&self.text, max) };
        Span { text, ..*self }
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Span {
        Span::new(Ink::Plain, text)
    }
}

impl From<String> for Span {
    fn from(text: String) -> Span {
        Span::from(text.as_str())
    }
}

/// The lines written so far.
pub(super) struct Page {
    width: usize,
    color: bool,
    text: String,
}

impl Page {
    pub fn new(style: Style) -> Page {
        Page { width: style.width.max(MIN_WIDTH), color: style.color, text: String::new() }
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Writes a blank line and a title. The aside follows on the same line, or on the next one if it does not fit.
    pub fn section(&mut self, title: &str, aside: &str) {
        self.blank();
        let (title, aside) = (Span::new(Ink::Title, title), Span::new(Ink::Faint, aside));
        if title.width() + 2 + aside.width() <= self.width {
            return self.line(0, &[title, "  ".into(), aside]);
        }
        self.line(0, &[title]);
        self.paragraph(2, Ink::Faint, &aside.text);
    }

    /// Writes one line without trailing spaces. A line that is too long is clipped with an ellipsis.
    pub fn line(&mut self, indent: usize, spans: &[Span]) {
        let mut spans = spans.to_vec();
        while let Some(last) = spans.last_mut() {
            last.text.truncate(last.text.trim_end().len());
            if !last.text.is_empty() {
                break;
            }
            spans.pop();
        }
        self.text.push_str(&" ".repeat(if spans.is_empty() { 0 } else { indent }));
        let room = self.width.saturating_sub(indent);
        let fits = spans.iter().map(Span::width).sum::<usize>() <= room;
        let mut left = if fits { room } else { room.saturating_sub(1) };
        for Span { ink, text, is_value } in spans {
            let part = prefix(&text, left);
            if is_value && part.len() < text.len() {
                // Less of a value than its digest could be mistaken for another value.
                let cut = if left + 1 < CUT_MARK { "…".to_owned() } else { clipped_value(&text, left + 1) };
                self.paint(ink, &cut);
                return self.text.push('\n');
            }
            left -= width(part);
            self.paint(ink, part);
            if part.len() < text.len() {
                break;
            }
        }
        self.text.push_str(if fits { "\n" } else { "…\n" });
    }

    /// Writes the text of a value over up to `max` lines, broken before a space if possible. The lines in a row are the
    /// text: a line begins with the space that it was broken at. If the text is longer, one more line says so, with a
    /// digest.
    pub fn value_paragraph(&mut self, indent: usize, value: &str, max: usize) {
        let text = value_text(value);
        let room = self.width.saturating_sub(indent).max(1);
        let mut rest = text.as_str();
        for _ in 0..max {
            let fits = prefix(rest, room);
            let space = fits.rfind(' ').filter(|at| *at > 0);
            let is_whole = fits.len() == rest.len() || rest[fits.len()..].starts_with(' ');
            let cut = if is_whole { fits.len() } else { space.unwrap_or(fits.len()) };
            self.line(indent, &[Span::new(Ink::Plain, &rest[..cut])]);
            rest = &rest[cut..];
            if rest.is_empty() {
                return;
            }
        }
        let left = counted(rest.chars().count() as u64, "character", "characters");
        let cut = format!("{} cut here; {left} follow", cut_mark(&text));
        self.line(indent, &[Span::new(Ink::Faint, cut)]);
    }

    /// Writes a whole text, broken between words. For a text of the program itself.
    pub fn paragraph(&mut self, indent: usize, ink: Ink, text: &str) {
        self.clipped_paragraph(indent, ink, text, usize::MAX);
    }

    /// Writes text over up to `max` lines, broken between words. For a text that contains one of a plugin
    /// or a record, which can be of any length.
    pub fn clipped_paragraph(&mut self, indent: usize, ink: Ink, text: &str, max: usize) {
        let text = Span::new(ink, text).text;
        let room = self.width.saturating_sub(indent).max(1);
        let mut rest = text.trim();
        for line in 1..=max {
            if width(rest) <= room || line == max {
                return self.line(indent, &[Span::new(ink, rest)]);
            }
            let fits = prefix(rest, room);
            // A word that ends exactly at the end of the line stays whole; a word longer than a line is broken.
            let cut = if rest[fits.len()..].starts_with(' ') {
                fits.len()
            } else {
                fits.rfind(' ').unwrap_or(fits.len())
            };
            self.line(indent, &[Span::new(ink, &rest[..cut])]);
            rest = rest[cut..].trim_start();
        }
    }

    pub fn finish(self) -> String {
        self.text
    }

    fn paint(&mut self, ink: Ink, text: &str) {
        match ink.code() {
            Some(code) if self.color && !text.trim().is_empty() => {
                self.text.push_str(&format!("\x1b[{code}m{text}\x1b[0m"));
            }
            _ => self.text.push_str(text),
        }
    }
}

/// The width of a text in columns of the terminal.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A text clipped to at most `max` columns, with an ellipsis if it was longer.
pub(super) fn clipped(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    format!("{}…", prefix(text, max.saturating_sub(1)).trim_end())
}

/// A value's text clipped to at most `max` columns, with an ellipsis and a digest if it was longer.
fn clipped_value(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    format!("{}{}", prefix(text, max.saturating_sub(CUT_MARK)).trim_end(), cut_mark(text))
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The longest prefix of a text that is at most `max` columns wide.
fn prefix(text: &str, max: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += columns(*c);
        used > max
    });
    end.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(write: impl Fn(&mut Page)) -> String {
        let mut page = Page::new(Style { width: 60, color: false });
        write(&mut page);
        page.finish()
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("漢字"), 4);
        assert_eq!(
            ["漢字", "漢字漢字", "abcdef", "ab cdef"].map(|text| clipped(text, 4)),
            ["漢字", "漢…", "abc…", "ab…"]
        );
    }

    #[test]
    fn a_paragraph_breaks_between_words_and_ends_where_it_must() {
        let words = "one two three four five six seven eight nine ten eleven twelve";
        assert_eq!(
            page(|page| page.clipped_paragraph(40, Ink::Plain, words, 2)).replace(&" ".repeat(40), "|"),
            "|one two three four\n|five six seven eigh…\n"
        );
        let exact = "a".repeat(20) + " b";
        assert_eq!(
            page(|page| page.clipped_paragraph(40, Ink::Plain, &exact, 2)).replace(' ', ""),
            format!("{}\nb\n", "a".repeat(20))
        );
        let long = "a".repeat(70);
        assert_eq!(
            page(|page| page.paragraph(0, Ink::Plain, &long)),
            format!("{}\n{}\n", "a".repeat(60), "a".repeat(10))
        );
    }

    #[test]
    fn the_lines_of_a_value_are_its_text() {
        let lines = |value: &str, max| {
            page(|page| page.value_paragraph(40, value, max)).replace(&" ".repeat(40), "|")
        };
        let [one, two] = ["a".repeat(20) + " b", "a".repeat(20) + "b"];
        assert_eq!(lines(&one, 9), format!("|{}\n| b\n", "a".repeat(20)));
        assert_eq!(lines(&two, 9), format!("|{}\n|b\n", "a".repeat(20)));
        assert_eq!(lines("a b ", 9), "|a b\\u{20}\n");
        let cut = lines(&"a".repeat(30), 1);
        assert!(cut.starts_with(&format!("|{}\n|…#", "a".repeat(20))), "{cut}");
        assert_ne!(cut, lines(&("a".repeat(29) + "b"), 1));
    }

    #[test]
    fn values_that_differ_are_cut_to_different_texts() {
        let clipped = |value: &str| Span::value(Ink::Plain, value).clipped(12).text().to_owned();
        assert_eq!(clipped("a "), "a\\u{20}");
        let [one, two] = ["-east", "-west"].map(|end| clipped(&format!("a room of some length{end}")));
        assert!(one.starts_with("a ro…#") && width(&one) == 12, "{one}");
        assert_ne!(one, two);
        assert_eq!(Span::value(Ink::Plain, "漢字").indented(2).text(), "  漢字");
        let line = |before: usize, value: &str| {
            page(|page| page.line(0, &["x".repeat(before).into(), Span::value(Ink::Plain, value)]))
        };
        let [one, two] = ["-east", "-west"].map(|end| line(40, &format!("a room of some length{end}")));
        assert!(one.contains("xa room of so…#") && width(one.trim_end()) == 60, "{one}");
        assert_ne!(one, two);
        assert_eq!(line(55, "a room"), format!("{}…\n", "x".repeat(55)));
    }

    #[test]
    fn what_is_cut_off_a_line_is_marked() {
        let line = |first: &str| page(|page| page.line(0, &[first.into(), "and more".into()]));
        assert_eq!(line(&"x".repeat(52)), format!("{}and more\n", "x".repeat(52)));
        assert_eq!(line(&"x".repeat(60)), format!("{}…\n", "x".repeat(59)));
        assert_eq!(page(|page| page.line(2, &["trailing  ".into(), "  ".into()])), "  trailing\n");
    }
}
