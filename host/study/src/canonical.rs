//! The canonical form of a declaration: its content without its layout.
//!
//! The form is JSON without white space. Keys are sorted by their bytes. Strings have JSON's shortest escapes, integers
//! are decimal, and other numbers have the fewest digits that give the same 64 bits, with a point or an exponent.
//!
//! Invariants: two declarations have the same canonical form if and only if they have the same values under the same
//! keys. Comments, layout, order of keys, quoting and the style of tables make no difference; the order of a list does.
//! The form is stored as text and never parsed into numbers, so nothing is rounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use toml::Value;

use super::hexadecimal::hexadecimal;

/// The longest value in a message, in characters.
const MAX_VALUE_CHARS: usize = 60;

/// A declaration in its canonical form.
#[derive(Clone, Debug)]
pub struct CanonicalStudy(Box<RawValue>);

/// Why a text has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// The text is not TOML.
    #[error("invalid TOML: {0}")]
    Toml(String),
    /// A value that JSON does not have. No valid study has one.
    #[error("`{key}` is {what}, which JSON does not have")]
    Json {
        /// The full path of the key.
        key: String,
        /// The kind of value.
        what: &'static str,
    },
}

impl CanonicalStudy {
    /// The canonical form of the declaration in `text`.
    ///
    /// # Errors
    /// When the text is not TOML, or has a number that is not finite, or a date or time.
    pub fn from_toml(text: &str) -> Result<CanonicalStudy, CanonicalError> {
        let table = text.parse().map_err(|error: toml::de::Error| {
            CanonicalError::Toml(error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        let mut json = String::new();
        write(&Value::Table(table), "", &mut json)?;
        Ok(CanonicalStudy(RawValue::from_string(json).expect("the text was written as JSON")))
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// SHA-256 of the canonical text, in hexadecimal.
    pub fn sha256(&self) -> String {
        hexadecimal(&Sha256::digest(self.text()))
    }

    /// The differences in `now`, key by key, such as "`log.replay-share` was 0.01 and is 0.02".
    pub fn changes(&self, now: &CanonicalStudy) -> Vec<String> {
        let mut changes = Vec::new();
        compare("", &self.0, &now.0, &mut changes);
        changes
    }
}

impl PartialEq for CanonicalStudy {
    fn eq(&self, other: &CanonicalStudy) -> bool {
        self.text() == other.text()
    }
}

impl Eq for CanonicalStudy {}

impl Serialize for CanonicalStudy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CanonicalStudy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CanonicalStudy, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(CanonicalStudy)
    }
}

/// Appends the value of `key` to `json`.
fn write(value: &Value, key: &str, json: &mut String) -> Result<(), CanonicalError> {
    let none = |what| Err(CanonicalError::Json { key: key.to_owned(), what });
    match value {
        Value::String(text) => json.push_str(&quoted(text)),
        Value::Integer(whole) => json.push_str(&whole.to_string()),
        Value::Float(number) if number.is_finite() => {
            json.push_str(&format!("{number:?}"));
        }
        Value::Float(_) => return none("a number that is not finite"),
        Value::Boolean(boolean) => json.push_str(&boolean.to_string()),
        Value::Datetime(_) => return none("a date or time"),
        Value::Array(elements) => {
            json.push('[');
            for (index, element) in elements.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write(element, &format!("{key}[{index}]"), json)?;
            }
            json.push(']');
        }
        // The order of a TOML table depends on the features of its crate, so the keys are sorted here.
        Value::Table(table) => {
            json.push('{');
            let sorted: BTreeMap<_, _> = table.iter().collect();
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                json.push_str(&quoted(name));
                json.push(':');
                write(value, &below(key, name), json)?;
            }
            json.push('}');
        }
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// The path of `name` in the table `key`, in the syntax of TOML.
fn below(key: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => shown(&quoted(name)),
    };
    if key.is_empty() { name } else { format!("{key}.{name}") }
}

type RawTable<'a> = BTreeMap<String, &'a RawValue>;

/// Collects the differences in the value of `key`.
fn compare(key: &str, then: &RawValue, now: &RawValue, changes: &mut Vec<String>) {
    if then.get() == now.get() {
        return;
    }
    if let (Some(then), Some(now)) = (table(then), table(now)) {
        return compare_tables(|name| below(key, name), &then, &now, changes);
    }
    if let (Some(then), Some(now)) = (list(then), list(now)) {
        if let (Some(then), Some(now)) = (named(&then), named(&now)) {
            return compare_named(key, &then, &now, changes);
        }
        if then.len() == now.len() {
            for (index, (then, now)) in then.iter().zip(now).enumerate() {
                compare(&format!("{key}[{index}]"), then, now, changes);
            }
            return;
        }
    }
    changes.push(format!("`{key}` was {} and is {}", shown(then.get()), shown(now.get())));
}

fn compare_tables(
    at: impl Fn(&str) -> String,
    then: &RawTable<'_>,
    now: &RawTable<'_>,
    changes: &mut Vec<String>,
) {
    let keys: BTreeSet<_> = then.keys().chain(now.keys()).collect();
    for name in keys {
        let key = at(name);
        match (then.get(name), now.get(name)) {
            (Some(then), Some(now)) => compare(&key, then, now, changes),
            (Some(then), None) => changes.push(format!("`{key}` was {} and is removed", shown(then.get()))),
            (None, now) => {
                let now = now.map(|now| shown(now.get())).unwrap_or_default();
                changes.push(format!("`{key}` is new: {now}"));
            }
        }
    }
}

/// Collects the differences in a list whose elements have names, such as the models.
fn compare_named(key: &str, then: &Named<'_>, now: &Named<'_>, changes: &mut Vec<String>) {
    let [old, new] = [then, now].map(|list| list.iter().cloned().collect::<RawTable<'_>>());
    compare_tables(|name| format!("{key}[{}]", shown(name)), &old, &new, changes);
    let both = |list: &Named<'_>| -> Vec<String> {
        let both = list.iter().filter(|(name, _)| old.contains_key(name) && new.contains_key(name));
        both.map(|(name, _)| shown(name)).collect()
    };
    let (was, is) = (both(then), both(now));
    if was != is {
        changes.push(format!("the order of `{key}` was {} and is {}", was.join(", "), is.join(", ")));
    }
}

fn table(value: &RawValue) -> Option<RawTable<'_>> {
    serde_json::from_str(value.get()).ok()
}

fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

type Named<'a> = [(String, &'a RawValue)];

/// The elements of a list by name, if all names are present and different.
fn named<'a>(list: &[&'a RawValue]) -> Option<Vec<(String, &'a RawValue)>> {
    let name = |value: &&'a RawValue| {
        let name: String = serde_json::from_str(table(value)?.get("name")?.get()).ok()?;
        Some((name, *value))
    };
    let named = list.iter().map(name).collect::<Option<Vec<_>>>()?;
    let names: BTreeSet<_> = named.iter().map(|(name, _)| name).collect();
    (names.len() == named.len()).then_some(named)
}

/// A text for a message: one printable line, cut to the limit.
fn shown(text: &str) -> String {
    let printable = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => text[..end].chars().map(printable).chain(["...".to_owned()]).collect(),
        None => text.chars().map(printable).collect(),
    }
}

#[cfg(test)]
mod tests;
