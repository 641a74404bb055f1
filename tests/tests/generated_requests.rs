//! Requests that schemathesis generates from the OpenAPI document of a served study get the responses that the document
//! promises.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use understudy_tests::external_programs::Requirement;
use understudy_tests::http::Client;
use understudy_tests::served_run::ServedRun;
use understudy_tests::{TestWorkspace, account, root};

/// Roles with a token. Each token requests every endpoint, also those that its role has no access to.
const ROLES: [&str; 4] = ["feed", "read", "audit", "operate"];
/// Generated requests that all runs together send at least.
const LEAST_REQUESTS: f64 = 2_000.0;

/// Runs schemathesis against a served study with a token. Panics with its findings.
fn generate(python: &OsString, serving: &ServedRun, token: &str) {
    let folder = root().join("tests/schemathesis");
    let output = Command::new(Path::new(python).with_file_name("schemathesis"))
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .args(["--no-color", "run", &format!("http://{}/openapi.json", serving.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // The end of the run would end the requests.
        .args(["--request-timeout", "30", "--max-examples", "10", "--exclude-path", "/v1/end"])
        .current_dir(&folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("schemathesis is installed beside Python");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", text.concat());
}

/// The number of requests that the server has completed.
fn completed_requests(client: &mut Client) -> f64 {
    let metrics = client.get("/metrics").text();
    let series = metrics.lines().filter(|line| line.starts_with("understudy_http_requests_total{"));
    series.map(|line| line.rsplit_once(' ').expect("a value").1.parse::<f64>().expect("a number")).sum()
}

#[test]
fn generated_requests_get_the_described_responses() {
    if !Requirement::Python.is_available() {
        return;
    }
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect("checked above");
    let workspace = TestWorkspace::served();
    let mirror = "[mirror]\nid = \"header x-request-id\"\ntime = \"arrival\"\n\n[mirror.fields]\n\
                  booked = \"body /booked\"\n\n[[models]]";
    let fields = "nights = \"integer\"\npaid = \"boolean\"\nprice = \"number\"\narrival = \"timestamp\"\n\
                  guests = \"json\"";
    workspace.edit_study(&[
        ("[[models]]", mirror),
        ("nights = \"integer\"", fields),
        ("[inputs]\n", "[inputs]\nlateness = \"2d\"\n"),
        ("[decisions]\n", "[decisions]\nlateness = \"2d\"\n"),
    ]);
    let tokens = ROLES.map(|role| {
        let token = workspace.ok(&["token", "--role", role, "--name", role, "--file", "tokens.toml"]);
        token.stdout.trim().to_owned()
    });
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
    for token in &tokens {
        generate(&python, &serving, token);
    }
    let [feed, read, _, operate] = tokens.each_ref().map(|token| Client::with_token(serving.address, token));
    let (mut feed, mut read, mut operate) = (feed, read, operate);
    let requests = completed_requests(&mut read);
    assert!(requests >= LEAST_REQUESTS, "{requests}");

    // The clocks of the streams are those of the records that were sent, so that the run goes on accepting records.
    let status = read.get("/v1/status").json();
    let counted = |stream: &str, term: &str| {
        status["run-status"]["accounting"][stream][term].as_u64().unwrap_or_else(|| panic!("{status:#}"))
    };
    for stream in ["snapshots", "decisions"] {
        assert!(counted(stream, "received") > 0 && counted(stream, "late") == 0, "{status:#}");
        let record = format!(r#"{{"id":"the last one","at":"{}"}}"#, jiff::Timestamp::now());
        assert_eq!(
            feed.post(&format!("/v1/{stream}"), record).json()["accepted"],
            Value::from(1),
            "{stream}"
        );
    }
    assert_eq!(operate.post("/v1/end", r#"{"reason":"all requests are sent"}"#).status, 202);
    assert_eq!(serving.wait_with_output().code, 0);
    workspace.ok(&["verify", "run"]);
    assert!(account(&workspace.report("run"), "snapshots").len() > 2);
}
