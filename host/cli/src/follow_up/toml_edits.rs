//! Edits of a TOML text that keep everything else, comments and layout included.
//!
//! Invariants: pure; an edit is a range of the text and what takes its place. Ranges overlap only if both are removed.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A key with its value, and where they are.
pub(super) type TomlEntry<'d> = (&'d Spanned<DeString<'d>>, &'d Spanned<DeValue<'d>>);

/// The entry of a table with this key.
pub(super) fn entry<'d>(table: &'d DeTable<'d>, key: &str) -> Option<TomlEntry<'d>> {
    table.iter().find(|(name, _)| name.get_ref() == key)
}

/// A table, or the tables of a list.
pub(super) fn tables<'d>(value: &'d DeValue<'d>) -> Vec<&'d DeTable<'d>> {
    match value {
        DeValue::Table(table) => vec![table],
        DeValue::Array(elements) => {
            elements.iter().filter_map(|element| element.get_ref().as_table()).collect()
        }
        _ => Vec::new(),
    }
}

/// A text with its edits.
pub(super) struct TomlEdits<'t> {
    text: &'t str,
    /// Where each header of a table begins, with the first key of its path; in the order of the text.
    headers: Vec<(usize, String)>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'t> TomlEdits<'t> {
    /// No edits yet. `root` is the parsed text.
    pub(super) fn new(text: &'t str, root: &DeTable<'_>) -> TomlEdits<'t> {
        let mut headers = Vec::new();
        for (key, value) in root {
            collect_headers(text, key.get_ref(), value, &mut headers);
        }
        headers.sort_unstable();
        TomlEdits { text, headers, edits: Vec::new() }
    }

    /// Replaces a value.
    pub(super) fn replace(&mut self, value: &Spanned<DeValue<'_>>, with: &toml::Value) {
        self.edits.push((value.span(), with.to_string()));
    }

    /// Replaces a key and its value.
    pub(super) fn replace_entry(&mut self, (key, value): TomlEntry<'_>, with: String) {
        self.edits.push((key.span().start..value.span().end, with));
    }

    /// Writes another entry before this one, in its style.
    pub(super) fn insert_before(&mut self, (key, _): TomlEntry<'_>, entry: &str) {
        let start = key.span().start;
        let line = self.line_start(start);
        let before = &self.text[line..start];
        let (at, text) = match is_own_line(before) {
            true => (line, format!("{before}{entry}\n")),
            false => (start, format!("{entry}, ")),
        };
        self.edits.push((at..at, text));
    }

    /// Removes a key and its value: the line that has nothing else, or the element of an inline table with a comma.
    pub(super) fn remove(&mut self, (key, value): TomlEntry<'_>) {
        let (mut start, mut end) = (key.span().start, value.span().end);
        let blanks =
            |from: usize| self.text[from..].len() - self.text[from..].trim_start_matches([' ', '\t']).len();
        end += blanks(end);
        let has_comma = self.text[end..].starts_with(',');
        if has_comma {
            end += 1;
            end += blanks(end);
        }
        let line = self.line_start(start);
        if is_own_line(&self.text[line..start]) {
            let rest = &self.text[end..];
            let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
            if rest[..line_end].trim().is_empty() || rest.starts_with('#') {
                (start, end) = (line, end + line_end);
            }
        } else if !has_comma {
            // The comma before goes with the last element, and the blank before the bracket stays.
            if let Some(before) = self.text[..start].trim_end().strip_suffix(',') {
                (start, end) = (before.len(), value.span().end);
            }
        }
        self.edits.push((start..end, String::new()));
    }

    /// Removes the tables below a key of the root, with the comments directly above their headers.
    pub(super) fn remove_tables(&mut self, key: &str) {
        let begins: Vec<usize> = self.headers.iter().map(|(start, _)| self.block_start(*start)).collect();
        for (index, (_, root)) in self.headers.iter().enumerate() {
            if root == key {
                let end = begins.get(index + 1).copied().unwrap_or(self.text.len());
                self.edits.push((begins[index]..end, String::new()));
            }
        }
    }

    /// Writes lines before the first header below a key of the root.
    ///
    /// # Errors
    /// The lines, if there is no such header.
    pub(super) fn write_above(&mut self, key: &str, lines: String) -> Result<(), String> {
        match self.headers.iter().find(|(_, root)| root == key) {
            Some((start, _)) => {
                self.edits.push((*start..*start, lines));
                Ok(())
            }
            None => Err(lines),
        }
    }

    /// The edited text.
    pub(super) fn apply(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut edited = String::with_capacity(self.text.len());
        let mut done = 0;
        for (range, with) in &self.edits {
            edited += &self.text[done..range.start.max(done)];
            edited += with;
            done = done.max(range.end);
        }
        edited + &self.text[done..]
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where the comments begin that are directly above a header, or the header itself.
    fn block_start(&self, header: usize) -> usize {
        let mut start = self.line_start(header);
        while start > 0 {
            let line = self.line_start(start - 1);
            if !self.text[line..start].trim_start().starts_with('#') {
                break;
            }
            start = line;
        }
        start
    }
}

/// Whether nothing but white space and the path of a dotted key is before a key on its line.
fn is_own_line(before: &str) -> bool {
    before
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '\t' | '.' | '-' | '_' | '"' | '\''))
}

/// Collects the headers of tables. `root` is the first key of the path.
fn collect_headers(text: &str, root: &str, value: &Spanned<DeValue<'_>>, headers: &mut Vec<(usize, String)>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            let span = value.span();
            // An inline table begins with a brace, and one that only its subtables name has no header.
            if !span.is_empty() && text[span.start..].starts_with('[') {
                headers.push((span.start, root.to_owned()));
            }
            table.iter().for_each(|(_, inner)| collect_headers(text, root, inner, headers));
        }
        DeValue::Array(elements) => {
            elements.iter().for_each(|element| collect_headers(text, root, element, headers));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after an edit.
    fn edited(text: &str, edit: impl FnOnce(&mut TomlEdits<'_>, &DeTable<'_>)) -> String {
        let parsed = DeTable::parse(text).expect("it is TOML");
        let mut edits = TomlEdits::new(text, parsed.get_ref());
        edit(&mut edits, parsed.get_ref());
        let edited = edits.apply();
        assert!(edited.parse::<toml::Table>().is_ok(), "{edited}");
        edited
    }

    fn without(text: &str, keys: &[&str]) -> String {
        edited(text, |edits, root| {
            for key in keys {
                let (table, key) = key.split_once('.').expect("a table and a key");
                let (_, table) = entry(root, table).expect("the table is there");
                edits.remove(
                    entry(table.get_ref().as_table().expect("a table"), key).expect("the key is there"),
                );
            }
        })
    }

    #[test]
    fn an_entry_is_removed_from_any_style_of_table() {
        assert_eq!(
            without("[a]\nb = 1 # one\n  c = [\n  2,\n]\nd = 3\n", &["a.c"]),
            "[a]\nb = 1 # one\nd = 3\n"
        );
        assert_eq!(without("[a]\nb = 1 # one\nc = 2", &["a.b"]), "[a]\nc = 2");
        assert_eq!(without("[a]\nc = 2", &["a.c"]), "[a]\n");
        assert_eq!(without("a.b = 1\na.c = 2\n", &["a.b"]), "a.c = 2\n");
        let inline = "a = { b = 1, c = [2, 3], d = \"}\" }\n";
        assert_eq!(without(inline, &["a.b"]), "a = { c = [2, 3], d = \"}\" }\n");
        assert_eq!(without(inline, &["a.c"]), "a = { b = 1, d = \"}\" }\n");
        assert_eq!(without(inline, &["a.d"]), "a = { b = 1, c = [2, 3] }\n");
        assert_eq!(without(inline, &["a.b", "a.c"]), "a = { d = \"}\" }\n");
        assert_eq!(without("a = { b = 1 }\n", &["a.b"]), "a = { }\n");
    }

    #[test]
    fn an_entry_is_written_before_another_in_its_style() {
        let with = |text: &str| {
            edited(text, |edits, root| {
                let (_, table) = entry(root, "a").expect("the table is there");
                edits.insert_before(
                    entry(table.get_ref().as_table().expect("a table"), "b").expect("it is there"),
                    "z = 0",
                );
            })
        };
        assert_eq!(with("[a]\n  b = 1\n"), "[a]\n  z = 0\n  b = 1\n");
        assert_eq!(with("a = { b = 1 }\n"), "a = { z = 0, b = 1 }\n");
        assert_eq!(with("a.b = 1\n"), "a.z = 0\na.b = 1\n");
    }

    #[test]
    fn tables_are_removed_with_their_comments() {
        let text = "x = [\n[1], # no header\n]\n# of a\n[a]\nb = 1\n\n# of c\n# more\n[[c]]\nd = 1\n[c.e]\nf = 1\n\n[[c]]\nd = 2\n# of g\n[g]\n";
        let removed = edited(text, |edits, _| edits.remove_tables("c"));
        assert_eq!(removed, "x = [\n[1], # no header\n]\n# of a\n[a]\nb = 1\n\n# of g\n[g]\n");
        let written = edited(text, |edits, _| {
            assert_eq!(edits.write_above("g", "# and this\n".to_owned()), Ok(()));
            assert_eq!(edits.write_above("x", "# lost\n".to_owned()), Err("# lost\n".to_owned()));
        });
        assert!(written.ends_with("# of g\n# and this\n[g]\n"), "{written}");
    }
}
