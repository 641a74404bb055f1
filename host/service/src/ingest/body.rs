//! A request's body as records: one JSON object, a JSON array, JSON Lines, or CloudEvents; plain or gzip.
//!
//! Always holds: every record of a body becomes one line, in order; what cannot be told apart into records becomes one
//! broken line, so that it is counted and kept; no more is unpacked than a body may have.

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

/// What may be said of a body in its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One object, or an array of objects.
    Json,
    /// One object a line.
    Lines,
    /// One CloudEvent in JSON, its record within.
    Event,
    /// An array of CloudEvents.
    Events,
}

/// How to read a body.
pub struct Reading {
    form: Form,
    gzip: bool,
    /// The id and time of a CloudEvent whose record is the body, in JSON.
    event: Option<[Option<String>; 2]>,
}

impl Reading {
    /// As the head says.
    ///
    /// # Errors
    /// When it is none of the forms that are read.
    pub fn of(headers: &HeaderMap) -> Result<Reading, Problem> {
        let unsupported =
            |detail: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", detail);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let form = match media.as_str() {
            "application/json" => Form::Json,
            "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Form::Lines,
            "application/cloudevents+json" => Form::Event,
            "application/cloudevents-batch+json" => Form::Events,
            other => {
                let said = if other.is_empty() { "no Content-Type" } else { "another Content-Type" };
                return Err(unsupported(format!(
                    "it has {said}; send application/json, application/x-ndjson, application/cloudevents+json or \
                     application/cloudevents-batch+json"
                )));
            }
        };
        let gzip = match text(CONTENT_ENCODING).trim().to_ascii_lowercase().as_str() {
            "" | "identity" => false,
            "gzip" | "x-gzip" => true,
            _ => return Err(unsupported("it has another Content-Encoding; send gzip, or none".to_owned())),
        };
        let quoted = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(serde_json::to_string(value).expect("a text is JSON"))
        };
        let is_event = form == Form::Json && headers.contains_key("ce-specversion");
        let event = is_event.then(|| [quoted("ce-id"), quoted("ce-time")]);
        Ok(Reading { form, gzip, event })
    }

    /// The bytes behind the encoding, at most `most` of them.
    ///
    /// # Errors
    /// When there are more, or they are not gzip.
    pub fn unpacked<'b>(&self, bytes: &'b [u8], most: usize) -> Result<Cow<'b, [u8]>, Problem> {
        if !self.gzip {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut unpacked = Vec::new();
        let read =
            flate2::bufread::MultiGzDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut unpacked);
        match read {
            Err(error) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "not gzip",
                format!("nothing of it was taken: the body is not whole gzip ({error}); send it again"),
            )),
            Ok(read) if read > most => Err(Problem::too_large(most)),
            Ok(_) => Ok(Cow::Owned(unpacked)),
        }
    }

    /// The records of a body, as runs of at most `rows`. `stream` says by which keys they have their id and time; `longest` is
    /// the longest that one may be.
    pub fn records(&self, bytes: &[u8], stream: &Stream, longest: usize, rows: usize) -> Vec<Lines> {
        let mut records = Records { runs: vec![Lines::default()], rows, longest };
        if let Err(fault) = self.split(bytes, stream, &mut records) {
            // What was told apart before is not half taken.
            records.runs = vec![Lines::default()];
            let kept = &bytes[..bytes.len().min(longest)];
            records.runs[0].push_broken(1, 0, &on_one_line(kept), fault);
        }
        records.runs.retain(|run| !run.is_empty());
        records.runs
    }

    fn split(&self, bytes: &[u8], stream: &Stream, records: &mut Records) -> Result<(), String> {
        let wrong = |error: serde_json::Error| format!("the body is not JSON: {error}");
        match self.form {
            Form::Lines => bytes.split(|byte| *byte == b'\n').for_each(|line| records.push(line)),
            Form::Json => match bytes.trim_ascii_start().first() {
                Some(b'[') => {
                    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(wrong)?;
                    items.into_iter().for_each(|item| records.push(item.get().as_bytes()));
                }
                _ => match &self.event {
                    Some([id, time]) => {
                        let text =
                            std::str::from_utf8(bytes).map_err(|e| format!("the body is not UTF-8: {e}"))?;
                        records.push(filled(text, stream, id.as_deref(), time.as_deref()).as_bytes());
                    }
                    None => records.push(bytes),
                },
            },
            Form::Event => {
                let event: Event<'_> = serde_json::from_slice(bytes).map_err(wrong)?;
                records.push(event.record(stream)?.as_bytes());
            }
            Form::Events => {
                let events: Vec<Event<'_>> = serde_json::from_slice(bytes).map_err(wrong)?;
                for event in events {
                    records.push(event.record(stream)?.as_bytes());
                }
            }
        }
        Ok(())
    }
}

/// Records, cut into runs.
struct Records {
    runs: Vec<Lines>,
    rows: usize,
    longest: usize,
}

impl Records {
    fn push(&mut self, text: &[u8]) {
        if self.runs.last().is_none_or(|run| run.len() == self.rows) {
            self.runs.push(Lines::default());
        }
        let run = self.runs.last_mut().expect("there is one");
        push_line(run, 1, 0, &on_one_line(text), self.longest);
    }
}

/// A record without line feeds, which in JSON stand only where a space may.
pub fn on_one_line(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr2(b'\n', b'\r', text) {
        None => Cow::Borrowed(text),
        Some(_) => text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect(),
    }
}

/// A CloudEvent, version 1.0, in JSON: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.
#[derive(Deserialize)]
struct Event<'e> {
    #[serde(borrow)]
    id: Option<&'e RawValue>,
    #[serde(borrow)]
    time: Option<&'e RawValue>,
    #[serde(borrow)]
    data: Option<&'e RawValue>,
    data_base64: Option<String>,
}

impl Event<'_> {
    /// The record within, with the event's id and time where it has none of its own.
    fn record(&self, stream: &Stream) -> Result<String, String> {
        let decoded;
        let data = match (self.data, &self.data_base64) {
            (Some(data), _) => data.get(),
            (None, Some(encoded)) => {
                let bytes =
                    STANDARD.decode(encoded).map_err(|e| format!("data_base64 is not base64: {e}"))?;
                decoded = String::from_utf8(bytes).map_err(|_| "data_base64 is no text".to_owned())?;
                &decoded
            }
            (None, None) => return Err("the event has no data".to_owned()),
        };
        if data.trim_start_matches('\u{feff}').trim().is_empty() {
            return Err("the event's data is empty".to_owned());
        }
        Ok(filled(data, stream, self.id.map(RawValue::get), self.time.map(RawValue::get)))
    }
}

/// A record with an id and a time where it has none under the stream's keys.
fn filled(record: &str, stream: &Stream, id: Option<&str>, time: Option<&str>) -> String {
    let keys: HashMap<Cow<'_, str>, IgnoredAny> = serde_json::from_str(record).unwrap_or_default();
    let Some(rest) = record.trim_start().strip_prefix('{') else { return record.to_owned() };
    let mut filled = "{".to_owned();
    for (key, value) in [(&stream.id, id), (&stream.time, time)] {
        if let (Some(value), false) = (value, keys.contains_key(key.as_str())) {
            filled.push_str(&format!("{}:{value},", serde_json::to_string(key).expect("a text is JSON")));
        }
    }
    if keys.is_empty() && filled.ends_with(',') {
        filled.pop();
    }
    filled + rest
}
