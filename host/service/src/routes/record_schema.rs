//! JSON schemas of the records of a study, for its OpenAPI document.
//!
//! Invariants:
//! - A record that a client builds by the schema and its descriptions is accepted.
//! - A record that the decoder accepts matches the schema.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use understudy_study::{Field, FieldKind, Micros, StreamKind, Study};

/// The schema of a record of one stream.
pub fn record_schema(study: &Study, kind: StreamKind) -> Value {
    let stream = study.stream(kind);
    let mut schema = json!({
        "type": "object",
        "description": record_description(study, kind),
        "required": [stream.id, stream.time],
        "properties": properties(study, kind),
        "x-max-bytes": study.limits.record_bytes,
    });
    schema["properties"][&stream.id] = id_schema();
    schema["properties"][&stream.time] = time_schema(study, kind);
    schema
}

/// The schema of a CloudEvent 1.0 in structured mode whose data is a record of one stream.
pub fn event_schema(study: &Study, kind: StreamKind) -> Value {
    let stream = study.stream(kind);
    let (id, time) = (id_schema(), time_schema(study, kind));
    let mut data = properties(study, kind);
    data.insert(stream.id.clone(), json!({ "anyOf": [id, { "type": "null" }] }));
    data.insert(stream.time.clone(), json!({ "anyOf": [time, { "type": "null" }] }));
    let of_event_or_data = |attribute: &str, key: &str, schema: &Value| {
        json!({ "anyOf": [
            { "required": [attribute], "properties": { attribute: schema } },
            { "properties": { "data": { "required": [key], "properties": { key: schema } } } },
        ] })
    };
    json!({
        "type": "object",
        "description": format!(
            "A CloudEvent 1.0 whose `data` is one of the {}. The `id` and the `time` of the event apply where the \
             data has no `{}` and no `{}` of its own. Its other attributes are not read. Instead of `data` an event \
             may carry the JSON text of the record as base64 in `data_base64`.",
            kind.name(), stream.id, stream.time
        ),
        "required": ["data"],
        "properties": {
            "data": { "type": "object", "properties": data, "x-max-bytes": study.limits.record_bytes },
        },
        "allOf": [
            of_event_or_data("id", &stream.id, &id),
            of_event_or_data("time", &stream.time, &time),
        ],
    })
}

fn record_description(study: &Study, kind: StreamKind) -> String {
    let stream = study.stream(kind);
    let what = match kind {
        StreamKind::Snapshots => "A snapshot of the study: what the models see.",
        StreamKind::Decisions => "A decision of the substrate of the study.",
    };
    format!(
        "{what} It has at most {} bytes of JSON. A record is excluded if it does not match this schema (rejected), if \
         its `{}` is too far ahead (rejected) or too far behind (late), or if an earlier record has the same `{}` and \
         other content (conflict). If an object repeats a key, the last value wins. Other keys are stored, and no \
         model sees them.",
        study.limits.record_bytes, stream.time, stream.id
    )
}

/// The declared fields, apart from id and time.
fn properties(study: &Study, kind: StreamKind) -> Map<String, Value> {
    study.stream(kind).fields.iter().map(|field| (field.name.clone(), field_schema(field))).collect()
}

fn id_schema() -> Value {
    json!({
        "description": "The id of the record: a string, or an integer without fraction and exponent. The integer 7 and the string \"7\" are the same id.",
        "type": ["string", "integer"],
        "minLength": 1,
    })
}

fn time_schema(study: &Study, kind: StreamKind) -> Value {
    let stream = study.stream(kind);
    let description = format!(
        "The event time of the record: RFC 3339 with a zone, from 0001-01-01T00:00:00Z to \
         9999-12-30T22:00:00Z, such as 2026-05-01T09:30:00Z. A record is rejected if its time is more than {} \
         ahead of this server's clock, and late if it is more than {} behind the latest accepted record of the {}.",
        Micros::from_duration(stream.most_ahead).span_text(),
        Micros::from_duration(stream.lateness).span_text(),
        kind.name()
    );
    json!({
        "description": description,
        "type": "string",
        "format": "date-time",
        "x-most-ahead-seconds": seconds(stream.most_ahead),
        "x-lateness-seconds": seconds(stream.lateness),
    })
}

fn seconds(duration: SignedDuration) -> i64 {
    duration.as_secs()
}

/// The schema of a declared field. Every field may be absent or null.
fn field_schema(field: &Field) -> Value {
    match field.kind {
        FieldKind::Boolean => json!({ "type": ["boolean", "null"] }),
        FieldKind::Integer => json!({
            "description": "An integer of 64 bits. With a fraction of zero, such as 3.0, up to 2^53.",
            "type": ["integer", "null"],
            "format": "int64",
            "minimum": i64::MIN,
            "maximum": i64::MAX,
        }),
        FieldKind::Number => json!({
            "description": "A finite number of 64 bits.",
            "type": ["number", "null"],
            "format": "double",
            "minimum": f64::MIN,
            "maximum": f64::MAX,
        }),
        FieldKind::Text => json!({ "type": ["string", "null"] }),
        FieldKind::Timestamp => json!({
            "description": "RFC 3339 with a zone, from 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z.",
            "type": ["string", "null"],
            "format": "date-time",
        }),
        FieldKind::Json => json!({ "description": "Any JSON value." }),
    }
}
