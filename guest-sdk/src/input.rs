//! What a model reads of a row: columns bound to types once a batch, rows put together from them.
//!
//! Always holds: nothing is allocated for a row (but for what a JSON field deserialises into), and a value that does not
//! fit its type fails that row, with the name of its field, and no other.

mod value;

use crate::{Column, Field};

pub use understudy_sdk_derive::Input;
pub use value::{Json, Value};

/// A row, as a model wants to see it. Derive it on a struct that has one field for each field it reads:
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
///     agent: Option<&'a str>,                 // may be missing; all the others are required
///     #[input(json)]
///     stops: Vec<Stop>,                       // json: whatever serde can deserialise
///     #[input(name = "decision.room")]
///     room: Option<&'a str>,                  // a field whose name is no name in Rust
/// }
/// ```
///
/// A struct with named fields, or none, and at most one lifetime can derive it. What cannot be read is told at compile
/// time:
///
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking { segment: String }          // text is read as `&str`
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking(u8);                         // its field has no name
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking<T> { adults: T }             // of no type
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking {
///     adults: u8,
///     #[input(name = "adults")]
///     guests: u8,                             // read twice
/// }
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// struct Booking {
///     #[input(rename = "adults")]             // it is `name`
///     guests: u8,
/// }
/// ```
/// ```compile_fail
/// # use understudy_sdk::prelude::*;
/// #[derive(Input)]
/// enum Booking { Single { adults: u8 } }      // no struct
/// ```
pub trait Input<'a>: Sized {
    /// The columns of a batch, bound to the types of the fields.
    type Columns;

    /// The fields, in the order in which the columns are wanted.
    fn fields() -> Vec<Field>;

    /// Binds the columns of a batch of `rows` rows.
    ///
    /// # Errors
    /// When the columns are not those that [`fields`](Self::fields) asks for.
    fn bind(rows: usize, columns: &'a [Column]) -> Result<Self::Columns, String>;

    /// Puts row `row` together, which is below the number of rows that the columns were bound with.
    ///
    /// # Errors
    /// When a value does not fit its type.
    fn row(columns: &Self::Columns, row: usize) -> Result<Self, String>;
}

/// A column bound to the type that its values are read as.
pub struct Reader<'a, V: Value<'a>> {
    field: &'a str,
    column: V::Column,
}

impl<'a, V: Value<'a>> Reader<'a, V> {
    /// The field `name` read as `V`: what a description says of it.
    pub fn field(name: &str) -> Field {
        Field { name: name.to_owned(), kind: V::KIND, required: V::REQUIRED }
    }

    /// Binds the column of the field `field`, in a batch of `rows` rows.
    ///
    /// # Errors
    /// When the column is of another kind or length, or misses a required value.
    pub fn bind(field: &'a str, rows: usize, column: &'a Column) -> Result<Self, String> {
        if let (true, [row, ..]) = (V::REQUIRED, column.missing.as_deref().unwrap_or_default()) {
            return Err(in_field(field, &format!("it is required, but row {row} has none")));
        }
        Ok(Self { field, column: V::bind(rows, column).map_err(|fault| in_field(field, &fault))? })
    }

    /// The value of row `row`, which is below the number of rows that the column was bound with.
    ///
    /// # Errors
    /// When the value does not fit the type.
    #[inline]
    pub fn read(&self, row: usize) -> Result<V, String> {
        V::read(&self.column, row).map_err(|fault| in_field(self.field, &fault))
    }
}

#[cold]
fn in_field(field: &str, fault: &str) -> String {
    format!("field `{field}`: {fault}")
}

#[cfg(test)]
mod tests;
