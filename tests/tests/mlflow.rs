//! `understudy report --mlflow`: MLflow's own store reads the runs.

use std::process::Command;

use serde_json::{Value, json};
use understudy_tests::external_programs::Requirement;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, files, overall, root};

/// A run of two models with a verdict.
fn finished() -> (TestWorkspace, Value) {
    let workspace = TestWorkspace::small();
    let study = StudyToml::small().model("second", "booked").threshold(
        "at-least = 0.5\nquantifier = \"pooled\"\nwindows = { all = true }\nevidence = \"point\"\n\
         least-per-window = 1\nchance = \"not-asked\"",
    );
    workspace.write("study.toml", study.to_string());
    let report = workspace.run(&[]);
    workspace.understudy(&["decide", "run"]);
    (workspace, report)
}

#[test]
fn mlflow_reads_figures_windows_verdict_and_artifacts() {
    if !Requirement::Python.is_available() {
        return;
    }
    let (workspace, report) = finished();
    workspace.ok(&["report", "run", "--mlflow", "track ü"]);
    let python = std::env::var_os("UNDERSTUDY_PYTHON").expect("checked above");
    let output = Command::new(python)
        .arg(root().join("tests/mlflow_reader.py"))
        .arg(workspace.path().join("track ü"))
        .arg("small")
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    assert_eq!(runs.as_array().expect("runs").len(), 2);
    for (at, name) in ["echo in small", "second in small"].into_iter().enumerate() {
        let run = &runs[at];
        assert_eq!(
            (&run["name"], &run["status"], &run["study"]),
            (&json!(name), &json!("FINISHED"), &json!("small"))
        );
        let expected = overall(&report, at, 0);
        assert_eq!(run["metrics"]["agreement"], expected["value"]);
        assert_eq!(run["metrics"]["count.compared"], 5.0);
        assert_eq!(
            run["metrics"]["agreement by room/a"],
            report["models"][at]["scores"][0]["conditions"][0][0]["value"]
        );
        let windows = report["windows"].as_array().expect("windows");
        let values = &report["models"][at]["scores"][0]["windows"];
        assert_eq!(run["windows"].as_array().expect("steps").len(), windows.len());
        assert_eq!(run["windows"][1], json!([1, 1_772_496_000_000_i64, values[1]["value"]]));
        assert_eq!(run["artifacts"], json!(["report.html", "report.json", "verdict.json"]));
        assert_eq!(run["tags"]["understudy.verdict"], "GO");
        assert_eq!(run["params"]["model-sha256"], report["models"][at]["digest"]);
    }
}

#[test]
fn a_report_that_is_written_again_replaces_itself() {
    let (workspace, _) = finished();
    workspace.ok(&["report", "run", "--mlflow", "runs"]);
    let before = files(&workspace.path().join("runs"));
    workspace.ok(&["report", "run", "--mlflow", "runs"]);
    assert_eq!(files(&workspace.path().join("runs")), before);
    workspace.write("taken", "");
    let output = workspace.understudy(&["report", "run", "--mlflow", "taken"]);
    insta::assert_snapshot!(output.stderr.trim(), @"cannot write taken: File exists (os error 17); choose another directory with --mlflow");
    assert_eq!(output.code, 1);
    let output = workspace.understudy(&["report", "run", "--mlflow", "runs", "--format", "md"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
}
