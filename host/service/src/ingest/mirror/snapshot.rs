//! Maps a mirrored request to the text of a snapshot, as the study declares.
//!
//! Invariants:
//! - The text is one line of JSON.
//! - The key of a missing part is omitted, so that the decoder names the missing field.
//! - The request's text is not changed, apart from JSON quoting and line breaks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;

use axum::http::header::CONTENT_ENCODING;
use axum::http::request::Parts;
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::PREFIX;
use crate::ingest::body::on_one_line;
use understudy_study::{Field, FieldKind, Mirror, RequestPart, Stream};

/// The snapshot of a request that arrived at `arrival`. A gzip body is decompressed up to `max_bytes`.
pub fn record(
    mirror: &Mirror,
    inputs: &Stream,
    head: &Parts,
    body: &[u8],
    max_bytes: usize,
    arrival: Timestamp,
) -> String {
    let uses_body = |part: &RequestPart| matches!(part, RequestPart::Body(_));
    let parts = [Some(&mirror.id), mirror.time.as_ref()].into_iter().flatten();
    let body = match parts.chain(mirror.fields.iter().map(|(_, part)| part)).any(uses_body) {
        true => decompressed(head, body, max_bytes),
        false => Cow::Borrowed(&b""[..]),
    };
    // Any request may be mirrored; JSON pointers into a body that is not JSON find nothing.
    let body: Option<&RawValue> = serde_json::from_slice(&body).ok();
    let request = MirroredRequest { head, body };
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
    record.0
}

/// The decompressed body; empty if its encoding is not supported, it is damaged, or it exceeds `max_bytes`.
fn decompressed<'b>(head: &Parts, body: &'b [u8], max_bytes: usize) -> Cow<'b, [u8]> {
    let encoding = head.headers.get(CONTENT_ENCODING).map_or(&b""[..], |encoding| encoding.as_bytes());
    if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
        return Cow::Borrowed(body);
    }
    let mut decompressed = Vec::new();
    let gzip = encoding.eq_ignore_ascii_case(b"gzip");
    let read =
        gzip.then(|| MultiGzDecoder::new(body).take(max_bytes as u64 + 1).read_to_end(&mut decompressed));
    match read {
        Some(Ok(read)) if read <= max_bytes => Cow::Owned(decompressed),
        _ => Cow::Borrowed(b""),
    }
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

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is valid JSON")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use jiff::SignedDuration;

    use super::*;

    fn body_part(text: &[&str]) -> RequestPart {
        RequestPart::Body(text.iter().map(|step| (*step).to_owned()).collect())
    }

    fn field(name: &str, kind: FieldKind, part: RequestPart) -> (Field, RequestPart) {
        (Field { name: name.to_owned(), kind }, part)
    }

    fn inputs() -> Stream {
        Stream {
            id: "id".to_owned(),
            time: "at".to_owned(),
            lateness: SignedDuration::ZERO,
            fields: Vec::new(),
        }
    }

    fn mirror(fields: Vec<(Field, RequestPart)>) -> Mirror {
        Mirror { id: RequestPart::Header("x-request-id".to_owned()), time: None, fields }
    }

    fn mapped(mirror: &Mirror, uri: &str, headers: &[(&str, &[u8])], body: &[u8]) -> String {
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        record(mirror, &inputs(), &head, body, 1000, Timestamp::UNIX_EPOCH)
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
        for body in [&b""[..], b"not JSON", b"\xff\xfe", b"{\"a\":", b"{\"list\":[1,2]}", b"[1]", b"7"] {
            assert_eq!(mapped(&mirror, "/v1/mirror/", &[], body), r#"{"at":"1970-01-01T00:00:00Z"}"#);
        }
    }

    #[test]
    fn a_deeply_nested_body_is_mapped() {
        let deep = [&b"["[..]; 100_000].concat();
        let body = [b"{\"a\":1,\"b\":".as_slice(), &deep, &[&b"]"[..]; 100_000].concat(), b"}"].concat();
        let mirror = mirror(vec![field("a", FieldKind::Integer, body_part(&["a"]))]);
        assert_eq!(mapped(&mirror, "/", &[], &body), r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
    }

    #[test]
    fn a_gzip_body_is_decompressed_up_to_its_limit() {
        use std::io::Write as _;
        let pack = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let mirror = mirror(vec![field("a", FieldKind::Integer, body_part(&["a"]))]);
        let gzip: [(&str, &[u8]); 1] = [("content-encoding", b"gzip")];
        let small = mapped(&mirror, "/", &gzip, &pack("{\"a\":1}"));
        assert_eq!(small, r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
        let bomb = pack(&format!("{{\"a\":1{}}}", " ".repeat(10_000)));
        assert!(bomb.len() < 1000);
        for body in [&bomb[..], &bomb[..bomb.len() / 2], b"{\"a\":1}"] {
            assert_eq!(mapped(&mirror, "/", &gzip, body), r#"{"at":"1970-01-01T00:00:00Z"}"#);
        }
    }

    #[test]
    fn invalid_utf_8_in_a_header_is_replaced() {
        let mirror = mirror(Vec::new());
        let record = mapped(&mirror, "/", &[("x-request-id", b"a\xffb\"")], b"");
        assert_eq!(record, "{\"id\":\"a\u{fffd}b\\\"\",\"at\":\"1970-01-01T00:00:00Z\"}");
    }
}
