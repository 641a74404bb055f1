//! The notes taken while a study is read: its text, and the faults found so far.
//!
//! A slip in the syntax is told once and hides as little as can be. The lines that it spoils are left blank and the rest
//! is read again, so what is judged is sound TOML. Only of what is missing nothing is said then: it may be there, unread.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use super::fault::{Fault, Faults};

/// How many slips in the syntax are told. A text with more of them is no study at all.
const SLIPS: usize = 32;

/// The text of a study and the faults found in it so far.
pub(super) struct Notes<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// Whether all of the text is TOML.
    sound: bool,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Notes<'t> {
    /// Notes on the syntax of `text`; and `text` without the lines that are not TOML, every other byte in its place.
    pub(super) fn new(text: &'t str) -> (Self, String) {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut notes = Self { text, starts, sound: true, faults: RefCell::default() };
        let mut readable = text.to_owned();
        for _ in 0..SLIPS {
            let (document, errors) = DeTable::parse_recoverable(&readable);
            // Those after the first often only follow from it.
            let Some(error) = errors.iter().min_by_key(|error| error.span().map(|span| span.start)) else {
                break;
            };
            let mut values = Vec::new();
            find_values(document.get_ref(), &mut values);
            let (fault, spoilt) = notes.syntax_error(error, &values);
            let unread = &readable[spoilt.clone()];
            if !notes.sound && unread.trim().is_empty() {
                break;
            }
            notes.sound = false;
            notes.fault(fault.line, fault.message);
            let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
            let blanks: String = unread.chars().map(blank).collect();
            readable.replace_range(spoilt, &blanks);
        }
        (notes, readable)
    }

    /// What to tell of an error in the syntax, perhaps inside one of the values that stand at `values`; and where the
    /// lines are that it spoils.
    fn syntax_error(&self, error: &Error, values: &[Range<usize>]) -> (Fault, Range<usize>) {
        let span = error.span().unwrap_or_default();
        // What is still open at the end is told on the last line that says anything.
        let end = self.text.trim_end().len();
        let line = self.line(span.start.min(end));
        let mut message = format!("this is not TOML: {}", error.message());
        let snippet = self.snippet(span.clone());
        if !snippet.is_empty() {
            message += &format!(", at `{snippet}`");
        }
        let inside = values.iter().find(|value| value.start <= span.start && span.start <= value.end);
        let opened = inside.map_or(line, |value| self.line(value.start).min(line));
        let (first, last) = if let Some(value) = inside.filter(|_| opened < line) {
            message += &format!(", in what is opened on line {opened}; is it closed?");
            let closed = self.is_closed(value).then(|| self.line(value.end));
            (opened, closed.unwrap_or(if span.start < end { line - 1 } else { line }))
        } else if self.is_header(line) {
            if !snippet.is_empty() {
                message +=
                    "; only models, metrics and conditions may stand several times, in [[double brackets]]";
            }
            let next = (line + 1..=self.starts.len()).find(|line| self.is_header(*line));
            (line, next.map_or(self.starts.len(), |next| next - 1))
        } else {
            (line, line)
        };
        (Fault { line, message }, self.start(first)..self.start(last + 1))
    }

    /// Whether the value at `span` ends as it began.
    fn is_closed(&self, span: &Range<usize>) -> bool {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let closing = |(open, close)| text.starts_with(open) && text.ends_with(close);
        [("[", "]"), ("{", "}")].into_iter().any(closing)
    }

    /// Whether a line is `[header]` or `[[header]]`, sound or not.
    fn is_header(&self, line: usize) -> bool {
        self.text[self.start(line)..].trim_start_matches([' ', '\t']).starts_with('[')
    }

    /// Where a line begins; the end of the text for the line after the last.
    fn start(&self, line: usize) -> usize {
        self.starts.get(line - 1).copied().unwrap_or(self.text.len())
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// What is written at `span`: its first line, and of that at most 60 characters.
    pub(super) fn snippet(&self, span: Range<usize>) -> String {
        let line = self.text.get(span).and_then(|text| text.lines().next()).unwrap_or_default();
        match line.char_indices().nth(60) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line.to_owned(),
        }
    }

    /// Records that something is wrong, in one printable line.
    pub(super) fn fault(&self, line: usize, message: String) {
        let printable = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        let message = message.chars().map(printable).collect();
        self.faults.borrow_mut().push(Fault { line, message });
    }

    /// Records that something is not there. Nothing is said where some of the text is not TOML.
    pub(super) fn absent(&self, line: usize, message: String) {
        if self.sound {
            self.fault(line, message);
        }
    }

    /// All that is wrong.
    pub(super) fn into_faults(self) -> Option<Faults> {
        Faults::new(self.faults.into_inner())
    }
}

/// Where the values of keys stand, but not the tables under headers: those are gone into.
fn find_values(table: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        match value.get_ref() {
            // A value stands behind its key; a header holds it.
            _ if value.span().start > key.span().start => found.push(value.span()),
            DeValue::Table(inner) => find_values(inner, found),
            DeValue::Array(tables) => {
                tables
                    .iter()
                    .filter_map(|table| table.get_ref().as_table())
                    .for_each(|t| find_values(t, found));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let (notes, _) = Notes::new("#\n#\r\n\n#");
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|at| notes.line(at)), [1, 1, 2, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn what_is_not_toml_is_left_blank_and_nothing_else_moves() {
        let (notes, readable) = Notes::new("a = 1\nébène\nb = [1,\n2\n[c]\nd = x\ne = 2");
        assert_eq!(readable, "a = 1\n       \n       \n \n[c]\n     \ne = 2");
        insta::assert_snapshot!(notes.into_faults().unwrap(), @"
        study.toml:2: this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`, at `é`
        study.toml:5: this is not TOML: missing comma between array elements, expected `,`, in what is opened on line 3; is it closed?
        study.toml:6: this is not TOML: string values must be quoted, expected literal string, at `x`
        ");
    }

    #[test]
    fn a_long_value_is_shown_in_part() {
        let text = format!("#{}", "é".repeat(60));
        let (notes, _) = Notes::new(&text);
        assert_eq!(notes.snippet(1..121), text[1..]);
        assert_eq!(notes.snippet(0..121), text[..119].to_owned() + "...");
        assert_eq!(notes.snippet(1..200), "", "beyond the text");
    }

    #[test]
    fn a_message_is_one_printable_line() {
        let (notes, _) = Notes::new("");
        notes.fault(1, "a\nb\u{1b}[31m é".to_owned());
        assert_eq!(notes.into_faults().unwrap().as_slice()[0].message, r"a\nb\u{1b}[31m é");
    }
}
