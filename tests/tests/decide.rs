//! Deciding on runs that are going on, that somebody looked into, that keep only what they must, or that were tampered with.

use std::fs;

use serde_json::Value;
use understudy_tests::Bench;
use understudy_tests::process::{Running, until};

const THRESHOLD: &str = r#"
[threshold]
at-least = 0.7
quantifier = "every-window"
windows = { first = 2 }
evidence = "point"
least-per-window = 10
[blinding]
share = 0
"#;

/// A study over three days with twenty snapshots each, of which `misses` a day are decided otherwise.
fn study(misses: usize, more: &str) -> Bench {
    let bench = Bench::small();
    let text = fs::read_to_string(bench.path().join("study.toml")).expect("the study");
    bench.write("study.toml", format!("{text}{more}"));
    // One on the day before, and one after the last day, show that the feed was there.
    let mut snapshots = vec![snapshot(0, 12)];
    for day in 1..4 {
        snapshots.extend((0..20).map(|number| snapshot(day, number)));
    }
    snapshots.push(snapshot(4, 0));
    bench.lines("snapshots.jsonl", &snapshots);
    bench.lines("decisions.jsonl", decisions(misses));
    bench
}

fn snapshot(day: usize, number: usize) -> String {
    let hour = number % 24;
    format!(
        r#"{{"id":"s{day}-{number}","at":"2026-03-0{}T{hour:02}:00:00Z","booked":"a","nights":1}}"#,
        day + 1
    )
}

fn decisions(misses: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for day in 1..4 {
        lines.extend((0..20).map(|number| {
            let room = if number < misses { "b" } else { "a" };
            format!(
                r#"{{"id":"s{day}-{number}","at":"2026-03-0{}T{number:02}:30:00Z","room":"{room}"}}"#,
                day + 1
            )
        }));
    }
    lines
}

fn verdict(bench: &Bench) -> Value {
    let text = fs::read(bench.path().join("run/verdict.json")).expect("a verdict");
    serde_json::from_slice(&text).expect("a verdict is JSON")
}

fn first_ruling(bench: &Bench) -> Value {
    verdict(bench)["models"][0]["scopes"][0].clone()
}

#[test]
fn a_run_that_is_going_on_can_be_looked_at_and_who_is_shown_rows_is_in_the_verdict() {
    let bench = study(2, &THRESHOLD.replace("first = 2", "latest = 2"));
    bench.change(&[("file = \"decisions.jsonl\"", "stdin = true"), ("horizon = \"1d\"", "horizon = \"1h\"")]);
    let mut running = Running::start(bench.command(&["run", "study.toml", "--run", "run"]));
    running.feed(decisions(2).join("\n") + "\n");
    until("pairs are shown", || bench.understudy(&["log", "run"]).out.contains("s3-10"));
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.out.contains("The run has not ended"), "{}", said.out);
    assert!(said.out.contains("where a figure by itself decides nothing"), "{}", said.out);
    assert_eq!(verdict(&bench)["closed"], false);
    running.hang_up();
    let said = running.said();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);

    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 3, "{}", said.out);
    let reason = first_ruling(&bench)["reasons"][0]["text"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("answers were shown") && reason.contains("rows by log"), "{reason}");
    let entries = bench.ledger("run", Some("verdict"));
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["rulings"], serde_json::json!(["echo/all: VOID"]));
    assert_eq!(bench.understudy(&["verify", "run"]).code, 0);
}

#[test]
fn what_is_shown_of_a_closed_run_sways_nobody() {
    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    assert_eq!(bench.understudy(&["decide", "run"]).code, 0);
    assert_eq!(bench.understudy(&["export", "run", "--output", "rows.csv"]).code, 0);
    let before = fs::read(bench.path().join("run/verdict.json")).expect("a verdict");
    assert_eq!(bench.understudy(&["decide", "run"]).code, 0);
    assert_eq!(fs::read(bench.path().join("run/verdict.json")).expect("a verdict"), before);
}

#[test]
fn days_are_ruled_on_by_their_counts() {
    for (misses, code) in [(6, 0), (7, 1)] {
        let bench = study(misses, THRESHOLD);
        bench.run(&[]);
        let said = bench.understudy(&["decide", "run"]);
        assert_eq!(said.code, code, "{}", said.out);
        let ruling = first_ruling(&bench);
        assert_eq!(
            (&ruling["windows"][0]["hits"], &ruling["windows"][0]["pairs"]),
            (&(20 - misses).into(), &20.into())
        );
    }
}

#[test]
fn a_run_that_is_not_whole_is_void_and_a_verdict_that_was_changed_is_found() {
    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    assert_eq!(bench.understudy(&["decide", "run"]).code, 0);
    let path = bench.path().join("run/verdict.json");
    let good = fs::read_to_string(&path).expect("a verdict");
    fs::write(&path, good.replace("\"hits\": 18", "\"hits\": 19")).expect("it can be written");
    let said = bench.understudy(&["verify", "run"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("BROKEN     verdict.json: it was changed"), "{}", said.out);
    // That it was changed is no fault of the run, which can be decided again.
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.err.contains("verdict.json: it was changed"), "{}", said.err);
    assert!(said.err.contains("it was not the verdict that was given, and is made again"), "{}", said.err);
    assert_eq!(fs::read_to_string(&path).expect("a verdict"), good);
    assert_eq!(bench.understudy(&["verify", "run"]).code, 0);

    // A threshold that is moved at the end.
    let path = bench.path().join("run/study.toml");
    let text = fs::read_to_string(&path).expect("the run's study");
    fs::write(&path, text.replace("at-least = 0.7", "at-least = 0.6")).expect("it can be written");
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(said.out.contains("VOID: the run is not whole"), "{}", said.out);
    assert!(said.out.contains("study.toml"), "{}", said.out);
}

#[test]
fn what_stops_a_verdict_leaves_the_one_before() {
    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    assert_eq!(bench.understudy(&["decide", "run"]).code, 0);
    let path = bench.path().join("run/verdict.json");
    let before = fs::read(&path).expect("a verdict");
    let told = ["disclose", "run", "comparator-change", "--since", "2026-03-02T00:00:00Z", "--text", "rules"];
    assert_eq!(bench.understudy(&told).code, 0);
    assert_eq!(bench.understudy(&["key", "other", "--output", "other.key"]).code, 0);
    let said = bench.understudy(&["decide", "run", "--sign-key", "other.key"]);
    assert_eq!(said.code, 4, "{}{}", said.out, said.err);
    assert!(said.err.contains("was opened without a key"), "{}", said.err);
    assert_eq!(fs::read(&path).expect("a verdict"), before);
    let verified = bench.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 0);
    assert!(verified.out.contains("it does not know of what came after it (rules"), "{}", verified.out);

    // It goes on, with the file of the verdict before or without it.
    fs::remove_file(&path).expect("it can be removed");
    let said = bench.understudy(&["report", "run"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("`understudy decide` gives the verdict again"), "{}", said.err);
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("the substrate or its comparator changed"), "{}", said.out);
    assert!(said.err.contains("verdict.json: cannot be read"), "{}", said.err);
    assert_eq!(bench.understudy(&["verify", "run"]).code, 0);
    assert_eq!(bench.understudy(&["report", "run"]).code, 0);
}

#[test]
fn what_has_no_threshold_or_is_no_shadow_has_no_verdict() {
    let bench = study(2, "");
    bench.run(&[]);
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(
        (said.code, said.err.trim()),
        (
            4,
            "the study \"small\" declares no threshold, so nothing was promised that could be met; declare [threshold] before a \
             study begins"
        )
    );
    let said = bench.understudy(&["decide", "elsewhere"]);
    assert_eq!(said.code, 4, "{}", said.err);

    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    let component = understudy_tests::plugin("recorded");
    let model = format!("echo={}", component.display());
    let said = bench.understudy(&["replay", "run", "--model", &model, "--run", "what-if"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = bench.understudy(&["decide", "what-if"]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("is an offline evaluation of another run's log"), "{}", said.err);
}

#[test]
fn a_reference_file_is_promised_with_the_rest() {
    let more = "[[threshold.reference]]\ncondition = \"room\"\nfile = \"rooms.json\"\ntolerance = 0.1\n";
    let bench = study(2, &THRESHOLD.replace("[blinding]", &format!("{more}[blinding]")));
    let said = bench.understudy(&["check", "study.toml"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("the reference `rooms.json`") && said.err.contains("cannot read it"),
        "{}",
        said.err
    );
    bench.write("rooms.json", r#"{"a": 9, "b": 1}"#);
    assert_eq!(bench.understudy(&["seal", "study.toml"]).code, 0);
    bench.write("rooms.json", r#"{"a": 8, "b": 1}"#);
    let said = bench.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the file `rooms.json` was "), "{}", said.err);
    bench.write("rooms.json", r#"{"a": 9, "b": 1}"#);
    bench.run(&[]);
    let said = bench.understudy(&["decide", "run"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let shares = &verdict(&bench)["inputs"];
    assert_eq!(
        (&shares[0]["value"], &shares[0]["snapshots"], &shares[0]["reference"]),
        (&"a".into(), &40.into(), &0.9.into())
    );
}

#[test]
fn pairs_that_hang_together_have_wider_bounds() {
    let bound = THRESHOLD.replace("evidence = \"point\"", "evidence = \"bound\"\nconfidence = 0.95");
    let method = |more: &str| {
        let bench = study(2, &bound.replace("[blinding]", &format!("{more}\n[blinding]")));
        bench.run(&[]);
        let said = bench.understudy(&["decide", "run"]);
        assert!([0, 2].contains(&said.code), "{}{}", said.out, said.err);
        first_ruling(&bench)["pooled"].clone()
    };
    assert_eq!(method("")["method"], "wilson");
    // All snapshots have the same number of nights: one group, which says nothing of its spread.
    let together = method("cluster = \"nights\"");
    assert_eq!((&together["method"], &together["interval"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_bound_that_means_nothing_is_refused() {
    let told = |asked: &str| {
        let said = study(2, &THRESHOLD.replace("at-least = 0.7", asked)).understudy(&["check", "study.toml"]);
        assert_eq!(said.code, 1, "{asked}\n{}", said.out);
        said.err
    };
    for (asked, what) in [
        (
            "at-most = 0.7",
            "asks at-most, and higher is closer by it: what agrees in nothing would pass; write at-least",
        ),
        ("at-least = 0", "asks at-least = 0, which no figure of it can miss"),
        ("at-least = -3", "asks at-least = -3, which no figure of it can miss"),
        ("at-least = 1.5", "asks at-least = 1.5, which no figure of it can reach"),
    ] {
        let told = told(asked);
        assert!(told.contains(what), "{told}");
    }
    let all = study(2, &THRESHOLD.replace("at-least = 0.7", "at-least = 1"));
    assert_eq!(all.understudy(&["check", "study.toml"]).code, 0);
}

#[test]
fn what_came_between_counts_until_the_last_decision_can_have_been_taken() {
    // The second day ends on the 4th at midnight, and its decisions may come a day later.
    for (since, code) in [("2026-03-04T23:59:59Z", 3), ("2026-03-05T00:00:00Z", 0)] {
        let bench = study(2, THRESHOLD);
        bench.run(&[]);
        let told = ["disclose", "run", "comparator-change", "--since", since, "--text", "new rules"];
        assert_eq!(bench.understudy(&told).code, 0);
        assert_eq!(bench.understudy(&["decide", "run"]).code, code, "{since}");
    }
    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    let told = ["disclose", "run", "exposure", "--since", "2999-01-01T00:00:00Z", "--text", "a screen"];
    let said = bench.understudy(&told);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("which is still to come"), "{}", said.err);
}

#[test]
fn records_that_are_older_than_the_seal_are_said_to_be() {
    let bench = study(2, THRESHOLD);
    bench.run(&[]);
    let said = bench.understudy(&["decide", "run"]);
    assert!(said.out.contains("THE RECORDS BEGAN BEFORE THAT"), "{}", said.out);
    assert!(said.out.contains("whether the answers leak was not tested"), "{}", said.out);
}
