//! What is wrong with a study: its faults, each with its line, and the notes in which they are gathered.
//!
//! A message says what is wrong and what to write instead. Whoever reads a study goes on after a fault, so that all of
//! them are told at once.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// One thing that is wrong in `study.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what to write instead, in plain words.
    pub message: String,
}

/// Everything that is wrong in `study.toml`: at least one fault, ordered by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults ordered by line, those of one line as they came; `None` if there are none.
    pub fn new(mut faults: Vec<Fault>) -> Option<Self> {
        faults.sort_by_key(|fault| fault.line);
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// The faults, by line.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// One line for each fault, `FILE:LINE: message`, under the file's name as the user knows it.
    pub fn display<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            for (index, Fault { line, message }) in self.0.iter().enumerate() {
                let separator = if index == 0 { "" } else { "\n" };
                write!(f, "{separator}{}:{line}: {message}", file.display())?;
            }
            Ok(())
        })
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(Path::new("study.toml")).fmt(f)
    }
}

impl std::error::Error for Faults {}

/// The text of a study and the faults found in it so far.
pub(super) struct Notes<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    /// What is not TOML.
    syntax: Vec<Fault>,
    /// What is TOML but no sound study.
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Notes<'t> {
    /// Notes on `text`, in which the TOML parser found `errors`.
    pub(super) fn new(text: &'t str, errors: &[toml::de::Error]) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut notes = Self { text, starts, syntax: Vec::new(), faults: RefCell::default() };
        notes.syntax = errors.iter().map(|error| notes.syntax_fault(error)).collect();
        notes.syntax.sort_by_key(|fault| fault.line);
        // One slip often confuses the parser several times over: the first error of a line is the one to mend.
        notes.syntax.dedup_by_key(|fault| fault.line);
        notes
    }

    fn syntax_fault(&self, error: &toml::de::Error) -> Fault {
        let span = error.span().unwrap_or_default();
        // What is still open at the end is told on the last line that says anything.
        let line = self.line(span.start.min(self.text.trim_end().len()));
        let near = match self.snippet(span) {
            "" => String::new(),
            snippet => format!(", at `{snippet}`"),
        };
        Fault { line, message: format!("this is not TOML: {}{near}", error.message()) }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// What is written at `span`, as far as it stands on its first line.
    pub(super) fn snippet(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).and_then(|text| text.lines().next()).unwrap_or_default()
    }

    /// Records that something is wrong.
    pub(super) fn fault(&self, line: usize, message: String) {
        self.faults.borrow_mut().push(Fault { line, message });
    }

    /// Records that something is not there. Held back where some of the text is not TOML: it may be there, unread.
    pub(super) fn absent(&self, line: usize, message: String) {
        if self.syntax.is_empty() {
            self.fault(line, message);
        }
    }

    /// All that is wrong. What else is said of a line that is not TOML is left out: it follows from that.
    pub(super) fn into_faults(self) -> Option<Faults> {
        let mut all = self.faults.into_inner();
        all.retain(|fault| self.syntax.binary_search_by_key(&fault.line, |error| error.line).is_err());
        all.extend(self.syntax);
        Faults::new(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: usize, message: &str) -> Fault {
        Fault { line, message: message.to_owned() }
    }

    #[test]
    fn faults_are_listed_by_line_under_the_name_of_the_file() {
        let faults = Faults::new(vec![fault(9, "third"), fault(2, "first"), fault(2, "second")]).unwrap();
        insta::assert_snapshot!(faults, @r"
        study.toml:2: first
        study.toml:2: second
        study.toml:9: third
        ");
        insta::assert_snapshot!(faults.display(Path::new("hotel/rooms.toml")), @r"
        hotel/rooms.toml:2: first
        hotel/rooms.toml:2: second
        hotel/rooms.toml:9: third
        ");
    }

    #[test]
    fn no_fault_is_no_faults() {
        assert_eq!(Faults::new(Vec::new()), None);
    }

    #[test]
    fn lines_are_counted_from_one() {
        let notes = Notes::new("a\nb\r\n\nc", &[]);
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|at| notes.line(at)), [1, 1, 2, 2, 2, 3, 4, 4]);
    }
}
