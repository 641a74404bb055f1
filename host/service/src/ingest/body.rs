//! Splits a request body into records: one JSON object, a JSON array, JSON Lines, or CloudEvents; plain or
//! gzip.
//!
//! Invariants:
//! - Every record of a body becomes one line, in order.
//! - A body that cannot be split becomes one broken line, so that it is counted and stored.
//! - No body is decompressed beyond its maximum size.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::http::response::Problem;
use understudy_records::batch::Lines;
use understudy_sources::push_line;
use understudy_study::Stream;

/// The media type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaKind {
    /// One JSON object, or an array of objects.
    Json,
    /// One JSON object per line.
    Lines,
    /// One CloudEvent in structured mode.
    Event,
    /// An array of CloudEvents.
    Events,
}

/// The format of a body, from its headers.
pub struct BodyFormat {
    media: MediaKind,
    gzip: bool,
    /// Id and time, as JSON, of a CloudEvent in binary mode, whose record is the whole body.
    event: Option<[Option<String>; 2]>,
}

impl BodyFormat {
    /// Reads `Content-Type`, `Content-Encoding` and the CloudEvents headers.
    ///
    /// # Errors
    /// 415 if a format is not supported.
    pub fn from_headers(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
        let unsupported =
            |detail: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported format", detail);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let media = match media.as_str() {
            "application/json" => MediaKind::Json,
            "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => MediaKind::Lines,
            "application/cloudevents+json" => MediaKind::Event,
            "application/cloudevents-batch+json" => MediaKind::Events,
            other => {
                let cause =
                    if other.is_empty() { "missing Content-Type" } else { "unsupported Content-Type" };
                return Err(unsupported(format!(
                    "{cause}; send application/json, application/x-ndjson, application/cloudevents+json or \
                     application/cloudevents-batch+json"
                )));
            }
        };
        let gzip = match text(CONTENT_ENCODING).trim().to_ascii_lowercase().as_str() {
            "" | "identity" => false,
            "gzip" | "x-gzip" => true,
            _ => return Err(unsupported("unsupported Content-Encoding; send gzip, or none".to_owned())),
        };
        let quoted = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(serde_json::to_string(value).expect("text is valid JSON"))
        };
        let is_event = media == MediaKind::Json && headers.contains_key("ce-specversion");
        let event = is_event.then(|| [quoted("ce-id"), quoted("ce-time")]);
        Ok(BodyFormat { media, gzip, event })
    }

    /// The decompressed body.
    ///
    /// # Errors
    /// 413 if it exceeds `limit` bytes, 422 if it is not valid gzip.
    pub fn decompress<'b>(&self, bytes: &'b [u8], limit: usize) -> Result<Cow<'b, [u8]>, Problem> {
        if !self.gzip {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut decompressed = Vec::new();
        let decoder = flate2::bufread::MultiGzDecoder::new(bytes);
        let read = decoder.take(limit as u64 + 1).read_to_end(&mut decompressed);
        match read {
            Err(error) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid gzip",
                format!("cannot decompress the body: {error}; nothing was accepted, send it again"),
            )),
            Ok(read) if read > limit => Err(Problem::too_large(limit)),
            Ok(_) => Ok(Cow::Owned(decompressed)),
        }
    }

    /// The records of a body, in batches of at most `batch_rows`. `stream` names the keys of id and time; a
    /// record longer than `max_bytes` becomes a broken line.
    pub fn split_records(
        &self,
        bytes: &[u8],
        stream: &Stream,
        max_bytes: usize,
        batch_rows: usize,
    ) -> Vec<Lines> {
        let mut records = RecordBatches { batches: vec![Lines::default()], batch_rows, max_bytes };
        if let Err(fault) = self.split(bytes, stream, &mut records) {
            // A body is accepted as a whole or not at all, so that the records before the fault are
            // discarded.
            records.batches = vec![Lines::default()];
            let stored = &bytes[..bytes.len().min(max_bytes)];
            records.batches[0].push_broken(1, 0, &on_one_line(stored), fault);
        }
        records.batches.retain(|batch| !batch.is_empty());
        records.batches
    }

    fn split(&self, bytes: &[u8], stream: &Stream, records: &mut RecordBatches) -> Result<(), String> {
        let not_json = |error: serde_json::Error| format!("the body is not JSON: {error}");
        match self.media {
            MediaKind::Lines => bytes.split(|byte| *byte == b'\n').for_each(|line| records.push(line)),
            MediaKind::Json => match bytes.trim_ascii_start().first() {
                Some(b'[') => {
                    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(not_json)?;
                    items.into_iter().for_each(|item| records.push(item.get().as_bytes()));
                }
                _ => match &self.event {
                    Some([id, time]) => {
                        let text =
                            std::str::from_utf8(bytes).map_err(|e| format!("the body is not UTF-8: {e}"))?;
                        records
                            .push(with_id_and_time(text, stream, id.as_deref(), time.as_deref()).as_bytes());
                    }
                    None => records.push(bytes),
                },
            },
            MediaKind::Event => {
                let event: CloudEvent<'_> = serde_json::from_slice(bytes).map_err(not_json)?;
                records.push(event.record(stream)?.as_bytes());
            }
            MediaKind::Events => {
                let events: Vec<CloudEvent<'_>> = serde_json::from_slice(bytes).map_err(not_json)?;
                for event in events {
                    records.push(event.record(stream)?.as_bytes());
                }
            }
        }
        Ok(())
    }
}

/// Records in batches of limited size.
struct RecordBatches {
    batches: Vec<Lines>,
    batch_rows: usize,
    max_bytes: usize,
}

impl RecordBatches {
    fn push(&mut self, text: &[u8]) {
        if self.batches.last().is_none_or(|batch| batch.len() == self.batch_rows) {
            self.batches.push(Lines::default());
        }
        let batch = self.batches.last_mut().expect("a batch was just added");
        push_line(batch, 1, 0, &on_one_line(text), self.max_bytes);
    }
}

/// A record without line breaks. JSON allows them only where it allows a space.
pub fn on_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr2(b'\n', b'\r', text) {
        None => Cow::Borrowed(text),
        Some(_) => text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect(),
    }
}

/// A CloudEvent 1.0 in JSON:
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.
#[derive(Deserialize)]
struct CloudEvent<'e> {
    #[serde(borrow)]
    id: Option<&'e RawValue>,
    #[serde(borrow)]
    time: Option<&'e RawValue>,
    #[serde(borrow)]
    data: Option<&'e RawValue>,
    data_base64: Option<String>,
}

impl CloudEvent<'_> {
    /// The record in the event's data, with the event's id and time where the record has none.
    fn record(&self, stream: &Stream) -> Result<String, String> {
        let decoded;
        let data = match (self.data, &self.data_base64) {
            (Some(data), _) => data.get(),
            (None, Some(encoded)) => {
                let bytes =
                    STANDARD.decode(encoded).map_err(|e| format!("data_base64 is not base64: {e}"))?;
                decoded = String::from_utf8(bytes).map_err(|_| "data_base64 is not UTF-8".to_owned())?;
                &decoded
            }
            (None, None) => return Err("the event has no data".to_owned()),
        };
        if data.trim_start_matches('\u{feff}').trim().is_empty() {
            return Err("the event's data is empty".to_owned());
        }
        Ok(with_id_and_time(data, stream, self.id.map(RawValue::get), self.time.map(RawValue::get)))
    }
}

/// A record with `id` and `time` added under the stream's keys, where it has no such key.
fn with_id_and_time(record: &str, stream: &Stream, id: Option<&str>, time: Option<&str>) -> String {
    let keys: HashMap<Cow<'_, str>, IgnoredAny> = serde_json::from_str(record).unwrap_or_default();
    let Some(rest) = record.trim_start().strip_prefix('{') else { return record.to_owned() };
    let mut filled = "{".to_owned();
    for (key, value) in [(&stream.id, id), (&stream.time, time)] {
        if let (Some(value), false) = (value, keys.contains_key(key.as_str())) {
            filled.push_str(&format!("{}:{value},", serde_json::to_string(key).expect("text is valid JSON")));
        }
    }
    if keys.is_empty() && filled.ends_with(',') {
        filled.pop();
    }
    filled + rest
}
