//! The cells of decided rows as text.
//!
//! Invariant: two different values of a column have different texts. A ranking is a JSON array, and class
//! probabilities are a JSON object.

use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::Timestamp;
use understudy_study::Micros;

const UTC_OFFSET: &str = "+00:00";

/// The text of each cell of a column; `None` for a null. Times are in UTC.
///
/// # Errors
/// If a value has no text, such as a time beyond the range of a calendar.
pub fn cell_texts(column: &ArrayRef, options: &FormatOptions<'_>) -> anyhow::Result<Vec<Option<String>>> {
    if let DataType::List(_) = column.data_type() {
        return Ok(column.as_list::<i32>().iter().map(|list| list.map(|list| json_array(&list))).collect());
    }
    if let DataType::Map(..) = column.data_type() {
        let map = column.as_map();
        return Ok((0..map.len())
            .map(|row| map.is_valid(row).then(|| json_object(&map.value(row))))
            .collect());
    }
    let column = with_utc_offset(column);
    let formatter = ArrayFormatter::try_new(&column, options)?;
    let text = |row: usize| match column.is_null(row) {
        true => Ok(None),
        false => Ok(Some(formatter.value(row).try_to_string()?)),
    };
    (0..column.len()).map(text).collect()
}

/// The value of a row in a named column as text; `None` if it is null.
///
/// # Errors
/// If there is no such column, or the value has no text.
pub(crate) fn text(batch: &RecordBatch, name: &str, row: usize) -> anyhow::Result<Option<String>> {
    let column =
        batch.column_by_name(name).with_context(|| format!("the decided rows have no column {name}"))?;
    let options = FormatOptions::new().with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f UTC"));
    Ok(cell_texts(&column.slice(row, 1), &options)?.remove(0))
}

/// An event time as a timestamp; the nearest one if it is out of range.
pub(crate) fn saturating_timestamp(time: Micros) -> Timestamp {
    time.timestamp().unwrap_or(if time < Micros(0) { Timestamp::MIN } else { Timestamp::MAX })
}

/// Names as a JSON array.
fn json_array(names: &ArrayRef) -> String {
    let names: Vec<&str> = names.as_string::<i32>().iter().flatten().collect();
    serde_json::to_string(&names).expect("text can be JSON")
}

/// Class probabilities as a JSON object, in the order of the plugin.
fn json_object(entries: &StructArray) -> String {
    let (classes, values) =
        (entries.column(0).as_string::<i32>(), entries.column(1).as_primitive::<Float64Type>());
    let entry = |(class, value): (Option<&str>, Option<f64>)| {
        let text = |value: serde_json::Value| value.to_string();
        format!("{}:{}", text(class.into()), text(value.into()))
    };
    format!("{{{}}}", classes.iter().zip(values).map(entry).collect::<Vec<_>>().join(","))
}

/// Times with the offset `+00:00` instead of the name `UTC`, which cannot be formatted without a time zone
/// database.
fn with_utc_offset(times: &ArrayRef) -> ArrayRef {
    match times.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone(UTC_OFFSET)),
        None => times.clone(),
    }
}
