//! The scripts of `examples/models`: each trains a model, and `understudy model check` finds the predictions of its library.

use std::process::Command;

use understudy_tests::external_programs::Requirement;
use understudy_tests::{TestWorkspace, root};

/// Runs a script and the commands that it prints. Returns their output.
fn checks(requirement: Requirement, variable: &str, script: &str) -> Option<String> {
    if !requirement.is_available() {
        return None;
    }
    let workspace = TestWorkspace::new();
    let python = std::env::var_os(variable).expect("checked above");
    let path = root().join("examples/models").join(script);
    let output = Command::new(python)
        .arg("-B")
        .arg(path)
        .arg("made")
        .current_dir(workspace.path())
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("a text");
    let commands = printed.lines().filter_map(|line| line.strip_prefix("understudy "));
    Some(commands.map(|command| workspace.ok(&command.split(' ').collect::<Vec<_>>()).stdout).collect())
}

/// The output of the commands that a script of the model libraries prints, without the digits of differences.
fn checked(script: &str) -> Option<String> {
    checks(Requirement::ModelLibraries, "UNDERSTUDY_MODELS_PYTHON", script)
}

/// Asserts that `model check` was run `times` times and found all rows within the tolerance.
fn assert_equal(output: &str, times: usize, what: &[&str]) {
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), times * what.len(), "{output}");
    for (line, what) in lines.iter().zip(what.iter().cycle()) {
        assert!(line.starts_with(what), "{output}");
    }
}

const LABELS: [&str; 2] =
    ["answers: 500 of 500 rows equal", "confidences: 500 of 500 rows within the tolerance"];

#[test]
fn a_pipeline_of_scikit_learn_answers_as_its_library() {
    let Some(output) = checked("scikit_learn_pipeline.py") else { return };
    assert_equal(&output, 1, &LABELS);
}

#[test]
fn trees_of_xgboost_answer_as_their_library() {
    let Some(output) = checked("xgboost_trees.py") else { return };
    assert_equal(&output, 2, &LABELS);
}

#[test]
fn trees_of_lightgbm_answer_as_their_library() {
    let Some(output) = checked("lightgbm_trees.py") else { return };
    assert_equal(&output, 1, &LABELS);
}

#[test]
fn trees_of_catboost_answer_as_their_library() {
    let Some(output) = checked("catboost_trees.py") else { return };
    assert_equal(&output, 1, &LABELS);
}

#[test]
fn a_folder_of_mlflow_answers_as_its_library() {
    let Some(output) = checked("mlflow_folder.py") else { return };
    assert_equal(&output, 1, &["answers: 500 of 500 rows within the tolerance, 500 bit-identical"]);
}

#[test]
fn a_net_of_pytorch_answers_as_its_library() {
    let Some(output) = checks(Requirement::PyTorch, "UNDERSTUDY_PYTORCH_PYTHON", "pytorch_net.py") else {
        return;
    };
    assert_equal(&output, 1, &LABELS);
}
