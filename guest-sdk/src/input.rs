//! Typed input rows: columns are bound to types once per batch, rows are assembled from the bound columns.
//!
//! Invariants:
//! - Reading a row allocates nothing, except what a JSON field deserialises into.
//! - A value that does not fit its type fails its own row only; the error names the field.

mod value;

use crate::{Column, Field};

pub use understudy_sdk_derive::Input;
pub use value::{Json, Value};

/// A typed input row. Derive it for a struct with one field per field of the study that the model reads:
///
/// ```
/// # use understudy_sdk::prelude::*;
/// # use serde::Deserialize;
/// #[derive(Deserialize)]
/// struct Stop { city: String, nights: u8 }
///
/// #[derive(Input)]
/// struct Booking<'a> {
///     adults: u8,                             // boolean: bool; integer: i8 to i64, u8 to u64
///     price: f64,                             // number: f64, f32
///     segment: &'a str,                       // text, borrowed
///     observed_at: Timestamp,                 // timestamp
///     agent: Option<&'a str>,                 // may be missing; all other fields are required
///     #[input(json)]
///     stops: Vec<Stop>,                       // json: any type that serde can deserialise
///     #[input(name = "decision.room")]
///     room: Option<&'a str>,                  // a name that is not a Rust identifier
/// }
/// ```
///
/// The struct may have named fields or none, and at most one lifetime parameter. Anything else is a compile
/// error:
///
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking { segment: String }          // text must be `&str`
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking(u8);                         // the field has no name
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking<T> { adults: T }             // type parameter
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking {
///     adults: u8,
///     #[input(name = "adults")]
///     guests: u8,                             // the same field twice
/// }
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking {
///     #[input(rename = "adults")]             // the key is `name`
///     guests: u8,
/// }
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// enum Booking { Single { adults: u8 } }      // not a struct
/// ```
pub trait Input<'a>: Sized {
    /// The columns of a batch, bound to the types of the struct's fields.
    type Columns;

    /// The fields to read. [`bind`](Self::bind) expects their columns in this order.
    fn fields() -> Vec<Field>;

    /// Binds the columns of a batch of `rows` rows.
    ///
    /// # Errors
    /// If the columns do not match [`fields`](Self::fields).
    fn bind(rows: usize, columns: &'a [Column]) -> Result<Self::Columns, String>;

    /// Assembles row `row`, which must be below the number of rows of [`bind`](Self::bind).
    ///
    /// # Errors
    /// If a value does not fit its type.
    fn row(columns: &Self::Columns, row: usize) -> Result<Self, String>;
}

/// A column bound to the Rust type of its values.
///
/// ```
/// use understudy_sdk::{Column, Reader};
///
/// let column = Column::integers([2, 300]);
/// let reader = Reader::<u8>::bind("adults", 2, &column)?;
/// assert_eq!(reader.read(0), Ok(2));
/// assert_eq!(reader.read(1), Err("field `adults`: 300 does not fit u8".to_owned()));
/// # Ok::<(), String>(())
/// ```
pub struct Reader<'a, V: Value<'a>> {
    field: &'a str,
    column: V::Column,
}

impl<'a, V: Value<'a>> Reader<'a, V> {
    /// The description of the field `name` if it is read as `V`.
    pub fn field(name: &str) -> Field {
        Field { name: name.to_owned(), kind: V::KIND, required: V::REQUIRED }
    }

    /// Binds the column of `field` in a batch of `rows` rows.
    ///
    /// # Errors
    /// If the column has another kind or length, or lacks a required value.
    pub fn bind(field: &'a str, rows: usize, column: &'a Column) -> Result<Self, String> {
        if let (true, [row, ..]) = (V::REQUIRED, column.missing.as_deref().unwrap_or_default()) {
            return Err(field_error(field, &format!("row {row} has no value, but the field is required")));
        }
        Ok(Self { field, column: V::bind(rows, column).map_err(|fault| field_error(field, &fault))? })
    }

    /// Reads the value of `row`, which must be below the number of rows of [`bind`](Self::bind).
    ///
    /// # Errors
    /// If the value does not fit the type.
    #[inline]
    pub fn read(&self, row: usize) -> Result<V, String> {
        V::read(&self.column, row).map_err(|fault| field_error(self.field, &fault))
    }
}

#[cold]
fn field_error(field: &str, fault: &str) -> String {
    format!("field `{field}`: {fault}")
}

#[cfg(test)]
mod tests;
