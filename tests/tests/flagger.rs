//! `deploy/flagger.yaml` and `POST /v1/verdict`: a webhook of Flagger waits for GO, and one rolls back after NO-GO.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use understudy_tests::external_programs::Requirement;
use understudy_tests::http::{Client, Response};
use understudy_tests::observability::{decisions, observed_study, snapshots};
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;
use understudy_tests::{TestWorkspace, root};

/// The types of webhooks that Flagger has:
/// <https://github.com/fluxcd/flagger/blob/v1.9.0/artifacts/flagger/crd.yaml>, `spec.analysis.webhooks`.
const HOOK_TYPES: [&str; 8] = [
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-promotion",
    "post-rollout",
    "event",
    "rollback",
    "confirm-traffic-increase",
];

/// The webhooks of the template.
fn webhooks() -> Vec<Value> {
    let output = Command::new("node")
        .arg(root().join("tests/browser/yaml_as_json.mjs"))
        .arg(root().join("deploy/flagger.yaml"))
        .output()
        .expect("Node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let canary: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!((&canary["apiVersion"], &canary["kind"]), (&"flagger.app/v1beta1".into(), &"Canary".into()));
    canary["spec"]["analysis"]["webhooks"].as_array().expect("webhooks").clone()
}

/// Sends what Flagger sends for a webhook: its documented payload, JSON, and the credentials of the URL.
fn call(client: &mut Client, hook: &Value, token: &str) -> Response {
    let mut payload =
        json!({ "name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b" });
    payload["metadata"] = hook["metadata"].clone();
    let url = hook["url"].as_str().expect("a URL").replace("TOKEN", token);
    let (credentials, _) = url.trim_start_matches("https://").split_once('@').expect("credentials");
    let basic = format!("Basic {}", STANDARD.encode(credentials));
    let headers = [("content-type", "application/json"), ("authorization", basic.as_str())];
    client.send("POST", "/v1/verdict", &headers, payload.to_string().as_bytes())
}

/// A served run with a token for each of these roles.
fn served(threshold: &[(&str, &str)]) -> (TestWorkspace, ServedRun, [String; 3]) {
    let workspace = observed_study();
    workspace.edit_study(threshold);
    let tokens = ["read", "feed", "operate"].map(|role| {
        let token = workspace.ok(&["token", "--role", role, "--name", role, "--file", "tokens.toml"]);
        token.stdout.trim().to_owned()
    });
    let serving = ServedRun::start(&workspace, &["--tokens", "tokens.toml"]);
    (workspace, serving, tokens)
}

/// Sends ten days of records, of which nine in ten agree.
fn feed(serving: &ServedRun, token: &str) {
    let mut client = Client::with_token(serving.address, token);
    for day in 1..=10 {
        for (path, records) in [("/v1/snapshots", snapshots(day)), ("/v1/decisions", decisions(day))] {
            let lines = ("content-type", "application/x-ndjson");
            assert_eq!(client.send("POST", path, &[lines], records.as_bytes()).status, 202);
        }
    }
}

/// The webhooks that wait for the promotion and for the rollback, about the model of the test study.
fn hooks() -> [Value; 2] {
    let mut hooks = webhooks();
    for hook in &mut hooks {
        hook["metadata"]["model"] = "echo".into();
    }
    hooks.try_into().expect("two webhooks")
}

#[test]
fn the_template_has_webhooks_of_flagger() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let hooks = webhooks();
    let types: Vec<&str> = hooks.iter().map(|hook| hook["type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["confirm-promotion", "rollback"]);
    for hook in &hooks {
        assert!(HOOK_TYPES.contains(&hook["type"].as_str().expect("a type")));
        assert!(hook["name"].is_string(), "{hook}");
        assert!(hook["url"].as_str().is_some_and(|url| url.ends_with("/v1/verdict")), "{hook}");
        let timeout = hook["timeout"].as_str().and_then(|timeout| timeout.strip_suffix('s'));
        assert!(timeout.is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{hook}");
        assert!(hook["metadata"].as_object().is_some_and(|map| map.values().all(Value::is_string)), "{hook}");
        let keys = ["name", "type", "url", "timeout", "metadata"];
        assert!(
            hook.as_object().is_some_and(|hook| hook.keys().all(|key| keys.contains(&key.as_str()))),
            "{hook}"
        );
    }
}

/// The status of both webhooks once there is a verdict.
fn statuses(serving: &ServedRun, token: &str) -> [(u16, Value); 2] {
    let mut client = serving.client();
    hooks().map(|hook| {
        let mut response = None;
        wait_until("there is a verdict", || {
            let got = call(&mut client, &hook, token);
            let is_ready = got.status != 404;
            response = Some((got.status, got.json()));
            is_ready
        });
        response.expect("it was sent")
    })
}

#[test]
fn a_promotion_waits_for_go_and_a_rollback_for_no_go() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let point =
        "windows = { first = 5 }\nevidence = \"point\"\nleast-per-window = 1\nleast-per-condition = 1\n";
    let declared = "windows = { first = 20 }\nevidence = \"bound\"\nconfidence = 0.95\nfamily = \"each\"\n";
    for (edits, expected, verdict) in [
        (&[][..], [409, 409], "INCONCLUSIVE"),
        (&[(declared, point)], [200, 409], "GO"),
        (&[(declared, point), ("at-least = 0.6", "at-least = 0.95")], [409, 200], "NO-GO"),
    ] {
        let (_workspace, serving, [read, feeder, _]) = served(edits);
        let none = call(&mut serving.client(), &hooks()[0], &read);
        assert_eq!((none.status, &none.json()["title"]), (404, &"no verdict yet".into()));
        feed(&serving, &feeder);
        let found = statuses(&serving, &read);
        assert_eq!(found.each_ref().map(|(status, _)| *status), expected, "{found:?}");
        let closed = found.iter().find(|(status, _)| *status == 409).expect("one gate is closed");
        let detail = closed.1["detail"].as_str().expect("a reason for Flagger's event");
        assert!(detail.starts_with(&format!("the verdict on echo in all is {verdict}: ")), "{detail}");
        if let Some((_, open)) = found.iter().find(|(status, _)| *status == 200) {
            assert_eq!((&open["model"], &open["verdict"]), (&"echo".into(), &verdict.into()), "{open}");
            // It is the verdict of the other method, which takes the same credentials.
            let shown = Client::with_token(serving.address, &read).get("/v1/verdict").json();
            let model =
                shown["models"].as_array().expect("models").iter().find(|model| model["model"] == "echo");
            assert_eq!(model.expect("the model")["scopes"][0]["verdict"], verdict);
        }
    }
}

#[test]
fn a_gate_needs_the_role_and_a_known_scope() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let (_workspace, serving, [read, feeder, operate]) = served(&[]);
    let [hook, _] = hooks();
    let mut client = serving.client();
    assert_eq!(call(&mut client, &hook, "understudy_guessed").status, 401);
    // A token that only feeds reads nothing, and credentials of a URL end no run.
    assert_eq!(call(&mut client, &hook, &feeder).status, 403);
    let basic = format!("Basic {}", STANDARD.encode(format!("flagger:{operate}")));
    let headers = [("content-type", "application/json"), ("authorization", basic.as_str())];
    assert_eq!(client.send("POST", "/v1/end", &headers, br#"{"reason":"over"}"#).status, 401);
    feed(&serving, &feeder);
    statuses(&serving, &read);
    let mut reader = Client::with_token(serving.address, &read);
    for (metadata, words) in [
        (
            json!({ "scope": "weekend" }),
            "no such model or scope; its models are echo, fragile, and its scopes all",
        ),
        (json!({ "model": "ecko" }), "no such model or scope"),
        (json!({ "scpoe": "all" }), "unknown field `scpoe`"),
        (json!({ "verdict": "PASS" }), "write GO, NO-GO, INCONCLUSIVE or VOID"),
        (json!("all"), "`metadata` is not an object"),
    ] {
        let response = reader.post("/v1/verdict", json!({ "metadata": metadata }).to_string());
        assert_eq!(response.status, 422, "{metadata}");
        let detail = response.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(words), "{detail}");
    }
    // Without metadata, the worst verdict of all models counts.
    assert_eq!(reader.post("/v1/verdict", "{}").status, 409);
}
