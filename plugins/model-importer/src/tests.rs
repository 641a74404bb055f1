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
        include_bytes!(concat!("../../../tests/oracles/tabular/study/", $name))
    };
}

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
fn a_model_of_xgboost_answers_as_the_library_does() {
    let file = study_file!("xgboost.json");
    let imported = import(file, &options(serde_json::json!({ "labels": ["stays", "moves"] }))).unwrap();
    assert_eq!(fields(&imported), "lead_time?: Number, adults?: Number, rate?: Number");
    assert_eq!((imported.operators["binary:logistic"], imported.operators["tree"]), (1, 15));
    assert_eq!(imported.labels(), ["stays", "moves"]);
    let answers = answers(&imported);
    let probabilities: Vec<f64> =
        expected(study_file!("xgboost.csv")).iter().map(|row| row[0].parse().unwrap()).collect();
    let label = |second: &f64| if *second > 0.5 { "moves" } else { "stays" };
    assert_eq!(labels(&answers), probabilities.iter().map(label).collect::<Vec<_>>());
    let largest = probabilities.iter().map(|second| second.max(1.0 - second));
    let difference = difference(&answers.confidence.unwrap(), largest);
    assert!(difference < 1e-6, "{difference}");

    let unnamed = import(file, &Options::default()).unwrap();
    assert_eq!(unnamed.labels(), ["0", "1"]);
    assert_eq!(unnamed.notes.len(), 2, "{:?}", unnamed.notes);
    assert_eq!(unnamed.rounded, ["lead_time", "adults", "rate"]);
    insta::assert_snapshot!(unnamed.notes[0], @"read as 32-bit floats: lead_time, adults, rate; whole numbers beyond 16,777,216, such as timestamps, are rounded");
}

#[test]
fn a_model_of_catboost_answers_as_the_library_does() {
    let file = study_file!("catboost.json");
    let imported = import(file, &Options::default()).unwrap();
    assert_eq!(
        fields(&imported),
        "lead_time: Number, adults: Number, rate?: Number",
        "only the rate was missing"
    );
    assert_eq!((imported.operators["MultiClass"], imported.operators["tree"]), (1, 10));
    assert_eq!(imported.labels(), ["a", "b", "c"]);
    let answers = answers(&imported);
    let expected = expected(study_file!("catboost.csv"));
    assert_eq!(labels(&answers), expected.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
    let probabilities = expected.iter().map(|row| row[1].parse::<f64>().unwrap());
    let difference = difference(&answers.confidence.unwrap(), probabilities);
    assert!(difference < 1e-12, "{difference}");
    insta::assert_snapshot!(fault(file, serde_json::json!({ "labels": ["x", "y", "z"] })), @"the file names the classes: a, b, c; remove `labels`");
}

#[test]
fn an_mlflow_folder_gives_file_names_and_presence() {
    let file = study_file!("mlflow/MLmodel");
    let model =
        ExternalFile { name: "model.lgb".to_owned(), bytes: study_file!("mlflow/model.lgb").to_vec() };
    let none = super::import(file, &[], &Options::default()).unwrap();
    assert!(matches!(&none, Outcome::Missing(names) if *names == ["model.lgb"]), "{none:?}");
    let Outcome::Model(imported) =
        super::import(file, std::slice::from_ref(&model), &Options::default()).unwrap()
    else {
        panic!("all files are there")
    };
    assert_eq!(fields(&imported), "lead_time: Number, rate?: Number", "the signature requires the lead time");
    assert_eq!(imported.format, Format::Lightgbm);
    assert!(imported.rounded.is_empty(), "LightGBM has 64-bit floats");
    let unnamed = std::str::from_utf8(&model.bytes).unwrap().replace("=lead_time rate", "=Column_0 Column_1");
    insta::assert_snapshot!(fault(unnamed.as_bytes(), serde_json::json!({})), @r#"the file has no names of columns, and the model reads 2 (2 in "features"); write fields = [...] with their names in the order of training"#);
    let AnswerValues::Numbers(numbers) = answers(&imported).values else {
        panic!("the model answers numbers")
    };
    let expected = expected(study_file!("mlflow.csv"));
    let difference = difference(&numbers, expected.iter().map(|row| row[0].parse().unwrap()));
    assert!(difference < 1e-10, "{difference}");

    let text = std::str::from_utf8(file).unwrap();
    let changed = |from: &str, to: &str| {
        let file = text.replace(from, to);
        super::import(file.as_bytes(), std::slice::from_ref(&model), &Options::default()).unwrap_err()
    };
    insta::assert_snapshot!(changed("\"double\"", "\"datetime\""), @r#"model.lgb: the signature says that "rate" is datetime, and the model reads a number; log the model with the columns that it was trained on"#);
    insta::assert_snapshot!(changed("\"long\"", "\"string\""), @r#"model.lgb: the signature says that "lead_time" is string, and the model reads a number; log the model with the columns that it was trained on"#);
    let xgboost = options(serde_json::json!({ "format": "xgboost" }));
    insta::assert_snapshot!(super::import(file, &[], &xgboost).unwrap_err(), @"the MLmodel has the flavors lightgbm, python_function, and none of xgboost; log the model with mlflow.onnx, mlflow.xgboost, mlflow.lightgbm or mlflow.catboost");
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
fn scores_are_ranked() {
    let weights = [ExternalFile {
        name: "external.weights".to_owned(),
        bytes: study_file!("external.weights").to_vec(),
    }];
    let import = |json: Json| -> Result<ImportedModel, String> {
        let mut named = options(json);
        named.fields = vec!["lead_time".to_owned(), "adults".to_owned()];
        match super::import(study_file!("external.onnx"), &weights, &named)? {
            Outcome::Model(imported) => Ok(*imported),
            Outcome::Missing(names) => panic!("{names:?} are missing"),
        }
    };
    let labels = serde_json::json!(["a", "b", "c"]);
    for top in [2, 3] {
        let imported = import(serde_json::json!({ "labels": labels, "top": top })).unwrap();
        let AnswerValues::Rankings(rankings) = answers(&imported).values else {
            panic!("the model answers rankings")
        };
        let names = |code: &u32| (b'a' + rankings.names.bytes[*code as usize] - b'a') as char;
        let ranked: Vec<String> =
            rankings.codes.chunks(top).map(|codes| codes.iter().map(names).collect()).collect();
        let expected = expected(study_file!("external.csv"));
        assert_eq!(ranked, expected.iter().map(|row| row[..top].concat()).collect::<Vec<_>>());
    }
    let fault = |json: Json| import(json).unwrap_err();
    insta::assert_snapshot!(fault(serde_json::json!({ "top": 2 })), @"`top` is written, and the 3 scores have no labels; write labels = [...] in the order of the scores");
    insta::assert_snapshot!(fault(serde_json::json!({ "top": 4, "labels": labels })), @"`top` is 4, and the model has 3 classes; write a number from 1 to 3");
    insta::assert_snapshot!(fault(serde_json::json!({ "top": 2, "labels": ["a", "b"] })), @"`labels` has 2 labels, and the model has 3 scores; write one label for each, in order");
    insta::assert_snapshot!(fault(serde_json::json!({ "top": 2, "labels": labels, "score-threshold": 0.5 })), @"`top` and `score-threshold` are both written; write one of them");
    // A classifier ranks the classes of its scores, by the names of its labels.
    let pipeline =
        self::import(study_file!("pipeline.onnx"), &options(serde_json::json!({ "top": 1 }))).unwrap();
    let AnswerValues::Rankings(rankings) = answers(&pipeline).values else {
        panic!("the model answers rankings")
    };
    assert_eq!((rankings.codes.len(), pipeline.labels().len()), (200, 3));
    let study = |file: &[u8], json: Json| self::fault(file, json);
    insta::assert_snapshot!(study(study_file!("pipeline.onnx"), serde_json::json!({ "softmax": true })), @r#"`softmax` is written, and the scores in output "probabilities" are probabilities already; remove it"#);
    insta::assert_snapshot!(study(study_file!("price.onnx"), serde_json::json!({ "softmax": true })), @r#"`softmax` is written, and output "variable" has one number; remove it, or export one score for each class"#);
    insta::assert_snapshot!(study(study_file!("price.onnx"), serde_json::json!({ "top": 1 })), @r#"`top` is written, and output "variable" has one number; remove it, or export one score for each class"#);
}

#[test]
fn labels_name_the_classes_of_the_file_in_ascending_order() {
    let files: [(&[u8], &[&str]); 9] = [
        (study_file!("classes-tree.onnx"), &["1", "2", "3"]),
        (study_file!("classes-forest.onnx"), &["1", "2"]),
        (study_file!("classes-signs.onnx"), &["-1", "1"]),
        (study_file!("classes-zipmap.onnx"), &["1", "2", "3"]),
        (study_file!("classes-linear.onnx"), &["1", "2", "3"]),
        (study_file!("classes-margin.onnx"), &["-1", "1"]),
        (study_file!("classes-svm.onnx"), &["1", "2", "3"]),
        (study_file!("classes-neighbours.onnx"), &["10", "20", "40"]),
        // CatBoost has them in the order 3, 1, 2.
        (study_file!("classes.json"), &["1", "2", "3"]),
    ];
    let expected = expected(study_file!("classes.csv"));
    let fields = ["lead_time", "adults"];
    for (column, (file, classes)) in files.into_iter().enumerate() {
        let names = &["first", "second", "third"][..classes.len()];
        let json = |top: Option<u32>| serde_json::json!({ "fields": fields, "labels": names, "top": top });
        let imported = import(file, &options(json(None))).unwrap_or_else(|error| panic!("{column}: {error}"));
        let renamed = classes.iter().zip(names).map(|(class, name)| (class.to_string(), name.to_string()));
        assert_eq!(imported.renamed, renamed.collect::<Vec<_>>(), "{column}");
        let position = |row: &Vec<&str>| classes.iter().position(|class| *class == row[column]).unwrap();
        let expected: Vec<&str> = expected.iter().map(|row| names[position(row)]).collect();
        let answers = answers(&imported);
        assert_eq!(answers.unanswered.len(), 0, "{column}");
        assert_eq!(labels(&answers), expected, "{column}");
        // The probabilities belong to the same names.
        if let Some(probabilities) = answers.probabilities {
            assert_eq!(probabilities.offsets.len(), 201);
            let count = classes.len();
            let name = |code: &u32| {
                let [start, end] =
                    [0, 1].map(|next| probabilities.names.offsets[*code as usize + next] as usize);
                std::str::from_utf8(&probabilities.names.bytes[start..end]).unwrap()
            };
            for (row, expected) in expected.iter().enumerate() {
                let cells = row * count..(row + 1) * count;
                let found =
                    cells.clone().find(|cell| name(&probabilities.codes[*cell]) == *expected).unwrap();
                let largest = probabilities.values[cells].iter().copied().fold(0.0, f64::max);
                assert_eq!(probabilities.values[found], largest, "{column}, row {row}");
            }
            let ranked = import(file, &options(json(Some(1)))).unwrap();
            assert_eq!(ranked.renamed, imported.renamed, "{column}");
            let AnswerValues::Rankings(rankings) = self::answers(&ranked).values else {
                panic!("no rankings")
            };
            assert_eq!(rankings.codes.len(), 200);
        }
    }
    let tree = |labels: &[&str]| {
        fault(study_file!("classes-tree.onnx"), serde_json::json!({ "fields": fields, "labels": labels }))
    };
    insta::assert_snapshot!(tree(&["a", "b"]), @"`labels` has 2 labels, and the classes of the file are 1, 2, 3; write one label for each, in this order");
    insta::assert_snapshot!(tree(&["a", "b", "a"]), @r#"`labels` has "a" twice; write a different label for each class"#);
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
fn what_the_study_says_has_to_fit_the_file() {
    let (pipeline, price, booster) =
        (study_file!("pipeline.onnx"), study_file!("price.onnx"), study_file!("xgboost.json"));
    insta::assert_snapshot!(fault(b"tree\nversion=v4\n", serde_json::json!({ "format": "onnx" })), @r#"the file is a model of lightgbm, and the study says "onnx"; write plugin = "lightgbm""#);
    insta::assert_snapshot!(fault(pipeline, serde_json::json!({ "labels": ["x", "y", "z"] })), @r#"the model has its labels as text, in output "label"; remove `labels`"#);
    insta::assert_snapshot!(fault(pipeline, serde_json::json!({ "score-threshold": 0.5 })), @r#"the model chooses its label itself, in output "label"; remove `score-threshold`, or export it without labels"#);
    insta::assert_snapshot!(fault(price, serde_json::json!({ "fields": ["one"] })), @r#"`fields` has 1 names, and the model reads 2 columns (2 in "features"); name each column, in order"#);
    insta::assert_snapshot!(fault(price, serde_json::json!({ "fields": ["one", "one"] })), @r#"two columns are named "one"; write fields = [...] with a different name for each column"#);
    insta::assert_snapshot!(fault(price, serde_json::json!({ "labels": ["low", "high"] })), @"the model answers one number, and `labels` is written; write score-threshold = 0.5 as well to answer a label, or remove `labels`");
    insta::assert_snapshot!(fault(price, serde_json::json!({ "score-threshold": 100.0, "labels": ["low"] })), @"`score-threshold` is written, and `labels` has 1 labels; write labels = [...] with two labels: below the threshold, and from it on");
    insta::assert_snapshot!(fault(booster, serde_json::json!({ "labels": ["a", "b", "c"] })), @"`labels` has 3 labels, and the classes of the file are 0, 1; write one label for each, in this order");
    let priced =
        import(price, &options(serde_json::json!({ "score-threshold": 100.0, "labels": ["low", "high"] })));
    assert!(!priced.unwrap().model.answer.has_confidence(), "a price is no probability");
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
