//! Columns of the host as columns of the engine, without a copy.

use tabular_engine::{Source, SourceColumn};
use understudy_sdk::{Column, Values};

/// The engine's view of a column.
///
/// # Errors
/// If no lowered model reads values of this kind.
pub(crate) fn source(column: &Column) -> Result<SourceColumn<'_>, String> {
    let values = match &column.values {
        Values::Boolean(values) => Source::Booleans(values),
        Values::Integer(values) => Source::Integers(values),
        Values::Number(values) => Source::Doubles(values),
        Values::Text(text) => Source::Texts { offsets: &text.offsets, bytes: &text.bytes },
        Values::Timestamp(_) | Values::Json(_) => {
            return Err("a column holds timestamps or JSON, which no trained model reads".to_owned());
        }
    };
    Ok(SourceColumn { values, missing: column.missing.as_deref().unwrap_or_default() })
}
