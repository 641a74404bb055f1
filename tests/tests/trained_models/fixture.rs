//! Studies of bookings with the model files of the oracle, and the answers that it expects.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::ReaderBuilder;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use understudy_tests::study_toml::StudyToml;
use understudy_tests::{TestWorkspace, root};

pub(super) const ALL_FIELDS: [&str; 5] = ["segment", "country", "lead_time", "adults", "rate"];

/// A file of the oracle.
pub(super) fn study_file(name: &str) -> Vec<u8> {
    let path: PathBuf = root().join("tests/oracles/tabular/study").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The expected answers of the oracle: the cells of each row.
pub(super) fn expected(name: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(study_file(name)).expect("a text");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The numbers of a column of expected answers.
pub(super) fn expected_numbers(name: &str, column: usize) -> Vec<f64> {
    expected(name).iter().map(|cells| cells[column].parse().expect("a number")).collect()
}

/// Bookings as a Parquet file whose rates are 32-bit floats, compressed as pandas does it.
pub(super) fn parquet_bookings(json_lines: &[u8]) -> Vec<u8> {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let integer = |name| Field::new(name, DataType::Int64, true);
    let rate = Field::new("rate", DataType::Float32, true);
    let fields = vec![text("segment"), text("country"), integer("lead_time"), integer("adults"), rate];
    let schema = Arc::new(Schema::new(fields));
    let rows = ReaderBuilder::new(schema.clone()).build(json_lines).expect("a reader");
    let compression = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, schema, Some(compression)).expect("a writer");
    rows.for_each(|batch| writer.write(&batch.expect("bookings")).expect("rows are written"));
    writer.close().expect("a file");
    file
}

/// A study of the bookings, without models.
pub(super) fn bookings() -> StudyToml {
    StudyToml::new("trained")
        .input("segment", "text")
        .input("country", "text")
        .input("lead_time", "integer")
        .input("adults", "integer")
        .input("rate", "number")
}

/// A study of labels. The substrate decides as the pipeline does by onnxruntime.
pub(super) fn label_study() -> StudyToml {
    bookings().decision("room", "text").comparator("recorded", "decision.room").metric("agreement")
}

/// The folder of a study, with the files of the oracle.
pub(super) fn workspace(study: &StudyToml) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let files = [
        "pipeline.onnx",
        "price.onnx",
        "xgboost.json",
        "hardmax.onnx",
        "dimensions.onnx",
        "snapshots.jsonl",
        "net.onnx",
        "catboost.json",
        "mlflow/MLmodel",
        "mlflow/model.lgb",
    ];
    for folder in ["mlflow", "net"] {
        fs::create_dir(workspace.path().join(folder)).expect("the folder is new");
    }
    for name in files {
        workspace.write(name, study_file(name));
    }
    for name in ["external.onnx", "external.weights", "outside.onnx"] {
        workspace.write(&format!("net/{name}"), study_file(name));
    }
    let answers = expected("pipeline.csv").into_iter().zip(expected_numbers("price.csv", 0));
    let line = |(row, (label, price)): (usize, (Vec<String>, f64))| {
        let (day, hour) = (1 + row / 24, row % 24);
        let at = format!("2026-03-{day:02}T{hour:02}:30:00Z");
        format!(r#"{{"id":"b{row}","at":"{at}","room":"{}","price":{price}}}"#, label[0])
    };
    workspace.write_lines("decisions.jsonl", answers.enumerate().map(line));
    workspace.write("study.toml", study.to_string());
    workspace
}

/// What `check` says of a study with one trained model.
pub(super) fn refusal(keys: &str, change: impl FnOnce(&TestWorkspace)) -> String {
    let workspace = workspace(&label_study().trained_model("trained", keys, &ALL_FIELDS));
    change(&workspace);
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

/// The largest difference between two lists of numbers of one length.
pub(super) fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}
