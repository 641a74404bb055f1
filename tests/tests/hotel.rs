//! The year of the hotel. Pandas computed the expected values from the same two files:
//! ```text
//! m = bookings.merge(assignments, on="id"); same = m.reserved_room_type == m.room
//! same.sum(), same.groupby(m.observed_at.dt.weekday >= 5).agg(["sum", "size"])
//! same.groupby(m.market_segment).agg(["sum", "size"])
//! same.groupby(m.observed_at.dt.to_period("W-SUN")).agg(["sum", "size"])
//! sklearn.metrics.cohen_kappa_score(m.reserved_room_type, m.room, labels=list("abcdefghi"))
//! (m.historical_adr - m.price).abs().groupby(m.market_segment).mean()
//! ```

use serde_json::Value;
use understudy_tests::{TestWorkspace, deterministic_part, overall, root};

/// Runs a study of the hotel.
fn run(study: &str, arguments: &[&str]) -> Value {
    let workspace = TestWorkspace::new();
    let path = root().join("examples/hotel").join(study);
    let path = path.to_str().expect("a path in UTF-8");
    workspace.ok(&[&["run", path, "--run", "run"], arguments].concat());
    workspace.report("run")
}

/// Sum of the first component and number of pairs of a result.
fn agreeing_pairs(figure: &Value) -> (u64, u64) {
    let sum = figure["sums"][0].as_f64().expect("a sum");
    assert_eq!(sum.fract(), 0.0, "agreements are whole");
    (sum as u64, figure["pairs"].as_u64().expect("a count"))
}

/// The results of one condition by value. Values without pairs are omitted.
fn by<'r>(report: &'r Value, model: usize, condition: &str) -> Vec<(&'r str, &'r Value)> {
    let conditions = report["conditions"].as_array().expect("conditions");
    let index = conditions.iter().position(|c| c["name"] == condition).expect("a condition");
    let names = conditions[index]["values"].as_array().expect("values");
    let figures = report["models"][model]["scores"][0]["conditions"][index].as_array().expect("figures");
    let named = names.iter().map(|n| n.as_str().expect("a name")).zip(figures);
    named.filter(|(_, figure)| figure["pairs"] != 0).collect()
}

fn value(figure: &Value) -> f64 {
    figure["value"].as_f64().expect("a figure")
}

#[test]
fn room_agreement_matches_pandas() {
    let report = run("rooms.toml", &[]);
    assert_eq!(report["models"][0]["name"], "booked-room");
    let snapshots = &report["accounting"]["snapshots"];
    assert_eq!((snapshots["received"].as_u64(), snapshots["paired"].as_u64()), (Some(15_402), Some(15_402)));
    for none in ["rejected", "duplicate", "conflict", "late", "waiting", "expired"] {
        assert_eq!(snapshots[none], 0, "{none}");
    }
    assert_eq!(agreeing_pairs(overall(&report, 0, 0)), (12_293, 15_402));
    assert_eq!(value(overall(&report, 0, 0)), 12_293.0 / 15_402.0);
    let found: Vec<_> = by(&report, 0, "day").iter().map(|(name, f)| (*name, agreeing_pairs(f))).collect();
    assert_eq!(found, [("weekday", (8_558, 10_914)), ("weekend", (3_735, 4_488))]);
    let found: Vec<_> =
        by(&report, 0, "segment").iter().map(|(name, f)| (*name, agreeing_pairs(f))).collect();
    assert_eq!(
        found,
        [
            ("corporate", (467, 900)),
            ("direct", (2_568, 3_076)),
            ("groups", (1_360, 1_789)),
            ("offline_travel_agent", (2_414, 2_895)),
            ("online_travel_agent", (5_484, 6_742)),
        ]
    );
    let windows = report["models"][0]["scores"][0]["windows"].as_array().expect("windows");
    assert_eq!(windows.len(), 62);
    let first: Vec<_> = windows[..5].iter().map(agreeing_pairs).collect();
    assert_eq!(first, [(44, 56), (179, 201), (183, 211), (223, 243), (204, 233)]);
    assert_eq!(report["windows"][0]["label"], "week ending 2016-07-03");
    // The file has the same counts for programs that need no run.
    let file = std::fs::read_to_string(root().join("examples/hotel/agreement-by-week.csv")).expect("a file");
    let labels = report["windows"].as_array().expect("windows").iter().map(|window| &window["label"]);
    let rows: Vec<String> = labels
        .zip(windows.iter().map(agreeing_pairs))
        .map(|(label, (same, pairs))| {
            let week = label.as_str().and_then(|label| label.strip_prefix("week ending ")).expect("a week");
            format!("{week},{same},{pairs}")
        })
        .collect();
    assert_eq!(file.lines().skip(1).collect::<Vec<_>>(), rows);
    let kappa = value(overall(&report, 0, 1));
    assert!((kappa - 0.7125917142622241).abs() <= 1e-12, "{kappa}");
}

#[test]
fn rate_errors_match_pandas() {
    let report = run("rates.toml", &[]);
    assert_eq!(report["accounting"]["snapshots"]["paired"], 15_402);
    let error = value(overall(&report, 0, 0));
    assert!((error - 31.119199645901805).abs() <= 1e-9, "{error}");
    let expected = [
        ("corporate", 16.763652),
        ("direct", 40.510104),
        ("groups", 17.976789),
        ("offline_travel_agent", 22.211944),
        ("online_travel_agent", 36.063111),
    ];
    let found = by(&report, 0, "segment");
    assert_eq!(found.len(), expected.len());
    for ((name, figure), (wanted_name, expected)) in found.into_iter().zip(expected) {
        assert_eq!(name, wanted_name);
        assert!((value(figure) - expected).abs() <= 5e-7, "{name}: {}", value(figure));
    }
}

#[test]
fn metrics_are_identical_for_any_execution() {
    for study in ["rooms.toml", "rates.toml"] {
        let plain = deterministic_part(&run(study, &[]));
        let ways: [&[&str]; 6] = [
            &["--batch-rows", "1"],
            &["--batch-rows", "7"],
            &["--batch-rows", "7", "--workers", "3"],
            &["--workers", "4"],
            &["--order", "snapshots-first"],
            &["--order", "decisions-first", "--batch-rows", "7"],
        ];
        for way in ways {
            // JSON has the shortest text that parses to the same bits.
            assert_eq!(deterministic_part(&run(study, way)), plain, "{study} {way:?}");
        }
    }
}

/// `examples/hotel/train.py --check` counts the rooms that onnxruntime, XGBoost and LightGBM answer as the hotel decided.
#[test]
fn trained_models_answer_as_their_libraries() {
    let workspace = TestWorkspace::new();
    let path = root().join("examples/hotel/trained-models.toml");
    workspace.ok(&["run", path.to_str().expect("a path in UTF-8"), "--run", "run"]);
    let report = workspace.report("run");
    let expected = [("forest", 8_428), ("xgboost", 8_424), ("lightgbm", 8_434), ("booked-room", 8_430)];
    for (model, (name, same)) in expected.into_iter().enumerate() {
        assert_eq!(report["models"][model]["name"], name);
        assert_eq!(agreeing_pairs(overall(&report, model, 0)), (same, 10_729), "{name}");
    }
    let period = &report["models"][0]["training-period"];
    assert_eq!(period["until"], "2016-11-01T00:00:00Z");
    assert_eq!(report["models"][3]["training-period"], Value::Null);
    let (first, last) = (&report["windows"][0]["start"], period["until"].as_str());
    assert!(first.as_str() > last, "the shadow begins at {first}");
    // NO-GO over all of the input, and GO for weekends.
    let decided = workspace.understudy(&["decide", "run", "--model", "forest"]);
    assert_eq!(decided.code, 1, "{}", decided.stdout);
    let weekend = workspace.understudy(&["decide", "run", "--model", "forest", "--scope", "weekend"]);
    assert_eq!(weekend.code, 0, "{}", weekend.stdout);
    workspace.ok(&["verify", "run"]);
}

#[test]
fn the_demo_runs_a_study_from_its_files_to_its_verdict() {
    let workspace = TestWorkspace::new();
    let output = workspace.ok(&["demo", "tour"]).stdout;
    for command in
        ["check tour/study.toml", "run tour/study.toml --run tour/run", "decide tour/run", "report tour/run"]
    {
        assert!(output.contains(&format!("$ understudy {command}\n")), "{command}: {output}");
    }
    assert!(output.lines().count() < 30, "{output}");
    assert_eq!(output.lines().last(), Some("Open tour/run/report.html in a browser."));
    let table: Vec<&str> = output.lines().skip_while(|line| !line.starts_with("model")).take(5).collect();
    insta::assert_snapshot!(table.join("\n"), @"
    model        all of the input  scope weekend
    forest       NO-GO             GO
    xgboost      NO-GO             GO
    lightgbm     NO-GO             GO
    booked-room  NO-GO             GO
    ");
    let whole = std::fs::read_to_string(workspace.path().join("tour/output.txt")).expect("a file");
    let heads: Vec<&str> =
        whole.lines().filter(|line| line.starts_with("NO-GO for") || line.starts_with("GO for")).collect();
    insta::assert_snapshot!(heads.join("\n"), @"
    NO-GO for all 4 models, the threshold is not met:
    GO for all 4 models in scope weekend, safe to try on canary:
    ");
    for model in ["forest", "xgboost", "lightgbm", "booked-room"] {
        assert!(whole.contains(&format!("\n  {model}: pooled: ")), "{model}: {whole}");
    }
    assert!(workspace.path().join("tour/run/report.html").is_file());
    let case = output
        .lines()
        .find_map(|line| line.trim().strip_prefix("understudy case tour/run "))
        .expect("a case");
    let shown = workspace.ok(&["case", "tour/run", case, "--who", "Ana"]).stdout;
    assert!(shown.starts_with(case), "{shown}");
    let again = workspace.understudy(&["demo", "tour"]);
    insta::assert_snapshot!(again.stderr, @"cannot write the demo to tour: it exists; name another directory");
    assert_eq!(again.code, 1);
}
