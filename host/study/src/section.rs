//! Reads one table of `study.toml`: the one mechanism for every section.
//!
//! A [`Section`] hands out typed values. Whatever is missing or of the wrong type becomes a fault with its line, and
//! reading goes on. Keys that nobody asked for become faults when the section is closed, so **every key is asked for
//! before the first `?`**, whatever the others say.

use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::check;
use super::notes::Notes;
use super::value::Value;

/// A table being read.
pub(super) struct Section<'a> {
    notes: &'a Notes<'a>,
    /// `None` for an optional section that is not there: all its keys are absent.
    table: Option<&'a DeTable<'a>>,
    /// `inputs.fields`; empty for the whole file.
    path: String,
    /// The line of its header.
    line: usize,
    /// The keys that were asked for, in that order.
    known: Vec<&'static str>,
    /// Keys that may not stand here and have been told so.
    refused: Vec<&'static str>,
    /// Required keys that are not there, each with its message.
    missing: Vec<(&'static str, String)>,
}

/// A key of an open table, such as a field's name, and its value if that could be read.
pub(super) struct Entry<T> {
    pub(super) name: String,
    pub(super) value: Option<T>,
    pub(super) line: usize,
}

impl<'a> Section<'a> {
    /// Reads the whole file.
    pub(super) fn root<T>(
        notes: &'a Notes<'a>,
        table: &'a DeTable<'a>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        Self::open(notes, Some(table), String::new(), 1, read)
    }

    fn open<T>(
        notes: &'a Notes<'a>,
        table: Option<&'a DeTable<'a>>,
        path: String,
        line: usize,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut section =
            Self { notes, table, path, line, known: Vec::new(), refused: Vec::new(), missing: Vec::new() };
        let found = read(&mut section);
        section.close();
        found
    }

    /// Tells the unknown keys and the missing ones. A key that is only misspelt is told once: as unknown.
    fn close(self) {
        let mut misspelt = Vec::new();
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) || self.refused.contains(&name) {
                continue;
            }
            let nearest = check::nearest(name, self.known.iter().copied());
            misspelt.extend(nearest);
            let hint = nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or(";".to_owned());
            let message =
                format!("unknown key `{}`{hint} known keys here: {}", self.at(name), self.known.join(", "));
            self.notes.fault(self.notes.line(key.span().start), message);
        }
        for (key, message) in self.missing {
            if !misspelt.contains(&key) {
                self.notes.absent(self.line, message);
            }
        }
    }

    /// A key of this section as messages name it.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is there, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The section as messages name it: `sources.snapshots`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The line of the section's header.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The line of a key, or of the section where the key is not there.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let found = self.table.and_then(|table| table.get(key));
        found.map_or(self.line, |value| self.notes.line(value.span().start))
    }

    /// Records that something is wrong.
    pub(super) fn fault(&self, line: usize, message: String) {
        self.notes.fault(line, message);
    }

    /// Records that something is not there; see [`Notes::absent`].
    pub(super) fn absent(&self, line: usize, message: String) {
        self.notes.absent(line, message);
    }

    /// Passes on what was found sound; records what was not, at the key's line.
    pub(super) fn check<T>(&self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.fault(self.line_of(key), message)).ok()
    }

    /// Says that a key may not stand here, and why, if it is there.
    pub(super) fn refuse(&mut self, key: &'static str, reason: &str) {
        self.refused.push(key);
        if self.has(key) {
            self.fault(self.line_of(key), format!("`{}` may not stand here: {reason}", self.at(key)));
        }
    }

    fn find(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        self.table?.get(key).map(|spanned| Value::new(self.notes, spanned))
    }

    /// Like `find`; a key that is not there is missing.
    fn demand(&mut self, key: &'static str, expected: &str) -> Option<Value<'a>> {
        let found = self.find(key);
        if found.is_none() {
            self.missing.push((key, format!("`{}` is missing; write {expected}", self.at(key))));
        }
        found
    }

    fn wrong(&self, key: &str, value: &Value<'_>, expected: &str) {
        self.fault(value.line(), format!("`{}` is {}; write {expected}", self.at(key), value.shown()));
    }

    fn typed<T>(
        &self,
        key: &str,
        value: &Value<'a>,
        expected: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let read = read(value);
        if read.is_none() {
            self.wrong(key, value, expected);
        }
        read
    }

    /// The value of a key that must be there. `expected` says what to write, both where there is nothing and where
    /// `read` finds nothing that fits.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.demand(key, expected)?;
        self.typed(key, &value, expected, read)
    }

    /// The value of a key that may be left out; `None` also where it could not be read.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.find(key)?;
        self.typed(key, &value, expected, read)
    }

    /// The elements of a list that may be left out, each with its line; without those that could not be read.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<(T, usize)> {
        let list = self.find(key);
        self.elements(key, list, expected, read)
    }

    /// Like `list`; a list that is there is not empty.
    pub(super) fn filled_list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<(T, usize)> {
        let list = self.optional(key, expected, Value::filled);
        self.elements(key, list, expected, read)
    }

    fn elements<T>(
        &self,
        key: &str,
        list: Option<Value<'a>>,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<(T, usize)> {
        let Some(list) = list else { return Vec::new() };
        let DeValue::Array(elements) = list.get() else {
            self.wrong(key, &list, expected);
            return Vec::new();
        };
        let mut found = Vec::new();
        for spanned in elements {
            let element = Value::new(self.notes, spanned);
            match read(&element) {
                Some(value) => found.push((value, element.line())),
                None => {
                    let message = format!("`{}` holds {}; write {expected}", self.at(key), element.shown());
                    self.fault(element.line(), message);
                }
            }
        }
        found
    }

    /// What an open table holds, whose keys the author chooses, in the order of the file. It may be left out.
    /// `expected` says what to write for each.
    pub(super) fn entries<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<Entry<T>> {
        let Some(found) = self.find(key) else { return Vec::new() };
        let DeValue::Table(table) = found.get() else {
            self.wrong(key, &found, &format!("a table: for each name {expected}"));
            return Vec::new();
        };
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(name, _)| name.span().start);
        let mut entries = Vec::new();
        for (name, spanned) in pairs {
            let (name, value) = (name.get_ref().to_string(), Value::new(self.notes, spanned));
            let read = self.typed(&format!("{key}.{name}"), &value, expected, &read);
            entries.push(Entry { name, value: read, line: value.line() });
        }
        entries
    }

    /// A table that must be there.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let value = self.demand(key, expected)?;
        self.inner(key, &value, expected, read)
    }

    /// A table that may be left out; it is read all the same, so that its keys have their defaults.
    pub(super) fn section_or_default<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> T {
        let table = self.optional(key, expected, Value::table);
        Self::open(self.notes, table, self.at(key), self.line_of(key), read)
    }

    /// A table that may be left out: then `None`, and none of its keys is missing.
    pub(super) fn optional_section<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let value = self.find(key)?;
        self.inner(key, &value, expected, read)
    }

    fn inner<T>(
        &self,
        key: &str,
        value: &Value<'a>,
        expected: &str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let table = self.typed(key, value, expected, Value::table)?;
        Some(Self::open(self.notes, Some(table), self.at(key), value.line(), read))
    }

    /// A list of tables that may be left out.
    pub(super) fn sections<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnMut(&mut Section<'a>) -> T,
    ) -> Vec<T> {
        let list = self.find(key);
        self.each(key, list, expected, read)
    }

    /// A list of tables of which there must be at least one.
    pub(super) fn some_sections<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnMut(&mut Section<'a>) -> T,
    ) -> Vec<T> {
        let list = self.required(key, expected, Value::filled);
        self.each(key, list, expected, read)
    }

    fn each<T>(
        &self,
        key: &str,
        list: Option<Value<'a>>,
        expected: &str,
        mut read: impl FnMut(&mut Section<'a>) -> T,
    ) -> Vec<T> {
        let tables = self.elements(key, list, expected, Value::table).into_iter();
        tables
            .map(|(table, line)| Self::open(self.notes, Some(table), self.at(key), line, &mut read))
            .collect()
    }

    /// A table of any shape as JSON; an empty one if it is left out.
    pub(super) fn json(&mut self, key: &'static str, expected: &str) -> Option<Json> {
        let Some(value) = self.find(key) else { return Some(Json::Object(Map::new())) };
        self.typed(key, &value, expected, Value::table)?;
        value.json(&self.at(key))
    }
}
