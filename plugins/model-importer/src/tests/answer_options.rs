//! The options of a study that choose the form and the labels of the answers.

use super::*;

#[test]
fn scores_are_ranked() {
    let weights = [ExternalFile {
        name: "external.weights".to_owned(),
        bytes: study_file!("external.weights").to_vec(),
    }];
    let import = |json: Json| -> Result<ImportedModel, String> {
        let mut named = options(json);
        named.fields = vec!["lead_time".to_owned(), "adults".to_owned()];
        match crate::import(study_file!("external.onnx"), &weights, &named)? {
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
        super::import(study_file!("pipeline.onnx"), &options(serde_json::json!({ "top": 1 }))).unwrap();
    let AnswerValues::Rankings(rankings) = answers(&pipeline).values else {
        panic!("the model answers rankings")
    };
    assert_eq!((rankings.codes.len(), pipeline.labels().len()), (200, 3));
    let study = |file: &[u8], json: Json| super::fault(file, json);
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
            let AnswerValues::Rankings(rankings) = super::answers(&ranked).values else {
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
