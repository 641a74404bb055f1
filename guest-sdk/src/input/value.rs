//! Rust types that fields can be read as.

use std::borrow::Cow;

use serde::Deserialize;

use crate::strings::Strings;
use crate::{Column, Kind, Text, Timestamp, Values};

/// A Rust type for the values of one kind of field.
#[diagnostic::on_unimplemented(
    message = "a field cannot be read as `{Self}`",
    label = "not an input type",
    note = "use `bool`, an integer of up to 64 bits, `f64`, `f32`, `&'a str`, `Timestamp`, or an `Option` of one of them",
    note = "for another type that serde can deserialise, put `#[input(json)]` on the field"
)]
pub trait Value<'a>: Sized {
    /// The kind of field that this type reads.
    const KIND: Kind;
    /// Whether every row must have a value.
    const REQUIRED: bool = true;
    /// The bound column.
    type Column;

    /// Binds a column of `rows` rows.
    ///
    /// # Errors
    /// If it has another kind or length.
    fn bind(rows: usize, column: &'a Column) -> Result<Self::Column, String>;

    /// Reads the value of `row`, which must be below the number of rows of the column.
    ///
    /// # Errors
    /// If the value does not fit the type.
    fn read(column: &Self::Column, row: usize) -> Result<Self, String>;
}

#[cold]
fn mismatch(kind: Kind, rows: usize, column: &Column) -> String {
    let (found, length) = match &column.values {
        Values::Boolean(values) => (Kind::Boolean, values.len()),
        Values::Integer(values) => (Kind::Integer, values.len()),
        Values::Number(values) => (Kind::Number, values.len()),
        Values::Timestamp(values) => (Kind::Timestamp, values.len()),
        Values::Text(values) => (Kind::Text, values.offsets.len().saturating_sub(1)),
        Values::Json(values) => (Kind::Json, values.offsets.len().saturating_sub(1)),
    };
    format!("expected {rows} values of kind {}, found {length} of kind {}", name(kind), name(found))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Text => "text",
        Kind::Timestamp => "timestamp",
        Kind::Json => "json",
    }
}

/// Implements [`Value`] for types whose column is a slice. `$read` converts one element.
macro_rules! impl_slice_value {
    ($($type:ty, $kind:ident, $element:ty, $read:expr;)*) => {$(
        impl<'a> Value<'a> for $type {
            const KIND: Kind = Kind::$kind;
            type Column = &'a [$element];

            #[inline]
            fn bind(rows: usize, column: &'a Column) -> Result<Self::Column, String> {
                match &column.values {
                    Values::$kind(values) if values.len() == rows => Ok(values),
                    _ => Err(mismatch(Self::KIND, rows, column)),
                }
            }

            #[inline]
            fn read(column: &Self::Column, row: usize) -> Result<Self, String> {
                let read: fn($element) -> Result<Self, String> = $read;
                read(column[row])
            }
        }
    )*};
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{value} does not fit {}", std::any::type_name::<T>()))
}

impl_slice_value! {
    bool, Boolean, u8, |value| Ok(value != 0);
    i64, Integer, i64, Ok;
    i32, Integer, i64, narrow;
    i16, Integer, i64, narrow;
    i8, Integer, i64, narrow;
    u64, Integer, i64, narrow;
    u32, Integer, i64, narrow;
    u16, Integer, i64, narrow;
    u8, Integer, i64, narrow;
    f64, Number, f64, Ok;
    f32, Number, f64, |value| {
        let narrowed = value as f32;
        if narrowed.is_finite() { Ok(narrowed) } else { Err(format!("{value:e} does not fit f32")) }
    };
    Timestamp, Timestamp, i64, |value| Ok(Timestamp(value));
}

fn strings<'a>(kind: Kind, rows: usize, column: &'a Column, text: &'a Text) -> Result<Strings<'a>, String> {
    let strings = Strings::new(text)?;
    if strings.len() == rows { Ok(strings) } else { Err(mismatch(kind, rows, column)) }
}

#[inline]
fn string<'a>(strings: &Strings<'a>, row: usize) -> Result<&'a str, String> {
    match strings.get(row) {
        Some(string) => Ok(string),
        None => Err(invalid_offsets()),
    }
}

#[cold]
fn invalid_offsets() -> String {
    "string offsets are out of range or split a character".to_owned()
}

impl<'a> Value<'a> for &'a str {
    const KIND: Kind = Kind::Text;
    type Column = Strings<'a>;

    fn bind(rows: usize, column: &'a Column) -> Result<Self::Column, String> {
        match &column.values {
            Values::Text(text) => strings(Self::KIND, rows, column, text),
            _ => Err(mismatch(Self::KIND, rows, column)),
        }
    }

    #[inline]
    fn read(column: &Self::Column, row: usize) -> Result<Self, String> {
        string(column, row)
    }
}

/// A value deserialised from a JSON field, or serialised as a JSON answer. The derive macro uses it for fields with
/// `#[input(json)]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Json<T>(
    /// The deserialised value.
    pub T,
);

impl<'a, T: Deserialize<'a>> Value<'a> for Json<T> {
    const KIND: Kind = Kind::Json;
    type Column = Strings<'a>;

    fn bind(rows: usize, column: &'a Column) -> Result<Self::Column, String> {
        match &column.values {
            Values::Json(text) => strings(Self::KIND, rows, column, text),
            _ => Err(mismatch(Self::KIND, rows, column)),
        }
    }

    fn read(column: &Self::Column, row: usize) -> Result<Self, String> {
        let json = string(column, row)?;
        serde_json::from_str(json).map(Self).map_err(|error| format!("{error}: {}", excerpt(json)))
    }
}

/// The number of characters of a value that an error quotes.
const EXCERPT_CHARS: usize = 80;

/// The beginning of a text, for an error.
fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A bit set of the rows without a value. Empty if every row has one.
pub struct MissingRows(Vec<u64>);

impl MissingRows {
    fn new(rows: usize, missing: &[u32]) -> Result<Self, String> {
        let mut bits = vec![0; if missing.is_empty() { 0 } else { rows.div_ceil(64) }];
        for row in missing {
            match bits.get_mut(*row as usize / 64) {
                Some(word) => *word |= 1 << (row % 64),
                None => return Err(format!("missing-row index {row} is out of range for {rows} rows")),
            }
        }
        Ok(Self(bits))
    }

    #[inline]
    fn contains(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

impl<'a, V: Value<'a>> Value<'a> for Option<V> {
    const KIND: Kind = V::KIND;
    const REQUIRED: bool = false;
    type Column = (MissingRows, V::Column);

    fn bind(rows: usize, column: &'a Column) -> Result<Self::Column, String> {
        Ok((MissingRows::new(rows, column.missing.as_deref().unwrap_or_default())?, V::bind(rows, column)?))
    }

    #[inline]
    fn read((missing, column): &Self::Column, row: usize) -> Result<Self, String> {
        if missing.contains(row) { Ok(None) } else { V::read(column, row).map(Some) }
    }
}
