//! The records of a feed as columns of plain values, and the kinds of fields that the columns can have.
//!
//! Invariants: pure; every column has a cell for each record; no value is rounded.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value as Json};
use understudy_records::batch::parse_time;
use understudy_report::{count, counted};
use understudy_study::FieldKind;

/// Words that programs write for a missing number, or for one that is not finite, in lower case.
const MISSING_WORDS: [&str; 13] =
    ["#n/a", "-", "-inf", "?", "inf", "infinity", "n/a", "na", "nan", "nil", "none", "null", "<na>"];
/// The number from which on floats leave out integers.
const EXACT: f64 = (1_u64 << 53) as f64;

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SampleValue {
    Missing,
    Boolean(bool),
    Integer(i64),
    /// A number that is no integer of 64 bits, with its text.
    Number(f64),
    Text(String),
    /// An array or an object.
    Json(Json),
}

impl SampleValue {
    fn new(value: Json) -> SampleValue {
        match value {
            Json::Null => SampleValue::Missing,
            Json::Bool(value) => SampleValue::Boolean(value),
            Json::String(text) => SampleValue::Text(text),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => SampleValue::Integer(integer),
                None => SampleValue::Number(number.as_f64().unwrap_or(f64::NAN)),
            },
            nested @ (Json::Array(_) | Json::Object(_)) => SampleValue::Json(nested),
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        *self == SampleValue::Missing
    }

    /// The value as an id, which is a text or an integer.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            SampleValue::Text(text) if !text.is_empty() => Some(text.clone()),
            SampleValue::Integer(integer) => Some(integer.to_string()),
            _ => None,
        }
    }

    /// The value as an event time, in microseconds since 1970.
    pub(super) fn time(&self) -> Option<i64> {
        match self {
            SampleValue::Text(text) => parse_time(text).ok(),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            SampleValue::Integer(integer) => Some(*integer as f64),
            SampleValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as text: a label, and an example in a message.
    pub(super) fn text(&self) -> String {
        match self {
            SampleValue::Missing => "null".to_owned(),
            SampleValue::Boolean(value) => value.to_string(),
            SampleValue::Integer(integer) => integer.to_string(),
            SampleValue::Number(number) => number.to_string(),
            SampleValue::Text(text) => text.clone(),
            SampleValue::Json(value) => value.to_string(),
        }
    }
}

/// The values of a key in all records.
#[derive(Clone, Debug)]
pub(super) struct SampleColumn {
    pub name: String,
    pub cells: Vec<SampleValue>,
}

impl SampleColumn {
    pub(super) fn present(&self) -> impl Iterator<Item = &SampleValue> {
        self.cells.iter().filter(|cell| !cell.is_missing())
    }

    /// The kind of field that holds all values; `None` if all are missing.
    pub(super) fn kind(&self) -> Option<FieldKind> {
        let all = |is: fn(&SampleValue) -> bool| self.present().all(is);
        self.present().next()?;
        Some(if all(|cell| matches!(cell, SampleValue::Boolean(_))) {
            FieldKind::Boolean
        } else if all(|cell| matches!(cell, SampleValue::Integer(_))) {
            FieldKind::Integer
        } else if all(|cell| matches!(cell, SampleValue::Integer(_) | SampleValue::Number(_))) {
            FieldKind::Number
        } else if all(|cell| cell.time().is_some()) {
            FieldKind::Timestamp
        } else if all(|cell| matches!(cell, SampleValue::Text(_))) {
            FieldKind::Text
        } else {
            FieldKind::Json
        })
    }

    /// The number of records with each value, by its text.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for cell in self.present() {
            *counts.entry(cell.text()).or_default() += 1;
        }
        counts
    }

    pub(super) fn distinct(&self) -> usize {
        self.present().map(SampleValue::text).collect::<HashSet<_>>().len()
    }

    /// The first word for a missing value, and the number of such words, if all other values are numbers.
    fn missing_word(&self) -> Option<(&str, usize)> {
        let is_word = |cell: &&SampleValue| match cell {
            SampleValue::Text(text) => MISSING_WORDS.contains(&&text.trim().to_ascii_lowercase()[..]),
            _ => false,
        };
        let (words, others): (Vec<&SampleValue>, Vec<&SampleValue>) = self.present().partition(is_word);
        let is_number = |cell: &&SampleValue| match cell {
            SampleValue::Text(text) => serde_json::from_str::<serde_json::Number>(text).is_ok(),
            cell => cell.number().is_some(),
        };
        match words.first() {
            Some(SampleValue::Text(word)) if !others.is_empty() && others.iter().all(is_number) => {
                Some((word.as_str(), words.len()))
            }
            _ => None,
        }
    }

    /// Whether all values are whole numbers, and some are written with a decimal point, as programs write integers beside missing
    /// values.
    pub(super) fn is_whole_floats(&self) -> bool {
        let is_whole = |cell: &SampleValue| match cell {
            SampleValue::Integer(_) => true,
            SampleValue::Number(number) => number.fract() == 0.0 && number.abs() < EXACT,
            _ => false,
        };
        self.present().all(is_whole) && self.present().any(|cell| matches!(cell, SampleValue::Number(_)))
    }

    /// Gives the texts of a table without types the type that all of them can have.
    fn with_types(self) -> SampleColumn {
        let texts = || self.present().map(SampleValue::text);
        let is_number = |text: &String| {
            let digits = text.trim_start_matches('-');
            let has_leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
            !has_leading_zero && serde_json::from_str::<serde_json::Number>(text).is_ok()
        };
        let is_boolean = |text: &String| matches!(&text.to_ascii_lowercase()[..], "true" | "false");
        let is_nested = |text: &String| {
            text.starts_with(['[', '{']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        };
        let is_typed = texts().all(|text| is_number(&text))
            || texts().all(|text| is_boolean(&text))
            || texts().all(|text| is_nested(&text));
        if !is_typed {
            return self;
        }
        let typed = |cell: SampleValue| match cell {
            SampleValue::Text(text) => SampleValue::new(json_of(&text).unwrap_or(Json::String(text))),
            other => other,
        };
        SampleColumn { cells: self.cells.into_iter().map(typed).collect(), ..self }
    }
}

/// The JSON that a text of CSV is. Truth values may have capitals, as pandas writes them.
fn json_of(text: &str) -> Option<Json> {
    let lower = text.to_ascii_lowercase();
    serde_json::from_str(if matches!(&lower[..], "true" | "false") { &lower } else { text }).ok()
}

/// The first records of a feed.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The stream: `snapshots` or `decisions`.
    pub stream: &'static str,
    /// Whether the file is a table: CSV or Parquet.
    pub is_table: bool,
    pub columns: Vec<SampleColumn>,
    pub records: usize,
    /// Whether these are all records of the feed.
    pub is_whole: bool,
    /// What the author should know about the records, a clause each.
    pub notes: Vec<String>,
}

impl Sample {
    pub(super) fn new(stream: &'static str, is_table: bool) -> Sample {
        Sample { stream, is_table, columns: Vec::new(), records: 0, is_whole: true, notes: Vec::new() }
    }

    /// Adds a record.
    pub(super) fn push(&mut self, record: Map<String, Json>) {
        for (name, value) in record {
            let column = match self.columns.iter().position(|column| column.name == name) {
                Some(known) => &mut self.columns[known],
                None => {
                    self.columns.push(SampleColumn { name, cells: vec![SampleValue::Missing; self.records] });
                    self.columns.last_mut().expect("a column was added")
                }
            };
            column.cells.push(SampleValue::new(value));
        }
        self.records += 1;
        for column in &mut self.columns {
            column.cells.resize(self.records, SampleValue::Missing);
        }
    }

    /// Gives the texts of CSV types.
    pub(super) fn with_types(self) -> Sample {
        Sample { columns: self.columns.into_iter().map(SampleColumn::with_types).collect(), ..self }
    }

    /// Notes each column that would hold numbers without some words for missing values.
    pub(super) fn with_word_notes(mut self) -> Sample {
        let (stream, records) = (self.stream, self.records);
        let noted = self.columns.iter().filter_map(|column| {
            let (word, cells) = column.missing_word()?;
            let kind = column.kind()?.name();
            let records = counted(records as u64, "record", "records");
            Some(format!(
                "`{}` of the {stream} holds numbers and, in {} of {records}, words such as \"{word}\", so its kind is {kind}; write \
                 null or an empty cell for a missing value, and its kind is number",
                column.name,
                count(cells as u64)
            ))
        });
        let noted: Vec<String> = noted.collect();
        self.notes.extend(noted);
        self
    }

    pub(super) fn column(&self, name: &str) -> Option<&SampleColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of all keys, for messages.
    pub(super) fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("`{}`", column.name)).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(lines: &[&str]) -> Sample {
        let mut sample = Sample::new("snapshots", false);
        for line in lines {
            sample.push(serde_json::from_str(line).expect("an object"));
        }
        sample
    }

    fn kinds(sample: &Sample) -> Vec<(&str, Option<&str>)> {
        let kind = |column: &SampleColumn| column.kind().map(FieldKind::name);
        sample.columns.iter().map(|column| (&column.name[..], kind(column))).collect()
    }

    #[test]
    fn a_column_has_the_kind_that_holds_all_of_its_values() {
        let sample = sample(&[
            r#"{"a":1,"b":1,"c":true,"d":"x","e":"2026-05-01T09:30:00Z","f":[1],"g":null,"h":1}"#,
            r#"{"a":2,"b":1.5,"c":null,"d":"2026-05-01T09:30:00Z","e":"2026-05-01 09:30:00+02:00","f":"x","h":"1"}"#,
        ]);
        let wanted = [
            ("a", Some("integer")),
            ("b", Some("number")),
            ("c", Some("boolean")),
            ("d", Some("text")),
            ("e", Some("timestamp")),
            ("f", Some("json")),
            ("g", None),
            ("h", Some("json")),
        ];
        assert_eq!(kinds(&sample), wanted);
        assert_eq!(sample.column("g").map(|column| column.cells.len()), Some(2));
    }

    #[test]
    fn the_texts_of_a_table_have_the_type_that_all_of_them_can_have() {
        let sample = sample(&[
            r#"{"a":"1","b":"007","c":"True","d":"[1, 2]","e":"1","f":"-0.5","g":"1"}"#,
            r#"{"a":"-2","b":"12","c":"false","d":"{}","e":"x","f":null,"g":"1.0"}"#,
        ])
        .with_types();
        let wanted = [
            ("a", Some("integer")),
            ("b", Some("text")),
            ("c", Some("boolean")),
            ("d", Some("json")),
            ("e", Some("text")),
            ("f", Some("number")),
            ("g", Some("number")),
        ];
        assert_eq!(kinds(&sample), wanted);
        assert_eq!(sample.column("b").map(|column| column.cells[0].text()), Some("007".to_owned()));
    }
}
