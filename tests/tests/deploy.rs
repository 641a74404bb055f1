//! The files in `deploy/` match the program.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use understudy_tests::external_programs::Requirement;
use understudy_tests::observability::{block_of_snapshots, decisions, observed_study, snapshots};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, program, root};

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
    client.send("POST", "/v1/snapshots", &[lines], block_of_snapshots().as_bytes());
    let mut exposed = BTreeSet::new();
    wait_until("the models have answered", || {
        let text = client.get("/metrics").text();
        exposed = text.lines().filter(|line| !line.starts_with('#')).flat_map(metrics).collect();
        ["understudy_model_latency_seconds", "understudy_run_size_bytes"]
            .iter()
            .all(|name| exposed.contains(*name))
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
    assert_eq!((response.status, &response.json()["title"]), (404, &Value::from("no verdict yet")));
    assert_eq!(response.json()["detail"], "No snapshot has arrived yet.");
    for day in 1..=10 {
        for (path, records) in [("/v1/snapshots", snapshots(day)), ("/v1/decisions", decisions(day))] {
            let lines = ("content-type", "application/x-ndjson");
            assert_eq!(client.send("POST", path, &[lines], records.as_bytes()).status, 202);
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

/// The value in a document at a path of keys and indices, as a JSON path of Argo Rollouts finds it.
fn selected<'v>(document: &'v Value, path: &str, model: &str) -> Option<&'v str> {
    let path = path.strip_prefix("{$.models[?(@.model == '{{args.model}}')].")?.strip_suffix('}')?;
    let model = document["models"].as_array()?.iter().find(|found| found["model"] == model)?;
    let pointer = path.replace(['[', '.'], "/").replace(']', "");
    model.pointer(&format!("/{pointer}"))?.as_str()
}

#[test]
fn the_analysis_of_argo_rollouts_has_its_schema_and_selects_the_verdict() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let output = Command::new("node")
        .arg(root().join("tests/browser/argo_rollouts.mjs"))
        .arg(root().join("deploy/argo-rollouts.yaml"))
        .output()
        .expect("Node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let template: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let metric = &template["spec"]["metrics"][0];
    let web = &metric["provider"]["web"];
    assert_eq!(web["url"], "{{args.address}}/v1/verdict");
    assert_eq!(metric["successCondition"], "result == \"GO\"");
    assert_eq!(metric["failureCondition"], "result == \"NO-GO\" || result == \"VOID\"");
    let workspace = decided("at-least = 0.5");
    let verdict = fs::read(workspace.path().join("run/verdict.json")).expect("a verdict");
    let verdict: Value = serde_json::from_slice(&verdict).expect("JSON");
    let path = web["jsonPath"].as_str().expect("a path");
    assert_eq!(selected(&verdict, path, "echo"), Some("GO"));
    assert_eq!(selected(&verdict, path, "other"), None);
}

/// A closed run with a verdict under this threshold.
fn decided(threshold: &str) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let study = StudyToml::small().threshold(&format!(
        "{threshold}\nquantifier = \"pooled\"\nwindows = {{ all = true }}\nevidence = \"point\"\n\
         least-per-window = 1\nchance = \"not-asked\""
    ));
    workspace.write("study.toml", study.to_string());
    workspace.run(&[]);
    workspace.understudy(&["decide", "run"]);
    workspace
}

#[test]
fn the_github_action_passes_only_after_go() {
    let action = file("github-action/action.yml");
    let (_, script) = action.split_once("      run: |\n").expect("the action runs a script");
    let script: String =
        script.lines().map(|line| line.trim_start_matches("        ").to_owned() + "\n").collect();
    let binaries = program().parent().expect("a folder").to_owned();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").expect("a PATH"));
    let gate = |workspace: &TestWorkspace, run: &str, scope: &str, key: &str| {
        for name in ["output", "summary"] {
            workspace.write(name, "");
        }
        // Steps of GitHub run with these options.
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &script])
            .current_dir(workspace.path())
            .envs([("PATH", path.as_str()), ("RUN", run), ("MODEL", ""), ("SCOPE", scope), ("KEY", key)])
            .envs([("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")])
            .output()
            .expect("bash starts");
        let text = |name: &str| fs::read_to_string(workspace.path().join(name)).expect("a text");
        let summary = text("summary");
        assert_eq!(summary, format!("```text\n{}```\n", String::from_utf8_lossy(&output.stdout)));
        (output.status.code(), text("output"))
    };
    let workspace = decided("at-least = 0.5");
    assert_eq!(gate(&workspace, "run", "", ""), (Some(0), "verdict=GO\n".to_owned()));
    assert_eq!(gate(&workspace, "run", "x", ""), (Some(4), "verdict=NONE\n".to_owned()));
    assert_eq!(gate(&workspace, "absent", "", ""), (Some(4), "verdict=NONE\n".to_owned()));
    let key = workspace.ok(&["key", "other", "--output", "other.key"]).stdout;
    assert_eq!(gate(&workspace, "run", "", key.trim()), (Some(3), "verdict=VOID\n".to_owned()));
    let workspace = decided("at-least = 0.9");
    assert_eq!(gate(&workspace, "run", "", ""), (Some(1), "verdict=NO-GO\n".to_owned()));
}
