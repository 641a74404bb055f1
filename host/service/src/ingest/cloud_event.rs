//! CloudEvents 1.0 as records: in structured mode, where the event is JSON, and in binary mode, where its
//! attributes are headers and the body is its data.
//!
//! Invariants:
//! - The event's id and time apply where its data has none under the study's keys; null is none.
//! - A fault of an event is a fault of its record alone.

use std::borrow::Cow;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use crate::ingest::json_object::{JsonObject, NotAnObject, quoted};
use understudy_sources::without_byte_order_mark;
use understudy_study::Stream;

/// The header that makes a request an event in binary mode.
const SPEC_VERSION: &str = "ce-specversion";

/// Id and time of an event in binary mode. Each is JSON, or a fault that matters only where the data has no
/// value of its own; `None` if the header is absent.
pub struct HeaderEvent {
    id: Option<Result<String, String>>,
    time: Option<Result<String, String>>,
}

impl HeaderEvent {
    /// The event in the headers of a request, if it is one.
    pub fn from_headers(headers: &HeaderMap) -> Option<HeaderEvent> {
        let attribute = |name: &str| {
            let value = decode_header_value(headers.get(name)?.as_bytes());
            Some(value.map(|text| quoted(&text)).map_err(|fault| format!("the header `{name}` {fault}")))
        };
        let is_event = headers.contains_key(SPEC_VERSION);
        is_event.then(|| HeaderEvent { id: attribute("ce-id"), time: attribute("ce-time") })
    }

    /// The record in the event's data, which is the body.
    ///
    /// # Errors
    /// The fault of the event. The decoder of records finds those of the record.
    pub fn record(&self, body: &str, stream: &Stream) -> Result<String, String> {
        with_id_and_time(body, stream, || attribute(&self.id), || attribute(&self.time))
    }
}

/// A header's value, where it is used.
fn attribute(header: &Option<Result<String, String>>) -> Result<Option<&str>, String> {
    header.as_ref().map(|value| value.as_deref().map_err(Clone::clone)).transpose()
}

/// The record in the data of an event in structured mode:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.
///
/// # Errors
/// The fault of the event. The decoder of records finds those of the record.
pub fn structured_record(text: &str, stream: &Stream) -> Result<String, String> {
    let event = match JsonObject::parse(text) {
        Ok(event) => event,
        Err(NotAnObject::Other(kind)) => return Err(format!("the event is {kind}, expected an object")),
        Err(NotAnObject::Malformed) => return Ok(text.to_owned()),
    };
    let decoded;
    let data = match (event.value("data"), event.value("data_base64")) {
        (Some(data), _) => data,
        (None, Some(encoded)) => {
            decoded = decode_data(encoded)?;
            &decoded
        }
        (None, None) => return Err("the event has no data".to_owned()),
    };
    if data.trim().is_empty() {
        return Err("the event's data is empty".to_owned());
    }
    with_id_and_time(data, stream, || Ok(event.value("id")), || Ok(event.value("time")))
}

/// The text in `data_base64`, a JSON string.
fn decode_data(encoded: &str) -> Result<String, String> {
    let encoded: String =
        serde_json::from_str(encoded).map_err(|_| "the event's `data_base64` is not a string".to_owned())?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| format!("the event's `data_base64` is not base64: {error}"))?;
    String::from_utf8(without_byte_order_mark(&bytes).to_vec())
        .map_err(|_| "the event's `data_base64` is not UTF-8".to_owned())
}

/// A record with the id and the time of its event under the stream's keys, where it has none of its own.
fn with_id_and_time<'e>(
    data: &str,
    stream: &Stream,
    id: impl FnOnce() -> Result<Option<&'e str>, String>,
    time: impl FnOnce() -> Result<Option<&'e str>, String>,
) -> Result<String, String> {
    let record = match JsonObject::parse(data) {
        Ok(record) => record,
        Err(NotAnObject::Other(kind)) => {
            return Err(format!("the event's data is {kind}, expected an object"));
        }
        Err(NotAnObject::Malformed) => return Ok(data.to_owned()),
    };
    let mut added = Vec::new();
    if record.value(&stream.id).is_none() {
        added.extend(id()?.map(|id| (stream.id.as_str(), id)));
    }
    if record.value(&stream.time).is_none() {
        added.extend(time()?.map(|time| (stream.time.as_str(), time)));
    }
    Ok(if added.is_empty() { data.to_owned() } else { record.with_replaced(&added) })
}

/// The text of a header value: quotes are removed, then percent signs are decoded once:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values>.
fn decode_header_value(value: &[u8]) -> Result<String, String> {
    let value = value.trim_ascii();
    if !value.is_ascii() {
        return Err("has bytes outside of ASCII; percent-encode its value".to_owned());
    }
    let text = percent_decode(&unquoted(value)).decode_utf8().map(Cow::into_owned);
    text.map_err(|_| "is not UTF-8 after percent-decoding".to_owned())
}

/// The content of a quoted string; any other value as it is: RFC 9110, section 5.6.4.
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(value);
    };
    let mut content = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        content.extend(if byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    Cow::Owned(content)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::ingest::test_support::stream;

    fn structured(event: &str) -> Result<String, String> {
        structured_record(event, &stream())
    }

    fn binary(headers: &[(&'static str, &[u8])], body: &str) -> Result<String, String> {
        let mut map = HeaderMap::new();
        map.insert(SPEC_VERSION, HeaderValue::from_static("1.0"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_bytes(value).unwrap());
        }
        HeaderEvent::from_headers(&map).unwrap().record(body, &stream())
    }

    #[test]
    fn the_id_and_time_of_the_event_apply_where_the_data_has_none() {
        let event = |data: &str| structured(&format!(r#"{{"id":"e","time":"T","data":{data}}}"#)).unwrap();
        assert_eq!(event(r#"{"a":1}"#), r#"{"id":"e","at":"T","a":1}"#);
        assert_eq!(event(r#"{ "id": "d", "at": "U" }"#), r#"{ "id": "d", "at": "U" }"#);
        assert_eq!(event(r#"{"at":"U"}"#), r#"{"id":"e","at":"U"}"#);
        assert_eq!(event("{}"), r#"{"id":"e","at":"T"}"#);
        // Null is none, wherever it is, and the last value of a key wins.
        assert_eq!(event(r#"{"id":null,"at":null,"a":1}"#), r#"{"id":"e","at":"T","a":1}"#);
        assert_eq!(event(r#"{"id":"d","a":1,"id":null}"#), r#"{"id":"e","at":"T","a":1}"#);
        assert_eq!(event(r#"{"id":null,"at":"U","id":"d"}"#), r#"{"id":null,"at":"U","id":"d"}"#);
        assert_eq!(structured(r#"{"id":null,"data":{"a":1}}"#).unwrap(), r#"{"a":1}"#);
    }

    #[test]
    fn the_last_of_repeated_attributes_wins() {
        let event = r#"{"id":"x","id":"y","time":"S","data":{"a":0},"time":"T","data":{"a":1}}"#;
        assert_eq!(structured(event).unwrap(), r#"{"id":"y","at":"T","a":1}"#);
        let twice = r#"{"data_base64":"e30=","id":"x","data_base64":"eyJhIjoxfQ=="}"#;
        assert_eq!(structured(twice).unwrap(), r#"{"id":"x","a":1}"#);
        let null = r#"{"data":{"a":0},"data":null,"id":"x","data_base64":"eyJhIjoxfQ=="}"#;
        assert_eq!(structured(null).unwrap(), r#"{"id":"x","a":1}"#);
    }

    #[test]
    fn a_byte_order_mark_in_base64_is_passed_over() {
        let encoded = STANDARD.encode("\u{feff}{\"a\":1}");
        let event = format!(r#"{{"id":"x","data_base64":"{encoded}"}}"#);
        assert_eq!(structured(&event).unwrap(), r#"{"id":"x","a":1}"#);
    }

    #[test]
    fn faults_of_an_event_are_named() {
        let empty = STANDARD.encode("\u{feff} ");
        let events = [
            r#"{"id":"x"}"#.to_owned(),
            r#"{"id":"x","data":null}"#.to_owned(),
            r#"{"id":"x","data":"{\"a\":1}"}"#.to_owned(),
            r#"{"id":"x","data":[{"a":1}]}"#.to_owned(),
            r#"{"id":"x","data_base64":1}"#.to_owned(),
            r#"{"id":"x","data_base64":"-"}"#.to_owned(),
            r#"{"id":"x","data_base64":"/w=="}"#.to_owned(),
            format!(r#"{{"id":"x","data_base64":"{empty}"}}"#),
            "7".to_owned(),
        ];
        let faults: Vec<String> = events.iter().map(|event| structured(event).unwrap_err()).collect();
        insta::assert_snapshot!(faults.join("\n"), @r"
        the event has no data
        the event has no data
        the event's data is a string, expected an object
        the event's data is an array, expected an object
        the event's `data_base64` is not a string
        the event's `data_base64` is not base64: Invalid symbol 45, offset 0.
        the event's `data_base64` is not UTF-8
        the event's data is empty
        the event is a number, expected an object
        ");
    }

    /// The decoder of records says why they are not JSON.
    #[test]
    fn malformed_events_are_records() {
        for text in [r#"{"id":"x","data":{"a":NaN}}"#, r#"{"id":"x","data":"#, "<event/>"] {
            assert_eq!(structured(text).unwrap(), text);
        }
        assert_eq!(binary(&[("ce-id", b"x")], "{\"a\":").unwrap(), "{\"a\":");
    }

    #[test]
    fn header_values_are_unquoted_and_percent_decoded_once() {
        let id = |value: &[u8]| binary(&[("ce-id", value)], r#"{"id":null,"a":1}"#);
        let wanted = |id: &str| Ok(format!(r#"{{"id":{},"a":1}}"#, quoted(id)));
        assert_eq!(id(b"plain"), wanted("plain"));
        assert_eq!(id(b"a%20b"), wanted("a b"));
        assert_eq!(id(b"Euro%20%E2%82%AC%20%F0%9F%98%80"), wanted("Euro \u{20ac} \u{1f600}"));
        assert_eq!(id(b"%41%2520"), wanted("A%20"));
        assert_eq!(id(b"100%"), wanted("100%"));
        assert_eq!(id(br#""a b""#), wanted("a b"));
        assert_eq!(id(br#""say \"%22\\""#), wanted("say \"\"\\"));
        assert_eq!(id(b"\"open"), wanted("\"open"));
        assert_eq!(id(b"\""), wanted("\""));
    }

    #[test]
    fn header_values_that_are_not_text_are_named() {
        let time: (&str, &[u8]) = ("ce-time", b"2026-03-01T10%3A00%3A00Z");
        let id = |value: &'static [u8]| binary(&[("ce-id", value), time], r#"{"a":1}"#).unwrap_err();
        insta::assert_snapshot!(id("Zo\u{eb}".as_bytes()), @"the header `ce-id` has bytes outside of ASCII; percent-encode its value");
        insta::assert_snapshot!(id(b"%C0%A0"), @"the header `ce-id` is not UTF-8 after percent-decoding");
        // The data has an id, so that the header is not used.
        let own = binary(&[("ce-id", b"\xff"), time], r#"{"id":"d"}"#).unwrap();
        assert_eq!(own, r#"{"at":"2026-03-01T10:00:00Z","id":"d"}"#);
        insta::assert_snapshot!(binary(&[time], "[]").unwrap_err(), @"the event's data is an array, expected an object");
    }
}
