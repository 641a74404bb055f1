//! `GET /openapi.json`: what can be asked, by whom, and what is answered.
//!
//! Always holds: the document, which is `openapi.json` beside this file, names exactly the endpoints of
//! [`ROUTES`](crate::ROUTES), and of each the roles that may use it.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use crate::http::response::content;

/// The document: OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1.html>.
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
    use crate::http::response::{Problem, RefusedRecord, Taken};
    use crate::{Access, ROUTES};

    /// The methods that a path of the document may have.
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    fn read() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    /// The operations of a document: method and path, as in `post /v1/snapshots`.
    fn operations(document: &Value) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    found.insert(format!("{method} {path}"), operation.clone());
                }
            }
        }
        found
    }

    /// The operations of the table.
    fn routes() -> BTreeMap<String, Access> {
        let mut found = BTreeMap::new();
        for route in ROUTES {
            let own = route.method.to_lowercase();
            let methods = if own == "any" { METHODS.to_vec() } else { vec![own.as_str()] };
            let path = route.path.replace("{*", "{");
            found.extend(methods.into_iter().map(|method| (format!("{method} {path}"), route.access)));
        }
        found
    }

    #[test]
    fn it_names_exactly_the_endpoints_that_there_are() {
        let document = read();
        let (described, real) = (operations(&document), routes());
        let missing: Vec<_> = real.keys().filter(|key| !described.contains_key(*key)).collect();
        assert!(missing.is_empty(), "openapi.json lacks {missing:#?}");
        let invented: Vec<_> = described.keys().filter(|key| !real.contains_key(*key)).collect();
        assert!(invented.is_empty(), "there is no such endpoint: {invented:#?}");
    }

    #[test]
    fn it_says_of_each_which_roles_may() {
        let document = read();
        for (key, operation) in operations(&document) {
            let Some(access) = routes().get(&key).copied() else { continue };
            let written = operation["security"].as_array();
            let written = written.unwrap_or_else(|| panic!("{key} says nothing of who may"));
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
    fn every_operation_is_described_and_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for (key, operation) in operations(&read()) {
            let name =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{key} has no operationId"));
            assert!(names.insert(name.to_owned()), "{key}: {name} is there twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{key}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value, found: &mut usize) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
                *found += 1;
            }
            value.as_object().into_iter().flatten().for_each(|(_, inner)| walk(inner, document, found));
            value.as_array().into_iter().flatten().for_each(|inner| walk(inner, document, found));
        }
        let (document, mut found) = (read(), 0);
        walk(&document, &document, &mut found);
        assert!(found > 20, "{found}");
    }

    #[test]
    fn it_is_of_this_version() {
        assert_eq!(read()["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn what_is_answered_is_as_it_says() {
        let document = read();
        let valid = |name: &str, value: Value| {
            let mut schema = document.clone();
            schema["$ref"] = json!(format!("#/components/schemas/{name}"));
            let validator = jsonschema::validator_for(&schema).unwrap();
            let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}");
        };
        let refused = vec![RefusedRecord { record: 1, class: "late", reason: "it lags behind".to_owned() }];
        let taken = Taken { received: 3, taken: 1, duplicates: 1, refused };
        valid("Taken", serde_json::to_value(taken).unwrap());
        for problem in [
            Problem::busy("full"),
            Problem::starting(),
            Problem::ending(),
            Problem::failed(),
            Problem::too_large(8),
            Problem::too_slow(),
        ] {
            valid("Problem", serde_json::to_value(problem).unwrap());
        }
    }
}
