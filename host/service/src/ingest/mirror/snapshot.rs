//! Maps a mirrored request to the text of a snapshot, as the study declares.
//!
//! Invariants:
//! - The text is one line of JSON.
//! - The key of a missing part is omitted, so that the decoder names the missing field.
//! - A body that a declared part needs and that cannot be read is a fault, and never a missing part: otherwise
//!   the model would be blamed for what the mirror could not read.
//! - The request's text is not changed, apart from JSON quoting and line breaks.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::PREFIX;
use crate::ingest::body::on_one_line;
use crate::ingest::content_encoding::{ContentEncoding, DecompressError, SUPPORTED_ENCODINGS};
use crate::ingest::json_object::quoted;
use crate::util::excerpt::excerpt;
use understudy_sources::without_byte_order_mark;
use understudy_study::{Field, FieldKind, Mirror, RequestPart, Stream};

/// A mirrored request as a record.
#[derive(Debug, PartialEq, Eq)]
pub struct MirroredRecord {
    /// The text of the snapshot. It lacks the parts of a body that cannot be read.
    pub text: String,
    /// Why the body cannot be read, if the study declares a part of it.
    pub fault: Option<String>,
}

/// The snapshot of a request that arrived at `arrival`. `body` is as received, or says why it was not received
/// as a whole. It is decompressed up to `max_bytes`.
pub fn record(
    mirror: &Mirror,
    inputs: &Stream,
    head: &Parts,
    body: Result<&[u8], String>,
    max_bytes: usize,
    arrival: Timestamp,
) -> MirroredRecord {
    let key = body_key(mirror, inputs);
    let text = body.and_then(|body| match key {
        Some(_) => json_text(head, body, max_bytes),
        None => Ok(Cow::Borrowed("null")),
    });
    let value: Result<&RawValue, String> = text.as_ref().map_err(Clone::clone).and_then(|text| {
        serde_json::from_str(text).map_err(|error| format!("{}is not JSON: {error}", content_type(head)))
    });
    let fault = match (key, &value) {
        (Some(key), Err(why)) => {
            Some(format!("cannot read `{key}` from the body of the mirrored request: the body {why}"))
        }
        _ => None,
    };
    let request = MirroredRequest { head, body: value.ok() };
    let mut record = JsonObject::default();
    record.add(&inputs.id, request.value(&mirror.id, FieldKind::Text));
    record.add(
        &inputs.time,
        match &mirror.time {
            None => Some(quoted(&arrival.to_string())),
            Some(part) => request.value(part, FieldKind::Text),
        },
    );
    for (Field { name, kind }, part) in &mirror.fields {
        record.add(name, request.value(part, *kind));
    }
    record.0.push('}');
    MirroredRecord { text: record.0, fault }
}

/// The first key of the snapshot that is a part of the body, if there is one.
fn body_key<'m>(mirror: &'m Mirror, inputs: &'m Stream) -> Option<&'m str> {
    let own = [(&inputs.id, Some(&mirror.id)), (&inputs.time, mirror.time.as_ref())];
    let fields = mirror.fields.iter().map(|(field, part)| (&field.name, Some(part)));
    let is_body = |part: Option<&RequestPart>| matches!(part, Some(RequestPart::Body(_)));
    own.into_iter().chain(fields).find(|(_, part)| is_body(*part)).map(|(key, _)| key.as_str())
}

/// The decompressed text of a body.
///
/// # Errors
/// What is wrong with the body, as a predicate.
fn json_text<'b>(head: &Parts, body: &'b [u8], max_bytes: usize) -> Result<Cow<'b, str>, String> {
    let encoding = ContentEncoding::from_headers(&head.headers).map_err(|declared| {
        let declared = excerpt(&declared);
        format!("has the unsupported Content-Encoding `{declared}`; mirror it with {SUPPORTED_ENCODINGS}")
    })?;
    let text = encoding.decompress(body, max_bytes).map_err(|error| match error {
        DecompressError::TooLarge => {
            format!("exceeds {max_bytes} bytes after decompression as {encoding}, see --max-body-mib")
        }
        DecompressError::Damaged(why) => format!("is not valid {encoding}: {why}"),
    })?;
    let not_utf8 = |valid: usize| format!("{}is not UTF-8: invalid byte {}", content_type(head), valid + 1);
    let text = match text {
        Cow::Borrowed(text) => std::str::from_utf8(without_byte_order_mark(text))
            .map(Cow::Borrowed)
            .map_err(|error| not_utf8(error.valid_up_to()))?,
        Cow::Owned(text) => String::from_utf8(without_byte_order_mark(&text).to_vec())
            .map(Cow::Owned)
            .map_err(|error| not_utf8(error.utf8_error().valid_up_to()))?,
    };
    if text.trim_ascii().is_empty() {
        return Err("is empty; keep requests without a body out of the mirror".to_owned());
    }
    Ok(text)
}

/// The declared type of a body for a message, such as `of type text/html `; empty without one.
fn content_type(head: &Parts) -> String {
    let declared = head.headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    declared.map(|declared| format!("of type `{}` ", excerpt(&declared))).unwrap_or_default()
}

/// A JSON object under construction, without its closing brace.
struct JsonObject(String);

impl Default for JsonObject {
    fn default() -> JsonObject {
        JsonObject("{".to_owned())
    }
}

impl JsonObject {
    /// Adds a key with its JSON value; nothing if there is no value.
    fn add(&mut self, key: &str, value: Option<String>) {
        let Some(value) = value else { return };
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(&value);
    }
}

/// A mirrored request, with its body if that is JSON.
struct MirroredRequest<'r> {
    head: &'r Parts,
    body: Option<&'r RawValue>,
}

impl MirroredRequest<'_> {
    /// A part as JSON. Text becomes a number or boolean if the field has that kind and the text parses as
    /// one. Other text stays text, and the decoder rejects it if the kind does not match.
    fn value(&self, part: &RequestPart, kind: FieldKind) -> Option<String> {
        let text = match part {
            RequestPart::Body(steps) => {
                let value = steps.iter().try_fold(self.body?, |value, step| child(value, step))?;
                let line = on_one_line(value.get().as_bytes());
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            RequestPart::Method => Cow::Borrowed(self.head.method.as_str()),
            RequestPart::Path => {
                let path = self.head.uri.path();
                Cow::Borrowed(path.strip_prefix(PREFIX).unwrap_or(path))
            }
            RequestPart::Query(name) => {
                let query = self.head.uri.query()?.as_bytes();
                form_urlencoded::parse(query).find(|(own, _)| own == name)?.1
            }
            RequestPart::Header(name) => String::from_utf8_lossy(self.head.headers.get(name)?.as_bytes()),
        };
        let is_literal = match kind {
            FieldKind::Integer => text.parse::<i64>().is_ok() && is_json_number(&text),
            FieldKind::Number => text.parse::<f64>().is_ok_and(f64::is_finite) && is_json_number(&text),
            FieldKind::Boolean => matches!(&*text, "true" | "false"),
            FieldKind::Text | FieldKind::Timestamp | FieldKind::Json => false,
        };
        Some(if is_literal { text.into_owned() } else { quoted(&text) })
    }
}

/// The value at one step of a JSON pointer.
fn child<'v>(value: &'v RawValue, step: &str) -> Option<&'v RawValue> {
    let text = value.get();
    if text.starts_with('[') {
        // An index has no leading zero and no sign: RFC 6901, section 4.
        let index: usize = step.parse().ok().filter(|index: &usize| index.to_string() == step)?;
        return serde_json::from_str::<Vec<&RawValue>>(text).ok()?.get(index).copied();
    }
    let keys: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    keys.get(step).copied()
}

/// Whether text is a number in JSON syntax, unlike `007` and `+1`.
fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|value| value.get() == text)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::ingest::test_support::stream;

    fn body_part(text: &[&str]) -> RequestPart {
        RequestPart::Body(text.iter().map(|step| (*step).to_owned()).collect())
    }

    fn field(name: &str, kind: FieldKind, part: RequestPart) -> (Field, RequestPart) {
        (Field { name: name.to_owned(), kind }, part)
    }

    fn mirror(fields: Vec<(Field, RequestPart)>) -> Mirror {
        Mirror { id: RequestPart::Header("x-request-id".to_owned()), time: None, fields }
    }

    fn mapped(mirror: &Mirror, uri: &str, headers: &[(&str, &[u8])], body: &[u8]) -> String {
        let record = mapped_or_fault(mirror, uri, headers, Ok(body));
        assert_eq!(record.fault, None);
        record.text
    }

    fn mapped_or_fault(
        mirror: &Mirror,
        uri: &str,
        headers: &[(&str, &[u8])],
        body: Result<&[u8], String>,
    ) -> MirroredRecord {
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        record(mirror, &stream(), &head, body, 1000, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_part_is_converted_to_the_kind_of_its_field() {
        let mirror = mirror(vec![
            field("path", FieldKind::Text, RequestPart::Path),
            field("method", FieldKind::Text, RequestPart::Method),
            field("room", FieldKind::Text, body_part(&["booking", "rooms", "1"])),
            field("nights", FieldKind::Integer, RequestPart::Query("nights".to_owned())),
            field("rate", FieldKind::Number, RequestPart::Header("x-rate".to_owned())),
            field("member", FieldKind::Boolean, RequestPart::Query("member".to_owned())),
            field("all", FieldKind::Json, body_part(&[])),
        ]);
        let headers: [(&str, &[u8]); 2] = [("X-Request-Id", b"7"), ("X-Rate", b"1.50")];
        let body = b"{ \"booking\": {\n\"rooms\": [1, \"b\"] } }";
        let record = mapped(&mirror, "/v1/mirror/book/a%20b?member=true&nights=3&nights=4", &headers, body);
        insta::assert_snapshot!(record, @r#"{"id":"7","at":"1970-01-01T00:00:00Z","path":"/book/a%20b","method":"POST","room":"b","nights":3,"rate":1.50,"member":true,"all":{ "booking": { "rooms": [1, "b"] } }}"#);
    }

    #[test]
    fn text_that_does_not_parse_as_the_kind_stays_text() {
        let query = |name: &str| RequestPart::Query(name.to_owned());
        let mirror = mirror(vec![
            field("a", FieldKind::Integer, query("a")),
            field("b", FieldKind::Number, query("b")),
            field("c", FieldKind::Boolean, query("c")),
            field("d", FieldKind::Json, query("d")),
            field("e", FieldKind::Integer, query("e")),
        ]);
        let record = mapped(&mirror, "/v1/mirror?a=007&b=NaN&c=True&d=%7B%7D&e=1%2C%22x%22%3A2", &[], b"");
        insta::assert_snapshot!(record, @r#"{"at":"1970-01-01T00:00:00Z","a":"007","b":"NaN","c":"True","d":"{}","e":"1,\"x\":2"}"#);
    }

    #[test]
    fn missing_parts_are_omitted() {
        let mirror = mirror(vec![
            field("a", FieldKind::Text, body_part(&["a"])),
            field("b", FieldKind::Text, body_part(&["list", "01"])),
            field("c", FieldKind::Text, RequestPart::Header("x-none".to_owned())),
        ]);
        for body in [&b"{}"[..], b"{\"list\":[1,2]}", b"[1]", b"7", b"null", b"\xef\xbb\xbf {}"] {
            assert_eq!(mapped(&mirror, "/v1/mirror/", &[], body), r#"{"at":"1970-01-01T00:00:00Z"}"#);
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let mirror = mirror(vec![field("a", FieldKind::Text, body_part(&["a"]))]);
        let wanted = r#"{"at":"1970-01-01T00:00:00Z","a":"b"}"#;
        let body = "\u{feff}{\"a\":\"b\"}".as_bytes();
        assert_eq!(mapped(&mirror, "/", &[], body), wanted);
        let packed = zstd::encode_all(body, 0).unwrap();
        assert_eq!(mapped(&mirror, "/", &[("content-encoding", b"zstd")], &packed), wanted);
    }

    #[test]
    fn a_body_that_a_field_needs_and_that_cannot_be_read_is_a_fault() {
        let mirror = mirror(vec![
            field("a", FieldKind::Text, RequestPart::Query("a".to_owned())),
            field("b", FieldKind::Text, body_part(&["b"])),
            field("c", FieldKind::Text, body_part(&["c"])),
        ]);
        let fault = |headers: &[(&str, &[u8])], body: Result<&[u8], String>| {
            let record = mapped_or_fault(&mirror, "/v1/mirror/?a=x", headers, body);
            assert_eq!(record.text, r#"{"at":"1970-01-01T00:00:00Z","a":"x"}"#);
            record.fault.unwrap()
        };
        let bomb = zstd::encode_all(&[b' '; 10_000][..], 0).unwrap();
        let faults = [
            fault(&[], Ok(b"")),
            fault(&[], Ok(b" \n")),
            fault(&[("content-type", b"application/x-www-form-urlencoded")], Ok(b"b=x")),
            fault(&[("content-type", b"application/json")], Ok(b"{\"b\":")),
            fault(&[], Ok(b"{\"b\":1} {\"b\":2}")),
            fault(&[("content-type", b"application/json; charset=utf-16")], Ok(b"\xff\xfe{\0}\0")),
            fault(&[("content-encoding", b"br")], Ok(b"x")),
            fault(&[("content-encoding", b"gzip, br")], Ok(b"x")),
            fault(&[("content-encoding", b"gzip")], Ok(b"{\"b\":1}")),
            fault(&[("content-encoding", b"deflate")], Ok(b"{\"b\":1}")),
            fault(&[("content-encoding", b"zstd")], Ok(&bomb)),
            fault(&[], Err("exceeds 1000 bytes".to_owned())),
        ];
        insta::assert_snapshot!(faults.join("\n"));
    }

    #[test]
    fn a_body_that_no_field_needs_has_no_fault() {
        let mirror = mirror(vec![field("path", FieldKind::Text, RequestPart::Path)]);
        for body in [Ok(&b"<x/>"[..]), Ok(b""), Err("exceeds 1000 bytes".to_owned())] {
            let record = mapped_or_fault(&mirror, "/v1/mirror/a", &[("content-encoding", b"br")], body);
            let text = r#"{"at":"1970-01-01T00:00:00Z","path":"/a"}"#.to_owned();
            assert_eq!(record, MirroredRecord { text, fault: None });
        }
    }

    #[test]
    fn a_deeply_nested_body_is_mapped() {
        let deep = b"[".repeat(100_000);
        let body = [b"{\"a\":1,\"b\":".as_slice(), &deep, &b"]".repeat(100_000), b"}"].concat();
        let mirror = mirror(vec![field("a", FieldKind::Integer, body_part(&["a"]))]);
        assert_eq!(mapped(&mirror, "/", &[], &body), r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
    }

    #[test]
    fn a_compressed_body_is_mapped() {
        use std::io::Write as _;
        let body = b"{\"a\":1}";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(body).unwrap();
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        deflate.write_all(body).unwrap();
        let mirror = mirror(vec![field("a", FieldKind::Integer, body_part(&["a"]))]);
        for (encoding, packed) in [
            (&b"gzip"[..], gzip.finish().unwrap()),
            (b"deflate", deflate.finish().unwrap()),
            (b"ZSTD", zstd::encode_all(&body[..], 0).unwrap()),
        ] {
            let mapped = mapped(&mirror, "/", &[("content-encoding", encoding)], &packed);
            assert_eq!(mapped, r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
        }
    }

    #[test]
    fn invalid_utf_8_in_a_header_is_replaced() {
        let mirror = mirror(Vec::new());
        let record = mapped(&mirror, "/", &[("x-request-id", b"a\xffb\"")], b"");
        assert_eq!(record, "{\"id\":\"a\u{fffd}b\\\"\",\"at\":\"1970-01-01T00:00:00Z\"}");
    }
}
