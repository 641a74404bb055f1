//! The files in `deploy/` match the program.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use understudy_tests::observability::{observed_study, snapshots};
use understudy_tests::process::wait_until;
use understudy_tests::root;
use understudy_tests::served_run::ServedRun;

fn file(name: &str) -> String {
    let path = root().join("deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The metric names in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_metric = |word: &&str| word.starts_with("understudy_") || word.starts_with("process_");
    words.filter(is_metric).map(str::to_owned).collect()
}

/// All query expressions of a dashboard.
fn expressions(dashboard: &Value, found: &mut String) {
    match dashboard {
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("expr" | "query", Value::String(text)) => {
                        found.push_str(text);
                        found.push('\n');
                    }
                    _ => expressions(value, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_referenced_metric_exists() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let lines = ("content-type", "application/x-ndjson");
    client.send("POST", "/v1/snapshots", &[lines], snapshots(1).as_bytes());
    let mut exposed = BTreeSet::new();
    wait_until("the models have answered", || {
        let text = client.get("/metrics").text();
        exposed = text.lines().filter(|line| !line.starts_with('#')).flat_map(metrics).collect();
        exposed.contains("understudy_model_latency_seconds")
    });
    let dashboard: Value =
        serde_json::from_str(&file("grafana-dashboard.json")).expect("a dashboard is JSON");
    let mut text = String::new();
    expressions(&dashboard, &mut text);
    let named = metrics(&text);
    assert!(named.len() > 15, "{named:?}");
    let documented = metrics(&file("README.md"));
    let unknown: Vec<_> = named.union(&documented).filter(|name| !exposed.contains(*name)).collect();
    assert!(unknown.is_empty(), "there is no {unknown:?} among {exposed:#?}");
}

#[test]
fn dashboard_panels_do_not_overlap() {
    let dashboard: Value =
        serde_json::from_str(&file("grafana-dashboard.json")).expect("a dashboard is JSON");
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{} is too far to the right", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
}

#[test]
fn the_unit_and_the_image_use_existing_options() {
    let workspace = observed_study();
    let help = workspace.understudy(&["serve", "--help"]).stdout;
    let unit = file("understudy@.service");
    let starts = unit.lines().find(|line| line.starts_with("ExecStart=")).expect("it starts something");
    let image = file("Containerfile");
    let command = image.lines().find(|line| line.starts_with("CMD [\"serve\"")).expect("it has a command");
    let options = [starts, command].map(|line| {
        line.split([' ', '"']).filter(|word| word.starts_with("--")).map(str::to_owned).collect::<Vec<_>>()
    });
    assert!(options.iter().all(|options| !options.is_empty()), "{options:?}");
    for option in options.concat() {
        assert!(help.contains(&format!("{option} ")), "serve has no {option}");
    }
}

#[test]
fn the_verdict_so_far_is_served_as_decide_gives_it() {
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    let response = client.get("/v1/verdict");
    assert_eq!((response.status, response.header("retry-after")), (503, Some("60")));
    assert_eq!(response.json()["detail"], "No snapshot has arrived yet.");
    for day in 1..=10 {
        for (path, records) in [("/v1/snapshots", snapshots(day)), ("/v1/decisions", decisions(day))] {
            assert_eq!(client.post(path, records).status, 200);
        }
    }
    let mut verdict = Value::Null;
    wait_until("there is a verdict", || {
        let response = client.get("/v1/verdict");
        verdict = response.json();
        response.status == 200
    });
    workspace.understudy(&["decide", "run"]);
    let decided = fs::read(workspace.path().join("run/verdict.json")).expect("a verdict");
    let decided: Value = serde_json::from_slice(&decided).expect("JSON");
    assert_eq!(verdict["closed"], false);
    for key in ["study", "seal", "threshold", "notes", "closed", "windows"] {
        assert_eq!(verdict[key], decided[key], "{key}");
    }
    for (served, decided) in
        verdict["models"].as_array().unwrap().iter().zip(decided["models"].as_array().unwrap())
    {
        assert_eq!(served["scopes"], decided["scopes"]);
    }
}
