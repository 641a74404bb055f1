//! Converts cells of CSV to values of JSON, by the declared kind of their column.
//!
//! Invariants: an empty cell is null; a cell that is no value of its kind becomes a JSON string, and its fault names it; a
//! number keeps its digits, so that nothing is rounded here.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use understudy_study::{FieldKind, Stream};

/// The longest part of a cell that a message shows, in characters.
const SHOWN_CHARS: usize = 80;

/// The kind of a column: that of its declared field. The id and a column that is not declared are text. The time is a
/// timestamp. Without a stream all columns are text.
pub(crate) fn column_kind(stream: Option<&Stream>, column: &str) -> FieldKind {
    let Some(stream) = stream else { return FieldKind::Text };
    if column == stream.time {
        return FieldKind::Timestamp;
    }
    if column == stream.id {
        return FieldKind::Text;
    }
    let field = stream.fields.iter().find(|field| field.name == column);
    field.map_or(FieldKind::Text, |field| field.kind)
}

/// Appends the value of a cell as JSON.
///
/// # Errors
/// What was expected and found, if the cell is no value of the kind. Its text is appended as a string then.
pub(crate) fn append_cell(out: &mut Vec<u8>, kind: FieldKind, cell: &str) -> Result<(), String> {
    if cell.is_empty() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let trimmed = cell.trim_ascii();
    let (literal, expected) = match kind {
        FieldKind::Text => (None, None),
        FieldKind::Timestamp => {
            append_string(out, trimmed);
            return Ok(());
        }
        FieldKind::Boolean => (boolean(trimmed).map(Cow::Borrowed), Some("true or false")),
        FieldKind::Integer => (json_number(trimmed), Some("an integer")),
        FieldKind::Number => (json_number(trimmed), Some("a number")),
        FieldKind::Json => {
            let is_json = serde_json::from_str::<IgnoredAny>(trimmed).is_ok();
            // A line break between values would end the line of the record.
            let one_line = || Cow::Owned(trimmed.replace(['\n', '\r'], " "));
            (is_json.then(one_line), Some("JSON"))
        }
    };
    if let Some(literal) = literal {
        out.extend_from_slice(literal.as_bytes());
        return Ok(());
    }
    append_string(out, cell);
    match expected {
        Some(expected) => Err(format!("expected {expected}, found {}{}", shown(cell), advice(trimmed))),
        None => Ok(()),
    }
}

/// Appends a JSON string.
pub(crate) fn append_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes all");
}

/// The advice about a rejected cell: how to write a missing value, if the cell is a word for one, such as `NaN`.
fn advice(cell: &str) -> &'static str {
    match cell.to_ascii_lowercase().as_str() {
        "nan" | "na" | "n/a" | "null" | "none" | "nil" | "nat" | "\\n" | "-" | "?" | "" => {
            "; leave the cell empty if the value is missing"
        }
        _ => "",
    }
}

/// The cell between quotes, cut to [`SHOWN_CHARS`].
fn shown(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?}...", &cell[..end]),
        None => format!("{cell:?}"),
    }
}

fn boolean(cell: &str) -> Option<&'static str> {
    match cell {
        "1" | "t" => Some("true"),
        "0" | "f" => Some("false"),
        _ if cell.eq_ignore_ascii_case("true") => Some("true"),
        _ if cell.eq_ignore_ascii_case("false") => Some("false"),
        _ => None,
    }
}

/// A decimal number in the spelling of JSON, which has no plus sign, no leading zeros, and digits on both sides of the
/// point.
pub(crate) fn json_number(cell: &str) -> Option<Cow<'_, str>> {
    let unsigned = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let power = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    let is_power = power.is_none_or(|power| !power.is_empty() && digits(power));
    if !has_digits || !digits(whole) || !fraction.is_none_or(digits) || !is_power {
        return None;
    }
    let is_json = !cell.starts_with('+')
        && (whole == "0" || !whole.starts_with('0') && !whole.is_empty())
        && fraction != Some("");
    if is_json {
        return Some(Cow::Borrowed(cell));
    }
    let sign = if cell.starts_with('-') { "-" } else { "" };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.filter(|digits| !digits.is_empty()).map_or_else(String::new, |d| format!(".{d}"));
    let exponent = exponent.map_or_else(String::new, |power| format!("e{power}"));
    Some(Cow::Owned(format!("{sign}{whole}{fraction}{exponent}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(kind: FieldKind, cell: &str) -> String {
        let mut out = Vec::new();
        let fault = append_cell(&mut out, kind, cell).err();
        let json = String::from_utf8(out).expect("cells are text");
        fault.map_or(json.clone(), |fault| format!("{json}: {fault}"))
    }

    #[test]
    fn numbers_keep_their_digits_in_the_spelling_of_json() {
        for (cell, number) in [
            ("104.981119112664", "104.981119112664"),
            (" 7 ", "7"),
            ("+7", "7"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("-000", "-0"),
            ("00.10E+05", "0.10e+05"),
            ("1e3", "1e3"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(converted(FieldKind::Number, cell), number, "{cell}");
            assert!(serde_json::from_str::<f64>(number).is_ok(), "{number}");
        }
        for cell in ["", ".", "-", "1e", "1.2.3", "1,5", "0x10", "1 000", "inf", "NaN", "--1", "e5"] {
            assert_eq!(json_number(cell), None, "{cell}");
        }
    }

    #[test]
    fn values_have_the_kind_of_their_column() {
        for (kind, cell, json) in [
            (FieldKind::Text, "7", "\"7\""),
            (FieldKind::Text, " a\"b\n", "\" a\\\"b\\n\""),
            (FieldKind::Text, "", "null"),
            (FieldKind::Boolean, "True", "true"),
            (FieldKind::Boolean, "0", "false"),
            (FieldKind::Timestamp, " 2026-05-01T09:30:00Z", "\"2026-05-01T09:30:00Z\""),
            (FieldKind::Json, "[1,\n{\"a\":null}]", "[1, {\"a\":null}]"),
        ] {
            assert_eq!(converted(kind, cell), json, "{cell}");
        }
    }

    #[test]
    fn a_cell_of_another_kind_is_kept_and_named() {
        let all = [
            converted(FieldKind::Integer, "two"),
            converted(FieldKind::Number, "NaN"),
            converted(FieldKind::Number, "1,5"),
            converted(FieldKind::Boolean, "yes"),
            converted(FieldKind::Json, "{a:1}"),
            converted(FieldKind::Number, &"x".repeat(200))[..40].to_owned(),
        ];
        insta::assert_snapshot!(all.join("\n"), @r#"
        "two": expected an integer, found "two"
        "NaN": expected a number, found "NaN"; leave the cell empty if the value is missing
        "1,5": expected a number, found "1,5"
        "yes": expected true or false, found "yes"
        "{a:1}": expected JSON, found "{a:1}"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        "#);
    }

    proptest! {
        #[test]
        fn every_number_is_json_of_the_same_value(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            for cell in [format!("{value}"), format!("{value:e}"), format!("{value:?}"), format!("+{}", value.abs())] {
                let json = json_number(&cell).expect("a number");
                let read: f64 = serde_json::from_str(&json).expect("JSON");
                prop_assert_eq!(read, cell.parse::<f64>().expect("a number"));
            }
        }
    }
}
