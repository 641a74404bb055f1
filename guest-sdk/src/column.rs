//! Constructors of columns, for tests, benchmarks and native callers. In the sandbox the host provides the
//! columns.

use crate::{Column, Text, Values};

/// An instant, in microseconds.
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

    /// A column of kind `number`. In the sandbox all numbers are finite.
    pub fn numbers(values: impl IntoIterator<Item = f64>) -> Self {
        Values::Number(values.into_iter().collect()).into()
    }

    /// A column of kind `timestamp`.
    pub fn timestamps(values: impl IntoIterator<Item = Timestamp>) -> Self {
        Values::Timestamp(values.into_iter().map(|timestamp| timestamp.0).collect()).into()
    }

    /// A column of kind `text`.
    pub fn text<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        Values::Text(concatenate(values)).into()
    }

    /// A column of kind `json`, with one JSON text per row.
    pub fn json<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        Values::Json(concatenate(values)).into()
    }

    /// Marks the values of `rows` as missing. `rows` must be ascending.
    ///
    /// ```
    /// use understudy_sdk::Column;
    ///
    /// let agents = Column::text(["a", "", "c"]).with_missing([1]);
    /// assert_eq!(agents.missing, Some(vec![1]));
    /// ```
    pub fn with_missing(mut self, rows: impl IntoIterator<Item = u32>) -> Self {
        self.missing = Some(rows.into_iter().collect());
        self
    }
}

impl From<Values> for Column {
    fn from(values: Values) -> Self {
        Self { values, missing: None }
    }
}

fn concatenate<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Text {
    let mut text = Text { offsets: vec![0], bytes: Vec::new() };
    for string in strings {
        text.bytes.extend_from_slice(string.as_ref().as_bytes());
        text.offsets.push(text.bytes.len() as u32);
    }
    text
}
