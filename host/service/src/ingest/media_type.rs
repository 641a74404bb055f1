//! The media type of a request body, by its `Content-Type`.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use crate::util::excerpt::excerpt;

/// The supported media types, for messages.
pub const SUPPORTED_TYPES: &str = "application/json, application/x-ndjson, application/cloudevents+json or \
                                   application/cloudevents-batch+json";

/// The supported media type of a body that is no record, for messages.
const JSON_TYPE: &str = "application/json";

/// What a body consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// One JSON object, or an array of objects.
    Json,
    /// One JSON object per line.
    Lines,
    /// CloudEvents in structured mode: one event, or an array of events.
    Events,
}

impl MediaKind {
    /// The media kind that the headers declare for records.
    ///
    /// # Errors
    /// What is not supported, and what to send instead.
    pub fn from_headers(headers: &HeaderMap) -> Result<MediaKind, String> {
        MediaKind::declared(headers, SUPPORTED_TYPES, |_| true)
    }

    /// The media kind of a body that is one JSON value and no record: always [`MediaKind::Json`].
    ///
    /// # Errors
    /// What is not supported, and what to send instead.
    pub fn json_from_headers(headers: &HeaderMap) -> Result<MediaKind, String> {
        MediaKind::declared(headers, JSON_TYPE, |kind| kind == MediaKind::Json)
    }

    /// The declared kind, if it is supported. `supported_types` are named in the error.
    fn declared(
        headers: &HeaderMap,
        supported_types: &str,
        is_supported: impl Fn(MediaKind) -> bool,
    ) -> Result<MediaKind, String> {
        let declared = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let declared = declared.unwrap_or_default().to_ascii_lowercase();
        let (name, parameters) = declared.split_once(';').unwrap_or((&declared, ""));
        let kind = match name.trim() {
            "" => return Err(format!("missing Content-Type; send {supported_types}")),
            name => MediaKind::from_name(name).filter(|kind| is_supported(*kind)).ok_or_else(|| {
                format!("unsupported Content-Type `{}`; send {supported_types}", excerpt(name))
            })?,
        };
        match charset(parameters) {
            Some(charset) if !matches!(charset, "" | "utf-8" | "utf8" | "us-ascii") => {
                Err(format!("unsupported charset `{}`; send the body in UTF-8", excerpt(charset)))
            }
            _ => Ok(kind),
        }
    }

    /// The kind of a media type without parameters, in lower case.
    fn from_name(name: &str) -> Option<MediaKind> {
        match name {
            "application/cloudevents+json" | "application/cloudevents-batch+json" => {
                return Some(MediaKind::Events);
            }
            "application/json" | "text/json" => return Some(MediaKind::Json),
            _ => {}
        }
        let (kind, subtype) = name.split_once('/')?;
        // No registered type is in general use for JSON Lines; libraries and shippers send one of these.
        let lines = ["ndjson", "jsonl", "jsonlines", "json-lines", "ldjson"];
        let bare = subtype.strip_prefix("x-").unwrap_or(subtype);
        if matches!(kind, "application" | "text") && lines.contains(&bare)
            || name == "application/stream+json"
        {
            return Some(MediaKind::Lines);
        }
        // The suffix says that any JSON parser can read the type: RFC 6839, section 3.1.
        subtype.ends_with("+json").then_some(MediaKind::Json)
    }
}

/// The `charset` among the parameters of a media type, without quotes.
fn charset(parameters: &str) -> Option<&str> {
    // A quoted value of another parameter may contain a semicolon, but no client sends one.
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == "charset").then_some(value)
    });
    Some(value?.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn kind(value: &'static str) -> Result<MediaKind, String> {
        let header = (CONTENT_TYPE, HeaderValue::from_static(value));
        MediaKind::from_headers(&[header].into_iter().collect())
    }

    #[test]
    fn the_types_that_clients_send_are_supported() {
        let lines = [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/x-jsonl",
            "application/jsonlines",
            "application/x-jsonlines",
            "application/json-lines",
            "application/x-json-lines",
            "application/x-ldjson",
            "application/stream+json",
            "text/x-ndjson",
            "text/jsonl",
            "Application/X-NDJSON; charset=UTF-8",
        ];
        for value in lines {
            assert_eq!(kind(value), Ok(MediaKind::Lines), "{value}");
        }
        let json = [
            "application/json",
            "text/json",
            "APPLICATION/JSON ;charset=\"utf-8\"",
            "application/json; odata=verbose; charset=utf8",
            "application/vnd.acme.booking.v1+json",
            "application/ld+json",
        ];
        for value in json {
            assert_eq!(kind(value), Ok(MediaKind::Json), "{value}");
        }
        for value in ["application/cloudevents+json; charset=utf-8", "application/cloudevents-batch+json"] {
            assert_eq!(kind(value), Ok(MediaKind::Events), "{value}");
        }
    }

    #[test]
    fn a_body_that_is_no_record_is_json() {
        let kind = |value: &'static str| {
            let header = (CONTENT_TYPE, HeaderValue::from_static(value));
            MediaKind::json_from_headers(&[header].into_iter().collect())
        };
        assert_eq!(kind("application/json; charset=utf-8"), Ok(MediaKind::Json));
        for value in ["application/x-ndjson", "application/cloudevents+json", "text/plain"] {
            let expected = format!("unsupported Content-Type `{value}`; send application/json");
            assert_eq!(kind(value), Err(expected));
        }
        assert_eq!(kind(""), Err("missing Content-Type; send application/json".to_owned()));
        assert!(kind("application/json; charset=utf-16").is_err());
    }

    #[test]
    fn other_types_and_charsets_are_named() {
        let mut faults = String::new();
        for value in [
            "",
            "text/csv",
            "application/json-seq",
            "application/x-www-form-urlencoded",
            "image/x-ndjson",
            "application/json; charset=iso-8859-1",
            "application/x-ndjson; charset=\"UTF-16\"",
        ] {
            faults.push_str(&kind(value).unwrap_err());
            faults.push('\n');
        }
        insta::assert_snapshot!(faults, @r"
        missing Content-Type; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
        unsupported Content-Type `text/csv`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
        unsupported Content-Type `application/json-seq`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
        unsupported Content-Type `application/x-www-form-urlencoded`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
        unsupported Content-Type `image/x-ndjson`; send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json
        unsupported charset `iso-8859-1`; send the body in UTF-8
        unsupported charset `utf-16`; send the body in UTF-8
        ");
    }
}
