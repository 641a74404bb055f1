//! Files of boosting libraries, alone and in a folder of MLflow.

use super::*;

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
    let none = crate::import(file, &[], &Options::default()).unwrap();
    assert!(matches!(&none, Outcome::Missing(names) if *names == ["model.lgb"]), "{none:?}");
    let Outcome::Model(imported) =
        crate::import(file, std::slice::from_ref(&model), &Options::default()).unwrap()
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
        crate::import(file.as_bytes(), std::slice::from_ref(&model), &Options::default()).unwrap_err()
    };
    insta::assert_snapshot!(changed("\"double\"", "\"datetime\""), @r#"model.lgb: the signature says that "rate" is datetime, and the model reads a number; log the model with the columns that it was trained on"#);
    insta::assert_snapshot!(changed("\"long\"", "\"string\""), @r#"model.lgb: the signature says that "lead_time" is string, and the model reads a number; log the model with the columns that it was trained on"#);
    let xgboost = options(serde_json::json!({ "format": "xgboost" }));
    insta::assert_snapshot!(crate::import(file, &[], &xgboost).unwrap_err(), @"the MLmodel has the flavors lightgbm, python_function, and none of xgboost; log the model with mlflow.onnx, mlflow.xgboost, mlflow.lightgbm or mlflow.catboost");
}

#[test]
fn a_single_feature_of_a_booster_has_its_name() {
    let file = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\n\
        feature_names=lead_time\nfeature_infos=[0:9]\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=5\n\
        decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\nend of trees\n";
    let imported = import(file.as_bytes(), &Options::default()).unwrap();
    assert_eq!(fields(&imported), "lead_time?: Number");
    let named = import(file.as_bytes(), &options(serde_json::json!({ "fields": ["other"] }))).unwrap();
    assert_eq!(fields(&named), "other?: Number");
    let unnamed = file.replace("lead_time", "Column_0");
    insta::assert_snapshot!(fault(unnamed.as_bytes(), serde_json::json!({})), @r#"the file has no names of columns, and the model reads 1 (1 in "features"); write fields = [...] with their names in the order of training"#);
}
