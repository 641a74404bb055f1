//! Faults of trained models, as the terminal shows them.

use insta::assert_snapshot;

use super::*;
use crate::test_support::{faults, read};

/// The line of the component in the sound study.
const COMPONENT: &str = "plugin = \"rules.wasm\"";

#[test]
fn a_trained_model_is_a_file_with_options() {
    let study = read(&[(
        COMPONENT,
        "plugin = \"onnx\"\nfile = \"model.onnx\"\nfields = [\"lead_time\"]\nlabels = [\"a\", \"b\"]\nscore-threshold = 1\nsoftmax = true\ntop = 2",
    )]);
    let model = &study.models[0];
    let file = model.model_file().unwrap();
    assert_eq!((file.format, file.path.to_str(), file.line), (ModelFormat::Onnx, Some("model.onnx"), 23));
    assert_eq!(
        file.options(),
        json!({ "format": "onnx", "fields": ["lead_time"], "labels": ["a", "b"], "score-threshold": 1.0, "softmax": true, "top": 2 })
    );
    assert_eq!(read(&[]).models[0].model_file(), None);
}

#[test]
fn keys_of_files_and_of_components_exclude_each_other() {
    assert_snapshot!(faults(&[(COMPONENT, "plugin = \"onnx\"")]), @r#"study.toml:22: `models.plugin` is "onnx", which needs a file; write file = "model.onnx""#);
    assert_snapshot!(faults(&[(COMPONENT, "plugin = \"./onnx\"\nfile = \"model.onnx\"\nscore-threshold = 0.5")]), @r#"
    study.toml:23: `models.file` is not allowed here: the plugin is a component; remove it, or write plugin = "onnx", "xgboost", "lightgbm" or "catboost"
    study.toml:24: `models.score-threshold` is not allowed here: the plugin is a component; remove it, or write plugin = "onnx", "xgboost", "lightgbm" or "catboost"
    "#);
    assert_snapshot!(faults(&[(COMPONENT, "plugin = \"xgboost\"\nfile = 7\nconfig = { a = 1 }\nfields = []\nlabels = [7]")]), @r#"
    study.toml:23: `models.file` is 7; write the path of the model file, such as "model.onnx"
    study.toml:24: `models.config` is not allowed here: a trained model consists of its file; remove it
    study.toml:25: `models.fields` is an empty list; write a list of the names of the columns, such as ["lead_time", "adults"]
    study.toml:26: `models.labels` contains 7; write a list of the names of the classes, such as ["stays", "cancels"]
    "#);
}

#[test]
fn only_models_are_trained_files() {
    assert_snapshot!(faults(&[("plugin = \"recorded.wasm\"", "plugin = \"lightgbm\"")]), @r#"study.toml:26: `comparator.plugin` is "lightgbm", but only a model can be a trained file; write "recorded", or the path of a component, such as "plugins/rules.wasm""#);
}

#[test]
fn a_model_file_in_place_of_a_plugin_is_named_as_such() {
    let fault = |plugin: &str| faults(&[(COMPONENT, &format!("plugin = \"{plugin}\""))]);
    assert_snapshot!(fault("./x.onnx"), @r#"study.toml:22: `models.plugin` is "./x.onnx", a model file; write plugin = "onnx" and file = "./x.onnx""#);
    assert_snapshot!(fault("models/x.UBJ"), @r#"study.toml:22: `models.plugin` is "models/x.UBJ", a model file; write plugin = "xgboost" and file = "models/x.UBJ""#);
    assert_snapshot!(fault("x.txt"), @r#"study.toml:22: `models.plugin` is "x.txt", a model file; write plugin = "lightgbm" and file = "x.txt""#);
    assert_snapshot!(fault("/x.json"), @r#"study.toml:22: `models.plugin` is "/x.json", a model file; write plugin = "xgboost" or "catboost" and file = "/x.json""#);
    assert_snapshot!(fault("saved/MLmodel"), @r#"study.toml:22: `models.plugin` is "saved/MLmodel", a model file; write plugin = "onnx", "xgboost", "lightgbm" or "catboost" and file = "saved/MLmodel""#);
    // The other keys of a model file cause no further fault.
    let with_file = faults(&[(COMPONENT, "plugin = \"./x.onnx\"\nlabels = [\"a\"]")]);
    assert_eq!(with_file, fault("./x.onnx"));
    assert_eq!(read(&[(COMPONENT, "plugin = \"./onnx/x.wasm\"")]).models[0].model_file(), None);
}
