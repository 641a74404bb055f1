//! Reads one table of `study.toml` into typed values.
//!
//! Invariants: a missing value or a value of the wrong type becomes a fault with its line, and reading continues; keys that
//! were not read are faults when the section is closed, so **every key must be read before the first `?`**.

use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::config_positions::ConfigPositions;
use super::diagnostics::Diagnostics;
use super::fault::Fault;
use super::named_entry::NamedEntry;
use super::toml_value::Value;
use super::validate::{self, Bound};

/// A table being read.
pub(super) struct TableReader<'a> {
    diagnostics: &'a Diagnostics<'a>,
    /// `None` for an optional section that is not written: all its keys are missing.
    table: Option<&'a DeTable<'a>>,
    /// The path of the section, such as `inputs.fields`; empty for the whole file.
    path: String,
    /// The line of the header.
    line: usize,
    /// The keys that were read, in this order.
    known: Vec<&'static str>,
    /// Keys that are not allowed here and have been reported.
    forbidden: Vec<&'static str>,
    /// Missing required keys, each with its message.
    missing: Vec<(&'static str, String)>,
}

impl<'a> TableReader<'a> {
    /// Reads the whole file.
    pub(super) fn root<T>(
        diagnostics: &'a Diagnostics<'a>,
        table: &'a DeTable<'a>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        Self::open(diagnostics, Some(table), String::new(), 1, read)
    }

    fn open<T>(
        diagnostics: &'a Diagnostics<'a>,
        table: Option<&'a DeTable<'a>>,
        path: String,
        line: usize,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut section = Self {
            diagnostics,
            table,
            path,
            line,
            known: Vec::new(),
            forbidden: Vec::new(),
            missing: Vec::new(),
        };
        let found = read(&mut section);
        section.close();
        found
    }

    /// Reports unknown and missing keys. A misspelt key is reported once, as unknown.
    fn close(self) {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) || self.forbidden.contains(&name) {
                continue;
            }
            let nearest = validate::nearest(name, self.known.iter().copied());
            if let Some(key) = nearest {
                self.diagnostics.misspelt((self.line, self.at(key)));
            }
            let hint = nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or(";".to_owned());
            let message =
                format!("unknown key `{}`{hint} keys allowed here: {}", self.at(name), self.known.join(", "));
            self.diagnostics.fault(self.diagnostics.line(key.span().start), message);
        }
        for (key, message) in &self.missing {
            self.absent(&[key], self.line, message);
        }
    }

    /// The path of a key of this section, such as `sources.snapshots.file`.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is written, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether the value of the key is a table with entries.
    pub(super) fn is_filled_table(&self, key: &str) -> bool {
        let value = self.table.and_then(|table| table.get(key));
        value.and_then(|value| value.get_ref().as_table()).is_some_and(|table| !table.is_empty())
    }

    /// Whether the value of the key is a string.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|value| value.get_ref().as_str().is_some())
    }

    /// The number of elements of a list, readable or not; 0 for any other value.
    pub(super) fn length(&self, key: &str) -> usize {
        let value = self.table.and_then(|table| table.get(key));
        value.and_then(|value| value.get_ref().as_array()).map_or(0, |elements| elements.len())
    }

    /// The path of the section, such as `sources.snapshots`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The line of the section's header, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The line of a key; the line of the section if the key is missing.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let found = self.table.and_then(|table| table.get(key));
        found.map_or(self.line, |value| self.diagnostics.line(value.span().start))
    }

    /// Reports a fault.
    pub(super) fn fault(&self, line: usize, message: String) {
        self.diagnostics.fault(line, message);
    }

    /// Reports something that is valid and may cause trouble elsewhere.
    pub(super) fn warn(&self, line: usize, message: String) {
        self.diagnostics.warn(line, &message);
    }

    /// The warnings so far, ordered by line.
    pub(super) fn take_warnings(&self) -> Vec<Fault> {
        self.diagnostics.take_warnings()
    }

    /// Reports something missing that any of `keys` of this section would provide; see [`Diagnostics::absent`].
    pub(super) fn absent(&self, keys: &[&str], line: usize, message: &str) {
        self.diagnostics.absent(keys.iter().map(|key| (self.line, self.at(key))).collect(), line, message);
    }

    /// Reports a missing key of some sections below this one, each by the line of its header.
    pub(super) fn absent_below(
        &self,
        path: &str,
        sections: impl Iterator<Item = usize>,
        line: usize,
        message: &str,
    ) {
        self.diagnostics.absent(sections.map(|section| (section, path.to_owned())).collect(), line, message);
    }

    /// The value of a validation; an error is reported at the key's line.
    pub(super) fn check<T>(&self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.fault(self.line_of(key), message)).ok()
    }

    /// Reports a key that is not allowed here, with the reason, if it is written.
    pub(super) fn refuse(&mut self, key: &'static str, reason: &str) {
        self.forbidden.push(key);
        if self.has(key) {
            self.fault(self.line_of(key), format!("`{}` is not allowed here: {reason}", self.at(key)));
        }
    }

    fn find(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        self.table?.get(key).map(|spanned| Value::new(self.diagnostics, spanned))
    }

    /// Like `find`; reports a missing key.
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

    /// The value of a required key. `expected` is what to write if the key is missing or `read` does not accept its
    /// value.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.demand(key, expected)?;
        self.typed(key, &value, expected, read)
    }

    /// The value of an optional key; `None` also if it could not be read.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.find(key)?;
        self.typed(key, &value, expected, read)
    }

    /// The elements of an optional list, each with its line, without those that could not be read.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<(T, usize)> {
        let list = self.find(key);
        self.elements(key, list, expected, read)
    }

    /// Like `list`; an empty list is a fault.
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
            let element = Value::new(self.diagnostics, spanned);
            match read(&element) {
                Some(value) => found.push((value, element.line())),
                None => {
                    let message =
                        format!("`{}` contains {}; write {expected}", self.at(key), element.shown());
                    self.fault(element.line(), message);
                }
            }
        }
        found
    }

    /// The entries of an optional table whose keys the author chooses, in the order of the file. `expected` is what to
    /// write for each value.
    pub(super) fn entries<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<NamedEntry<T>> {
        let entries = self.named_values(key, expected).into_iter();
        let typed = |(name, value): (String, Value<'a>)| {
            let read = self.typed(&format!("{key}.{name}"), &value, expected, &read);
            NamedEntry { name, value: read, line: value.line() }
        };
        entries.map(typed).collect()
    }

    /// Like [`TableReader::entries`], for values that are non-empty lists. Each element has its line. An element that
    /// cannot be read is a fault of its own.
    pub(super) fn list_entries<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Vec<NamedEntry<Vec<(T, usize)>>> {
        let entries = self.named_values(key, expected).into_iter();
        let listed = |(name, value): (String, Value<'a>)| {
            let key = format!("{key}.{name}");
            let list = self.typed(&key, &value, expected, Value::filled);
            NamedEntry { value: Some(self.elements(&key, list, expected, &read)), name, line: value.line() }
        };
        entries.map(listed).collect()
    }

    /// The names and values of an optional table whose keys the author chooses, in the order of the file.
    fn named_values(&mut self, key: &'static str, expected: &str) -> Vec<(String, Value<'a>)> {
        let Some(found) = self.find(key) else { return Vec::new() };
        let DeValue::Table(table) = found.get() else {
            self.wrong(key, &found, &format!("a table with, for each name, {expected}"));
            return Vec::new();
        };
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(name, _)| name.span().start);
        let mut values = Vec::new();
        for (name, spanned) in pairs {
            values.push((name.get_ref().to_string(), Value::new(self.diagnostics, spanned)));
        }
        values
    }

    /// A required table.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut TableReader<'a>) -> T,
    ) -> Option<T> {
        let value = self.demand(key, expected)?;
        self.inner(key, &value, expected, read)
    }

    /// An optional table. It is read even if it is missing, so that its keys have their defaults.
    pub(super) fn section_or_default<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut TableReader<'a>) -> T,
    ) -> T {
        let table = self.optional(key, expected, Value::table);
        Self::open(self.diagnostics, table, self.at(key), self.line_of(key), read)
    }

    /// An optional table; `None` if it is missing, and its required keys are then not reported.
    pub(super) fn optional_section<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&mut TableReader<'a>) -> T,
    ) -> Option<T> {
        let value = self.find(key)?;
        self.inner(key, &value, expected, read)
    }

    fn inner<T>(
        &self,
        key: &str,
        value: &Value<'a>,
        expected: &str,
        read: impl FnOnce(&mut TableReader<'a>) -> T,
    ) -> Option<T> {
        let table = self.typed(key, value, expected, Value::table)?;
        Some(Self::open(self.diagnostics, Some(table), self.at(key), value.line(), read))
    }

    /// An optional list of tables.
    pub(super) fn sections<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnMut(&mut TableReader<'a>) -> T,
    ) -> Vec<T> {
        let list = self.find(key);
        self.each(key, list, expected, read)
    }

    /// A list of at least one table.
    pub(super) fn some_sections<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnMut(&mut TableReader<'a>) -> T,
    ) -> Vec<T> {
        let list = self.required(key, expected, Value::filled);
        self.each(key, list, expected, read)
    }

    fn each<T>(
        &self,
        key: &str,
        list: Option<Value<'a>>,
        expected: &str,
        mut read: impl FnMut(&mut TableReader<'a>) -> T,
    ) -> Vec<T> {
        let tables = self.elements(key, list, expected, Value::table).into_iter();
        tables
            .map(|(table, line)| Self::open(self.diagnostics, Some(table), self.at(key), line, &mut read))
            .collect()
    }

    /// A table of any shape as JSON, and the positions of its values; empty if it is missing.
    pub(super) fn json(&mut self, key: &'static str, expected: &str) -> Option<(Json, ConfigPositions)> {
        let Some(value) = self.find(key) else {
            return Some((Json::Object(Map::new()), ConfigPositions::default()));
        };
        self.typed(key, &value, expected, Value::table)?;
        Some((value.json(&self.at(key))?, ConfigPositions::of_table(&value)))
    }
}

/// Reads an optional whole number within bounds; the default if it is missing or wrong.
pub(super) fn bounded(
    section: &mut TableReader<'_>,
    key: &'static str,
    Bound { least, most, default }: Bound,
) -> i64 {
    let expected = format!("a whole number from {least} to {most}");
    let within = |value: &Value<'_>| value.integer().filter(|number| (least..=most).contains(number));
    section.optional(key, &expected, within).unwrap_or(default)
}
