//! Status, metrics and logs of a served run: counters match the records sent, and no content of a record
//! appears.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use understudy_tests::http::Client;
use understudy_tests::observability::{ROWS_PER_DAY, SECRET, decisions, observed_study, snapshots};
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::served_run::ServedRun;
use understudy_tests::{CommandOutput, TestWorkspace};

const LINES: (&str, &str) = ("content-type", "application/x-ndjson");

fn send(client: &mut Client, path: &str, lines: &str) -> Value {
    let answer = client.send("POST", path, &[LINES], lines.as_bytes());
    assert!([202, 422].contains(&answer.status), "{answer:?}");
    answer.json()
}

/// Waits until the run has counted this many records per stream.
fn counted(client: &mut Client, received: [usize; 2]) -> Value {
    let mut status = Value::Null;
    wait_until("the run tells of what was sent", || {
        status = client.get("/v1/status").json();
        let account = |stream: &str| status["run-status"]["accounting"][stream]["received"].as_u64();
        [account("snapshots"), account("decisions")] == received.map(|count| Some(count as u64))
    });
    status
}

/// Parses OpenMetrics text into samples by name and labels. Checks the format: metadata precedes its samples,
/// the samples of a metric are contiguous, counters end in `_total`, units are part of the name, and series
/// are unique.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut families = BTreeSet::new();
    let (mut name, mut kind, mut help) = (String::new(), String::new(), false);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" {
            assert!(lines.peek().is_none(), "something stands behind the end");
            return samples;
        }
        if let Some(output) = line.strip_prefix("# ") {
            let parts: Vec<&str> = output.splitn(3, ' ').collect();
            let [what, of, value] = parts[..] else { panic!("{line}") };
            if of != name {
                assert!(families.insert(of.to_owned()), "the samples of {of} do not stand together");
                assert_eq!(what, "HELP", "{line}");
                (name, kind, help) = (of.to_owned(), String::new(), false);
            }
            match what {
                "HELP" => {
                    assert!(!help && value.len() > 5, "{line}");
                    help = true;
                }
                "TYPE" => kind = value.to_owned(),
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{name} lacks its unit {value}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let own = series.split('{').next().expect("a name");
        assert!(help && !kind.is_empty(), "{series} is not told of before");
        let suffix = own.strip_prefix(name.as_str()).unwrap_or_else(|| panic!("{own} stands below {name}"));
        let may: &[&str] = match kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            other => panic!("{name} is a {other}"),
        };
        assert!(may.contains(&suffix), "{own} is no {kind}");
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(value.is_finite(), "{line}");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
    }
    panic!("the text does not end with # EOF")
}

/// The value of one sample. Labels may be in any order.
fn sample(samples: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let is = |series: &&String| {
        let (own, rest) = series.split_once('{').unwrap_or((series, "}"));
        let found: BTreeSet<&str> = rest.trim_end_matches('}').split(',').filter(|l| !l.is_empty()).collect();
        own == name && found == labels.iter().copied().collect()
    };
    let found: Vec<&String> = samples.keys().filter(is).collect();
    assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?} in {:#?}", samples.keys());
    samples[found[0]]
}

#[test]
fn counters_match_the_records_sent() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    send(&mut client, "/v1/snapshots", &snapshots(1));
    send(&mut client, "/v1/snapshots", &snapshots(1));
    send(&mut client, "/v1/snapshots", "{\"id\":\"no time\"}\n");
    send(&mut client, "/v1/decisions", &decisions(1));
    assert_eq!(client.get("/nowhere").status, 404);
    assert_eq!(client.get("/v1/cases/unknown").status, 422);
    let status = counted(&mut client, [2 * ROWS_PER_DAY + 1, ROWS_PER_DAY]);

    let snapshots = &status["run-status"]["accounting"]["snapshots"];
    let fates = ["rejected", "duplicate", "paired", "waiting"].map(|fate| snapshots[fate].as_u64());
    assert_eq!(fates, [1, 30, 30, 0].map(Some));
    assert_eq!((status["study"].as_str(), status["phase"].as_str()), (Some("small"), Some("serving")));
    assert_eq!(status["models"], serde_json::json!(["echo", "fragile"]));
    assert!(status["disk"]["run-bytes"].is_null(), "{status:#}");
    assert!(status["resident-bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{status:#}");
    assert!(status["threshold"].as_str().is_some_and(|words| words.contains("0.6")), "{status:#}");

    let open_metrics = [("accept", "application/openmetrics-text")];
    let answer = client.send("GET", "/metrics", &open_metrics, b"");
    let media = answer.header("content-type").expect("a media type");
    assert!(media.starts_with("application/openmetrics-text; version=1.0.0"), "{media}");
    let samples = samples(&answer.text());
    let records = |stream: &str, fate: &str| {
        let labels = [format!("stream=\"{stream}\""), format!("outcome=\"{fate}\"")];
        sample(&samples, "understudy_records_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!(
        ["rejected", "duplicate", "paired", "expired"].map(|f| records("snapshots", f)),
        [1.0, 30.0, 30.0, 0.0]
    );
    assert_eq!(records("decisions", "paired"), 30.0);
    assert_eq!(sample(&samples, "understudy_records_received_total", &["stream=\"snapshots\""]), 61.0);
    assert_eq!(sample(&samples, "understudy_records_waiting", &["stream=\"snapshots\""]), 0.0);
    let answers = |model: &str, outcome: &str| {
        let labels = [format!("model=\"{model}\""), format!("outcome=\"{outcome}\"")];
        sample(&samples, "understudy_model_answers_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!([answers("echo", "answered"), answers("echo", "failed")], [30.0, 0.0]);
    assert_eq!([answers("fragile", "answered"), answers("fragile", "failed")], [29.0, 1.0]);
    let labels = ["plugin=\"fragile\"", "role=\"model\""];
    assert!(sample(&samples, "understudy_plugin_traps_total", &labels) >= 1.0);
    assert_eq!(sample(&samples, "understudy_plugin_rows_total", &labels), 0.0);
    assert_eq!(sample(&samples, "understudy_plugin_generation", &labels), 0.0);
    assert!(sample(&samples, "understudy_plugin_memory_bytes", &labels) >= 65_536.0);
    let requests = |path: &str, method: &str, status: &str| {
        let labels =
            [format!("path=\"{path}\""), format!("method=\"{method}\""), format!("status=\"{status}\"")];
        sample(&samples, "understudy_http_requests_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!(requests("/v1/snapshots", "POST", "202"), 2.0);
    assert_eq!(requests("/v1/snapshots", "POST", "422"), 1.0);
    assert_eq!(requests("other", "GET", "404"), 1.0);
    assert_eq!(requests("/v1/cases/{id}", "GET", "422"), 1.0);
    let timed = ["path=\"/v1/snapshots\"", "method=\"POST\""];
    assert_eq!(sample(&samples, "understudy_http_request_duration_seconds_count", &timed), 3.0);
    assert_eq!(sample(&samples, "understudy_log_wait_seconds_count", &[]), 4.0);
    // 2026-03-01T10:29:00Z
    assert_eq!(
        sample(&samples, "understudy_stream_clock_seconds", &["stream=\"snapshots\""]),
        1_772_360_940.0
    );
    for name in ["understudy_queue_deliveries", "understudy_draining", "understudy_generation"] {
        assert_eq!(sample(&samples, name, &[]), 0.0, "{name}");
    }
    for name in ["understudy_ready", "understudy_disk_free_bytes", "process_resident_memory_bytes"] {
        assert!(sample(&samples, name, &[]) > 0.0, "{name}");
    }

    // Arbitrary requests add no series.
    let before = samples.len();
    for at in 0..20 {
        client.get(&format!("/elsewhere/{at}"));
        client.get(&format!("/v1/cases/{at}"));
    }
    assert_eq!(
        self::samples(&client.send("GET", "/metrics", &open_metrics, b"").text()).len(),
        before + added(&samples)
    );
}

/// Number of series of an endpoint after its first request: its counter, and buckets, sum and count of its
/// durations. `/metrics` itself is one of them.
fn added(samples: &BTreeMap<String, f64>) -> usize {
    let of_one = |series: &&String| {
        series.starts_with("understudy_http_request_duration_seconds")
            && series.contains("path=\"/v1/status\"")
    };
    1 + samples.keys().filter(of_one).count()
}

#[test]
fn record_contents_never_appear_in_observability_output() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &["--log-level", "debug"]);
    let mut client = serving.client();
    for day in 1..=6 {
        send(&mut client, "/v1/snapshots", &snapshots(day));
        send(&mut client, "/v1/decisions", &decisions(day));
    }
    let broken = format!("{{\"id\":\"{SECRET}\",\"at\":\"{SECRET}\"}}\n{SECRET}\n");
    send(&mut client, "/v1/snapshots", &broken);
    send(&mut client, "/v1/decisions", &broken);
    let conflict = snapshots(6).replace("\"nights\":3", "\"nights\":4");
    send(&mut client, "/v1/snapshots", &conflict);
    let token = format!("Bearer {SECRET}");
    for path in ["", "v1/cases/", "v1/status?a="] {
        client.send("GET", &format!("/{path}{SECRET}"), &[("authorization", &token)], b"");
    }
    client.post("/v1/review", format!("{{\"{SECRET}\":1}}"));
    counted(&mut client, [7 * ROWS_PER_DAY + 2, 6 * ROWS_PER_DAY + 2]);
    let mut seen = String::new();
    wait_until("there are figures", || {
        seen = client.get("/live").text();
        seen.contains("SO FAR")
    });
    let (metrics, status) = (client.get("/metrics").text(), client.get("/v1/status").text());
    wait_until("it is told that a plugin trapped", || serving.stderr().contains("plugin trapped"));
    let output = serving.stop();
    for what in ["listening on", "run started", "plugin trapped", "draining", "run interrupted"] {
        assert!(output.stderr.contains(what), "the log lacks {what}: {}", output.stderr);
    }
    for (place, text) in [("log", output.stderr), ("metrics", metrics), ("status", status), ("page", seen)] {
        assert!(text.len() > 100, "{place}: {text}");
        assert!(!text.contains(SECRET), "{place}: {text}");
    }
}

#[test]
fn the_json_log_has_one_object_per_line() {
    let workspace = observed_study();
    let mut running = TestProcess::start(workspace.command(&[
        "serve",
        "study.toml",
        "--run",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ]));
    wait_until("the run has begun", || workspace.path().join("run/control.sock").exists());
    let status: Value =
        serde_json::from_str(&workspace.understudy(&["status", "run", "--format", "json"]).stdout)
            .expect("the status is JSON");
    assert_eq!(status["study"], "small");
    running.close_stdin();
    running.signal("TERM");
    let output = running.wait_with_output();
    let events: Vec<Value> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let told: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    assert_eq!(told.first(), Some(&"listening"));
    assert!(
        told.contains(&"run started") && told.contains(&"run interrupted; serve it again to resume it"),
        "{told:?}"
    );
    for event in &events {
        assert!(event["timestamp"].is_string() && event["level"].is_string(), "{event}");
    }
}

#[test]
fn an_unknown_log_level_is_rejected() {
    let workspace = TestWorkspace::served();
    let output = workspace.understudy(&["serve", "study.toml", "--log-level", "loud"]);
    insta::assert_snapshot!(output.stderr, @r#"unknown log level "loud" in --log-level; use error, warn, info, debug or off"#);
    let mut command = workspace.command(&["serve", "study.toml"]);
    command.env("UNDERSTUDY_LOG", "loud");
    let output: CommandOutput = command.output().expect("it starts").into();
    insta::assert_snapshot!(output.stderr, @r#"unknown log level "loud" in UNDERSTUDY_LOG; use error, warn, info, debug or off"#);
}

#[test]
fn status_and_top_show_the_state_of_a_run() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    send(&mut client, "/v1/snapshots", &snapshots(1));
    counted(&mut client, [ROWS_PER_DAY, 0]);
    let output = workspace.ok(&["status", "run"]);
    for line in [
        "small: serving",
        "  received                     30          0",
        "echo           30          0       0",
    ] {
        assert!(output.stdout.contains(line), "{line} is not in\n{}", output.stdout);
    }
    // If the output is not a terminal, it is printed once.
    let top = workspace.ok(&["top", "run"]);
    assert_eq!(top.stdout.lines().count(), output.stdout.lines().count());
    serving.stop();
    let output = workspace.understudy(&["status", "run"]);
    insta::assert_snapshot!(output.stderr, @"no process serves run; start one with `understudy serve`");
    assert_eq!(output.code, 1);
}
