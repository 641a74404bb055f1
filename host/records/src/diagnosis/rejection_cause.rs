//! Recognises the form that makes a record unreadable, by its bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use understudy_study::Stream;

use crate::batch::wide_encoding;

/// A form that a whole source can have and that makes its records unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionCause {
    /// Text of two or four bytes a character: UTF-16 or UTF-32.
    WideText,
    /// Lines that end with a carriage return alone.
    CarriageReturns,
    /// A record separator before each record (RFC 7464).
    RecordSeparators,
    /// One JSON array in place of lines.
    JsonArray,
    /// Records that are written over several lines.
    PrettyPrinted,
    /// Rows of values between commas, semicolons or tabs.
    DelimitedText,
    /// Notation of another language than JSON, such as `None`, `NaN` or single quotes.
    OtherNotation,
    /// Records without the key of the id.
    MissingId,
    /// Ids such as `1.0`.
    FractionalId,
    /// Records without the key of the time.
    MissingTime,
    /// Times that are numbers.
    NumericTime,
    /// Times without a time zone.
    TimeWithoutZone,
    /// Anything else.
    Other,
}

/// How many records have a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CauseCount {
    /// The cause.
    pub cause: RejectionCause,
    /// Examined records that have it.
    pub records: u64,
}

/// Counts causes.
#[derive(Clone, Debug, Default)]
pub struct CauseCounts(BTreeMap<RejectionCause, u64>);

impl CauseCounts {
    /// Counts a rejected record.
    pub fn add(&mut self, raw: &[u8], stream: &Stream) {
        *self.0.entry(RejectionCause::of_record(raw, stream)).or_default() += 1;
    }

    /// The number of counted records.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The causes, the most frequent first.
    pub fn list(self) -> Vec<CauseCount> {
        let mut causes: Vec<_> =
            self.0.into_iter().map(|(cause, records)| CauseCount { cause, records }).collect();
        causes.sort_by_key(|count| std::cmp::Reverse(count.records));
        causes
    }
}

impl RejectionCause {
    /// The cause for which a record of a stream was rejected.
    pub fn of_record(raw: &[u8], stream: &Stream) -> RejectionCause {
        if wide_encoding(raw).is_some() {
            return RejectionCause::WideText;
        }
        if raw.first() == Some(&0x1e) {
            return RejectionCause::RecordSeparators;
        }
        if raw.windows(2).any(|two| two == b"\r{" || two == b"\r[") {
            return RejectionCause::CarriageReturns;
        }
        match serde_json::from_slice(raw) {
            Ok(Value::Object(record)) => in_record(&record, stream),
            Ok(Value::Array(_)) => RejectionCause::JsonArray,
            Ok(_) => RejectionCause::Other,
            Err(_) => in_text(raw),
        }
    }
}

/// The cause in a line that is not JSON.
fn in_text(raw: &[u8]) -> RejectionCause {
    let text = raw.trim_ascii();
    let is_record = |text: &[u8]| serde_json::from_slice::<Map<String, Value>>(text).is_ok();
    if text.first() == Some(&b'[')
        && text.get(1..).is_some_and(|rest| rest.trim_ascii_start().first() == Some(&b'{'))
        || text.strip_suffix(b",").is_some_and(is_record)
    {
        return RejectionCause::JsonArray;
    }
    let is_member = || {
        let value = text.strip_suffix(b",").unwrap_or(text);
        let closing: &[u8] = match value.last() {
            Some(b'{') => b"}}",
            Some(b'[') => b"]}",
            _ => b"}",
        };
        text.first() == Some(&b'"') && is_record(&[b"{", value, closing].concat())
    };
    if matches!(text, b"{" | b"}" | b"[" | b"]" | b"}," | b"],") || is_member() {
        return RejectionCause::PrettyPrinted;
    }
    let shown = String::from_utf8_lossy(text);
    if !text.contains(&b'{') {
        let delimited = [',', ';', '\t'].into_iter().any(|delimiter| shown.contains(delimiter));
        return if delimited { RejectionCause::DelimitedText } else { RejectionCause::Other };
    }
    let words = ["NaN", "Infinity", "None", "True", "False", "undefined", "{'", "//", "/*"];
    match words.into_iter().any(|word| shown.contains(word)) {
        true => RejectionCause::OtherNotation,
        false => RejectionCause::Other,
    }
}

/// The cause in the id or the time of a record.
fn in_record(record: &Map<String, Value>, stream: &Stream) -> RejectionCause {
    match record.get(&stream.id) {
        None | Some(Value::Null) => return RejectionCause::MissingId,
        Some(Value::Number(id)) if id.is_f64() => return RejectionCause::FractionalId,
        _ => {}
    }
    match record.get(&stream.time) {
        None | Some(Value::Null) => RejectionCause::MissingTime,
        Some(Value::Number(_)) => RejectionCause::NumericTime,
        Some(Value::String(time)) if time.parse::<f64>().is_ok() => RejectionCause::NumericTime,
        Some(Value::String(time))
            if time.parse::<jiff::civil::DateTime>().is_ok() && time.parse::<jiff::Timestamp>().is_err() =>
        {
            RejectionCause::TimeWithoutZone
        }
        _ => RejectionCause::Other,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use understudy_study::Source;

    use super::*;

    fn causes(lines: &[&str]) -> Vec<RejectionCause> {
        let study = understudy_study::parse(STUDY).expect("the declaration is valid");
        assert_eq!((study.horizon, &study.decisions_source), (SignedDuration::from_hours(1), &Source::Stdin));
        lines.iter().map(|line| RejectionCause::of_record(line.as_bytes(), &study.inputs)).collect()
    }

    const STUDY: &str = "study = \"s\"\ntime-zone = \"UTC\"\n[inputs]\nid = \"id\"\ntime = \"at\"\n[decisions]\n\
                         id = \"id\"\ntime = \"at\"\nhorizon = \"1h\"\n[sources]\nsnapshots = { file = \"a\" }\n\
                         decisions = { stdin = true }\n[[models]]\nname = \"m\"\nplugin = \"m\"\n[comparator]\n\
                         name = \"c\"\nplugin = \"c\"\n[[metrics]]\nname = \"k\"\nplugin = \"k\"\n[windows]\nevery = \"day\"\n";

    #[test]
    fn forms_of_sources_are_recognised() {
        use RejectionCause::*;
        for (cause, lines) in [
            (
                JsonArray,
                &[r#"[{"id":1},{"id":2}]"#, r#"[{"id":1},{"id":"#, r#"{"id":1,"x":{"y":[2]}},"#, "[ {"][..],
            ),
            (
                PrettyPrinted,
                &["{", "}", "},", "[", r#""id": "s1","#, r#""x": {"#, r#""x": ["#, r#""at": "2026""#][..],
            ),
            (RecordSeparators, &["\u{1e}{\"id\":1}"][..]),
            (CarriageReturns, &["{\"id\":1}\r{\"id\":2}", "{\"id\":1}\r{\"id\""][..]),
            (WideText, &["{\0\"\0i\0d\0\"\0", "\0}\0", "\0\0\0{\0\0\0\"\0\0\0}"][..]),
            (DelimitedText, &["id,at,room", "1;2026-03-01T10:00:00Z;a", "\"a\",\"b\"", "1\t2"][..]),
            (OtherNotation, &[r#"{"id":"1","x":NaN}"#, "{'id': 1}", r#"{"id":1,"x":None}"#][..]),
            (MissingId, &[r#"{"at":"2026-03-01T10:00:00Z"}"#, r#"{"id":null}"#][..]),
            (FractionalId, &[r#"{"id":1.0,"at":"2026-03-01T10:00:00Z"}"#, r#"{"id":1e3}"#][..]),
            (MissingTime, &[r#"{"id":1}"#, r#"{"id":1,"at":null}"#][..]),
            (NumericTime, &[r#"{"id":1,"at":1772359200}"#, r#"{"id":1,"at":"1772359200000"}"#][..]),
            (
                TimeWithoutZone,
                &[r#"{"id":1,"at":"2026-03-01T10:00:00"}"#, r#"{"id":1,"at":"2026-03-01 10:00"}"#][..],
            ),
            (Other, &[r#"{"id":1,"at":"yesterday"}"#, "17", "true", "", "}{", "hello"][..]),
        ] {
            assert_eq!(causes(lines), vec![cause; lines.len()], "{lines:?}");
        }
    }

    #[test]
    fn the_most_frequent_cause_is_first() {
        let study = understudy_study::parse(STUDY).expect("the declaration is valid");
        let mut counts = CauseCounts::default();
        for line in ["{", "\"id\": 1,", "\"at\": 2", "}", "hello"] {
            counts.add(line.as_bytes(), &study.inputs);
        }
        assert_eq!(counts.total(), 5);
        let list: Vec<_> = counts.list().iter().map(|count| (count.cause, count.records)).collect();
        assert_eq!(list, [(RejectionCause::PrettyPrinted, 4), (RejectionCause::Other, 1)]);
    }
}
