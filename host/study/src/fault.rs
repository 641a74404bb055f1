//! The faults of a declaration, each with its line.
//!
//! Invariants: a message states what is wrong and what to write instead.

use std::fmt;
use std::path::Path;

/// A fault in `study.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// The faults of a `study.toml`: at least one, ordered by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Sorts faults by line, stably; `None` if there are none.
    pub fn new(mut faults: Vec<Fault>) -> Option<Self> {
        faults.sort_by_key(|fault| fault.line);
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// The faults, ordered by line.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// One line per fault, `FILE:LINE: message`, with `file` as the name of the file.
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
    fn an_empty_list_is_none() {
        assert_eq!(Faults::new(Vec::new()), None);
    }
}
