//! Studies whose models are trained files: answers as other implementations give them, refusals, and replays.
//!
//! The files are made by tests/oracles/tabular/study.py.

mod fixture;

use std::fs;

use arrow::array::AsArray as _;
use arrow::datatypes::Float64Type;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::tables::{column, sealed, texts};
use understudy_tests::{TestWorkspace, account, overall};

use fixture::{
    ALL_FIELDS, bookings, difference, expected, expected_numbers, label_study, parquet_bookings, refusal,
    study_file, workspace,
};

const PIPELINE: &str = "plugin = \"onnx\"\nfile = \"pipeline.onnx\"";
const PRICE: &str = "plugin = \"onnx\"\nfile = \"price.onnx\"";
const BOOSTER: &str = "plugin = \"xgboost\"\nfile = \"xgboost.json\"\nlabels = [\"stays\", \"moves\"]";
const EXTERNAL: &str = "plugin = \"onnx\"\nfile = \"net/external.onnx\"\nfields = [\"lead_time\", \"adults\"]\nlabels = [\"a\", \"b\", \"c\"]\nsoftmax = true";
const NET: &str = "plugin = \"onnx\"\nfile = \"net.onnx\"";
const CATBOOST: &str = "plugin = \"catboost\"\nfile = \"catboost.json\"";
const MLFLOW: &str = "plugin = \"lightgbm\"\nfile = \"mlflow\"";

#[test]
fn trained_classifiers_answer_as_their_libraries_do() {
    let study = label_study().trained_model("pipeline", PIPELINE, &ALL_FIELDS).trained_model(
        "booster",
        BOOSTER,
        &ALL_FIELDS[2..],
    );
    let workspace = workspace(&study);
    let report = workspace.run(&[]);
    assert_eq!(account(&report, "snapshots"), [("received", 200), ("paired", 200)]);
    assert_eq!(overall(&report, 0, 0)["value"], 1.0, "every label is that of onnxruntime");

    let snapshots = sealed(&workspace.path().join("run"), "snapshots").expect("snapshots");
    let numbers = |name: &str| column(&snapshots, name).as_primitive::<Float64Type>().values().to_vec();
    let labels: Vec<String> = expected("pipeline.csv").into_iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(texts(&snapshots, "model.pipeline.answer"), labels);
    let confidence = difference(&numbers("model.pipeline.confidence"), &expected_numbers("pipeline.csv", 1));
    assert!(confidence < 1e-6, "{confidence}");

    let second = expected_numbers("xgboost.csv", 0);
    let labels: Vec<&str> = second.iter().map(|p| if *p > 0.5 { "moves" } else { "stays" }).collect();
    assert_eq!(texts(&snapshots, "model.booster.answer"), labels);
    let largest: Vec<f64> = second.iter().map(|second| second.max(1.0 - second)).collect();
    let confidence = difference(&numbers("model.booster.confidence"), &largest);
    assert!(confidence < 1e-6, "{confidence}");
}

/// A study of decided prices, without a model.
fn price_study() -> StudyToml {
    bookings()
        .decision("price", "number")
        .plugin_comparator(
            "recorded",
            "PLUGINS/recorded.wasm",
            &["decision.price"],
            Some("{ field = \"decision.price\", form = \"number\" }"),
        )
        .metric("mean-absolute-error")
}

#[test]
fn a_trained_regression_answers_numbers() {
    let study = price_study().trained_model("price", PRICE, &["lead_time", "adults"]);
    let report = workspace(&study).run(&[]);
    let error = overall(&report, 0, 0)["value"].as_f64().expect("a value");
    assert!(error < 1e-4, "{error}");
}

#[test]
fn a_run_replays_its_trained_models_without_their_files() {
    let study = label_study().trained_model("pipeline", PIPELINE, &ALL_FIELDS).trained_model(
        "booster",
        BOOSTER,
        &ALL_FIELDS[2..],
    );
    let workspace = workspace(&study);
    workspace.run(&[]);
    for name in ["pipeline.onnx", "xgboost.json"] {
        fs::remove_file(workspace.path().join(name)).expect("the file is there");
    }
    for rows in ["1", "100"] {
        let output = workspace.ok(&["replay", "run", "--batch-rows", rows]);
        assert_eq!(output.stdout, "pipeline: 200 rows, 0 differ\nbooster: 200 rows, 0 differ\n");
    }
    workspace.ok(&["verify", "run"]);
    let seal = fs::read_to_string(workspace.path().join("run/seal.json")).expect("a seal");
    let seal: serde_json::Value = serde_json::from_str(&seal).expect("JSON");
    let files: Vec<&str> =
        seal["files"].as_array().expect("files").iter().filter_map(|file| file["name"].as_str()).collect();
    assert_eq!(files, ["pipeline.onnx", "xgboost.json"], "the seal has the digests of the files");
    assert_eq!(seal["plugins"][0]["importer-sha256"], seal["plugins"][1]["importer-sha256"]);
    assert_eq!(seal["plugins"][0]["assets"][0]["name"], "model");
}

#[test]
fn files_beside_a_model_are_sealed_and_its_run_replays_without_them() {
    let study = label_study().trained_model("net", EXTERNAL, &ALL_FIELDS[2..4]).trained_model(
        "oblivious",
        CATBOOST,
        &ALL_FIELDS[2..],
    );
    let workspace = workspace(&study);
    workspace.run(&[]);
    let snapshots = sealed(&workspace.path().join("run"), "snapshots").expect("snapshots");
    let numbers = |name: &str| column(&snapshots, name).as_primitive::<Float64Type>().values().to_vec();
    let labels: Vec<String> = expected("external.csv").into_iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(texts(&snapshots, "model.net.answer"), labels);
    let confidence = difference(&numbers("model.net.confidence"), &expected_numbers("external.csv", 3));
    assert!(confidence < 1e-6, "{confidence}");
    let labels: Vec<String> = expected("catboost.csv").into_iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(texts(&snapshots, "model.oblivious.answer"), labels);

    fs::remove_dir_all(workspace.path().join("net")).expect("the folder is there");
    let output = workspace.ok(&["replay", "run"]);
    assert_eq!(output.stdout, "net: 200 rows, 0 differ\noblivious: 200 rows, 0 differ\n");
    workspace.ok(&["verify", "run"]);
    let seal = fs::read_to_string(workspace.path().join("run/seal.json")).expect("a seal");
    let seal: serde_json::Value = serde_json::from_str(&seal).expect("JSON");
    let files: Vec<&str> =
        seal["files"].as_array().expect("files").iter().filter_map(|file| file["name"].as_str()).collect();
    assert_eq!(files, ["net/external.weights", "net/external.onnx", "catboost.json"]);
}

/// The net reads text, computes attention and a convolution, and answers a label: its subgraph is between steps of the engine.
#[test]
fn a_net_answers_as_onnxruntime_does_in_any_batch() {
    let keys = |file: &str| NET.replace("net.onnx", file);
    let study = label_study().trained_model("net", NET, &ALL_FIELDS[..4]).trained_model(
        "external",
        &keys("net/net-external.onnx"),
        &ALL_FIELDS[..4],
    );
    let workspace = workspace(&study);
    for name in ["net-external.onnx", "net-external.weights"] {
        workspace.write(&format!("net/{name}"), study_file(name));
    }
    workspace.run(&["--batch-rows", "64"]);
    let snapshots = sealed(&workspace.path().join("run"), "snapshots").expect("snapshots");
    let labels: Vec<String> = expected("net.csv").into_iter().map(|cells| cells[0].clone()).collect();
    for name in ["net", "external"] {
        assert_eq!(texts(&snapshots, &format!("model.{name}.answer")), labels);
        let confidence = column(&snapshots, &format!("model.{name}.confidence"));
        let confidence = confidence.as_primitive::<Float64Type>().values();
        let error = difference(confidence, &expected_numbers("net.csv", 1));
        assert!(error < 1e-5, "{error}");
    }
    fs::remove_file(workspace.path().join("net.onnx")).expect("the file is there");
    for rows in ["1", "100"] {
        let output = workspace.ok(&["replay", "run", "--batch-rows", rows]);
        assert_eq!(output.stdout, "net: 200 rows, 0 differ\nexternal: 200 rows, 0 differ\n");
    }
    workspace.ok(&["verify", "run"]);
}

#[test]
fn only_a_net_has_the_neural_runtime() {
    let study = label_study().trained_model("net", NET, &ALL_FIELDS[..4]).trained_model(
        "pipeline",
        PIPELINE,
        &ALL_FIELDS,
    );
    let workspace = workspace(&study);
    workspace.ok(&["seal", "study.toml"]);
    let seal = fs::read_to_string(workspace.path().join("seal.json")).expect("a seal");
    let seal: serde_json::Value = serde_json::from_str(&seal).expect("JSON");
    let digest = |index: usize| seal["plugins"][index]["sha256"].as_str().map(str::to_owned);
    assert!(digest(0).is_some() && digest(1).is_some(), "{seal}");
    assert_ne!(digest(0), digest(1));
    let shown = workspace.ok(&["model", "show", "net.onnx"]).stdout;
    let note = "  note        the neural engine runs a part of the model, one row at a time: Add, Conv, ";
    assert!(shown.contains(note), "{shown}");
    assert!(shown.contains("  memory      ") && shown.contains("  fuel/row    "), "{shown}");
}

#[test]
fn a_folder_of_mlflow_is_a_model() {
    let study = price_study().trained_model("logged", MLFLOW, &["lead_time", "rate"]);
    let workspace = workspace(&study);
    workspace.run(&[]);
    let snapshots = sealed(&workspace.path().join("run"), "snapshots").expect("snapshots");
    let numbers = column(&snapshots, "model.logged.answer").as_primitive::<Float64Type>().values().to_vec();
    let error = difference(&numbers, &expected_numbers("mlflow.csv", 0));
    assert!(error < 1e-10, "{error}");
    fs::remove_dir_all(workspace.path().join("mlflow")).expect("the folder is there");
    assert_eq!(workspace.ok(&["replay", "run"]).stdout, "logged: 200 rows, 0 differ\n");
}

#[test]
fn files_outside_of_the_folder_of_a_model_are_refused() {
    let nothing = |_: &TestWorkspace| ();
    let outside = EXTERNAL.replace("external.onnx", "outside.onnx");
    insta::assert_snapshot!(refusal(&outside, nothing), @r#"study.toml:29: model "trained": cannot import net/outside.onnx: the graph of the ONNX file is invalid: tensor "first": its data is in "../external.weights", outside of the model's folder; export the model with its weights in the same folder"#);
    let missing = |workspace: &TestWorkspace| {
        fs::remove_file(workspace.path().join("net/external.weights")).expect("the file is there");
    };
    insta::assert_snapshot!(refusal(EXTERNAL, missing), @r#"study.toml:29: model "trained": cannot import net/external.onnx: it needs the file external.weights, which cannot be read: No such file or directory (os error 2); copy the whole folder of the model"#);
    #[cfg(unix)]
    {
        let link = |workspace: &TestWorkspace| {
            let weights = workspace.path().join("net/external.weights");
            fs::rename(&weights, workspace.path().join("weights")).expect("the file is there");
            std::os::unix::fs::symlink("../weights", &weights).expect("a link");
        };
        insta::assert_snapshot!(refusal(EXTERNAL, link), @r#"study.toml:29: model "trained": cannot import net/external.onnx: it needs the file external.weights, which cannot be read: it is a link to a file outside of the model's folder; copy the whole folder of the model"#);
    }
}

#[test]
fn a_changed_model_file_prevents_the_start() {
    let workspace = workspace(&label_study().trained_model("pipeline", PIPELINE, &ALL_FIELDS));
    workspace.ok(&["seal", "study.toml"]);
    // The document of the model says nothing that the lowered model has.
    let mut file = study_file("pipeline.onnx");
    let producer = file.windows(8).position(|bytes| bytes == b"skl2onnx").expect("the producer");
    file[producer] = b'S';
    workspace.write("pipeline.onnx", file);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("the file `pipeline.onnx` was "), "{}", output.stderr);
}

#[test]
fn what_cannot_be_imported_is_refused_before_the_first_row() {
    let nothing = |_: &TestWorkspace| ();
    let other = |name: &str| format!("plugin = \"onnx\"\nfile = \"{name}\"");
    insta::assert_snapshot!(refusal(&other("hardmax.onnx"), nothing), @r#"study.toml:29: model "trained": cannot import hardmax.onnx: node "choice" (Hardmax): the operator is not supported; export the model without it"#);
    insta::assert_snapshot!(refusal(&other("dimensions.onnx"), nothing), @r#"study.toml:29: model "trained": cannot import dimensions.onnx: the graph of the ONNX file is invalid: tensor "huge": it has 1 values, its dimensions require 4611686018427387904; export the model again"#);
    insta::assert_snapshot!(refusal(&other("xgboost.json"), nothing), @r#"study.toml:29: model "trained": cannot import xgboost.json: the file is a model of xgboost, and the study says "onnx"; write plugin = "xgboost""#);
    insta::assert_snapshot!(refusal(&other("missing.onnx"), nothing), @r#"study.toml:30: model "trained": cannot read missing.onnx: No such file or directory (os error 2); write where the model file is"#);
    let cut = |workspace: &TestWorkspace| {
        let file = study_file("pipeline.onnx");
        workspace.write("pipeline.onnx", &file[..file.len() / 2]);
    };
    insta::assert_snapshot!(refusal(PIPELINE, cut), @r#"study.toml:29: model "trained": cannot import pipeline.onnx: the file is damaged, or it is no ONNX file: byte 37: the file ends too early; export the model again"#);
    let ungranted = ("\"rate\"]", "]");
    insta::assert_snapshot!(refusal(PIPELINE, |workspace| workspace.edit_study(&[ungranted])), @r#"study.toml:31: model "trained" is not granted `rate`, which it reads; write grant = ["segment", "country", "lead_time", "adults", "rate"]"#);
}

#[test]
fn a_model_is_shown_with_the_blocks_of_its_study() {
    let workspace = workspace(&label_study().trained_model("pipeline", PIPELINE, &ALL_FIELDS));
    let shown = workspace.ok(&["model", "show", "xgboost.json", "--labels", "stays,moves"]).stdout;
    insta::with_settings!({ filters => vec![
        (r"fuel/row    [\d,]+ in a batch of 1,024 rows, [\d,]+ alone", "fuel/row    FUEL"),
        (r"[\d,]+ lowered", "SIZE lowered"),
        (r"memory      \d+ MiB", "memory      SIZE MiB"),
    ] }, {
        insta::assert_snapshot!(shown, @r#"
        xgboost.json: xgboost
          reads       lead_time                number, optional
                      adults                   number, optional
                      rate                     number, optional
          answers     a label with a confidence and class probabilities
          labels      0 -> stays, 1 -> moves
          operators   binary:logistic, tree x15
          trees       15
          size        15,667 bytes, SIZE lowered
          fuel/row    FUEL
          memory      SIZE MiB per instance
          note        read as 32-bit floats: lead_time, adults, rate; whole numbers beyond 16,777,216, such as timestamps, are rounded

        [inputs.fields]
        lead_time = "number"    # or "boolean" or "integer", if the feed says so
        adults = "number"    # or "boolean" or "integer", if the feed says so
        rate = "number"    # or "boolean" or "integer", if the feed says so

        [[models]]
        name = "xgboost"
        plugin = "xgboost"
        file = "xgboost.json"
        labels = ["stays", "moves"]
        # training-period = { from = "...", until = "..." }    # instants such as 2016-07-02T00:00:00Z
        grant = ["lead_time", "adults", "rate"]
        "#);
    });
}

#[test]
fn a_model_is_compared_with_predictions() {
    let workspace = workspace(&label_study().trained_model("pipeline", PIPELINE, &ALL_FIELDS));
    workspace.write("pipeline.csv", study_file("pipeline.csv"));
    let arguments =
        ["model", "check", "pipeline.onnx", "--rows", "snapshots.jsonl", "--expect", "pipeline.csv"];
    let output = workspace.ok(&[&arguments[..], &["--confidence", "confidence"]].concat());
    assert!(
        output
            .stdout
            .starts_with("answers: 200 of 200 rows equal (column `label`; choose another with --column)\n"),
        "{}",
        output.stdout
    );

    // The same rows as Parquet, with a column of 32-bit floats as pandas may write it.
    workspace.write("rows.parquet", parquet_bookings(&study_file("snapshots.jsonl")));
    let parquet = ["model", "check", "pipeline.onnx", "--rows", "rows.parquet", "--expect", "pipeline.csv"];
    assert_eq!(
        workspace.ok(&parquet).stdout,
        "answers: 200 of 200 rows equal (column `label`; choose another with --column)\n"
    );

    let text = String::from_utf8(study_file("pipeline.csv")).expect("a text");
    workspace.write("pipeline.csv", text.replacen("\na,", "\nb,", 1));
    let output = workspace.understudy(&arguments);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!(output.stdout, @"
    answers: 199 of 200 rows equal (column `label`; choose another with --column)
      row 1: a, expected b
      (rows are counted from 1, without the header)
    arithmetic of 32 bits may explain it: compare with ONNX Runtime, as the page on trained models shows
    ");
}
