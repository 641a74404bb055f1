//! A mirrored request as the text of a snapshot, by the mapping that the study declares.
//!
//! Always holds: the text is one line of JSON; a part that the request does not have leaves its key out, so that the decoder
//! says what is missing; nothing of the request's text is changed but by what is said here.

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
use understudy_study::{Field, Kind, Mirror, Part, Stream};

/// The snapshot of a request that came at a time. Of a body in gzip at most `most` bytes are unpacked.
pub fn record(
    mirror: &Mirror,
    inputs: &Stream,
    head: &Parts,
    body: &[u8],
    most: usize,
    arrival: Timestamp,
) -> String {
    let uses_body = |part: &Part| matches!(part, Part::Body(_));
    let parts = [Some(&mirror.id), mirror.time.as_ref()].into_iter().flatten();
    let body = match parts.chain(mirror.fields.iter().map(|(_, part)| part)).any(uses_body) {
        true => unpacked(head, body, most),
        false => Cow::Borrowed(&b""[..]),
    };
    // Anything may be mirrored: what is no JSON has nothing to point at.
    let body: Option<&RawValue> = serde_json::from_slice(&body).ok();
    let request = Mirrored { head, body };
    let mut record = Record::default();
    record.add(&inputs.id, request.value(&mirror.id, Kind::Text));
    record.add(
        &inputs.time,
        match &mirror.time {
            None => Some(quoted(&arrival.to_string())),
            Some(part) => request.value(part, Kind::Text),
        },
    );
    for (Field { name, kind }, part) in &mirror.fields {
        record.add(name, request.value(part, *kind));
    }
    record.0.push('}');
    record.0
}

/// A body behind its encoding; none, if it is none that is read.
fn unpacked<'b>(head: &Parts, body: &'b [u8], most: usize) -> Cow<'b, [u8]> {
    let encoding = head.headers.get(CONTENT_ENCODING).map_or(&b""[..], |encoding| encoding.as_bytes());
    if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
        return Cow::Borrowed(body);
    }
    let mut unpacked = Vec::new();
    let gzip = encoding.eq_ignore_ascii_case(b"gzip");
    let read = gzip.then(|| MultiGzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut unpacked));
    match read {
        Some(Ok(read)) if read <= most => Cow::Owned(unpacked),
        _ => Cow::Borrowed(b""),
    }
}

/// A JSON object that is being written, without its end.
struct Record(String);

impl Default for Record {
    fn default() -> Record {
        Record("{".to_owned())
    }
}

impl Record {
    /// Adds a key, if it has a value.
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

/// A request, and its body if that is JSON.
struct Mirrored<'r> {
    head: &'r Parts,
    body: Option<&'r RawValue>,
}

impl Mirrored<'_> {
    /// A part as JSON. What is a text in the request is written as a number or boolean where the field is one and the text
    /// reads as one; else as a text, which the decoder then refuses by name.
    fn value(&self, part: &Part, kind: Kind) -> Option<String> {
        let text = match part {
            Part::Body(steps) => {
                let found = steps.iter().try_fold(self.body?, |value, step| below(value, step))?;
                let line = on_one_line(found.get().as_bytes());
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            Part::Method => Cow::Borrowed(self.head.method.as_str()),
            Part::Path => {
                let path = self.head.uri.path();
                Cow::Borrowed(path.strip_prefix(PREFIX).unwrap_or(path))
            }
            Part::Query(name) => {
                let query = self.head.uri.query()?.as_bytes();
                form_urlencoded::parse(query).find(|(own, _)| own == name)?.1
            }
            Part::Header(name) => String::from_utf8_lossy(self.head.headers.get(name)?.as_bytes()),
        };
        let is_written_so = match kind {
            Kind::Integer => text.parse::<i64>().is_ok() && is_json(&text),
            Kind::Number => text.parse::<f64>().is_ok_and(f64::is_finite) && is_json(&text),
            Kind::Boolean => matches!(&*text, "true" | "false"),
            Kind::Text | Kind::Timestamp | Kind::Json => false,
        };
        Some(if is_written_so { text.into_owned() } else { quoted(&text) })
    }
}

/// What a step of a JSON pointer leads to.
fn below<'v>(value: &'v RawValue, step: &str) -> Option<&'v RawValue> {
    let text = value.get();
    if text.starts_with('[') {
        // A leading zero or sign is no index: RFC 6901, section 4.
        let index: usize = step.parse().ok().filter(|index: &usize| index.to_string() == step)?;
        return serde_json::from_str::<Vec<&RawValue>>(text).ok()?.get(index).copied();
    }
    let keys: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    keys.get(step).copied()
}

/// Whether a text is a number as JSON writes it: `007` and `+1` are none.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|value| value.get() == text)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use jiff::SignedDuration;

    use super::*;

    fn part(text: &[&str]) -> Part {
        Part::Body(text.iter().map(|step| (*step).to_owned()).collect())
    }

    fn field(name: &str, kind: Kind, part: Part) -> (Field, Part) {
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

    fn mirror(fields: Vec<(Field, Part)>) -> Mirror {
        Mirror { id: Part::Header("x-request-id".to_owned()), time: None, fields }
    }

    fn taken(mirror: &Mirror, uri: &str, headers: &[(&str, &[u8])], body: &[u8]) -> String {
        let mut request = Request::builder().method("POST").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        record(mirror, &inputs(), &head, body, 1000, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_part_becomes_what_the_field_is() {
        let mirror = mirror(vec![
            field("path", Kind::Text, Part::Path),
            field("method", Kind::Text, Part::Method),
            field("room", Kind::Text, part(&["booking", "rooms", "1"])),
            field("nights", Kind::Integer, Part::Query("nights".to_owned())),
            field("rate", Kind::Number, Part::Header("x-rate".to_owned())),
            field("member", Kind::Boolean, Part::Query("member".to_owned())),
            field("all", Kind::Json, part(&[])),
        ]);
        let headers: [(&str, &[u8]); 2] = [("X-Request-Id", b"7"), ("X-Rate", b"1.50")];
        let body = b"{ \"booking\": {\n\"rooms\": [1, \"b\"] } }";
        let record = taken(&mirror, "/v1/mirror/book/a%20b?member=true&nights=3&nights=4", &headers, body);
        insta::assert_snapshot!(record, @r#"{"id":"7","at":"1970-01-01T00:00:00Z","path":"/book/a%20b","method":"POST","room":"b","nights":3,"rate":1.50,"member":true,"all":{ "booking": { "rooms": [1, "b"] } }}"#);
    }

    #[test]
    fn what_does_not_read_as_the_kind_stays_a_text() {
        let query = |name: &str| Part::Query(name.to_owned());
        let mirror = mirror(vec![
            field("a", Kind::Integer, query("a")),
            field("b", Kind::Number, query("b")),
            field("c", Kind::Boolean, query("c")),
            field("d", Kind::Json, query("d")),
            field("e", Kind::Integer, query("e")),
        ]);
        let record = taken(&mirror, "/v1/mirror?a=007&b=NaN&c=True&d=%7B%7D&e=1%2C%22x%22%3A2", &[], b"");
        insta::assert_snapshot!(record, @r#"{"at":"1970-01-01T00:00:00Z","a":"007","b":"NaN","c":"True","d":"{}","e":"1,\"x\":2"}"#);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let mirror = mirror(vec![
            field("a", Kind::Text, part(&["a"])),
            field("b", Kind::Text, part(&["list", "01"])),
            field("c", Kind::Text, Part::Header("x-none".to_owned())),
        ]);
        for body in [&b""[..], b"not JSON", b"\xff\xfe", b"{\"a\":", b"{\"list\":[1,2]}", b"[1]", b"7"] {
            assert_eq!(taken(&mirror, "/v1/mirror/", &[], body), r#"{"at":"1970-01-01T00:00:00Z"}"#);
        }
    }

    #[test]
    fn a_body_of_any_depth_is_looked_into() {
        let deep = [&b"["[..]; 100_000].concat();
        let body = [b"{\"a\":1,\"b\":".as_slice(), &deep, &[&b"]"[..]; 100_000].concat(), b"}"].concat();
        let mirror = mirror(vec![field("a", Kind::Integer, part(&["a"]))]);
        assert_eq!(taken(&mirror, "/", &[], &body), r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
    }

    #[test]
    fn a_body_in_gzip_is_unpacked_within_bounds() {
        use std::io::Write as _;
        let pack = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let mirror = mirror(vec![field("a", Kind::Integer, part(&["a"]))]);
        let gzip: [(&str, &[u8]); 1] = [("content-encoding", b"gzip")];
        let small = taken(&mirror, "/", &gzip, &pack("{\"a\":1}"));
        assert_eq!(small, r#"{"at":"1970-01-01T00:00:00Z","a":1}"#);
        let bomb = pack(&format!("{{\"a\":1{}}}", " ".repeat(10_000)));
        assert!(bomb.len() < 1000);
        for body in [&bomb[..], &bomb[..bomb.len() / 2], b"{\"a\":1}"] {
            assert_eq!(taken(&mirror, "/", &gzip, body), r#"{"at":"1970-01-01T00:00:00Z"}"#);
        }
    }

    #[test]
    fn a_header_that_is_no_text_is_kept_as_far_as_it_is() {
        let mirror = mirror(Vec::new());
        let record = taken(&mirror, "/", &[("x-request-id", b"a\xffb\"")], b"");
        assert_eq!(record, "{\"id\":\"a\u{fffd}b\\\"\",\"at\":\"1970-01-01T00:00:00Z\"}");
    }
}
