//! `GET /openapi.json`: the OpenAPI description of all endpoints.
//!
//! Invariants:
//! - The document `openapi.json` beside this file describes exactly the endpoints of
//!   [`ROUTES`](crate::ROUTES), each with the roles that have access.
//!
//! The document is written by hand: handlers accept raw bodies in several media types and choose their
//! status, so that a generator (`utoipa`, `aide`) would derive only the three schemas of
//! [`response`](crate::http::response) from types and would need all else as attributes.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use crate::http::response::content;

/// The document in OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1.html>.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn document() -> Response<Body> {
    content(StatusCode::OK, "application/json", DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;
    use crate::http::response::{ExcludedItem, IngestReceipt, Problem};
    use crate::{Access, ROUTES};

    /// The methods that a path may have.
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    fn read() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
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
            for status in ["401", "403"] {
                let denies = operation["responses"].get(status).is_some();
                assert_eq!(denies, access != Access::Open, "{key} {status}");
            }
        }
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
