//! A report says why answers are missing, and the log has the same counts.

use std::collections::BTreeMap;

use arrow::array::{Array as _, AsArray as _};
use serde_json::{Value, json};
use understudy_tests::TestWorkspace;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed};

/// A study of rankings with the metric `overlap` at this depth, and a snapshot and a decision for each pair of JSON texts.
fn rankings(k: u32, pairs: &[(&str, &str)]) -> TestWorkspace {
    let config = |field: &str| format!("{{ field = \"{field}\", form = \"ranking\" }}");
    let study = StudyToml::new("rankings")
        .input("items", "json")
        .decision("chosen", "json")
        .plugin_model("echo", "PLUGINS/recorded.wasm", &["items"], Some(&config("items")))
        .plugin_comparator(
            "recorded",
            "PLUGINS/recorded.wasm",
            &["decision.chosen"],
            Some(&config("decision.chosen")),
        )
        .top_k_overlap(k);
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study.to_string());
    let line = |hour: u32, field: &str, at: usize, value: &str| {
        format!(
            r#"{{"id":"s{at}","at":"2026-03-01T{hour}:{:02}:{:02}Z","{field}":{value}}}"#,
            at / 60,
            at % 60
        )
    };
    let pairs = || pairs.iter().enumerate();
    workspace.write_lines("snapshots.jsonl", pairs().map(|(at, (items, _))| line(10, "items", at, items)));
    workspace.write_lines("decisions.jsonl", pairs().map(|(at, (_, chosen))| line(11, "chosen", at, chosen)));
    workspace
}

/// How many reasons of each kind a column of a table has.
fn logged(workspace: &TestWorkspace, table: &str, name: &str) -> BTreeMap<String, u64> {
    let rows = sealed(&workspace.path().join("run"), table).expect("rows");
    let reasons = column(&rows, name);
    let reasons = arrow::compute::cast(&reasons, &arrow::datatypes::DataType::Utf8).expect("text");
    let mut counts = BTreeMap::new();
    for reason in reasons.as_string::<i32>().iter().flatten() {
        *counts.entry(reason.split(':').next().unwrap_or(reason).to_owned()).or_default() += 1;
    }
    assert!(reasons.len() >= counts.len());
    counts
}

/// The counts of a report by kind, for one plugin.
fn reported(report: &Value, plugin: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for missing in report["missing-answers"].as_array().expect("a list") {
        if missing["plugin"] == plugin {
            let kind = missing["kind"].as_str().expect("a kind").to_owned();
            *counts.entry(kind).or_default() += missing["count"].as_u64().expect("a count");
        }
    }
    counts
}

#[test]
fn reasons_are_counted_and_add_up_to_the_log() {
    let sound = r#"["a",2]"#;
    let mut pairs =
        vec![(sound, r#"[2,"a"]"#), (sound, "null"), (sound, "null"), (sound, "[1.5]"), ("[true]", sound)];
    let repeated: Vec<String> = (0..30).map(|at| format!("[\"i{at}\",\"i{at}\"]")).collect();
    pairs.extend(repeated.iter().map(|ranking| (sound, ranking.as_str())));
    let words: Vec<String> = (0..40).map(|at| format!("{{\"word\":{at}}}")).collect();
    pairs.extend(words.iter().map(|word| (word.as_str(), sound)));
    let workspace = rankings(2, &pairs);
    let report = workspace.run(&[]);
    assert_eq!(report["comparison"], json!({ "compared": 42, "incomparable": 33 }));
    let [comparator, model] = ["recorded", "echo"].map(|plugin| reported(&report, plugin));
    assert_eq!(comparator, logged(&workspace, "pairs", "comparator.unanswered"));
    assert_eq!(comparator.values().sum::<u64>(), 33);
    assert_eq!(model, logged(&workspace, "snapshots", "model.echo.unanswered"));
    assert_eq!(model["failed"], report["models"][0]["failed"].as_u64().expect("a count"));
    let [gone, first, ..] = &report["missing-answers"].as_array().expect("a list")[..] else { panic!() };
    assert_eq!(gone["reason"], "the decision has no `decision.chosen`");
    assert_eq!(
        (&gone["count"], &gone["first-id"], &gone["example"]),
        (&json!(2), &json!("s1"), &Value::Null)
    );
    assert_eq!(first["reason"], "the ranking repeats `…`");
    assert_eq!((&first["count"], &first["example"]), (&json!(30), &json!("the ranking repeats `i0`")));
    let markdown = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert!(
        markdown.contains("Why answers are missing") && markdown.contains("recorded (comparator)"),
        "{markdown}"
    );
    let text = workspace.ok(&["report", "run", "--format", "text"]).stdout;
    assert!(text.contains("Missing answers") && text.contains("such as: the ranking repeats `i0`"), "{text}");
    workspace.ok(&["verify", "run"]);
}

#[test]
fn a_case_has_the_reason_of_the_comparator() {
    let found = "neither a string or an integer nor an array of these";
    let workspace =
        rankings(2, &[("[1]", r#"["i0","i0"]"#), ("[1]", "[1.5,2]"), ("[1]", "[null]"), ("[1]", "[1]")]);
    workspace.run(&[]);
    let case = |id: &str| workspace.ok(&["case", "run", id]).stdout;
    let twice = case("s0");
    assert!(twice.contains("as an answer: (failed), by comparator recorded"), "{twice}");
    assert!(twice.contains("recorded: failed: the ranking repeats `i0`"), "{twice}");
    let solid = |id: &str| case(id).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(solid("s1").contains(&format!("{found}: [1.5,2]")), "{}", case("s1"));
    assert!(solid("s2").contains(&format!("{found}: [null]")), "{}", case("s2"));
    assert!(case("s3").contains(r#"as an answer: ["1"], by comparator"#), "{}", case("s3"));
}

#[test]
fn rankings_that_are_no_longer_than_k_have_a_remark() {
    let pairs = [(r#"["a","b","c"]"#, r#"["c","b","a"]"#), (r#"["a","b"]"#, r#"["b","a"]"#)];
    let remark = |k: u32, pairs: &[(&str, &str)]| {
        let workspace = rankings(k, pairs);
        let report = workspace.run(&[]);
        let remark = report["models"][0]["scores"][0]["remark"].as_str().map(str::to_owned);
        let text = workspace.ok(&["report", "run", "--format", "text"]).stdout;
        assert_eq!(text.contains("by construction"), remark.is_some(), "{text}");
        remark
    };
    let expected = |k: u32| {
        format!(
            "no ranking is longer than k = {k}, so the order of items makes no difference: two rankings of the same items score 1 \
             by construction"
        )
    };
    assert_eq!(remark(3, &pairs), Some(expected(3)));
    assert_eq!(remark(12, &pairs), Some(expected(12)));
    assert_eq!(remark(2, &pairs), None);
    // One longer ranking on either side is enough.
    assert_eq!(remark(2, &[(r#"["a","b"]"#, r#"["a","b","c"]"#)]), None);
    // Of a single item there is no order.
    assert_eq!(remark(3, &[(r#"["a"]"#, r#"["b"]"#)]), None);
}

#[test]
fn the_verdict_has_the_remark_beside_its_metric() {
    let workspace = rankings(2, &[(r#"["a","b"]"#, r#"["b","a"]"#)]);
    let path = workspace.path().join("study.toml");
    let study = std::fs::read_to_string(&path).expect("the study was written");
    let threshold = "\n[threshold]\nat-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\nchance = \"not-asked\"\n";
    workspace.write("study.toml", study + threshold);
    workspace.run(&[]);
    let verdict = workspace.understudy(&["decide", "run"]).stdout;
    let solid = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(solid.contains("overlap: no ranking is longer than k = 2, so the order of items"), "{verdict}");
    let markdown = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert_eq!(
        markdown.matches("two rankings of the same items score 1 by construction").count(),
        2,
        "{markdown}"
    );
}
