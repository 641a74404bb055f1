//! One study for each form of answers with columns of its own, through every command: check, run, report, decide, verify,
//! replay, case, export, a join buffer on disk, blinding, and a run that is killed and resumed.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use understudy_tests::process::TestProcess;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::synthetic::Numbers;
use understudy_tests::{TestWorkspace, account, deterministic_part, overall};

/// Pairs of each study: three days, and a record of the next day that completes the third one.
const PAIRS: u64 = 3 * 24 * 60;

/// A study over three days of one form, and its records.
struct FormStudy {
    study: StudyToml,
    threshold: &'static str,
    /// The fields of a snapshot, which are the model's answer.
    snapshot: fn(u64) -> Value,
    /// The fields of a decision.
    decision: fn(u64) -> Value,
}

impl FormStudy {
    /// A folder with the study and its records. `sections` follow the study.
    fn workspace(&self, sections: &str) -> TestWorkspace {
        let workspace = TestWorkspace::new();
        workspace.write("study.toml", format!("{}[threshold]\n{}\n{sections}", self.study, self.threshold));
        let line = |minute: u64, delay: u64, mut record: Value| {
            record["id"] = format!("s{minute}").into();
            let at = minute + delay;
            let (day, hour) = (1 + at / 1440, at / 60 % 24);
            record["at"] = format!("2026-03-{day:02}T{hour:02}:{:02}:00Z", at % 60).into();
            record.to_string()
        };
        let records = || (0..PAIRS).chain([PAIRS + 60]);
        workspace.write_lines("snapshots.jsonl", records().map(|pair| line(pair, 0, (self.snapshot)(pair))));
        workspace.write_lines("decisions.jsonl", records().map(|pair| line(pair, 5, (self.decision)(pair))));
        workspace
    }

    /// The figures of a run with these sections and arguments, which verifies.
    fn figures(&self, sections: &str, arguments: &[&str]) -> Value {
        let workspace = self.workspace(sections);
        let report = workspace.run(arguments);
        workspace.ok(&["verify", "run"]);
        figures(&report)
    }
}

/// What a report says about answers and scores, whatever the study declares besides.
fn figures(report: &Value) -> Value {
    let mut report = deterministic_part(report);
    for key in ["declaration-digest", "substrate-latency"] {
        report.as_object_mut().expect("a report is an object").remove(key);
    }
    for model in report["models"].as_array_mut().expect("a report has models") {
        for key in ["answered", "abstained", "failed", "blinded"] {
            model.as_object_mut().expect("a model is an object").remove(key);
        }
    }
    report
}

/// Runs a study through every command, and returns its folder with the run and the report.
#[track_caller]
fn run_through(form: &FormStudy) -> (TestWorkspace, Value) {
    let workspace = form.workspace("[blinding]\nshare = 0\n");
    workspace.ok(&["check", "study.toml"]);
    workspace.ok(&["seal", "study.toml"]);
    let report = workspace.run(&[]);
    assert_eq!(account(&report, "snapshots"), [("received", PAIRS + 1), ("paired", PAIRS + 1)]);
    workspace.ok(&["verify", "run"]);
    for format in ["text", "md", "html", "json"] {
        workspace.ok(&["report", "run", "--format", format]);
    }
    let replayed = workspace.ok(&["replay", "run", "--batch-rows", "7"]).stdout;
    assert!(replayed.contains(" rows, 0 differ"), "{replayed}");
    let decided = workspace.understudy(&["decide", "run"]);
    // Only GO has the exit code 0.
    assert_eq!(decided.code, 0, "{}{}", decided.stdout, decided.stderr);

    let plain = figures(&report);
    let spilled = form.figures("[limits]\njoin-buffer-mib = 1\n", &["--order", "snapshots-first"]);
    assert_eq!(spilled["models"], plain["models"], "the join buffer is on disk");
    let blinded = form.figures("[blinding]\nshare = 0.3\n", &[]);
    assert_eq!(blinded["models"], plain["models"], "some snapshots are blinded");
    killed_and_resumed(form, &plain);
    (workspace, report)
}

/// A run that is killed at several places ends with the figures of an undisturbed one.
#[track_caller]
fn killed_and_resumed(form: &FormStudy, plain: &Value) {
    let workspace =
        form.workspace("[blinding]\nshare = 0\n[log]\nsegment-rows = 500\nseal-every = \"50ms\"\n");
    let mut numbers = Numbers(20_260_304);
    let mut kills = 0;
    for most in [40_000, 200_000, 400_000, 600_000, 800_000] {
        let limit = numbers.next(most);
        let command = workspace.command(&["run", "study.toml", "--run", "run", "--batch-rows", "1"]);
        let mut running = TestProcess::start(command);
        while running.bytes_written().is_some_and(|written| written < limit) {
            thread::sleep(Duration::from_micros(50));
        }
        kills += u64::from(running.kill());
    }
    assert!(kills > 0, "each run ended by itself");
    workspace.ok(&["run", "study.toml", "--run", "run"]);
    workspace.ok(&["verify", "run"]);
    assert_eq!(figures(&workspace.report("run"))["models"], plain["models"], "after {kills} kills");
}

/// The rows of an export, by id.
fn exported(workspace: &TestWorkspace, name: &str) -> RecordBatch {
    workspace.ok(&["export", "run", "--output", name]);
    let file = File::open(workspace.path().join(name)).expect("the file was written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let batches: Vec<_> = reader.expect("Parquet").map(|batch| batch.expect("whole")).collect();
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

/// The lines of a CSV export.
fn exported_csv(workspace: &TestWorkspace) -> Vec<String> {
    workspace.ok(&["export", "run", "--output", "rows.csv"]);
    let text = fs::read_to_string(workspace.path().join("rows.csv")).expect("the file was written");
    text.lines().map(str::to_owned).collect()
}

fn recorded(form: StudyToml, field: &str, config: &str, grant: &[&str]) -> StudyToml {
    let config = |field: &str, more: &str| format!("{{ field = \"{field}\", {config}{more} }}");
    let more = if grant.contains(&"classes") { ", probabilities = \"classes\"" } else { "" };
    form.plugin_model("echo", "PLUGINS/recorded.wasm", grant, Some(&config(field, more))).plugin_comparator(
        "recorded",
        "PLUGINS/recorded.wasm",
        &["decision.outcome"],
        Some(&config("decision.outcome", "")),
    )
}

const CLASSES: [&str; 3] = ["go", "stop", "wait, \"then\" go"];

fn probabilities() -> FormStudy {
    let study = StudyToml::new("class-probabilities")
        .input("answer", "text")
        .input("classes", "json")
        .decision("outcome", "text");
    let study = recorded(study, "answer", "form = \"label\"", &["answer", "classes"])
        .metric("brier-score")
        .primary()
        .metric("log-loss")
        .metric("expected-calibration-error")
        .metric("agreement")
        .condition("answer", "answer", &["go", "stop"]);
    FormStudy {
        study,
        threshold: "at-most = 0.6\nquantifier = \"pooled\"\nwindows = { first = 3 }\nevidence = \"bound\"\n\
                    confidence = 0.95\nleast-per-window = 10\nmost-unanswered = 0.2\nchance = \"not-asked\"",
        snapshot: |pair| {
            if pair % 11 == 4 {
                return json!({ "answer": null, "classes": { "go": 1.0 } });
            }
            let (label, other) = (CLASSES[(pair % 3) as usize], CLASSES[(pair / 3 % 3) as usize]);
            let classes = match (label == other, pair % 7) {
                // The probabilities do not add up to 1.
                (true, 0) => json!({ label: 0.25 }),
                (true, _) => json!({ label: 1.0 }),
                (false, _) => json!({ label: 0.75, other: 0.25 }),
            };
            json!({ "answer": label, "classes": classes })
        },
        decision: |pair| json!({ "outcome": CLASSES[if pair % 4 > 0 { pair % 3 } else { pair / 3 % 3 } as usize] }),
    }
}

#[test]
fn class_probabilities_go_through_every_command() {
    let (workspace, report) = run_through(&probabilities());
    let failed = (0..PAIRS).chain([PAIRS + 60]);
    let failed = failed.filter(|pair| pair % 3 == pair / 3 % 3 && pair % 7 == 0 && pair % 11 != 4).count();
    assert_eq!(report["models"][0]["failed"], failed);
    assert_eq!(overall(&report, 0, 0)["failed"], failed);
    let bins = report["models"][0]["reliability"].as_array().expect("bins");
    assert_eq!((bins.len(), &bins[0]["from"], &bins[0]["mean-confidence"]), (2, &json!(0.7), &json!(0.75)));
    assert_eq!(&bins[1]["mean-confidence"], &json!(1.0));
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains("Reliability of echo"), "{page}");

    let case = workspace.ok(&["case", "run", "s1"]).stdout;
    assert!(case.contains("echo gives the classes stop 0.750, go 0.250"), "{case}");
    let rows = exported(&workspace, "rows.parquet");
    let column = rows.column_by_name("model.echo.probabilities").expect("the column").as_map();
    let answers = rows.column_by_name("model.echo.answer").expect("the column");
    assert_eq!(column.null_count(), answers.null_count());
    assert!(rows.column_by_name("comparator.probabilities").is_none(), "the comparator reports none");
    let csv = exported_csv(&workspace);
    let second = csv.iter().find(|line| line.starts_with("s5,")).expect("a row");
    assert!(second.contains(r#""{""stop"":0.25,""wait, \""then\"" go"":0.75}""#), "{second}");
}

const TAGS: [&str; 4] = ["refund", "goodwill", "a \"b\"", "é"];

fn label_sets() -> FormStudy {
    let study = StudyToml::new("label-sets")
        .input("answer", "json")
        .decision("outcome", "json")
        .input("day", "integer");
    let study = recorded(study, "answer", "form = \"label-set\"", &["answer"])
        .metric("jaccard")
        .primary()
        .metric("agreement")
        .condition_rule("day", "field = \"day\"\nvalues = [0, 1]");
    FormStudy {
        study,
        threshold: "at-least = 0.7\nquantifier = \"pooled\"\nwindows = { first = 3 }\nevidence = \"bound\"\n\
                    confidence = 0.95\nleast-per-window = 10\nmost-unanswered = 0.2\nchance = { gain = 0.1 }",
        snapshot: |pair| {
            let mut tags = tags(pair);
            tags.reverse();
            let answer = if pair % 11 == 4 { Value::Null } else { json!(tags) };
            json!({ "answer": answer, "day": pair / 1440 })
        },
        decision: |pair| json!({ "outcome": if pair % 5 == 2 { vec!["refund"] } else { tags(pair) } }),
    }
}

/// The tags of a pair, among them none and all.
fn tags(pair: u64) -> Vec<&'static str> {
    (0..4).filter(|tag| (pair * 5 / 3) >> tag & 1 == 1).map(|tag| TAGS[tag]).collect()
}

#[test]
fn sets_of_labels_go_through_every_command() {
    let (workspace, report) = run_through(&label_sets());
    assert_eq!(report["models"][0]["form"], "label-set");
    let pairs = (0..PAIRS).chain([PAIRS + 60]);
    let equal = pairs.filter(|pair| pair % 11 != 4 && (pair % 5 != 2 || tags(*pair) == ["refund"])).count();
    let found = overall(&report, 0, 1);
    assert_eq!(found["sums"][0], json!(equal as f64));
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    assert!(page.contains(r#"| \["goodwill","refund"\] | \["refund"\] | 50 |"#), "{page}");
    // 9 * 5 / 3 is 15: all tags, in the order of their bytes.
    let case = workspace.ok(&["case", "run", "s9"]).stdout;
    assert!(case.contains(r#"["a \"b\"","goodwill","refund","é"]"#), "{case}");
    let rows = exported(&workspace, "rows.parquet");
    let sets = rows.column_by_name("model.echo.answer").expect("the column").as_list::<i32>();
    let is_sorted = |row: usize| {
        let set = sets.value(row);
        set.as_string::<i32>().iter().flatten().is_sorted()
    };
    assert!((0..rows.num_rows()).all(is_sorted), "the order of a set is that of its bytes");
}

fn json_values() -> FormStudy {
    let study = StudyToml::new("json-values")
        .input("answer", "json")
        .decision("outcome", "json")
        .input("day", "integer");
    let study = recorded(study, "answer", "form = \"json\"", &["answer"])
        .configured_metric(
            "equality",
            "json-equality",
            r#"{ ignore = ["/id"], round = { "/offer/price" = 1 } }"#,
        )
        .primary()
        .metric("agreement")
        .condition_rule("day", "field = \"day\"\nvalues = [0, 1]");
    FormStudy {
        study,
        threshold: "at-least = 0.7\nquantifier = \"pooled\"\nwindows = { first = 3 }\nevidence = \"bound\"\n\
                    confidence = 0.95\nleast-per-window = 10\nmost-unanswered = 0.2\nchance = { gain = 0.0 }",
        snapshot: |pair| {
            let answer = match pair % 11 {
                4 => Value::Null,
                _ => {
                    json!({ "offer": { "price": 80.0 + (pair % 3) as f64 + 0.01, "room": "suite" }, "id": pair })
                }
            };
            json!({ "answer": answer, "day": pair / 1440 })
        },
        decision: |pair| {
            let room = if pair % 7 == 3 { "single" } else { "suite" };
            json!({ "outcome": { "id": 2 * pair, "offer": { "room": room, "price": 80 + pair % 3 } } })
        },
    }
}

#[test]
fn json_values_go_through_every_command() {
    let (workspace, report) = run_through(&json_values());
    assert_eq!(report["models"][0]["form"], "json");
    let equal = (0..PAIRS).chain([PAIRS + 60]).filter(|pair| pair % 11 != 4 && pair % 7 != 3).count();
    assert_eq!(overall(&report, 0, 0)["sums"][0], json!(equal as f64));
    assert_eq!(overall(&report, 0, 1)["value"], 0.0, "the ids differ");
    let case = workspace.ok(&["case", "run", "s1"]).stdout;
    assert!(case.contains(r#"{"id":1,"offer":{"price":81.01,"room":"suite"}}"#), "{case}");
    let csv = exported_csv(&workspace);
    let row = csv.iter().find(|line| line.starts_with("s2,")).expect("a row");
    assert!(row.contains(r#""{""id"":2,""offer"":{""price"":82.01,""room"":""suite""}}""#), "{row}");
}

#[test]
fn a_metric_that_needs_probabilities_refuses_a_model_without() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("PLUGINS/agreement.wasm", "PLUGINS/brier_score.wasm"), ("agreement", "brier")]);
    let refused = workspace.understudy(&["check", "study.toml"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    insta::assert_snapshot!(refused.stderr, @r#"study.toml:38: metric "brier" needs class probabilities, and model "echo" reports none; let the model report them (a trained classifier does if its scores add up to 1, a model in Rust with `WithProbabilities`), or remove the metric"#);
}
