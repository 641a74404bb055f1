//! Reads the values of a column of any kind as text.

use std::borrow::Cow;

use arrow::array::{Array as _, ArrayRef, AsArray as _, StringArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// A column whose values are read as text.
pub enum TextColumn<'c> {
    /// Texts.
    Text(&'c StringArray),
    /// Values of another kind, and their formatter. Without one, every value counts as missing.
    Other(&'c ArrayRef, Option<ArrayFormatter<'c>>),
}

impl<'c> TextColumn<'c> {
    /// Reads `column`.
    pub fn new(column: &'c ArrayRef) -> TextColumn<'c> {
        const OPTIONS: FormatOptions<'_> = FormatOptions::new();
        match column.as_string_opt::<i32>() {
            Some(texts) => TextColumn::Text(texts),
            None => TextColumn::Other(column, ArrayFormatter::try_new(column, &OPTIONS).ok()),
        }
    }

    /// The value of a row; `None` where it is missing.
    pub fn value(&self, row: usize) -> Option<Cow<'c, str>> {
        match self {
            TextColumn::Text(texts) => texts.is_valid(row).then(|| Cow::Borrowed(texts.value(row))),
            TextColumn::Other(column, formatter) => {
                let formatter = formatter.as_ref().filter(|_| column.is_valid(row))?;
                Some(Cow::Owned(formatter.value(row).to_string()))
            }
        }
    }
}
