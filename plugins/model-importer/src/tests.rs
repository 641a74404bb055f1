//! The models of tests/oracles/tabular/study.py, imported and run natively.

use std::io::Read as _;

use flate2::read::GzDecoder;
use neural::Neural;
use serde_json::Value as Json;
use tabular::Tabular;
use understudy_sdk::{AnswerValues, Answers, Asset, Column, ColumnarModel, Kind, Values, native};

use super::{ExternalFile, Format, ImportedModel, Options, Outcome};

macro_rules! study_file {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracles/tabular/study/", $name))
    };
}

mod answer_options;
mod booster_files;

fn options(json: Json) -> Options {
    serde_json::from_value(json).unwrap()
}

/// Imports a file that has all it needs.
fn import(file: &[u8], options: &Options) -> Result<ImportedModel, String> {
    match super::import(file, &[], options)? {
        Outcome::Model(imported) => Ok(*imported),
        Outcome::Missing(names) => panic!("{names:?} are missing"),
    }
}

fn fault(file: &[u8], json: Json) -> String {
    import(file, &options(json)).unwrap_err()
}

/// The fields of a lowered model; a question mark marks those that may be missing.
fn fields(imported: &ImportedModel) -> String {
    let field = |field: &tabular_program::Field| {
        let mark = if field.required { "" } else { "?" };
        format!("{}{mark}: {:?}", field.name, field.kind)
    };
    imported.model.fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

/// The answers of a lowered model to the snapshots of the study.
fn answers(imported: &ImportedModel) -> Answers {
    let asset = vec![Asset { name: "model".to_owned(), bytes: imported.model.to_bytes() }];
    if imported.model.program.has_subgraphs() {
        answers_of(&native::model::<Neural>("{}", asset).unwrap())
    } else {
        answers_of(&native::model::<Tabular>("{}", asset).unwrap())
    }
}

fn answers_of<M: ColumnarModel>(model: &M) -> Answers {
    answers_to(model, study_file!("snapshots.jsonl"))
}

/// The answers of a model to the rows of a file.
fn answers_to<M: ColumnarModel>(model: &M, rows: &[u8]) -> Answers {
    let text = std::str::from_utf8(rows).unwrap();
    let rows: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let columns: Vec<Column> = model
        .reads()
        .into_iter()
        .map(|field| {
            let values = rows.iter().map(|row| &row[&field.name]);
            let missing: Vec<u32> =
                (0..).zip(values.clone()).filter(|(_, value)| value.is_null()).map(|(row, _)| row).collect();
            assert!(missing.is_empty() || !field.required, "{} is required", field.name);
            let mut column = match field.kind {
                Kind::Text => Column::text(values.map(|value| value.as_str().unwrap_or_default())),
                _ => Column::from(Values::Number(
                    values.map(|value| value.as_f64().unwrap_or_default()).collect(),
                )),
            };
            column.missing = (!missing.is_empty()).then_some(missing);
            column
        })
        .collect();
    native::decide(model, rows.len() as u32, &columns).unwrap()
}

/// The cells of a file of expected answers.
fn expected(file: &'static [u8]) -> Vec<Vec<&'static str>> {
    let text = std::str::from_utf8(file).unwrap();
    text.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

fn labels(answers: &Answers) -> Vec<String> {
    let AnswerValues::Labels(labels) = &answers.values else { panic!("the model answers labels") };
    let name = |code: &u32| {
        let [start, end] = [0, 1].map(|next| labels.names.offsets[*code as usize + next] as usize);
        String::from_utf8(labels.names.bytes[start..end].to_vec()).unwrap()
    };
    labels.codes.iter().map(name).collect()
}

/// The largest difference between two lists of numbers.
fn difference(found: &[f64], expected: impl Iterator<Item = f64>) -> f64 {
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

#[test]
fn a_pipeline_of_scikit_learn_answers_as_onnxruntime_does() {
    let imported = import(study_file!("pipeline.onnx"), &Options::default()).unwrap();
    assert_eq!(
        fields(&imported),
        "segment: Text, country: Text, lead_time?: Number, adults?: Number, rate?: Number"
    );
    assert!(imported.model.answer.has_confidence());
    assert_eq!(imported.model.answer.classes(), Some(vec!["a", "b", "c"]));
    assert_eq!(imported.labels(), ["a", "b", "c"]);
    assert_eq!(imported.operators["ai.onnx.ml.TreeEnsembleClassifier"], 1);
    let answers = answers(&imported);
    assert_eq!(answers.unanswered.len(), 0);
    let expected = expected(study_file!("pipeline.csv"));
    assert_eq!(labels(&answers), expected.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
    let probabilities = expected.iter().map(|row| row[1].parse::<f64>().unwrap());
    let difference = difference(&answers.confidence.unwrap(), probabilities);
    assert!(difference < 1e-6, "{difference}");
}

#[test]
fn a_regression_answers_numbers() {
    let imported = import(study_file!("price.onnx"), &Options::default()).unwrap();
    assert_eq!(fields(&imported), "lead_time: Number, adults: Number", "the metadata names the columns");
    let AnswerValues::Numbers(numbers) = answers(&imported).values else {
        panic!("the model answers numbers")
    };
    let expected = expected(study_file!("price.csv"));
    let difference = difference(&numbers, expected.iter().map(|row| row[0].parse().unwrap()));
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn weights_in_another_file_are_read() {
    let file = study_file!("external.onnx");
    let named = options(serde_json::json!({
        "fields": ["lead_time", "adults"], "labels": ["a", "b", "c"], "softmax": true
    }));
    let weights =
        |bytes: &[u8]| [ExternalFile { name: "external.weights".to_owned(), bytes: bytes.to_vec() }];
    let none = super::import(file, &[], &named).unwrap();
    assert!(matches!(&none, Outcome::Missing(names) if *names == ["external.weights"]), "{none:?}");
    let whole = study_file!("external.weights");
    let Outcome::Model(imported) = super::import(file, &weights(whole), &named).unwrap() else {
        panic!("all files are there")
    };
    let answers = answers(&imported);
    let expected = expected(study_file!("external.csv"));
    assert_eq!(labels(&answers), expected.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
    let probabilities = expected.iter().map(|row| row[3].parse::<f64>().unwrap());
    let difference = difference(&answers.confidence.unwrap(), probabilities);
    assert!(difference < 1e-6, "{difference}");

    insta::assert_snapshot!(super::import(file, &weights(&whole[..99]), &named).unwrap_err(), @r#"the graph of the ONNX file is invalid: tensor "second": its data is at byte 40 of "external.weights", which has 99 bytes; copy the whole file"#);
    insta::assert_snapshot!(super::import(study_file!("outside.onnx"), &weights(whole), &named).unwrap_err(), @r#"the graph of the ONNX file is invalid: tensor "first": its data is in "../external.weights", outside of the model's folder; export the model with its weights in the same folder"#);
}

#[test]
fn a_missing_text_is_answered_as_the_library_does() {
    let files: [(&str, &[u8]); 6] = [
        ("lightgbm", study_file!("gaps-lightgbm.txt")),
        ("xgboost", study_file!("gaps-xgboost.json")),
        ("one-hot-nan", study_file!("gaps-one-hot-nan.onnx")),
        ("one-hot-none", study_file!("gaps-one-hot-none.onnx")),
        ("ordinal-none", study_file!("gaps-ordinal-none.onnx")),
        ("ordinal-value", study_file!("gaps-ordinal-value.onnx")),
    ];
    let expected = expected(study_file!("gaps.csv"));
    for (column, (name, file)) in files.into_iter().enumerate() {
        let imported = import(file, &Options::default()).unwrap();
        let fields = fields(&imported);
        assert!(fields.starts_with("purpose?: Text, number"), "{name}: {fields}");
        let asset = vec![Asset { name: "model".to_owned(), bytes: imported.model.to_bytes() }];
        let rows = study_file!("gaps.jsonl");
        let answers = answers_to(&native::model::<Tabular>("{}", asset).unwrap(), rows);
        assert_eq!(answers.unanswered.len(), 0, "{name}");
        let AnswerValues::Numbers(numbers) = answers.values else { panic!("{name} answers numbers") };
        let difference = difference(&numbers, expected.iter().map(|row| row[column].parse().unwrap()));
        assert!(difference < 1e-5, "{name}: {difference}");
    }
    // The export makes a category of a gap, which scikit-learn does not: such a row has no answer.
    let imported = import(study_file!("gaps-ordinal-nan.onnx"), &Options::default()).unwrap();
    assert_eq!(fields(&imported), "purpose: Text, number: Number");
    let imported = import(study_file!("gaps-unused.onnx"), &Options::default()).unwrap();
    assert_eq!(fields(&imported), "purpose?: Text, number: Number", "the graph never reads the text");
}

/// The fields of a protocol buffer message: numbers and bytes.
fn message(mut rest: &[u8]) -> Vec<(u8, &[u8])> {
    let mut fields = Vec::new();
    while let [key, tail @ ..] = rest {
        let end = tail.iter().position(|byte| *byte < 0x80).unwrap() + 1;
        let length = tail[..end].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let (value, after) = tail[end..].split_at(length);
        fields.push((key >> 3, value));
        rest = after;
    }
    fields
}

#[test]
fn every_export_becomes_a_model_of_a_study() {
    let mut cases = Vec::new();
    let file = include_bytes!("../../tabular/onnx/tests/exports.cases.gz");
    GzDecoder::new(&file[..]).read_to_end(&mut cases).unwrap();
    let (mut labels, mut numbers, mut without_confidence, mut without_probabilities) =
        (0, 0, Vec::new(), Vec::new());
    for (_, case) in message(&cases) {
        let part = |number| message(case).into_iter().find(|(field, _)| *field == number).unwrap().1;
        let name = std::str::from_utf8(part(1)).unwrap();
        let columns: Vec<String> = (0..10).map(|column| format!("n{column}")).collect();
        let named = match name.starts_with("text-") {
            true => Options::default(),
            false => Options { fields: columns, ..Options::default() },
        };
        let imported = import(part(2), &named).unwrap_or_else(|error| panic!("{name}: {error}"));
        if imported.model.answer.form() == tabular_program::AnswerForm::Number {
            numbers += 1;
        } else {
            labels += 1;
            if !imported.model.answer.has_confidence() {
                without_confidence.push(name.to_owned());
            }
            if imported.model.answer.classes().is_none() {
                without_probabilities.push(name.to_owned());
            }
        }
        // All columns may be missing in models that were trained with missing values.
        if ["hgb", "robust", "xgb-missing", "lgb-missing"].contains(&name) {
            assert!(imported.model.fields.iter().all(|field| !field.required), "{name}");
        }
        // None may in models that would answer NaN.
        if ["logistic", "linear", "mlp", "lda"].contains(&name) {
            assert!(imported.model.fields.iter().all(|field| field.required), "{name}");
        }
    }
    assert_eq!((labels, numbers), (58, 20));
    assert_eq!(without_confidence, ["linear-svc"]);
    assert_eq!(without_probabilities, ["linear-svc"]);
}

#[test]
fn a_net_of_texts_and_numbers_answers_as_onnxruntime_does() {
    let name = "net-external.weights";
    let weights = ExternalFile { name: name.to_owned(), bytes: study_file!("net-external.weights").to_vec() };
    let file = study_file!("net-external.onnx");
    let Outcome::Model(external) = super::import(file, &[weights], &Options::default()).unwrap() else {
        panic!("all files are there")
    };
    let whole = import(study_file!("net.onnx"), &Options::default()).unwrap();
    assert_eq!(external.model.program, whole.model.program);
    assert_eq!(fields(&whole), "segment: Text, country: Text, lead_time: Number, adults: Number");
    assert!(whole.model.answer.has_confidence());
    assert_eq!(whole.labels(), ["a", "b", "c"]);
    assert!(whole.model.to_bytes().starts_with(b"USTFNEUR"));
    let note = "the neural engine runs a part of the model, one row at a time: ";
    let note = whole.notes.iter().find_map(|found| found.strip_prefix(note)).unwrap();
    assert!(note.contains("Conv") && !note.contains("LabelEncoder") && !note.contains("ArgMax"), "{note}");

    let answers = answers(&whole);
    assert_eq!(answers.unanswered.len(), 0);
    let expected = expected(study_file!("net.csv"));
    assert_eq!(labels(&answers), expected.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
    let probabilities = expected.iter().map(|row| row[1].parse::<f64>().unwrap());
    let difference = difference(&answers.confidence.unwrap(), probabilities);
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn what_cannot_be_imported_is_named() {
    let none = || serde_json::json!({});
    insta::assert_snapshot!(fault(study_file!("hardmax.onnx"), none()), @r#"node "choice" (Hardmax): the operator is not supported; export the model without it"#);
    insta::assert_snapshot!(fault(study_file!("dimensions.onnx"), none()), @r#"the graph of the ONNX file is invalid: tensor "huge": it has 1 values, its dimensions require 4611686018427387904; export the model again"#);
}

#[test]
fn a_cut_file_is_refused() {
    let files: [&[u8]; 3] =
        [study_file!("pipeline.onnx"), study_file!("price.onnx"), study_file!("xgboost.json")];
    for file in files {
        for length in (0..file.len()).step_by(1 + file.len() / 200) {
            assert!(
                import(&file[..length], &Options::default()).is_err(),
                "{length} of {} bytes",
                file.len()
            );
        }
    }
}
