//! Actual responses conform to the OpenAPI document.

use serde_json::{Value, json};
use understudy_tests::TestWorkspace;
use understudy_tests::http::{Client, Response};
use understudy_tests::served_run::ServedRun;

/// The response object of a path, method and status in the document, with references resolved.
fn described(document: &Value, method: &str, path: &str, status: u16) -> Option<Value> {
    let response =
        document["paths"].get(path)?.get(method.to_lowercase())?["responses"].get(status.to_string())?;
    match response.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.strip_prefix('#')?).cloned(),
        None => Some(response.clone()),
    }
}

/// Validates a response against the document.
fn hold(document: &Value, method: &str, path: &str, answer: &Response) {
    let at = format!("{method} {path}: {answer:?}");
    let response = described(document, method, path, answer.status);
    let response = response.unwrap_or_else(|| panic!("the document has no such answer: {at}"));
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let sent = answer.header(&name.to_lowercase());
        assert!(sent.is_some() || header["required"] != true, "{name} is missing: {at}");
    }
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "the document knows no body: {at}");
        return;
    };
    let sent = answer.header("content-type").unwrap_or_default();
    let media = sent.split(';').next().unwrap_or_default();
    let body =
        content.get(media).unwrap_or_else(|| panic!("the document does not have this media type: {at}"));
    let value = if media.ends_with("json") { answer.json() } else { json!(answer.text()) };
    let mut schema = document.clone();
    schema["allOf"] = json!([body["schema"]]);
    let validator = jsonschema::validator_for(&schema).expect("the document's schemas are sound");
    let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}: {at}");
}

#[test]
fn responses_conform_to_the_openapi_document() {
    let workspace = TestWorkspace::served();
    let mirror = "[mirror]\nid = \"header x-request-id\"\ntime = \"arrival\"\n[[models]]";
    workspace.edit_study(&[("[[models]]", mirror)]);
    let token = |role: &str| {
        let output =
            workspace.understudy(&["token", "--role", role, "--name", role, "--file", "tokens.toml"]);
        output.stdout.trim().to_owned()
    };
    let (feed, read, operate, audit) = (token("feed"), token("read"), token("operate"), token("audit"));
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml", "--max-body-mib", "1"]);
    let document = serving.client().get("/openapi.json").json();
    let mut seen = Vec::new();
    let mut ask =
        |client: &mut Client, method: &str, real: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
            let answer = client.send(method, real, headers, body);
            hold(&document, method, path, &answer);
            seen.push(format!("{method} {path} {}", answer.status));
        };
    let mut feeder = Client::with_token(serving.address, &feed);
    for path in ["/livez", "/readyz", "/openapi.json"] {
        ask(&mut serving.client(), "GET", path, path, &[], b"");
    }
    // A head that no handler sees is described and answered like any other request.
    let long = "x".repeat(20_000);
    ask(&mut feeder, "POST", "/v1/snapshots", "/v1/snapshots", &[("x-padding", &long)], b"");
    ask(&mut feeder, "POST", "/v1/snapshots", "/v1/snapshots", &[("x padding", "1")], b"");
    let mut reader = Client::with_token(serving.address, &read);
    ask(&mut reader, "GET", "/metrics", "/metrics", &[], b"");
    ask(&mut reader, "GET", "/metrics", "/metrics", &[("accept", "application/openmetrics-text")], b"");
    ask(&mut reader, "GET", "/v1/status", "/v1/status", &[], b"");
    let json = [("content-type", "application/json")];
    let good = br#"[{"id":"s1","at":"2026-03-01T10:00:00Z","booked":"a"},{"id":"s1"},{"id":2,"at":"2026-03-01T10:00:00Z"}]"#;
    for path in ["/v1/snapshots", "/v1/decisions"] {
        // The second time all accepted records are duplicates.
        ask(&mut feeder, "POST", path, path, &json, good);
        ask(&mut feeder, "POST", path, path, &json, good);
        ask(&mut feeder, "POST", path, path, &json, b"not JSON");
        ask(&mut feeder, "POST", path, path, &json, b" ");
        ask(&mut feeder, "POST", path, path, &[], good);
        ask(&mut feeder, "POST", path, path, &json, &vec![b' '; (1 << 20) + 1]);
        ask(&mut serving.client(), "POST", path, path, &json, good);
        ask(&mut Client::with_token(serving.address, &read), "POST", path, path, &json, good);
    }
    for (path, secret) in
        [("/v1/swaps", &operate), ("/v1/end", &operate), ("/v1/review", &audit), ("/v1/verdict", &read)]
    {
        let mut client = Client::with_token(serving.address, secret);
        ask(&mut client, "POST", path, path, &[], b"{}");
        ask(&mut client, "POST", path, path, &[("content-type", "text/plain")], b"{}");
        ask(&mut client, "POST", path, path, &[("content-type", "application/x-ndjson")], b"{}");
        ask(&mut client, "POST", path, path, &json, b"{}");
    }
    let described = "/v1/mirror/{path}";
    for method in ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"] {
        ask(&mut feeder, method, "/v1/mirror/a/b", described, &[("x-request-id", method)], b"");
        ask(&mut feeder, method, "/v1/mirror/", "/v1/mirror/", &[], b"");
    }
    ask(&mut serving.client(), "POST", "/v1/mirror/a", described, &[], b"");
    seen.sort();
    seen.dedup();
    insta::assert_snapshot!(seen.join("\n"));
}
