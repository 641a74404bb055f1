//! The metrics of numbers, rankings, labels and class probabilities that come with understudy, in a run. `tests/oracles/metrics.py` has the same
//! pairs and computes the expected values with scikit-learn, scipy and `rbo`.

use serde_json::{Value, json};
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, overall};

const PAIRS: u64 = 60;

fn decided_number(pair: u64) -> f64 {
    ((37 * pair % 41) as f64 - 8.0) * 0.7
}

fn model_number(pair: u64) -> Value {
    match pair % 19 {
        4 => Value::Null,
        _ => (decided_number(pair) + ((13 * pair % 17) as f64 - 7.0) * 0.3).into(),
    }
}

fn decided_ranking(pair: u64) -> Value {
    (0..pair % 7).map(|rank| (3 * pair + 7 * (1 + pair % 3) * rank) % 11).collect()
}

fn model_ranking(pair: u64) -> Value {
    if pair % 13 == 6 {
        return Value::Null;
    }
    if pair.is_multiple_of(5) {
        return decided_ranking(pair);
    }
    (0..5 * pair % 8).map(|rank| (3 * pair + pair % 2 + 5 * (1 + pair % 4) * rank) % 11).collect()
}

/// A study whose model answers the field `answer` of this form, without metrics.
fn study(form: &str, kind: &str) -> StudyToml {
    let config = |field: &str| format!("{{ field = \"{field}\", form = \"{form}\" }}");
    StudyToml::new("stock-metrics")
        .input("answer", kind)
        .decision("outcome", kind)
        .plugin_model("echo", "recorded", &["answer"], Some(&config("answer")))
        .plugin_comparator("recorded", "recorded", &["decision.outcome"], Some(&config("decision.outcome")))
}

/// Runs a study over all pairs and returns its report.
fn report(study: &StudyToml, answer: impl Fn(u64) -> Value, outcome: impl Fn(u64) -> Value) -> Value {
    report_of_records(
        study,
        |pair| json!({ "answer": answer(pair) }),
        |pair| json!({ "outcome": outcome(pair) }),
    )
}

/// Like [`report`], for the fields of snapshots and decisions.
fn report_of_records(
    study: &StudyToml,
    snapshot: impl Fn(u64) -> Value,
    decision: impl Fn(u64) -> Value,
) -> Value {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study.to_string());
    let line = |pair: u64, hour: u64, mut record: Value| {
        record["id"] = format!("s{pair}").into();
        record["at"] = format!("2026-03-01T{hour}:{pair:02}:00Z").into();
        record.to_string()
    };
    workspace.write_lines("snapshots.jsonl", (0..PAIRS).map(|pair| line(pair, 10, snapshot(pair))));
    workspace.write_lines("decisions.jsonl", (0..PAIRS).map(|pair| line(pair, 11, decision(pair))));
    let report = workspace.run(&[]);
    workspace.ok(&["verify", "run"]);
    report
}

/// Compares the value of each metric, in the order of the study. All pairs are compared and scored.
fn assert_values(report: &Value, unanswered: u64, expected: &[(&str, f64)]) {
    let metrics = report["metrics"].as_array().expect("metrics");
    assert_eq!(metrics.len(), expected.len());
    for (at, (name, expected)) in expected.iter().enumerate() {
        assert_eq!(metrics[at]["name"], *name);
        let found = overall(report, 0, at);
        assert_eq!((&found["pairs"], &found["unscored"]), (&json!(PAIRS), &json!(0)), "{name}");
        assert_eq!(found["abstained"], unanswered, "{name}");
        let value = found["value"].as_f64().expect("a value");
        assert!((value - expected).abs() < 1e-12, "{name}: {value} is not {expected}");
    }
}

#[test]
fn metrics_of_labels_match_scikit_learn() {
    let decided = |pair: u64| ["go", "wait", "go", "stop", "go"][(pair % 5) as usize];
    let answer = |pair: u64| match pair % 11 {
        3 => Value::Null,
        5 => "stop".into(),
        8 => "hold".into(),
        _ => decided(pair).into(),
    };
    let study = study("label", "text").metric("agreement");
    let report = report(&study, answer, |pair| decided(pair).into());
    let found = &report["models"][0]["answer-distributions"]["overall"]["metrics"];
    for (name, expected) in [
        ("accuracy", 0.75),
        ("balanced-accuracy", 0.75),
        ("macro-f1", 0.6085714285714285),
        ("weighted-f1", 0.8297142857142856),
        ("kappa", 0.6192893401015228),
        ("matthews-correlation", 0.6444301192304939),
    ] {
        let value = found[name].as_f64().expect("a value");
        assert!((value - expected).abs() < 1e-12, "{name}: {value} is not {expected}");
    }
    let stop = &found["labels"][1];
    assert_eq!((&stop["label"], &stop["substrate-pairs"]), (&json!("stop"), &json!(12)));
}

const CLASSES: [&str; 3] = ["go", "wait", "stop"];

fn class_weights(pair: u64) -> [f64; 3] {
    [0, 1, 2].map(|class| (1 + (7 * pair + 5 * class) % 11) as f64)
}

/// The class with the largest weight, the first of equal ones.
fn largest(weights: [f64; 3]) -> usize {
    (0..3).rev().max_by(|one, other| weights[*one].total_cmp(&weights[*other])).expect("three classes")
}

fn decided_class(pair: u64) -> Value {
    let weights = class_weights(pair);
    let chosen = match pair.is_multiple_of(5) || weights[largest(weights)] > 9.0 {
        true => largest(weights),
        false => (pair / 7 % 3) as usize,
    };
    if pair % 17 == 9 { "hold".into() } else { CLASSES[chosen].into() }
}

/// The fields of a snapshot that `recorded` makes a label with class probabilities of.
fn predicted_classes(pair: u64) -> Value {
    if pair % 13 == 6 {
        return json!({});
    }
    let weights = class_weights(pair);
    let sum: f64 = weights.iter().sum();
    let classes: serde_json::Map<_, _> = CLASSES
        .iter()
        .zip(weights)
        .map(|(class, weight)| ((*class).to_owned(), (weight / sum).into()))
        .collect();
    json!({ "answer": CLASSES[largest(weights)], "classes": classes })
}

#[test]
fn metrics_of_class_probabilities_match_scikit_learn() {
    let study = StudyToml::new("stock-metrics")
        .input("answer", "text")
        .input("classes", "json")
        .decision("outcome", "text")
        .plugin_model(
            "echo",
            "PLUGINS/recorded.wasm",
            &["answer", "classes"],
            Some(r#"{ field = "answer", form = "label", probabilities = "classes" }"#),
        )
        .comparator("recorded", "decision.outcome")
        .metric("brier-score")
        .primary()
        .metric("log-loss")
        .metric("expected-calibration-error")
        .configured_metric("calibration-5", "expected-calibration-error", "{ bins = 5 }");
    let report =
        report_of_records(&study, predicted_classes, |pair| json!({ "outcome": decided_class(pair) }));
    let expected = [
        ("brier-score", 0.5932259590668512),
        ("log-loss", 2.7631373638474215),
        ("expected-calibration-error", 0.16325849432122141),
        ("calibration-5", 0.1457943794886856),
    ];
    assert_values(&report, 5, &expected);
    let bins = report["models"][0]["reliability"].as_array().expect("bins");
    let pairs = bins.iter().map(|bin| bin["pairs"].as_u64().expect("a number")).sum::<u64>();
    assert_eq!(pairs, PAIRS - 5, "unanswered pairs have no confidence");
}

#[test]
fn metrics_of_numbers_match_scikit_learn() {
    let study = study("number", "number")
        .metric("bias")
        .primary()
        .configured_metric("signed-bias", "bias", "{ signed = true }")
        .metric("mean-absolute-percentage-error")
        .metric("r-squared")
        .configured_metric("r-squared-from-8", "r-squared", "{ origin = 8 }")
        .configured_metric("quantile-loss-10", "quantile-loss", "{ quantile = 0.1 }")
        .configured_metric("quantile-loss-50", "quantile-loss", "{ quantile = 0.5 }")
        .configured_metric("quantile-loss-90", "quantile-loss", "{ quantile = 0.9 }")
        .configured_metric("within-1-9", "within-tolerance", "{ absolute = 1.9 }")
        .configured_metric("within-10-percent", "within-tolerance", "{ relative = 0.1 }");
    let report = report(&study, model_number, |pair| decided_number(pair).into());
    let expected = [
        ("bias", 0.29473684210526324),
        ("signed-bias", 0.29473684210526324),
        ("mean-absolute-percentage-error", 0.2987469921789444),
        ("r-squared", 0.966686581731343),
        ("r-squared-from-8", 0.966686581731343),
        ("quantile-loss-10", 0.76),
        ("quantile-loss-50", 0.6421052631578946),
        ("quantile-loss-90", 0.5242105263157896),
        ("within-1-9", 43.0 / 60.0),
        ("within-10-percent", 21.0 / 60.0),
    ];
    assert_values(&report, 3, &expected);
    assert_eq!(report["metrics"][2]["components"], json!(["relative errors", "counted", "zero decisions"]));
    let sums = &overall(&report, 0, 2)["sums"];
    assert_eq!((&sums[1], &sums[2]), (&json!(56.0), &json!(1.0)));
}

#[test]
fn metrics_of_rankings_match_scipy_scikit_learn_and_rbo() {
    let study = study("ranking", "json")
        .configured_metric("rank-biased-overlap", "rank-biased-overlap", "{ p = 0.9 }")
        .primary()
        .configured_metric("ndcg", "ndcg", "{ k = 3 }")
        .metric("kendall-tau")
        .configured_metric("equal-first-items", "top-k-overlap", "{ k = 1 }");
    let report = report(&study, model_ranking, decided_ranking);
    let expected = [
        ("rank-biased-overlap", 0.418044780952381),
        ("ndcg", 0.42948707242320694),
        ("kendall-tau", -0.1364402089133608),
        ("equal-first-items", 25.0 / 60.0),
    ];
    assert_values(&report, 5, &expected);
}

#[test]
fn metrics_of_sets_match_scikit_learn() {
    let study = study("label-set", "json").metric("jaccard").primary().metric("agreement");
    let report = report(&study, model_ranking, decided_ranking);
    assert_values(&report, 5, &[("jaccard", 0.32556878306878306), ("agreement", 0.2)]);
}

/// The longest lists that the documentation promises are scored within the default fuel.
#[test]
fn a_thousand_ranked_items_are_scored() {
    let items = |step: u64| (0..1000).map(|rank| format!("{:03}", rank * step % 1000)).collect::<Value>();
    let study = study("ranking", "json")
        .configured_metric("overlap", "top-k-overlap", "{ k = 1000 }")
        .primary()
        .configured_metric("ndcg", "ndcg", "{ k = 1000 }")
        .metric("kendall-tau")
        .configured_metric("rank-biased-overlap", "rank-biased-overlap", "{ p = 0.9 }");
    // 7 and 1,000 have no common divisor, so both lists have the same items.
    let report = report(&study, |_| items(7), |_| items(1));
    for metric in 0..4 {
        assert_eq!(overall(&report, 0, metric)["unscored"], 0, "metric {metric}");
    }
    assert_eq!(overall(&report, 0, 0)["value"], 1.0);
}
