//! A trained model is swapped for another file, whose digests the ledger has.

use std::fs;
use std::ops::Range;

use arrow::array::AsArray as _;
use arrow::datatypes::{Float64Type, UInt32Type};
use serde_json::{Value, json};
use understudy_tests::served_run::ServedRun;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed};
use understudy_tests::{TestWorkspace, root};

use super::fixture::{end, send, verified, wait_for_pairs};

/// The intercept of `price.onnx`, and that of the other file: 100 more.
const INTERCEPTS: [f32; 2] = [158.095_61, 258.095_6];
const FIELDS: [&str; 2] = ["lead_time", "adults"];

fn study() -> StudyToml {
    StudyToml::new("swap")
        .input("lead_time", "integer")
        .input("adults", "integer")
        .decision("price", "number")
        .http()
        .trained_model("price", "plugin = \"onnx\"\nfile = \"price.onnx\"", &FIELDS)
        .plugin_comparator(
            "recorded",
            "PLUGINS/recorded.wasm",
            &["decision.price"],
            Some("{ field = \"decision.price\", form = \"number\" }"),
        )
        .metric("mean-absolute-error")
        .section("swaps", "last = 100")
}

fn study_file(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/oracles/tabular/study").join(name)).expect("a file of the oracle")
}

/// A workspace with the model and another one, whose answers are greater by 100.
fn workspace() -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study().to_string());
    let model = study_file("price.onnx");
    let [now, later] = INTERCEPTS.map(f32::to_le_bytes);
    let at = model.windows(4).position(|bytes| bytes == now).expect("the intercept is in the file");
    let mut other = model.clone();
    other[at..at + 4].copy_from_slice(&later);
    workspace.write("price.onnx", model);
    workspace.write("later.onnx", other);
    for name in ["pipeline.onnx", "hardmax.onnx"] {
        workspace.write(name, study_file(name));
    }
    workspace
}

/// Sends bookings, which repeat every ten numbers, and their decisions.
fn feed(serving: &ServedRun, numbers: Range<u64>) {
    let mut client = serving.client();
    let mut lines = [String::new(), String::new()];
    for number in numbers {
        let at = format!("2026-03-01T00:{:02}:{:02}Z", number / 60, number % 60);
        let (lead_time, adults) = (number % 10 * 20, number % 3 % 2 + 1);
        lines[0] += &format!(
            "{}\n",
            json!({ "id": format!("b{number}"), "at": at, "lead_time": lead_time, "adults": adults })
        );
        lines[1] += &format!("{}\n", json!({ "id": format!("b{number}"), "at": at, "price": 100 }));
    }
    for (path, lines) in ["/v1/snapshots", "/v1/decisions"].into_iter().zip(&lines) {
        assert_eq!(send(&mut client, path, lines)["excluded"], json!([]));
    }
}

fn swap(workspace: &TestWorkspace, new: &[&str]) -> (i32, String) {
    let common = ["swap", "run", "price", "--reason", "the spring's model", "--who", "test"];
    let output = workspace.understudy(&[&common[..], new].concat());
    (output.code, output.stdout + &output.stderr)
}

/// The swap survives a SIGKILL, and neither the replay nor the check of the run needs the files.
#[test]
fn a_trained_model_is_swapped_for_another_file() {
    let workspace = workspace();
    let serving = ServedRun::start(&workspace, &[]);
    feed(&serving, 0..60);
    wait_for_pairs(&serving, 60);
    let (code, said) = swap(&workspace, &["--file", "later.onnx"]);
    assert!(code != 0 && said.contains("agrees with the current one on 0"), "{said}");
    let (code, said) = swap(&workspace, &["--file", "later.onnx", "--force"]);
    assert!(code == 0 && said.contains("generation 1: \"price\""), "{said}");
    feed(&serving, 60..90);
    serving.kill();

    let serving = ServedRun::start(&workspace, &[]);
    feed(&serving, 90..120);
    let (code, said) = swap(&workspace, &["--undo"]);
    assert_eq!(code, 0, "{said}");
    feed(&serving, 120..150);
    for name in ["price.onnx", "later.onnx"] {
        fs::remove_file(workspace.path().join(name)).expect("the file is there");
    }
    let report = end(&workspace, serving);
    assert_eq!(report["accounting"]["snapshots"]["paired"], json!(150));
    verified(&workspace);

    let run = workspace.path().join("run");
    let snapshots = sealed(&run, "snapshots").expect("snapshots");
    let generations = column(&snapshots, "generation");
    let expected: Vec<u32> = (0..150).map(|row| [0, 0, 1, 1, 2][row / 30]).collect();
    assert_eq!(generations.as_primitive::<UInt32Type>().values().to_vec(), expected);
    let answers = column(&snapshots, "model.price.answer");
    let answers = answers.as_primitive::<Float64Type>().values();
    for row in 0..30 {
        let answers = [0, 30, 60, 90, 120].map(|start| answers[start + row]);
        assert_eq!([answers[1], answers[4]], [answers[0]; 2]);
        assert_eq!(answers[2], answers[3]);
        assert!((answers[2] - answers[0] - 100.0).abs() < 1e-3, "{answers:?}");
    }

    let swaps = workspace.ledger_entries("run", Some("swap"));
    let model: &Value = &swaps[0]["model"];
    assert_eq!(model["files"][0]["name"], "later.onnx");
    assert!(swaps[1]["model"].is_null(), "the sealed model is back");
    for digest in [&model["lowered"], &model["files"][0]["sha256"]] {
        let stored = run.join("plugins").join(format!("{}.asset", digest.as_str().expect("a digest")));
        let bytes = fs::read(&stored).expect("the run stores it");
        fs::write(&stored, b"changed").expect("the file can be written");
        assert_ne!(workspace.understudy(&["verify", "run"]).code, 0);
        fs::write(&stored, bytes).expect("the file can be written");
    }
    verified(&workspace);
}

#[test]
fn a_file_that_cannot_take_over_a_trained_model_is_refused() {
    let workspace = workspace();
    let serving = ServedRun::start(&workspace, &[]);
    feed(&serving, 0..20);
    wait_for_pairs(&serving, 20);
    let mut said = String::new();
    for file in ["price.onnx", "pipeline.onnx", "hardmax.onnx", "missing.onnx"] {
        let (code, refusal) = swap(&workspace, &["--file", file, "--force"]);
        assert_ne!(code, 0, "{file}");
        said += &refusal;
    }
    let arguments =
        ["swap", "run", "recorded", "--reason", "a test", "--who", "test", "--file", "price.onnx", "--force"];
    let output = workspace.understudy(&arguments);
    assert_ne!(output.code, 0);
    said += &output.stderr;
    for reason in [
        "\"price\" already runs this plugin with this configuration",
        "it answers with a label, the current plugin with a number",
        "cannot import hardmax.onnx",
        "cannot read missing.onnx",
        "no file of a trained model for \"recorded\"",
    ] {
        assert!(said.contains(reason), "{reason}:\n{said}");
    }
    let report = end(&workspace, serving);
    assert_eq!(report["models"][0]["answered"], json!(20));
    assert!(workspace.ledger_entries("run", Some("swap")).is_empty());
    verified(&workspace);
}
