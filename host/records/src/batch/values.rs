//! Decodes single JSON values, as an extension of `arrow-json`.
//!
//! Invariants: decoding is stricter than in `arrow-json`: a string is not a number, 1.5 is not an integer, and a time needs a
//! time zone; no value is rounded before it is checked; an unsuitable value becomes null and a [`RowFault`], so that it rejects
//! one record and not the batch.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::reader::{ArrayDecoder, DecoderContext, DecoderFactory, Tape, TapeElement};

use super::numbers::{NotAnInteger, exact_integer, nearest_float};
use super::times::{epoch_hint, parse_time};
use understudy_study::FieldKind;

/// The metadata key of a column's [`ColumnRole`].
pub(super) const ROLE: &str = "understudy";

/// The role of a column in the decoded batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnRole {
    /// The record's id.
    Id,
    /// The record's event time.
    Time,
    /// A declared field.
    Value(FieldKind),
}

impl ColumnRole {
    pub(super) fn data_type(self) -> DataType {
        match self {
            ColumnRole::Id => DataType::Utf8,
            ColumnRole::Time => data_type(FieldKind::Timestamp),
            ColumnRole::Value(kind) => data_type(kind),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            ColumnRole::Id => "id",
            ColumnRole::Time => "time",
            ColumnRole::Value(kind) => kind.name(),
        }
    }

    fn from_field(field: &FieldRef) -> Option<ColumnRole> {
        let name = field.metadata().get(ROLE)?;
        let mut roles =
            [ColumnRole::Id, ColumnRole::Time].into_iter().chain(FieldKind::ALL.map(ColumnRole::Value));
        roles.find(|role| role.name() == name)
    }
}

/// The Arrow type of a field kind.
pub fn data_type(kind: FieldKind) -> DataType {
    match kind {
        FieldKind::Boolean => DataType::Boolean,
        FieldKind::Integer => DataType::Int64,
        FieldKind::Number => DataType::Float64,
        FieldKind::Text | FieldKind::Json => DataType::Utf8,
        FieldKind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// A value that cannot be decoded.
#[derive(Debug)]
pub(super) struct RowFault {
    /// The row in the batch that was being decoded.
    pub row: usize,
    /// What is wrong, with the name of the field.
    pub message: String,
}

/// Collects the faults of one batch.
pub(super) type FaultSink = Arc<Mutex<Vec<RowFault>>>;

/// Creates the decoders of columns with a [`ROLE`].
#[derive(Debug)]
pub(super) struct ValueDecoderFactory(pub FaultSink);

impl DecoderFactory for ValueDecoderFactory {
    fn make_default_decoder(
        &self,
        _: &DecoderContext,
        field: &FieldRef,
        _: bool,
    ) -> Result<Option<Box<dyn ArrayDecoder>>, ArrowError> {
        Ok(ColumnRole::from_field(field).map(|role| {
            Box::new(ValueDecoder { role, key: field.name().clone(), sink: self.0.clone() })
                as Box<dyn ArrayDecoder>
        }))
    }
}

struct ValueDecoder {
    role: ColumnRole,
    key: String,
    sink: FaultSink,
}

impl ValueDecoder {
    fn fault(&self, row: usize, message: String) {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).push(RowFault { row, message });
    }

    fn mismatch(&self, row: usize, expected: &str, tape: &Tape<'_>, at: u32) {
        self.mismatch_with_hint(row, expected, tape, at, "");
    }

    /// Like [`ValueDecoder::mismatch`]; `hint` ends the sentence.
    fn mismatch_with_hint(&self, row: usize, expected: &str, tape: &Tape<'_>, at: u32, hint: &str) {
        let found = excerpt(tape, at);
        self.fault(row, format!("field `{}`: expected {expected}, found {found}{hint}", self.key));
    }

    fn id(&self, row: usize, tape: &Tape<'_>, at: u32, out: &mut StringBuilder) {
        let expected = "an id, a string or an integer";
        match tape.get(at) {
            TapeElement::String(s) if tape.get_string(s).is_empty() => {
                self.fault(row, format!("field `{}`: the id is empty", self.key));
            }
            TapeElement::String(s) => return out.append_value(tape.get_string(s)),
            TapeElement::Number(n) => {
                let digits = tape.get_string(n);
                if digits.strip_prefix('-').unwrap_or(digits).bytes().all(|b| b.is_ascii_digit()) {
                    return out.append_value(digits);
                }
                let hint = match exact_integer(digits) {
                    Ok(_) => {
                        ", as tools write the integers of a column with gaps; write it as text or as an integer"
                    }
                    Err(_) => "",
                };
                self.mismatch_with_hint(row, expected, tape, at, hint);
            }
            TapeElement::Null => {
                self.fault(row, format!("field `{}`: the id is missing; every record needs one", self.key))
            }
            _ => self.mismatch(row, expected, tape, at),
        }
        out.append_null();
    }

    fn time(&self, row: usize, tape: &Tape<'_>, at: u32) -> Option<i64> {
        let element = tape.get(at);
        if let TapeElement::String(s) = element {
            let text = tape.get_string(s);
            match parse_time(text) {
                Ok(micros) => return Some(micros),
                Err(why) => self.fault(row, format!("field `{}`: \"{}\" {why}", self.key, truncate(text))),
            }
        } else if element != TapeElement::Null {
            let hint = match element {
                TapeElement::Number(n) => epoch_hint(tape.get_string(n)).unwrap_or_default(),
                _ => String::new(),
            };
            self.mismatch_with_hint(row, "a time such as \"2026-05-01T09:30:00Z\"", tape, at, &hint);
        } else if self.role == ColumnRole::Time {
            self.fault(row, format!("field `{}`: the time is missing; every record needs one", self.key));
        }
        None
    }

    fn integer(&self, row: usize, tape: &Tape<'_>, at: u32) -> Option<i64> {
        match tape.get(at) {
            TapeElement::Null => None,
            TapeElement::Number(n) => match exact_integer(tape.get_string(n)) {
                Ok(value) => Some(value),
                Err(why) => {
                    let expected = match why {
                        NotAnInteger::Fraction => "an integer",
                        NotAnInteger::OutOfRange => "a 64-bit integer",
                    };
                    self.mismatch(row, expected, tape, at);
                    None
                }
            },
            _ => {
                self.mismatch(row, "an integer", tape, at);
                None
            }
        }
    }

    fn number(&self, row: usize, tape: &Tape<'_>, at: u32) -> Option<f64> {
        match tape.get(at) {
            TapeElement::Null => return None,
            TapeElement::Number(n) => {
                if let Some(value) = nearest_float(tape.get_string(n)) {
                    return Some(value);
                }
                self.mismatch(row, "a number that a 64-bit float can hold", tape, at);
            }
            _ => self.mismatch(row, "a number", tape, at),
        }
        None
    }
}

impl ArrayDecoder for ValueDecoder {
    fn decode(&mut self, tape: &Tape<'_>, pos: &[u32]) -> Result<ArrayRef, ArrowError> {
        let rows = pos.iter().copied().enumerate();
        Ok(match self.role {
            ColumnRole::Id => {
                let mut out = StringBuilder::with_capacity(pos.len(), pos.len() * 12);
                rows.for_each(|(row, at)| self.id(row, tape, at, &mut out));
                Arc::new(out.finish())
            }
            ColumnRole::Time | ColumnRole::Value(FieldKind::Timestamp) => {
                let mut out = TimestampMicrosecondBuilder::with_capacity(pos.len());
                rows.for_each(|(row, at)| out.append_option(self.time(row, tape, at)));
                Arc::new(out.finish().with_timezone("UTC"))
            }
            ColumnRole::Value(FieldKind::Boolean) => {
                let mut out = BooleanBuilder::with_capacity(pos.len());
                for (row, at) in rows {
                    match tape.get(at) {
                        TapeElement::True => out.append_value(true),
                        TapeElement::False => out.append_value(false),
                        element => {
                            if element != TapeElement::Null {
                                self.mismatch(row, "true or false", tape, at);
                            }
                            out.append_null();
                        }
                    }
                }
                Arc::new(out.finish())
            }
            ColumnRole::Value(FieldKind::Integer) => {
                let mut out = Int64Builder::with_capacity(pos.len());
                rows.for_each(|(row, at)| out.append_option(self.integer(row, tape, at)));
                Arc::new(out.finish())
            }
            ColumnRole::Value(FieldKind::Number) => {
                let mut out = Float64Builder::with_capacity(pos.len());
                rows.for_each(|(row, at)| out.append_option(self.number(row, tape, at)));
                Arc::new(out.finish())
            }
            ColumnRole::Value(FieldKind::Text) => {
                let mut out = StringBuilder::with_capacity(pos.len(), pos.len() * 12);
                for (row, at) in rows {
                    match tape.get(at) {
                        TapeElement::String(s) => out.append_value(tape.get_string(s)),
                        element => {
                            if element != TapeElement::Null {
                                self.mismatch(row, "a string", tape, at);
                            }
                            out.append_null();
                        }
                    }
                }
                Arc::new(out.finish())
            }
            ColumnRole::Value(FieldKind::Json) => {
                let mut out = StringBuilder::with_capacity(pos.len(), pos.len() * 32);
                let mut text = String::new();
                for &at in pos {
                    if tape.get(at) == TapeElement::Null {
                        out.append_null();
                        continue;
                    }
                    text.clear();
                    write_json(tape, at, &mut text);
                    out.append_value(&text);
                }
                Arc::new(out.finish())
            }
        })
    }
}

/// A value for a message: JSON, cut to 80 characters.
fn excerpt(tape: &Tape<'_>, at: u32) -> String {
    let mut out = String::new();
    write_json(tape, at, &mut out);
    truncate(&out)
}

/// The first 80 characters.
fn truncate(text: &str) -> String {
    match text.char_indices().nth(80) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// Writes the value at `at` as JSON. Not recursive, since the sender chooses the nesting depth.
fn write_json(tape: &Tape<'_>, mut at: u32, out: &mut String) {
    // The open containers: whether each is an object, and its number of keys and values so far.
    let mut open: Vec<(bool, usize)> = Vec::new();
    loop {
        let element = tape.get(at);
        let closes = matches!(element, TapeElement::EndObject(_) | TapeElement::EndList(_));
        if let Some((object, items)) = open.last_mut()
            && !closes
        {
            match (*items, *object && *items % 2 == 1) {
                (_, true) => out.push(':'),
                (0, false) => {}
                (_, false) => out.push(','),
            }
            *items += 1;
        }
        match element {
            TapeElement::StartObject(_) => out.push('{'),
            TapeElement::EndObject(_) => out.push('}'),
            TapeElement::StartList(_) => out.push('['),
            TapeElement::EndList(_) => out.push(']'),
            TapeElement::String(s) => write_string(tape.get_string(s), out),
            TapeElement::Number(n) => out.push_str(tape.get_string(n)),
            TapeElement::True => out.push_str("true"),
            TapeElement::False => out.push_str("false"),
            // The other elements come from serialised Rust values only, never from text.
            _ => out.push_str("null"),
        }
        match element {
            TapeElement::StartObject(_) => open.push((true, 0)),
            TapeElement::StartList(_) => open.push((false, 0)),
            _ if closes => {
                open.pop();
            }
            _ => {}
        }
        if open.is_empty() {
            return;
        }
        at += 1;
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
