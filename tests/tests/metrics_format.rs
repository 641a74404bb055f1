//! `GET /metrics` in the text format of Prometheus.

use std::io::Write as _;
use std::process::{Command, Stdio};

use understudy_tests::external_programs::Requirement;
use understudy_tests::http::Client;
use understudy_tests::observability::{block_of_snapshots, decisions, observed_study, snapshots};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;

/// The metrics of a run whose models have answered, as the text format.
fn scraped(client: &mut Client) -> String {
    let lines = ("content-type", "application/x-ndjson");
    let records = [
        ("/v1/snapshots", snapshots(1)),
        ("/v1/snapshots", block_of_snapshots()),
        ("/v1/decisions", decisions(1)),
    ];
    for (path, text) in records {
        client.send("POST", path, &[lines], text.as_bytes());
    }
    let mut text = String::new();
    wait_until("the models have answered", || {
        let answer = client.send("GET", "/metrics", &[("accept", "*/*")], b"");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        text = answer.text();
        text.contains("understudy_model_latency_seconds{")
    });
    text
}

#[test]
fn promtool_finds_no_fault_in_the_text_format() {
    if !Requirement::Promtool.is_available() {
        return;
    }
    let promtool = std::env::var_os("UNDERSTUDY_PROMTOOL").expect("checked above");
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let text = scraped(&mut serving.client());
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut checking = command.spawn().expect("promtool starts");
    checking.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("promtool reads");
    let output = checking.wait_with_output().expect("promtool ends");
    let findings = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success() && findings.concat().is_empty(), "{}\n{text}", findings.concat());
}

#[test]
fn the_format_follows_the_accept_header() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let mut format = |accept: &str| {
        let answer = client.send("GET", "/metrics", &[("accept", accept)], b"");
        assert_eq!(answer.header("vary"), Some("accept"));
        let open_metrics = answer.text().ends_with("# EOF\n");
        let media = answer.header("content-type").unwrap_or_default();
        assert_eq!(media.starts_with("application/openmetrics-text; version=1.0.0"), open_metrics, "{media}");
        open_metrics
    };
    // As Prometheus asks, as `curl` does, as a browser does, and as somebody who prefers text.
    assert!(format(
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    ));
    assert!(!format("*/*"));
    assert!(!format("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    assert!(!format("text/plain;version=0.0.4,application/openmetrics-text;q=0.9"));
}
