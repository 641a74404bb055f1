//! Interim reports: they appear on the declared schedule, are stored, and agree with the final report.

use std::fs;

use serde_json::Value;
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::{TestWorkspace, files, hotel_rooms_study, root};

/// The hotel study of rooms with periodic interim reports.
fn hotel(every: u32) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let study = fs::read_to_string(hotel_rooms_study()).expect("the study");
    let folder = root().join("examples/hotel");
    let study = study
        .replace("../../target/plugins", root().join("target/plugins").to_str().expect("UTF-8"))
        .replace("\"hotel-bookings", &format!("\"{}/hotel-bookings", folder.display()))
        .replace("\"hotel-assignments", &format!("\"{}/hotel-assignments", folder.display()));
    workspace.write("study.toml", format!("{study}\n[interim]\nevery = {every}\n"));
    workspace
}

fn read(workspace: &TestWorkspace, name: &str) -> Value {
    let text = fs::read(workspace.path().join("run/interim").join(name)).expect("an interim report");
    serde_json::from_slice(&text).expect("a dossier is JSON")
}

#[test]
fn interim_reports_are_periodic_and_stay_valid() {
    let workspace = hotel(13);
    let end = workspace.run(&[]);
    let names: Vec<String> = files(&workspace.path().join("run/interim"))
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    let weeks = ["2016-09-25", "2016-12-25", "2017-03-26", "2017-06-25"];
    let expected =
        weeks.iter().flat_map(|week| ["html", "json"].map(|form| format!("week-ending-{week}.{form}")));
    assert_eq!(names, expected.collect::<Vec<_>>());
    let interim_entries: Vec<String> = workspace
        .ledger_entries("run", Some("interim-report"))
        .iter()
        .map(|entry| entry["window"].as_str().expect("a window").to_owned())
        .collect();
    assert_eq!(interim_entries, weeks.map(|week| format!("week ending {week}")));

    for (at, week) in weeks.iter().enumerate() {
        let report = read(&workspace, &format!("week-ending-{week}.json"))["report"].clone();
        let compared: u64 = report["models"][0]["scores"][0]["windows"]
            .as_array()
            .expect("windows")
            .iter()
            .map(|figure| figure["pairs"].as_u64().expect("pairs"))
            .sum();
        assert_eq!(report["comparison"]["compared"], compared);
        let page = workspace.path().join(format!("run/interim/week-ending-{week}.html"));
        assert!(!fs::read_to_string(page).expect("a page").contains("does not balance"), "{week}");
        assert_eq!(report["end"]["interim"]["window"], format!("week ending {week}"));
        // A reported window equals the same window of the final report.
        let windows = &report["models"][0]["scores"][0]["windows"];
        let count = windows.as_array().expect("windows").len();
        assert_eq!(count, 13 * (at + 1));
        for window in 0..count {
            let of = |report: &Value| report["models"][0]["scores"][0]["windows"][window].clone();
            assert_eq!(of(&report), of(&end), "{week}, window {window}");
        }
        assert_no_single_rows(&report);
    }
    let last = read(&workspace, "week-ending-2017-06-25.json")["report"].clone();
    let classes = last["divergence"]["models"][0]["subgroups"].as_array().expect("subgroups").len();
    assert!(classes > 0, "a subgroup could have listed its rows");
    // Bounds that are valid at any time are wider than bounds for one fixed time.
    let width = |report: &Value| {
        let interval = &report["models"][0]["scores"][0]["overall"]["interval"];
        interval["upper"].as_f64().expect("a bound") - interval["lower"].as_f64().expect("a bound")
    };
    let last = read(&workspace, "week-ending-2017-06-25.json")["report"].clone();
    assert!(width(&last) > 1.5 * width(&end), "{} and {}", width(&last), width(&end));

    workspace.ok(&["verify", "run"]);
    let path = workspace.path().join("run/interim/week-ending-2016-12-25.html");
    let page = fs::read_to_string(&path).expect("a page");
    fs::write(&path, page.replacen("hotel", "motel", 1)).expect("written");
    let verified = workspace.understudy(&["verify", "run"]);
    assert_eq!(verified.code, 1);
    assert!(
        verified.stdout.contains("interim/week-ending-2016-12-25.html: the file was changed"),
        "{}",
        verified.stdout
    );
}

#[test]
fn interim_reports_are_optional() {
    let workspace = TestWorkspace::small();
    workspace.run(&[]);
    assert!(!workspace.path().join("run/interim").exists());
    assert_eq!(workspace.ledger_entries("run", Some("interim-report")), Vec::<Value>::new());
}

/// Checks that a report contains no data of single rows.
fn assert_no_single_rows(report: &Value) {
    let list = |value: &Value| value.as_array().expect("a list").clone();
    for failure in list(&report["failures"]) {
        assert_eq!(failure["first-id"], "", "{failure}");
        assert!(!failure["message"].as_str().expect("a text").contains("evil"), "{failure}");
    }
    for divergence in list(&report["divergence"]["models"]) {
        for class in list(&divergence["subgroups"]) {
            assert_eq!(
                (&class["examples"], &class["most-common"]),
                (&Value::Array(Vec::new()), &Value::Null)
            );
        }
    }
    for model in list(&report["models"]) {
        assert_eq!(model["determinism-check"]["first-id"], "");
        for scores in list(&model["scores"]) {
            let values = list(&scores["conditions"]).into_iter().flat_map(|values| list(&values));
            let by_window =
                list(&scores["conditions-by-window"]).into_iter().flat_map(|values| list(&values));
            let by_window =
                by_window.chain(list(&scores["scopes-by-window"])).flat_map(|values| list(&values));
            for figure in values.chain(list(&scores["windows"])).chain(by_window) {
                // Without pairs there is no row to reveal.
                let few = (1..5).contains(&figure["pairs"].as_u64().expect("pairs"));
                assert!(!few || (figure["value"].is_null() && list(&figure["sums"]).is_empty()), "{figure}");
            }
        }
        let Value::Object(spreads) = &model["answer-distributions"] else { panic!("{model}") };
        let parts = list(&spreads["conditions"]).into_iter().flat_map(|values| list(&values));
        for part in parts.chain(list(&spreads["windows"])) {
            assert_eq!(part["answers"], Value::Array(Vec::new()), "{part}");
        }
        let overall = list(&spreads["overall"]["answers"]);
        assert!(overall.iter().all(|answer| answer["pairs"].as_u64() >= Some(5)), "{overall:?}");
    }
}

/// The misbehaviours of `evil` on every row: one model panics with its text, one is stateful.
const BREAKS: [(&str, &str); 2] = [("breaks", "panic"), ("keeps", "stateful")];
const THRESHOLD: &str = r#"
[threshold]
at-least = 0.5
quantifier = "pooled"
windows = { latest = 3 }
evidence = "bound"
confidence = 0.95
family = "each"
least-per-window = 1
chance = { gain = 0.0 }
[blinding]
share = 0
"#;

/// The last days of the reports on thirty days: every fourth, but for the first, whose four pairs are too few.
const REPORTED_DAYS: [&str; 5] = ["08", "12", "16", "20", "24"];
/// The last days that their figures cover: whole blocks of five pairs.
const COVERED_DAYS: [&str; 5] = ["05", "10", "15", "20", "20"];

/// Thirty days with one snapshot each and a report every four days. Two models misbehave, in addition to that
/// of the small study.
fn thirty_days() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let evil = |(name, deed)| {
        format!(
            "[[models]]\nname = \"{name}\"\nplugin = \"PLUGINS/guests/evil.wasm\"\ngrant = [\"text\"]\n\
             config = {{ on = \"always\", do = \"{deed}\" }}\n"
        )
    };
    let models = BREAKS.map(evil).concat();
    workspace.edit_study(&[
        ("booked = \"text\"", "booked = \"text\"\ntext = \"text\""),
        ("[comparator]", &format!("{models}\n[comparator]")),
        ("every = \"day\"", "every = \"day\"\n[interim]\nevery = 4\n[log]\nreplay-share = 1.0\n"),
    ]);
    let study = fs::read_to_string(workspace.path().join("study.toml")).expect("the study");
    workspace.write("study.toml", format!("{study}{THRESHOLD}"));
    let snapshot = |day: usize| {
        format!(
            r#"{{"id":"s{day}","at":"2026-03-{day:02}T10:00:00Z","booked":"a","text":"t{day}","nights":1}}"#
        )
    };
    let decision = |day: usize| {
        let room = if day % 7 == 3 { "b" } else { "a" };
        format!(r#"{{"id":"s{day}","at":"2026-03-{day:02}T11:00:00Z","room":"{room}"}}"#)
    };
    workspace.write_lines("snapshots.jsonl", (1..=30).map(snapshot));
    workspace.write_lines("decisions.jsonl", (1..=30).map(decision));
    workspace
}

fn interim_entries(workspace: &TestWorkspace, run: &str) -> Vec<String> {
    let entries = workspace.ledger_entries(run, Some("interim-report"));
    entries.iter().map(|entry| entry["window"].as_str().expect("a window").to_owned()).collect()
}

#[test]
fn interim_reports_depend_only_on_the_records() {
    let workspace = thirty_days();
    // This holds for short runs, too.
    workspace.run(&[]);
    // Decisions reach the 30th, minus one day of lateness and one day of horizon.
    let days = REPORTED_DAYS.map(|day| format!("2026-03-{day}"));
    assert_eq!(interim_entries(&workspace, "run"), days);
    for order in ["snapshots-first", "decisions-first"] {
        let output = workspace.understudy(&[
            "run",
            "study.toml",
            "--run",
            order,
            "--order",
            order,
            "--batch-rows",
            "1",
        ]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert_eq!(interim_entries(&workspace, order), days, "{order}");
        for (day, covered) in days.iter().zip(COVERED_DAYS) {
            let report = |run: &str| {
                let path = workspace.path().join(run).join(format!("interim/{day}.json"));
                let text = fs::read(path).expect("an interim report");
                let dossier: Value = serde_json::from_slice(&text).expect("a dossier is JSON");
                let mut verdict = dossier["verdict"].clone();
                assert_eq!(
                    verdict["windows"].as_array().and_then(|all| all.last()).expect("a window")["label"],
                    format!("2026-03-{covered}")
                );
                // Record counts depend on the moment, and stateful models differ between runs.
                let fields = verdict.as_object_mut().expect("a verdict is an object");
                for counts in ["accounting", "pairs", "guards"] {
                    assert!(fields.remove(counts).is_some(), "{counts}");
                }
                verdict["models"].as_array_mut().expect("models").truncate(1);
                verdict["seal"] = Value::Null;
                verdict["sealed-at"] = Value::Null;
                (dossier["report"]["models"][0]["scores"].clone(), verdict)
            };
            assert_eq!(report(order), report("run"), "{order}, {day}");
        }
    }
}

#[test]
fn interim_reports_contain_no_single_rows() {
    let workspace = thirty_days();
    workspace.edit_study(&[("file = \"decisions.jsonl\"", "stdin = true")]);
    let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
    running.feed(fs::read_to_string(workspace.path().join("decisions.jsonl")).expect("decisions"));
    wait_until("all is reported on", || {
        workspace.path().join("run/ledger.jsonl").exists()
            && interim_entries(&workspace, "run").len() == REPORTED_DAYS.len()
    });
    running.signal("INT");
    let output = running.wait_with_output();
    let interrupted = workspace.report("run");
    assert_eq!(interrupted["end"], "interrupted");
    assert_no_single_rows(&interrupted);
    let kinds = interrupted["failures"].as_array().expect("failures").len();
    assert!(kinds > 0, "plugins failed");
    assert!(
        !output.stdout.contains("first for id") && !output.stdout.contains("first id"),
        "{}",
        output.stdout
    );
    workspace.ok(&["verify", "run"]);
    let page = workspace.ok(&["report", "run", "--format", "md"]);
    assert!(!page.stdout.contains("first id s"), "{}", page.stdout);
    let report = read(&workspace, "2026-03-24.json")["report"].clone();
    assert_no_single_rows(&report);
    let lead = fs::read_to_string(workspace.path().join("run/interim/2026-03-24.html")).expect("a page");
    assert!(lead.contains("record counts and latencies are as of the time of this report"));

    // After the end it does.
    workspace.ok(&["run", "study.toml", "--run", "run"]);
    let failures = &workspace.report("run")["failures"];
    assert!(failures[0]["first-id"].as_str().is_some_and(|id| !id.is_empty()), "{failures}");
}

#[test]
fn windows_of_few_pairs_have_no_figure_anywhere() {
    let workspace = thirty_days();
    workspace.run(&[]);
    let mut earlier = 0;
    for (day, covered) in REPORTED_DAYS.into_iter().zip(COVERED_DAYS) {
        let bundle = read(&workspace, &format!("2026-03-{day}.json"));
        // Every day has one pair.
        let pairs = covered.parse::<u64>().expect("a day");
        let overall = &bundle["report"]["models"][0]["scores"][0]["overall"];
        assert_eq!((&overall["pairs"], overall["value"].is_null()), (&pairs.into(), false), "{overall}");
        assert!(pairs == earlier || pairs >= earlier + 5, "{earlier} to {pairs}");
        earlier = pairs;
        assert_eq!(bundle["report"]["end"]["interim"]["window"], format!("2026-03-{covered}"));
        assert_no_single_rows(&bundle["report"]);
        // The threshold counts three windows, fewer than the five pairs of a block.
        for model in bundle["verdict"]["models"].as_array().expect("models") {
            let scope = &model["scopes"][0];
            assert_eq!(scope["verdict"], "INCONCLUSIVE");
            let estimates = scope["windows"].as_array().expect("windows").iter().chain([&scope["pooled"]]);
            for estimate in estimates {
                let figures = ["value", "hits", "interval"].map(|key| &estimate[key]);
                assert!(figures.iter().all(|figure| figure.is_null()), "{estimate}");
                assert_eq!(estimate["withheld"], true, "{estimate}");
            }
            assert_eq!(scope["chance"], Value::Null);
            let reasons = scope["reasons"].to_string();
            assert!(reasons.contains("withheld until the run is closed"), "{reasons}");
        }
        let page = workspace.path().join(format!("run/interim/2026-03-{day}.html"));
        let page = fs::read_to_string(page).expect("a page");
        assert!(!page.contains("1 of 1") && page.contains("withheld"), "{day}");
    }
    // After the end nothing is withheld.
    let verdict = workspace.understudy(&["decide", "run", "--format", "json"]);
    let verdict: Value = serde_json::from_str(&verdict.stdout).expect("a verdict");
    let windows = verdict["models"][0]["scopes"][0]["windows"].as_array().expect("windows");
    assert!(windows.iter().all(|estimate| estimate["withheld"] == false && estimate["pairs"] == 1));
}

#[test]
fn a_resumed_run_writes_each_interim_report_once() {
    let workspace = hotel(4);
    workspace.run(&[]);
    let whole = interim_entries(&workspace, "run");
    assert_eq!(whole.len(), 15);
    let again = hotel(4);
    again.edit_study(&[("[windows]", "[log]\nsegment-rows = 500\n[windows]")]);
    // Each process is killed after one more report, except after the end.
    for reports in 1..=4 {
        let mut running = TestProcess::start(again.command(&["run", "study.toml", "--run", "run"]));
        wait_until("one more is reported on", || {
            again.path().join("run/ledger.jsonl").exists()
                && lines_of_kind(&again, "interim-report") >= reports
        });
        assert!(running.kill(), "it had ended before it could be killed");
    }
    assert!(!interim_entries(&again, "run").is_empty());
    again.ok(&["run", "study.toml", "--run", "run"]);
    assert_eq!(interim_entries(&again, "run"), whole);
    // A late report has the same windows.
    for path in files(&again.path().join("run/interim"))
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
    {
        let name = path.file_name().expect("a name").to_str().expect("UTF-8");
        let figures = |workspace: &TestWorkspace| {
            let dossier = read(workspace, name);
            (dossier["report"]["models"][0]["scores"].clone(), dossier["verdict"]["models"].clone())
        };
        assert_eq!(figures(&again), figures(&workspace), "{name}");
    }
    again.ok(&["verify", "run"]);
}

/// Number of complete entries of a kind in a ledger that is being written.
fn lines_of_kind(workspace: &TestWorkspace, kind: &str) -> usize {
    let text = fs::read_to_string(workspace.path().join("run/ledger.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("\"kind\":\"{kind}\""))).count()
}
