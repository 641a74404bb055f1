//! Splits a request body into records: one JSON object, a JSON array, JSON Lines, or CloudEvents; plain or
//! compressed.
//!
//! Invariants:
//! - Every record of a body becomes one line, in order.
//! - A record that cannot be read becomes one broken line, so that it is counted and stored. It does not
//!   affect the other records of the body.

use std::borrow::Cow;

use axum::http::{HeaderMap, StatusCode};

use crate::http::response::Problem;
use crate::ingest::array_items::{ArrayItem, ArrayItems};
use crate::ingest::cloud_event::{HeaderEvent, structured_record};
use crate::ingest::content_encoding::{ContentEncoding, DecompressError, SUPPORTED_ENCODINGS};
use crate::ingest::json_object::json_type_name;
use crate::ingest::media_type::MediaKind;
use crate::util::excerpt::excerpt;
use understudy_records::batch::Lines;
use understudy_sources::{push_line, without_byte_order_mark};
use understudy_study::Stream;

/// The format of a body, from its headers.
pub struct BodyFormat {
    media: MediaKind,
    encoding: ContentEncoding,
    /// The CloudEvent in binary mode whose data is the body, if it is one.
    event: Option<HeaderEvent>,
}

impl BodyFormat {
    /// Reads `Content-Type`, `Content-Encoding` and the CloudEvents headers.
    ///
    /// # Errors
    /// 415 if a format is not supported.
    pub fn from_headers(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
        let media = MediaKind::from_headers(headers).map_err(unsupported_format)?;
        let event = HeaderEvent::from_headers(headers).filter(|_| media == MediaKind::Json);
        Ok(BodyFormat { media, encoding: declared_encoding(headers)?, event })
    }

    /// Reads `Content-Type` and `Content-Encoding` of a body that is one JSON value and no record.
    ///
    /// # Errors
    /// 415 if the body is not declared as JSON, or a format is not supported.
    pub fn json_from_headers(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
        let media = MediaKind::json_from_headers(headers).map_err(unsupported_format)?;
        Ok(BodyFormat { media, encoding: declared_encoding(headers)?, event: None })
    }

    /// The decompressed body.
    ///
    /// # Errors
    /// 413 if it exceeds `limit` bytes, 422 if it is not valid in its encoding.
    pub fn decompress<'b>(&self, body: &'b [u8], limit: usize) -> Result<Cow<'b, [u8]>, Problem> {
        self.encoding.decompress(body, limit).map_err(|error| match error {
            DecompressError::TooLarge => Problem::too_large(limit),
            DecompressError::Damaged(why) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid compression",
                format!(
                    "cannot decompress the body as {}: {why}; nothing was accepted, compress it again",
                    self.encoding
                ),
            ),
        })
    }

    /// The records of a body, in batches. `stream` names the keys of id and time.
    ///
    /// # Errors
    /// 413 if the body has more records than `limits` allow.
    pub fn split_records(
        &self,
        body: &[u8],
        stream: &Stream,
        limits: SplitLimits,
    ) -> Result<Vec<Lines>, Problem> {
        let body = without_byte_order_mark(body);
        let mut records = RecordBatches { batches: Vec::new(), limits, count: 0 };
        match (self.media, &self.event) {
            (MediaKind::Lines, _) => {
                body.split(|byte| *byte == b'\n')
                    .for_each(|line| records.push(without_byte_order_mark(line)));
            }
            (MediaKind::Json, Some(event)) => records.push_event(body, |data| event.record(data, stream)),
            (MediaKind::Json, None) => match ArrayItems::new(body) {
                Some(items) => items.for_each(|item| records.push_item(item)),
                None => records.push(body),
            },
            (MediaKind::Events, _) => match ArrayItems::new(body) {
                Some(items) => items.for_each(|item| match item.fault {
                    Some(_) => records.push_item(item),
                    None => records.push_event(item.text, |event| structured_record(event, stream)),
                }),
                None => records.push_event(body, |event| structured_record(event, stream)),
            },
        }
        if records.count > limits.max_records {
            let max = limits.max_records;
            let detail = format!("the body has more than {max} records; send several requests");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too many records", detail));
        }
        records.batches.retain(|batch| !batch.is_empty());
        Ok(records.batches)
    }
}

/// The problem of a format that is not supported.
fn unsupported_format(detail: String) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported format", detail)
}

/// The encoding in `Content-Encoding`.
fn declared_encoding(headers: &HeaderMap) -> Result<ContentEncoding, Problem> {
    ContentEncoding::from_headers(headers).map_err(|declared| {
        let declared = excerpt(&declared);
        unsupported_format(format!("unsupported Content-Encoding `{declared}`; send {SUPPORTED_ENCODINGS}"))
    })
}

/// Limits of the records of a body.
#[derive(Clone, Copy, Debug)]
pub struct SplitLimits {
    /// Size of a record in bytes, beyond which it becomes a broken line.
    pub max_bytes: usize,
    /// Number of records of the largest batch.
    pub batch_rows: usize,
    /// Number of records of a body. It bounds the memory that a body of very short records takes.
    pub max_records: usize,
}

/// Records in batches of limited size.
struct RecordBatches {
    batches: Vec<Lines>,
    limits: SplitLimits,
    /// Number of records that were added, those beyond the limit included.
    count: usize,
}

impl RecordBatches {
    /// Adds a record; blank text is none.
    fn push(&mut self, text: &[u8]) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let max_bytes = self.limits.max_bytes;
        if let Some(batch) = self.next_batch() {
            push_line(batch, 1, 0, &on_one_line(text), max_bytes);
        }
    }

    /// Adds a record that cannot be read, with the reason.
    fn push_broken(&mut self, text: &[u8], fault: String) {
        let stored = &text[..text.len().min(self.limits.max_bytes)];
        if let Some(batch) = self.next_batch() {
            batch.push_broken(1, 0, &on_one_line(stored), fault);
        }
    }

    /// Adds an item of an array of records.
    fn push_item(&mut self, item: ArrayItem<'_>) {
        let text = std::str::from_utf8(item.text).unwrap_or_default();
        match (item.fault, json_type_name(text)) {
            (Some(fault), _) => self.push_broken(item.text, fault.to_owned()),
            (None, None | Some("an object")) => self.push(item.text),
            (None, Some(kind)) => {
                self.push_broken(item.text, format!("the item is {kind}, expected an object"));
            }
        }
    }

    /// Adds the record of an event; blank text is none.
    fn push_event(&mut self, text: &[u8], record: impl FnOnce(&str) -> Result<String, String>) {
        if text.trim_ascii().is_empty() {
            return;
        }
        let event = std::str::from_utf8(text);
        let event = event.map_err(|error| {
            format!("the event is not UTF-8: invalid byte at column {}", error.valid_up_to() + 1)
        });
        match event.and_then(record) {
            Ok(record) => self.push(record.as_bytes()),
            Err(fault) => self.push_broken(text, fault),
        }
    }

    /// The batch that takes the next record; `None` if the body has too many.
    fn next_batch(&mut self) -> Option<&mut Lines> {
        self.count += 1;
        if self.count > self.limits.max_records {
            return None;
        }
        if self.batches.last().is_none_or(|batch| batch.len() == self.limits.batch_rows) {
            self.batches.push(Lines::default());
        }
        self.batches.last_mut()
    }
}

/// A record without line breaks. JSON allows them only where it allows a space.
pub fn on_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr2(b'\n', b'\r', text) {
        None => Cow::Borrowed(text),
        Some(_) => text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::ingest::test_support::stream;

    /// The records of a body, each with its fault.
    fn split(headers: &[(&'static str, &'static str)], body: &[u8]) -> Vec<(String, Option<String>)> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let format = BodyFormat::from_headers(&headers.iter().map(header).collect()).unwrap();
        let batches = format.split_records(
            body,
            &stream(),
            SplitLimits { max_bytes: 60, batch_rows: 2, max_records: 10 },
        );
        let batches = batches.unwrap();
        assert!(batches.iter().all(|batch| (1..=2).contains(&batch.len())));
        let records = |batch: &Lines| {
            let record = |row| {
                let text = String::from_utf8_lossy(batch.text(row)).into_owned();
                (text, batch.fault(row).map(str::to_owned))
            };
            (0..batch.len()).map(record).collect::<Vec<_>>()
        };
        batches.iter().flat_map(records).collect()
    }

    fn sound(texts: &[&str]) -> Vec<(String, Option<String>)> {
        texts.iter().map(|text| ((*text).to_owned(), None)).collect()
    }

    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    const LINES: &[(&str, &str)] = &[("content-type", "application/x-ndjson")];
    const EVENTS: &[(&str, &str)] = &[("content-type", "application/cloudevents-batch+json")];
    const EVENT: &[(&str, &str)] = &[("content-type", "application/cloudevents+json")];

    #[test]
    fn a_fault_of_one_event_excludes_that_event() {
        let batch = br#"[{"id":"1","data":{"a":1}}, {"id":"2"}, 3, {"id":"4","data":[]}, {"id":NaN}, {"id":"6","data":{"a":2}}]"#;
        let records = split(EVENTS, batch);
        let mut table = String::new();
        for (text, fault) in &records {
            table.push_str(&format!("{text}  {}\n", fault.as_deref().unwrap_or("-")));
        }
        insta::assert_snapshot!(table, @r#"
        {"id":"1","a":1}  -
        {"id":"2"}  the event has no data
        3  the event is a number, expected an object
        {"id":"4","data":[]}  the event's data is an array, expected an object
        {"id":NaN}  -
        {"id":"6","a":2}  -
        "#);
    }

    #[test]
    fn a_fault_of_one_item_excludes_that_item() {
        let records = split(JSON, b"[{\"a\":1}, 7, \"x\", [], null, true, {\"a\":NaN}, {\"a\":2}, {\"a\":");
        let faults: Vec<_> = records.iter().map(|(_, fault)| fault.as_deref().unwrap_or("-")).collect();
        insta::assert_snapshot!(faults.join("\n"), @r"
        -
        the item is a number, expected an object
        the item is a string, expected an object
        the item is an array, expected an object
        the item is null, expected an object
        the item is a boolean, expected an object
        -
        -
        the array is cut off: it has no closing bracket
        ");
        assert_eq!(records[6].0, "{\"a\":NaN}");
    }

    #[test]
    fn one_event_and_an_array_of_events_are_told_apart_by_the_body() {
        let one = br#"{"id":"1","time":"T","data":{"a":1}}"#;
        let array = [b"[".as_slice(), one, b"]"].concat();
        for headers in [EVENT, EVENTS] {
            for body in [&one[..], &array] {
                assert_eq!(split(headers, body), sound(&[r#"{"id":"1","at":"T","a":1}"#]));
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_wherever_a_text_begins() {
        let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
        let event = r#"{"id":"1","data":{"a":1}}"#;
        let record = r#"{"id":"1","a":1}"#;
        assert_eq!(split(JSON, &marked(record)), sound(&[record]));
        assert_eq!(split(JSON, &marked(&format!("[{record},{record}]"))), sound(&[record; 2]));
        assert_eq!(split(EVENT, &marked(event)), sound(&[record]));
        assert_eq!(split(EVENTS, &marked(&format!(" [{event}]"))), sound(&[record]));
        let lines = [marked(record), b"\r\n".to_vec(), marked(record), b"\n".to_vec(), marked("")].concat();
        assert_eq!(split(LINES, &lines), sound(&[record; 2]));
        let binary = [JSON, &[("ce-specversion", "1.0"), ("ce-id", "1")]].concat();
        assert_eq!(split(&binary, &marked("{\"a\":1}")), sound(&[record]));
    }

    #[test]
    fn an_event_in_headers_is_one_record() {
        let headers = [JSON, &[("ce-specversion", "1.0"), ("ce-id", "a%20b"), ("ce-time", "T")]].concat();
        let null = br#"{"id":null,"at":null,"a":1}"#;
        assert_eq!(split(&headers, null), sound(&[r#"{"id":"a b","at":"T","a":1}"#]));
        let fault = Some("the event's data is an array, expected an object".to_owned());
        assert_eq!(split(&headers, b"[{},{}]"), [("[{},{}]".to_owned(), fault)]);
        assert_eq!(split(&headers, b" "), []);
    }

    #[test]
    fn long_records_are_cut() {
        let long = "x".repeat(100);
        for (headers, body) in [
            (JSON, format!("[{{\"a\":\"{long}\"}}, \"{long}\", {{}}]")),
            (
                EVENTS,
                format!("[{{\"data\":{{\"a\":\"{long}\"}}}}, {{\"id\":\"{long}\"}}, {{\"data\":{{}}}}]"),
            ),
        ] {
            let records = split(headers, body.as_bytes());
            let lengths: Vec<usize> = records.iter().map(|(text, _)| text.len()).collect();
            assert_eq!(lengths, [60, 60, 2], "{records:?}");
            assert!(records[0].1.as_ref().is_some_and(|fault| fault.contains("longer than 60 bytes")));
            assert!(records[1].1.is_some() && records[2].1.is_none());
        }
    }

    #[test]
    fn a_body_with_too_many_records_is_too_large() {
        let header = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let format = BodyFormat::from_headers(&[header].into_iter().collect()).unwrap();
        let limits = SplitLimits { max_bytes: 60, batch_rows: 2, max_records: 3 };
        let lengths = format.split_records(b"[{},{},{}]", &stream(), limits).unwrap();
        assert_eq!(lengths.iter().map(Lines::len).collect::<Vec<_>>(), [2, 1]);
        let problem = format.split_records(b"[{},0,{},{}]", &stream(), limits).unwrap_err();
        assert_eq!((problem.status, problem.retry), (413, false));
        insta::assert_snapshot!(problem.detail, @"the body has more than 3 records; send several requests");
    }

    #[test]
    fn a_body_without_records_has_none() {
        for (headers, body) in [
            (JSON, &b""[..]),
            (JSON, b"[]"),
            (JSON, b"\xef\xbb\xbf [ ] "),
            (LINES, b"\n \r\n"),
            (EVENTS, b"[]"),
            (EVENT, b" "),
        ] {
            assert_eq!(split(headers, body), []);
        }
    }

    #[test]
    fn unsupported_formats_are_named() {
        let problem = |headers: &[(HeaderName, &'static str)]| {
            let header =
                |(name, value): &(HeaderName, &'static str)| (name.clone(), HeaderValue::from_static(value));
            let problem = BodyFormat::from_headers(&headers.iter().map(header).collect()).err().unwrap();
            assert_eq!((problem.status, problem.retry), (415, false));
            problem.detail
        };
        let encoding = axum::http::header::CONTENT_ENCODING;
        let json = (CONTENT_TYPE, "application/json");
        insta::assert_snapshot!(problem(&[json.clone(), (encoding.clone(), "br")]), @"unsupported Content-Encoding `br`; send gzip, deflate, zstd, or none");
        insta::assert_snapshot!(problem(&[json, (encoding, "gzip, br")]), @"unsupported Content-Encoding `gzip, br`; send gzip, deflate, zstd, or none");
        insta::assert_snapshot!(problem(&[(CONTENT_TYPE, "application/json; charset=latin1")]), @"unsupported charset `latin1`; send the body in UTF-8");
    }
}
