//! The page that is printed: lines of text, as wide as a terminal.
//!
//! Always holds: no line is wider than the page; a character that could command the terminal or turn text round never
//! gets onto it, wherever the text came from; colour only repeats what the words say.

use unicode_width::UnicodeWidthChar;

use crate::sanitizer::shown;

/// What the terminal is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Its width in columns. What is below 60 counts as 60.
    pub width: usize,
    /// Whether to use colour: ANSI escape sequences. Without it there is none.
    pub color: bool,
}

/// The narrowest page.
const LEAST_WIDTH: usize = 60;

/// How a piece of text stands out where there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// As the terminal has it.
    Plain,
    /// A title.
    Title,
    /// An aside.
    Faint,
    /// Worth a look.
    Notice,
    /// Must be seen.
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

/// A piece of a line: clean text in one ink.
#[derive(Clone, Debug)]
pub(super) struct Span {
    ink: Ink,
    text: String,
}

impl Span {
    /// Cleans the text: a control character becomes a space or `�`, and so does one that changes the direction of text
    /// or breaks the line.
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Span {
        Span { ink, text: text.as_ref().chars().map(shown).collect() }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        width(&self.text)
    }

    /// The same, at most so many columns wide.
    pub fn clipped(&self, most: usize) -> Span {
        Span { ink: self.ink, text: clipped(&self.text, most) }
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

/// The page so far.
pub(super) struct Page {
    width: usize,
    color: bool,
    text: String,
}

impl Page {
    pub fn new(style: Style) -> Page {
        Page { width: style.width.max(LEAST_WIDTH), color: style.color, text: String::new() }
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A title after a blank line, with an aside beside it, or beneath it where there is no room.
    pub fn section(&mut self, title: &str, aside: &str) {
        self.blank();
        let (title, aside) = (Span::new(Ink::Title, title), Span::new(Ink::Faint, aside));
        if title.width() + 2 + aside.width() <= self.width {
            return self.line(0, &[title, "  ".into(), aside]);
        }
        self.line(0, &[title]);
        self.paragraph(2, Ink::Faint, &aside.text, 2);
    }

    /// One line, without the spaces at its end. What is beyond the width is cut off, and an ellipsis says so.
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
            let part = head(&text, left);
            left -= width(part);
            self.paint(ink, part);
            if part.len() < text.len() {
                break;
            }
        }
        self.text.push_str(if fits { "\n" } else { "…\n" });
    }

    /// Text over as many lines as it needs, broken between words, but no more than `most`.
    pub fn paragraph(&mut self, indent: usize, ink: Ink, text: &str, most: usize) {
        let text = Span::new(ink, text).text;
        let room = self.width.saturating_sub(indent).max(1);
        let mut rest = text.trim();
        for line in 1..=most {
            if width(rest) <= room || line == most {
                return self.line(indent, &[Span::new(ink, rest)]);
            }
            let fits = head(rest, room);
            // The word that ends where the line does is whole; a word longer than a line is broken.
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

/// The columns that a text takes in a terminal.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A text of at most so many columns; an ellipsis says that it was longer.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    format!("{}…", head(text, most.saturating_sub(1)).trim_end())
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The longest beginning of a text that takes no more than so many columns.
fn head(text: &str, most: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += columns(*c);
        taken > most
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
