//! Collects the faults of a declaration while it is parsed.
//!
//! Invariants: a syntax error is reported once and hides as little as possible. The lines that it affects are blanked and
//! the rest is parsed again. Missing keys are then not reported, since they may be on a blanked line.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use super::fault::{Fault, Faults};
use super::position::Position;
use super::unquoted_value::unquoted_value;

/// The number of syntax errors that are reported.
const MAX_SYNTAX_ERRORS: usize = 32;

/// A key of one section: the line of the section's header, and the path of the key, such as `metrics.primary`.
pub(super) type SectionKey = (usize, String);

/// The text of a declaration and the faults found so far.
pub(super) struct Diagnostics<'t> {
    text: &'t str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    /// Whether the whole text is TOML.
    sound: bool,
    faults: RefCell<Vec<Fault>>,
    /// What is missing, each with the keys that would provide it.
    absences: RefCell<Vec<(Fault, Vec<SectionKey>)>>,
    /// The keys that unknown keys are taken for.
    misspelt: RefCell<Vec<SectionKey>>,
    warnings: RefCell<Vec<Fault>>,
}

impl<'t> Diagnostics<'t> {
    /// Reports the syntax errors of `text`. Also returns `text` with the affected lines blanked; all offsets are kept.
    pub(super) fn new(text: &'t str) -> (Self, String) {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut diagnostics = Self {
            text,
            starts,
            sound: true,
            faults: RefCell::default(),
            absences: RefCell::default(),
            misspelt: RefCell::default(),
            warnings: RefCell::default(),
        };
        let mut readable = text.to_owned();
        for _ in 0..MAX_SYNTAX_ERRORS {
            let (document, errors) = DeTable::parse_recoverable(&readable);
            // Later errors are often consequences of the first one.
            let Some(error) = errors.iter().min_by_key(|error| error.span().map(|span| span.start)) else {
                break;
            };
            let mut values = Vec::new();
            find_values(document.get_ref(), &mut values);
            let (fault, spoilt) = diagnostics.syntax_error(error, &values);
            let unread = &readable[spoilt.clone()];
            if !diagnostics.sound && unread.trim().is_empty() {
                break;
            }
            diagnostics.sound = false;
            diagnostics.fault(fault.line, fault.message);
            let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
            let blanks: String = unread.chars().map(blank).collect();
            readable.replace_range(spoilt, &blanks);
        }
        (diagnostics, readable)
    }

    /// The fault of a syntax error, which may be inside one of the values at `values`, and the range of the lines that it
    /// affects.
    fn syntax_error(&self, error: &Error, values: &[Range<usize>]) -> (Fault, Range<usize>) {
        let span = error.span().unwrap_or_default();
        // What is unclosed at the end is reported on the last line with text.
        let end = self.text.trim_end().len();
        let line = self.line(span.start.min(end));
        let snippet = self.snippet(span.clone());
        let inside = values.iter().find(|value| value.start <= span.start && span.start <= value.end);
        let in_container = inside.is_some_and(|value| self.text[value.start..].starts_with(['[', '{']));
        let unquoted = unquoted_value(self.text, span.start, error.message(), in_container);
        let mut message = match unquoted {
            Some(words) => format!("invalid TOML: {words}"),
            None if snippet.is_empty() => format!("invalid TOML: {}", error.message()),
            None => format!("invalid TOML: {}, at `{snippet}`", error.message()),
        };
        let opened = inside.map_or(line, |value| self.line(value.start).min(line));
        let (first, last) = if let Some(value) = inside.filter(|_| opened < line) {
            message += &format!("; the value that begins on line {opened} may not be closed");
            let closed = self.is_closed(value).then(|| self.line(value.end));
            (opened, closed.unwrap_or(if span.start < end { line - 1 } else { line }))
        } else if self.is_header(line) {
            if !snippet.is_empty() {
                message += "; only tables in [[double brackets]] may be repeated, such as [[models]]";
            }
            let next = (line + 1..=self.starts.len()).find(|line| self.is_header(*line));
            (line, next.map_or(self.starts.len(), |next| next - 1))
        } else {
            (line, line)
        };
        (Fault { line, message }, self.start(first)..self.start(last + 1))
    }

    /// Whether the list or table at `span` is closed.
    fn is_closed(&self, span: &Range<usize>) -> bool {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let closing = |(open, close)| text.starts_with(open) && text.ends_with(close);
        [("[", "]"), ("{", "}")].into_iter().any(closing)
    }

    /// Whether a line looks like `[header]` or `[[header]]`.
    fn is_header(&self, line: usize) -> bool {
        self.text[self.start(line)..].trim_start_matches([' ', '\t']).starts_with('[')
    }

    /// The byte at which a line begins; the length of the text for the line after the last.
    fn start(&self, line: usize) -> usize {
        self.starts.get(line - 1).copied().unwrap_or(self.text.len())
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The line and the column of the byte at `offset`.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.line(offset);
        let before = self.text.get(self.start(line)..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    /// The text at `span`: its first line, at most 60 characters.
    pub(super) fn snippet(&self, span: Range<usize>) -> String {
        let line = self.text.get(span).and_then(|text| text.lines().next()).unwrap_or_default();
        match line.char_indices().nth(60) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line.to_owned(),
        }
    }

    /// Reports a fault. Control characters are escaped, so that the message is one printable line.
    pub(super) fn fault(&self, line: usize, message: String) {
        self.faults.borrow_mut().push(printable(line, &message));
    }

    /// Reports something that is valid and may cause trouble elsewhere. Printable like a fault.
    pub(super) fn warn(&self, line: usize, message: &str) {
        self.warnings.borrow_mut().push(printable(line, message));
    }

    /// The warnings so far, ordered by line.
    pub(super) fn take_warnings(&self) -> Vec<Fault> {
        let mut warnings = self.warnings.take();
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }

    /// Reports an unknown key that is taken for `key`, which is then not reported as missing.
    pub(super) fn misspelt(&self, key: SectionKey) {
        self.misspelt.borrow_mut().push(key);
    }

    /// Reports something missing that any of `keys` would provide, unless one of them is misspelt or the text has syntax
    /// errors.
    pub(super) fn absent(&self, keys: Vec<SectionKey>, line: usize, message: &str) {
        self.absences.borrow_mut().push((printable(line, message), keys));
    }

    /// The reported faults, if any.
    pub(super) fn into_faults(self) -> Option<Faults> {
        let mut faults = self.faults.into_inner();
        if self.sound {
            let misspelt = self.misspelt.into_inner();
            let absences = self.absences.into_inner().into_iter();
            let reported = absences.filter(|(_, keys)| !keys.iter().any(|key| misspelt.contains(key)));
            faults.extend(reported.map(|(fault, _)| fault));
        }
        Faults::new(faults)
    }
}

/// A fault whose message is one printable line.
fn printable(line: usize, message: &str) -> Fault {
    let printable = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Fault { line, message: message.chars().map(printable).collect() }
}

/// Collects the ranges of all values of keys. Tables under headers are descended into.
fn find_values(table: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        match value.get_ref() {
            // A value follows its key; a header contains its key.
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
        let (diagnostics, _) = Diagnostics::new("#\n#\r\n\n#");
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|at| diagnostics.line(at)), [1, 1, 2, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn lines_with_syntax_errors_are_blanked_and_offsets_are_kept() {
        let (diagnostics, readable) = Diagnostics::new("a = 1\nébène\nb = [1,\n2\n[c]\nd = x\ne = 2");
        assert_eq!(readable, "a = 1\n       \n       \n \n[c]\n     \ne = 2");
        insta::assert_snapshot!(diagnostics.into_faults().unwrap(), @r#"
        study.toml:2: invalid TOML: invalid unquoted key, expected letters, numbers, `-`, `_`, at `é`
        study.toml:5: invalid TOML: missing comma between array elements, expected `,`; the value that begins on line 3 may not be closed
        study.toml:6: invalid TOML: `x` at column 5 is neither a text in quotes nor a number, boolean or date; a text needs quotes: "x"
        "#);
    }

    #[test]
    fn a_value_below_a_dotted_header_or_key_is_named_by_its_line() {
        for text in ["[a.b]\nc = [1,\n2\n[d]\ne = 1", "\na.b.c = [1,\n2\n[d]\ne = 1"] {
            let (diagnostics, readable) = Diagnostics::new(text);
            assert!(readable.ends_with("\n[d]\ne = 1"), "{readable:?}");
            let faults = diagnostics.into_faults().unwrap();
            let message = &faults.as_slice()[0].message;
            assert!(message.ends_with("; the value that begins on line 2 may not be closed"), "{message}");
        }
    }

    #[test]
    fn long_snippets_are_cut() {
        let text = format!("#{}", "é".repeat(60));
        let (diagnostics, _) = Diagnostics::new(&text);
        assert_eq!(diagnostics.snippet(1..121), text[1..]);
        assert_eq!(diagnostics.snippet(0..121), text[..119].to_owned() + "...");
        assert_eq!(diagnostics.snippet(1..200), "", "beyond the text");
    }

    #[test]
    fn a_message_is_one_printable_line() {
        let (diagnostics, _) = Diagnostics::new("");
        diagnostics.fault(1, "a\nb\u{1b}[31m é".to_owned());
        assert_eq!(diagnostics.into_faults().unwrap().as_slice()[0].message, r"a\nb\u{1b}[31m é");
    }
}
