//! `GET /openapi.json`: the OpenAPI description of the endpoints and of the records of the served study.
//!
//! Invariants:
//! - The document describes exactly the endpoints of [`ROUTES`](crate::ROUTES) that the study uses, each with
//!   the roles that have access.
//!
//! The endpoints are written by hand in `openapi.json` beside this file: handlers accept raw bodies in several
//! media types and choose their status, so that a generator (`utoipa`, `aide`) would derive only the three
//! schemas of [`response`](crate::http::response) from types and would need all else as attributes. The schemas
//! of the records are generated, since each study declares its own.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::http::response::content;
use crate::routes::record_schema::{event_schema, record_schema};
use understudy_study::{StreamKind, Study};

/// The endpoints in OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1.html>.
const ENDPOINTS: &str = include_str!("openapi.json");
/// The path whose `post` describes mirrored requests of every method.
const MIRROR: &str = "/v1/mirror/{path}";
/// The methods that a path may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The OpenAPI document of a served study, as JSON text.
#[derive(Debug)]
pub struct OpenApiDocument(String);

impl OpenApiDocument {
    /// The document of a study.
    pub fn new(study: &Study) -> OpenApiDocument {
        OpenApiDocument(format!("{:#}", describe(study)))
    }
}

/// `GET /openapi.json`.
pub async fn document(State(document): State<Arc<OpenApiDocument>>) -> Response<Body> {
    content(StatusCode::OK, "application/json", document.0.clone())
}

/// The endpoints that a study uses, with the schemas of its records.
fn describe(study: &Study) -> Value {
    let mut document: Value = serde_json::from_str(ENDPOINTS).expect("openapi.json is JSON");
    document["info"]["description"] = json!(format!(
        "The study `{}`. {}",
        study.name,
        document["info"]["description"].as_str().unwrap_or("")
    ));
    for (kind, path, name) in [
        (StreamKind::Snapshots, "/v1/snapshots", "Snapshot"),
        (StreamKind::Decisions, "/v1/decisions", "Decision"),
    ] {
        if study.source(kind).is_pushed() {
            let schemas = &mut document["components"]["schemas"];
            schemas[name] = record_schema(study, kind);
            schemas[format!("{name}Event")] = event_schema(study, kind);
        } else {
            remove_path(&mut document, path);
        }
    }
    describe_mirror(&mut document, study.mirror.is_some());
    for operation in operations(&mut document) {
        let responses = &mut operation["responses"];
        responses["400"] = json!({ "$ref": "#/components/responses/malformed" });
        responses["431"] = json!({ "$ref": "#/components/responses/headTooLarge" });
    }
    document
}

fn remove_path(document: &mut Value, path: &str) -> Option<Value> {
    document["paths"].as_object_mut()?.remove(path)
}

/// Describes mirrored requests of every method, with a path and without; nothing if the study has no mirror.
fn describe_mirror(document: &mut Value, has_mirror: bool) {
    let Some(item) = remove_path(document, MIRROR).filter(|_| has_mirror) else { return };
    for (path, suffix) in [(MIRROR, ""), ("/v1/mirror/", "Root")] {
        if suffix.is_empty() {
            document["paths"][path]["parameters"] = item["parameters"].clone();
        }
        for method in METHODS {
            let mut operation = item["post"].clone();
            let (first, rest) = method.split_at(1);
            operation["operationId"] = json!(format!("mirror{}{rest}{suffix}", first.to_uppercase()));
            if let ("get" | "head" | "trace", Some(operation)) = (method, operation.as_object_mut()) {
                operation.remove("requestBody");
            }
            document["paths"][path][method] = operation;
        }
    }
}

/// All operations of a document.
fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let entries = paths.flat_map(|item| item.as_object_mut().into_iter().flatten());
    entries.filter(|(key, _)| METHODS.contains(&key.as_str())).map(|(_, operation)| operation)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;
    use crate::http::response::{ExcludedItem, IngestReceipt, Problem};
    use crate::{Access, ROUTES};

    /// A study that uses every endpoint and every kind of field.
    const STUDY: &str = r#"
        study = "every-kind"
        time-zone = "UTC"
        [sources]
        snapshots = { http = true }
        decisions = { http = true }
        [inputs]
        id = "booking id"
        time = "at"
        lateness = "36h"
        [inputs.fields]
        paid = "boolean"
        nights = "integer"
        price = "number"
        room = "text"
        arrival = "timestamp"
        guests = "json"
        [decisions]
        id = "id"
        time = "at"
        horizon = "1d"
        [decisions.fields]
        room = "text"
        [mirror]
        id = "header x-request-id"
        time = "arrival"
        [[models]]
        name = "m"
        plugin = "m.wasm"
        grant = ["room"]
        [comparator]
        name = "c"
        plugin = "c.wasm"
        grant = ["decision.room"]
        [[metrics]]
        name = "agreement"
        plugin = "a.wasm"
        [windows]
        every = "day"
    "#;

    fn study(changes: &[(&str, &str)]) -> Study {
        let text = changes.iter().fold(STUDY.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        understudy_study::parse(&text).unwrap_or_else(|invalid| panic!("{:?}", invalid.faults))
    }

    fn read() -> Value {
        serde_json::from_str(&OpenApiDocument::new(&study(&[])).0).unwrap()
    }

    /// The operations of the document, by method and path such as `post /v1/snapshots`.
    fn operations(document: &Value) -> BTreeMap<String, Value> {
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    operations.insert(format!("{method} {path}"), operation.clone());
                }
            }
        }
        operations
    }

    /// The operations of the endpoint table.
    fn routes() -> BTreeMap<String, Access> {
        let mut operations = BTreeMap::new();
        for route in ROUTES {
            let own = route.method.to_lowercase();
            let methods = if own == "any" { METHODS.to_vec() } else { vec![own.as_str()] };
            let path = route.path.replace("{*", "{");
            operations.extend(methods.into_iter().map(|method| (format!("{method} {path}"), route.access)));
        }
        operations
    }

    #[test]
    fn the_document_describes_exactly_the_endpoints() {
        let document = read();
        let (described, real) = (operations(&document), routes());
        let missing: Vec<_> = real.keys().filter(|key| !described.contains_key(*key)).collect();
        assert!(missing.is_empty(), "openapi.json lacks {missing:#?}");
        let invented: Vec<_> = described.keys().filter(|key| !real.contains_key(*key)).collect();
        assert!(invented.is_empty(), "no such endpoint: {invented:#?}");
    }

    #[test]
    fn endpoints_that_the_study_does_not_use_are_not_described() {
        let mirror = "[mirror]\n        id = \"header x-request-id\"\n        time = \"arrival\"\n";
        let decisions = ("decisions = { http = true }", "decisions = { file = \"d.jsonl\" }");
        let document = describe(&study(&[(mirror, ""), decisions]));
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        let described = |path: &str| paths.iter().any(|own| *own == path);
        assert!(described("/v1/snapshots"), "{paths:?}");
        assert!(!described("/v1/decisions"), "{paths:?}");
        assert!(!paths.iter().any(|path| path.starts_with("/v1/mirror")), "{paths:?}");
        assert!(document["components"]["schemas"].get("Decision").is_none());
    }

    #[test]
    fn records_are_described_as_the_study_declares_them() {
        let document = read();
        insta::assert_json_snapshot!(document["components"]["schemas"]["Snapshot"]);
        insta::assert_json_snapshot!(document["components"]["schemas"]["DecisionEvent"]);
    }

    /// The schema and the decoder agree on which values a record may have, but for an integer id that is
    /// written with a fraction: a schema does not see how a number is written.
    #[test]
    fn the_schema_accepts_what_the_decoder_accepts() {
        use understudy_records::batch::{Decoder, Lines};
        let study = study(&[]);
        let schema = record_schema(&study, StreamKind::Snapshots);
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let mut decoder = Decoder::new(StreamKind::Snapshots, &study.inputs, 1);
        let values = [
            "null",
            "true",
            "0",
            "-7",
            "9223372036854775807",
            "9223372036854775808",
            "3.0",
            "3.5",
            "1e3",
            "1e-3",
            "\"\"",
            "\"7\"",
            "\"\\u0000\"",
            "\"2026-05-01T09:30:00Z\"",
            "\"2026-05-01T09:30:00.123456789+05:45\"",
            "\"2026-05-01\"",
            "\"2026-05-01T09:30:00\"",
            "[]",
            "[1,\"x\"]",
            "{}",
            "{\"a\":null}",
        ];
        let (mut accepted, mut compared) = (0, 0);
        for key in ["booking id", "at", "paid", "nights", "price", "room", "arrival", "guests", "other"] {
            let values = values.iter().filter(|value| key != "booking id" || !["3.0", "1e3"].contains(value));
            for value in values {
                let mut record = json!({ "booking id": "b", "at": "2026-05-01T09:30:00Z" });
                record[key] = json!("PLACE");
                let text = record.to_string().replace("\"PLACE\"", value);
                let mut lines = Lines::default();
                lines.push(1, 0, text.as_bytes());
                let decoded = !decoder.decode(&lines).records.is_empty();
                let valid = validator.is_valid(&serde_json::from_str(&text).unwrap());
                assert_eq!(decoded, valid, "{text}");
                accepted += u32::from(decoded);
                compared += 1;
            }
        }
        assert!(compared == 187 && (50..150).contains(&accepted), "{accepted} of {compared}");
    }

    #[test]
    fn every_operation_states_the_roles_with_access() {
        let document = read();
        for (key, operation) in operations(&document) {
            let Some(access) = routes().get(&key).copied() else { continue };
            let written = operation["security"].as_array();
            let written = written.unwrap_or_else(|| panic!("{key} has no security"));
            let roles = access.roles().iter().map(|role| role.name());
            let expected: Vec<_> =
                roles.flat_map(|role| [json!({ "bearer": [role] }), json!({ "header": [role] })]).collect();
            assert_eq!(*written, expected, "{key}");
            for status in ["400", "431"] {
                assert!(operation["responses"].get(status).is_some(), "{key} {status}");
            }
            for status in ["401", "403"] {
                let denies = operation["responses"].get(status).is_some();
                assert_eq!(denies, access != Access::Open, "{key} {status}");
            }
        }
    }

    /// A mirrored request may have any format, and is recorded as it is.
    #[test]
    fn every_operation_with_a_body_may_refuse_its_format() {
        let mut with_body = 0;
        for (key, operation) in operations(&read()) {
            let has_format = operation.get("requestBody").is_some() && !key.contains("/v1/mirror/");
            assert_eq!(operation["responses"].get("415").is_some(), has_format, "{key}");
            with_body += usize::from(has_format);
        }
        assert_eq!(with_body, 6);
    }

    #[test]
    fn every_operation_has_a_summary_and_a_unique_id() {
        let mut names = BTreeSet::new();
        for (key, operation) in operations(&read()) {
            let name =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{key} has no operationId"));
            assert!(names.insert(name.to_owned()), "{key}: {name} occurs twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{key}");
        }
    }

    #[test]
    fn every_reference_resolves() {
        fn walk(value: &Value, document: &Value, count: &mut usize) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
                *count += 1;
            }
            value.as_object().into_iter().flatten().for_each(|(_, inner)| walk(inner, document, count));
            value.as_array().into_iter().flatten().for_each(|inner| walk(inner, document, count));
        }
        let (document, mut count) = (read(), 0);
        walk(&document, &document, &mut count);
        assert!(count > 20, "{count}");
    }

    #[test]
    fn the_document_has_the_version_of_the_program() {
        assert_eq!(read()["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn responses_match_their_schemas() {
        let document = read();
        let valid = |name: &str, value: Value| {
            let mut schema = document.clone();
            schema["$ref"] = json!(format!("#/components/schemas/{name}"));
            let validator = jsonschema::validator_for(&schema).unwrap();
            let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}");
        };
        let excluded =
            vec![ExcludedItem { record: 1, reason: "late", detail: "behind the watermark".to_owned() }];
        let receipt = IngestReceipt { received: 3, accepted: 1, duplicates: 1, excluded };
        valid("IngestReceipt", serde_json::to_value(receipt).unwrap());
        for problem in [
            Problem::busy("full"),
            Problem::incomplete(),
            Problem::internal(),
            Problem::starting(),
            Problem::ending(),
            Problem::log_failed(),
            Problem::too_large(8),
            Problem::too_slow(),
        ] {
            valid("Problem", serde_json::to_value(problem).unwrap());
        }
    }
}
