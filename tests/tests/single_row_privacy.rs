//! What a served run shows while records arrive one at a time: no shown value depends on what a plugin computed for a
//! single row.
//!
//! Two runs of one study get the same numbers of records with different answers. After each record, whatever they
//! show is equal, except values of time and machine. These are listed here, so a new value is compared.

use std::collections::BTreeMap;

use serde_json::Value;
use understudy_service::{Access, ROUTES};
use understudy_tests::TestWorkspace;
use understudy_tests::http::Client;
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;

const ROLES: [&str; 4] = ["feed", "read", "operate", "audit"];
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");
/// Rows by which shown usage grows at least.
const BLOCK: u64 = 1000;

/// Metrics of time and machine. The first counts the requests of this test, which polls as often as it needs.
const METRICS_OF_TIME: [&str; 6] = [
    "understudy_http_request",
    "understudy_log_wait_seconds_bucket",
    "understudy_log_wait_seconds_sum",
    "understudy_queue_oldest_seconds",
    "understudy_disk_free_bytes",
    "process_resident_memory_bytes",
];
/// Keys of the status that are of time and machine.
const STATUS_OF_TIME: [&str; 6] =
    ["at", "run-status.at", "run-status.began", "directory", "disk.free-bytes", "resident-bytes"];
/// Facts of the dashboard that are of time and machine.
const FACTS_OF_TIME: [&str; 4] = ["Started", "Counts at", "Disk", "Process memory"];
/// Lines of the status as text that are of time and machine.
const LINES_OF_TIME: [&str; 4] = ["run ", "started ", "disk ", "memory "];

/// Whatever a run shows, by its place.
type Shown = BTreeMap<String, String>;

struct ObservedRun {
    workspace: TestWorkspace,
    serving: ServedRun,
    tokens: BTreeMap<&'static str, String>,
    received: [u64; 2],
}

impl ObservedRun {
    fn start() -> ObservedRun {
        let workspace = TestWorkspace::new();
        let study = StudyToml::small()
            .primary()
            .http()
            .model("other", "booked")
            .configured_metric("kappa", "kappa", r#"{ labels = ["a", "b"] }"#)
            .threshold(
                "at-least = 0.6\nquantifier = \"pooled\"\nwindows = { first = 20 }\nevidence = \"bound\"\nconfidence = 0.95\n\
                 family = \"each\"\nchance = { gain = 0.0 }",
            )
            .section("blinding", "share = 0");
        workspace.write("study.toml", study.to_string());
        let token = |role| {
            let arguments = ["token", "--role", role, "--name", role, "--file", "tokens.toml"];
            (role, workspace.ok(&arguments).stdout.trim().to_owned())
        };
        let tokens = ROLES.map(token).into();
        let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml", "--log-level", "debug"]);
        ObservedRun { workspace, serving, tokens, received: [0; 2] }
    }

    fn client(&self, role: &str) -> Client {
        Client::with_token(self.serving.address, &self.tokens[role])
    }

    /// Sends records to a stream, and waits until the run has processed them.
    fn send(&mut self, stream: usize, lines: &[String]) {
        let path = ["/v1/snapshots", "/v1/decisions"][stream];
        let answer = self.client("feed").send("POST", path, &[LINES], (lines.join("\n") + "\n").as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
        self.received[stream] += lines.len() as u64;
        let mut client = self.client("operate");
        // The evaluator works on: two more statuses are published, 100 ms apart.
        let mut times = Vec::new();
        wait_until("the records are processed", || {
            let status = client.get("/v1/status").json();
            let run = &status["run-status"];
            let received = ["snapshots", "decisions"].map(|of| run["accounting"][of]["received"].as_u64());
            let is_idle = run["in-flight"] == 0 && status["queue"]["deliveries"] == 0;
            if is_idle && received == self.received.map(Some) && times.last() != Some(&run["at"]) {
                times.push(run["at"].clone());
            }
            times.len() >= 4
        });
    }

    /// One snapshot and its decision, each followed by a look at all that is shown.
    fn send_pair(&mut self, number: usize, booked: &str, room: &str) -> [Shown; 2] {
        self.send(0, &[snapshot(number, booked)]);
        let first = self.shown();
        self.send(1, &[decision(number, room)]);
        [first, self.shown()]
    }

    fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for role in ROLES {
            let mut client = self.client(role);
            let shows = |access| matches!(access, Access::Open | Access::Read);
            for route in ROUTES.iter().filter(|route| route.method == "GET" && shows(route.access)) {
                let answer = client.get(route.path);
                let place = format!("{role} {}", route.path);
                shown.insert(format!("{place} status"), answer.status.to_string());
                match (route.path, answer.status) {
                    ("/v1/status", 200) => flatten(&place, "", &answer.json(), &mut shown),
                    ("/metrics", 200) => metrics(&place, &answer.text(), &mut shown),
                    ("/live", 200) => drop(shown.insert(place, without_facts(&answer.text()))),
                    ("/v1/whoami", _) => {}
                    _ => drop(shown.insert(place, answer.text())),
                }
            }
        }
        for command in ["status", "top"] {
            let text = self.workspace.ok(&[command, "run"]).stdout;
            let lines =
                text.lines().filter(|line| !LINES_OF_TIME.iter().any(|start| line.starts_with(start)));
            shown.insert(command.to_owned(), lines.collect::<Vec<_>>().join("\n"));
        }
        let log = self.serving.stderr();
        // Requests are logged at a limited rate, so their number depends on the time.
        let lines = log.lines().filter(|line| !line.contains("request "));
        shown.insert("log lines".to_owned(), lines.count().to_string());
        shown
    }
}

fn snapshot(number: usize, booked: &str) -> String {
    let (minute, second) = (number / 60, number % 60);
    format!(
        r#"{{"id":"s{number}","at":"2026-03-01T10:{minute:02}:{second:02}Z","booked":"{booked}","nights":1}}"#
    )
}

fn decision(number: usize, room: &str) -> String {
    let (minute, second) = (number / 60, number % 60);
    format!(r#"{{"id":"s{number}","at":"2026-03-01T11:{minute:02}:{second:02}Z","room":"{room}"}}"#)
}

/// The values of the status by their path.
fn flatten(place: &str, path: &str, value: &Value, shown: &mut Shown) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| flatten(place, &inner(key), value, shown)),
        Value::Array(values) => {
            let numbered = values.iter().enumerate();
            numbered.for_each(|(at, value)| flatten(place, &inner(&at.to_string()), value, shown));
        }
        _ if STATUS_OF_TIME.contains(&path) => {}
        _ => drop(shown.insert(format!("{place} {path}"), value.to_string())),
    }
}

/// The values of the metrics by their series.
fn metrics(place: &str, text: &str, shown: &mut Shown) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        if !METRICS_OF_TIME.iter().any(|name| series.starts_with(name)) {
            shown.insert(format!("{place} {series}"), value.to_owned());
        }
    }
}

/// The dashboard without the values of facts of time and machine.
fn without_facts(page: &str) -> String {
    let mut page = page.to_owned();
    for name in FACTS_OF_TIME {
        let label = format!("<dt>{name}</dt>");
        let start = page.find(&label).unwrap_or_else(|| panic!("the page has no {name}: {page}"));
        let end = start + page[start..].find("</dd>").expect("a fact has a value");
        page.replace_range(start..end, "");
    }
    page
}

#[test]
fn no_shown_value_tells_two_answers_apart() {
    let long = "l".repeat(20_000);
    let long = long.as_str();
    let (mut one, mut other) = (ObservedRun::start(), ObservedRun::start());
    // The answer and the decision in each of the runs: a longer answer and decision, a miss, both, another label, a
    // hit.
    let pairs = [
        (["a", "a"], [long, long]),
        (["a", "a"], ["a", "b"]),
        (["b", "b"], [long, "a"]),
        (["c", "c"], ["a", "a"]),
        (["a", "b"], ["b", "b"]),
    ];
    for (number, (in_one, in_other)) in pairs.into_iter().enumerate() {
        let shown = one.send_pair(number, in_one[0], in_one[1]);
        let others = other.send_pair(number, in_other[0], in_other[1]);
        for (record, (shown, others)) in ["snapshot", "decision"].into_iter().zip(shown.iter().zip(&others)) {
            assert_eq!(
                shown.keys().collect::<Vec<_>>(),
                others.keys().collect::<Vec<_>>(),
                "after the {record} of pair {number}"
            );
            for (place, value) in shown {
                assert_eq!(value, &others[place], "{place}, after the {record} of pair {number}");
            }
            assert!(shown.len() > 200, "{shown:#?}");
            assert_eq!(shown["feed /metrics status"], "403");
        }
    }

    // The usage of a block is shown. It does depend on the answers, so the comparison above has power.
    let numbers = 100..100 + BLOCK as usize;
    let blocks = [&mut one, &mut other].map(|run| {
        run.send(0, &numbers.clone().map(|number| snapshot(number, "a")).collect::<Vec<_>>());
        run.send(1, &numbers.clone().map(|number| decision(number, "b")).collect::<Vec<_>>());
        run.shown()
    });
    let value = |shown: &Shown, name: &str| -> f64 {
        let shown = shown.get(&format!("read /metrics understudy_{name}"));
        let value = shown.unwrap_or_else(|| panic!("{name} is not shown"));
        value.parse().expect("a number")
    };
    for (role, plugin) in [("model", "echo"), ("comparator", "recorded"), ("metric", "agreement")] {
        let labels = format!("{{plugin=\"{plugin}\",role=\"{role}\"}}");
        let [fuel, others] =
            blocks.each_ref().map(|shown| value(shown, &format!("plugin_fuel_total{labels}")));
        assert!(fuel > 1000.0 && fuel != others, "{role}: {fuel} and {others}");
        assert!(value(&blocks[0], &format!("plugin_rows_total{labels}")) >= BLOCK as f64, "{role}");
        assert!(value(&blocks[0], &format!("plugin_calls_total{labels}")) >= 1.0, "{role}");
        assert!(value(&blocks[0], &format!("plugin_memory_bytes{labels}")) >= 65_536.0, "{role}");
    }
    let p50 = r#"model_latency_seconds{model="echo",statistic="p50"}"#;
    assert!(value(&blocks[0], p50) > 0.0);
    assert!(value(&blocks[0], "run_size_bytes") > 10_000.0);

    // One more row changes none of them.
    let is_of_block = |place: &&String| {
        let names =
            ["plugin_fuel", "plugin_rows", "plugin_calls", "plugin_memory", "model_latency", "run_size"];
        names.iter().any(|name| place.contains(name))
            || place.contains("usage.")
            || place.contains("latency.")
    };
    let later = one.send_pair(90, long, "a");
    let places: Vec<&String> = blocks[0].keys().filter(is_of_block).collect();
    assert!(places.len() > 60, "{places:#?}");
    for place in places {
        assert_eq!(blocks[0][place], later[1][place], "{place}");
    }
}
