//! A text canvas: lines of styled text of a limited width.
//!
//! Invariants: no line is wider than the canvas. All text is sanitized, so it cannot control the terminal or change the
//! direction of text. Colour only repeats what the text says.

use unicode_width::UnicodeWidthChar;

use crate::sanitizer::printable;

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
}

impl Span {
    /// A span of sanitized text: control characters, and characters that break a line or change the direction of text,
    /// become a space or `�`.
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Span {
        Span { ink, text: text.as_ref().chars().map(printable).collect() }
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
        Span { ink: self.ink, text: clipped(&self.text, max) }
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
        self.paragraph(2, Ink::Faint, &aside.text, 2);
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
        for Span { ink, text } in spans {
            let part = prefix(&text, left);
            left -= width(part);
            self.paint(ink, part);
            if part.len() < text.len() {
                break;
            }
        }
        self.text.push_str(if fits { "\n" } else { "…\n" });
    }

    /// Writes text over up to `max` lines, broken between words.
    pub fn paragraph(&mut self, indent: usize, ink: Ink, text: &str, max: usize) {
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
            page(|page| page.paragraph(40, Ink::Plain, words, 2)).replace(&" ".repeat(40), "|"),
            "|one two three four\n|five six seven eigh…\n"
        );
        let exact = "a".repeat(20) + " b";
        assert_eq!(
            page(|page| page.paragraph(40, Ink::Plain, &exact, 2)).replace(' ', ""),
            format!("{}\nb\n", "a".repeat(20))
        );
        let long = "a".repeat(70);
        assert_eq!(
            page(|page| page.paragraph(0, Ink::Plain, &long, 9)),
            format!("{}\n{}\n", "a".repeat(60), "a".repeat(10))
        );
    }

    #[test]
    fn what_is_cut_off_a_line_is_marked() {
        let line = |first: &str| page(|page| page.line(0, &[first.into(), "and more".into()]));
        assert_eq!(line(&"x".repeat(52)), format!("{}and more\n", "x".repeat(52)));
        assert_eq!(line(&"x".repeat(60)), format!("{}…\n", "x".repeat(59)));
        assert_eq!(page(|page| page.line(2, &["trailing  ".into(), "  ".into()])), "  trailing\n");
    }
}
