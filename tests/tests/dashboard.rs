//! The dashboard of a served run in a browser: it updates itself, keeps the state of its reader, sends no
//! request to other servers, and is accessible.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use understudy_tests::browser::{DashboardCheck, check_dashboard};
use understudy_tests::external_programs::Requirement;
use understudy_tests::observability::{ROWS_PER_DAY, SECRET, decisions, observed_study, snapshots};
use understudy_tests::plugin;
use understudy_tests::process::wait_until;
use understudy_tests::served_run::ServedRun;

/// Folder for screenshots, if `UNDERSTUDY_PICTURES` is set.
fn pictures(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("UNDERSTUDY_PICTURES")?;
    Some(fs::canonicalize(folder).expect("a folder for pictures").join(name))
}

/// Checks that there were no requests to other servers and no errors.
fn assert_no_errors(seen: &DashboardCheck, serving: &ServedRun) {
    let own = format!("http://{}/", serving.address);
    assert!(seen.requests.len() > 5, "{:?}", seen.requests);
    for request in &seen.requests {
        assert!(request.starts_with(&own) || request.starts_with("data:"), "it asks for {request}");
    }
    assert_eq!(seen.errors, [""; 0]);
}

fn posts(days: std::ops::RangeInclusive<usize>) -> Vec<(&'static str, String)> {
    let of_day = |day| [("v1/snapshots", snapshots(day)), ("v1/decisions", decisions(day))];
    days.flat_map(of_day).collect()
}

#[test]
fn the_dashboard_follows_the_run() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let posts = posts(1..=10);
    let received = (10 * ROWS_PER_DAY).to_string();
    let options = json!({ "posts": posts, "received": received, "covers": "up to 2026-03-07", "folder": pictures("live") });
    let seen = check_dashboard(serving.address, "grow", &options);
    assert_no_errors(&seen, &serving);

    let before = &seen.steps["before"];
    let banner = before["banner"].as_str().expect("a text");
    assert!(banner.contains("NO FIGURES YET") && banner.contains("No snapshot has arrived yet."), "{banner}");
    assert_eq!(before["account"][1], "0");
    let after = &seen.steps["after"];
    let account: Vec<&str> = after["account"]
        .as_array()
        .expect("cells")
        .iter()
        .map(|cell| cell.as_str().expect("a text"))
        .collect();
    assert_eq!(account[..3], ["snapshots", "300", "0"]);
    assert_eq!(account.last(), Some(&"✓ balances"));
    assert!(after["banner"].as_str().expect("a text").contains("INCONCLUSIVE SO FAR"), "{after:#}");
    // The figure of the study follows, in both widths.
    for (step, counts) in [
        (before, ["0 snapshots received", "0 pairs compared"]),
        (after, ["300 snapshots received", "300 decisions received"]),
    ] {
        let images = step["study"].as_array().expect("images");
        assert_eq!(images.len(), 2);
        for image in images {
            let image = image.as_str().expect("a text");
            assert!(counts.iter().all(|count| image.contains(count)), "{image}");
            assert!(image.contains("logged, not actioned") && image.contains("actioned"), "{image}");
        }
    }
    // The state of the reader is kept.
    assert_eq!(after["marker"], "the same page");
    assert!(after["focus"].as_str().expect("a text").starts_with("Data"), "{after:#}");
    assert_eq!((&after["open"], &after["scrolled"]), (&json!(true), &json!(333)), "{after:#}");
    assert_eq!(after["marks"], 2, "a chart for each model");
    assert_eq!(seen.steps["keys"], json!([true, "swap-plugin"]));
    let lost = seen.steps["lost"].as_str().expect("a text");
    assert!(lost.contains("UTC. The content is from that time"), "{lost}");

    assert_eq!(seen.views.len(), 4);
    for view in &seen.views {
        assert!(view.violations.is_empty(), "{}, {}: {:#?}", view.scheme, view.width, view.violations);
        for [page, window] in [view.closed, view.open] {
            assert!(page <= window, "{}, {}: the page is {page} wide", view.scheme, view.width);
        }
    }
}

#[test]
fn the_dashboard_shows_nothing_without_a_token() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let frame = serving.client().get("/");
    let policy = frame.header("content-security-policy").expect("a policy").to_owned();
    for part in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!frame.text().contains("small"), "the frame tells of the study");

    let seen = check_dashboard(serving.address, "token", &json!({ "folder": pictures("live") }));
    assert_no_errors(&seen, &serving);
    assert_eq!(seen.steps["hidden"], true);
    assert_eq!(seen.steps["nothing"], "Shadow study");
    assert_eq!(seen.steps["shown"], "Shadow study small");
    assert_eq!(seen.steps["violations"], json!([]));
    // The token is stored per tab and is not part of the URL.
    assert_eq!(seen.steps["stored"], json!([0, "", format!("http://{}/", serving.address)]));
}

#[test]
fn disagreements_can_be_reviewed_on_the_dashboard() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    for (path, body) in posts(1..=5) {
        let lines = ("content-type", "application/x-ndjson");
        assert_eq!(client.send("POST", &format!("/{path}"), &[lines], body.as_bytes()).status, 202);
    }
    let id = format!("{SECRET}-1-10");
    wait_until("the row is decided and in the log", || client.get(&format!("/v1/cases/{id}")).status == 200);
    let shown = client.get(&format!("/v1/cases/{id}?raw=true")).json();
    assert_eq!(
        (&shown["id"], &shown["models"][0]["plugin"]["name"]),
        (&json!(id), &json!("echo")),
        "{shown:#}"
    );
    assert_eq!(shown["models"][0]["answer"]["answer"], "b");
    assert_eq!(shown["substrate-answer"]["answer"], "zq7secret-other");
    assert!(shown["raw"].as_str().is_some_and(|raw| raw.contains(&id)), "{shown:#}");
    // A case within its horizon is not shown.
    let refused = client.get(&format!("/v1/cases/{SECRET}-5-10"));
    assert_eq!(refused.status, 422, "{refused:?}");
    let exposures = || {
        let entries = workspace.ledger_entries("run", Some("exposure"));
        entries.iter().map(|entry| (entry["command"].clone(), entry["who"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(exposures(), vec![(json!("case"), json!("local")); 2]);

    let seen = check_dashboard(serving.address, "review", &json!({ "folder": pictures("live") }));
    assert_no_errors(&seen, &serving);
    assert_eq!(seen.steps["violations"], json!([]));
    let case = seen.steps["case1"].as_str().expect("a text");
    assert!(case.contains("zq7secret-other") && case.contains("agreement"), "{case}");
    assert!(
        seen.steps["said"].as_str().is_some_and(|output| output.contains("Judged so far: 2")),
        "{:#}",
        seen.steps
    );
    assert!(
        seen.steps["unknown"].as_str().is_some_and(|output| output.contains("nowhere")),
        "{:#}",
        seen.steps
    );
    assert_eq!(exposures().last(), Some(&(json!("review"), json!("local"))));
    let judged: Vec<Value> = workspace
        .ledger_entries("run", Some("review"))
        .iter()
        .map(|entry| entry["judgement"].clone())
        .collect();
    assert_eq!(judged, ["model-right", "substrate-right"]);
    // A judgement is final and belongs to the person who started the review.
    let again = json!({ "review": 1, "case": 0, "judgement": "unclear" }).to_string();
    assert_eq!(client.post("/v1/review", &again).status, 422);
    let elsewhere = json!({ "review": 9, "case": 0, "judgement": "unclear" }).to_string();
    assert_eq!(client.post("/v1/review", &elsewhere).status, 404);
}

#[test]
fn a_plugin_can_be_swapped_on_the_dashboard() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let workspace = observed_study();
    let serving = ServedRun::start(&workspace, &[]);
    let mut client = serving.client();
    for (path, body) in posts(1..=2) {
        let lines = ("content-type", "application/x-ndjson");
        assert_eq!(client.send("POST", &format!("/{path}"), &[lines], body.as_bytes()).status, 202);
    }
    // The same plugin with a custom section of four letters: another component with the same answers.
    let mut component = fs::read(plugin("recorded")).expect("a component");
    component.extend(b"\x00\x05\x04note");
    workspace.write("other.wasm", component);
    let options = json!({ "component": workspace.path().join("other.wasm"), "folder": pictures("live") });
    let seen = check_dashboard(serving.address, "swap", &options);
    assert_no_errors(&seen, &serving);
    assert_eq!((&seen.steps["before"]["echo"], &seen.steps["after"]["echo"]), (&json!("0"), &json!("1")));
    assert_eq!(seen.steps["before"]["recorded"], seen.steps["after"]["recorded"]);
    assert_eq!(seen.steps["marker"], "the same page");
    let swaps = client.get("/v1/swaps").json();
    assert!(swaps.to_string().contains("tried from the page"), "{swaps:#}");
    assert_eq!(client.get("/v1/status").json()["swaps"], 1);
}
