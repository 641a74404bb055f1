//! Columns made by hand: for tests, benches and whoever runs a plugin natively. In the sandbox the host makes them.

use crate::{Column, Text, Values};

/// An instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub i64,
);

impl Column {
    /// A column of kind `boolean`.
    pub fn booleans(values: impl IntoIterator<Item = bool>) -> Self {
        Values::Boolean(values.into_iter().map(u8::from).collect()).into()
    }

    /// A column of kind `integer`.
    pub fn integers(values: impl IntoIterator<Item = i64>) -> Self {
        Values::Integer(values.into_iter().collect()).into()
    }

    /// A column of kind `number`. In the sandbox they are always finite.
    pub fn numbers(values: impl IntoIterator<Item = f64>) -> Self {
        Values::Number(values.into_iter().collect()).into()
    }

    /// A column of kind `timestamp`.
    pub fn timestamps(values: impl IntoIterator<Item = Timestamp>) -> Self {
        Values::Timestamp(values.into_iter().map(|timestamp| timestamp.0).collect()).into()
    }

    /// A column of kind `text`.
    pub fn text<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        Values::Text(end_to_end(values)).into()
    }

    /// A column of kind `json`, of one JSON text a row.
    pub fn json<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        Values::Json(end_to_end(values)).into()
    }

    /// The same column without the values of `rows`, which are ascending.
    pub fn without(mut self, rows: impl IntoIterator<Item = u32>) -> Self {
        self.missing = Some(rows.into_iter().collect());
        self
    }
}

impl From<Values> for Column {
    fn from(values: Values) -> Self {
        Self { values, missing: None }
    }
}

fn end_to_end<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Text {
    let mut text = Text { offsets: vec![0], bytes: Vec::new() };
    for string in strings {
        text.bytes.extend_from_slice(string.as_ref().as_bytes());
        text.offsets.push(text.bytes.len() as u32);
    }
    text
}
