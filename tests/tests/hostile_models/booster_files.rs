//! Files of XGBoost, LightGBM and CatBoost: documents nested too deep, numbers that are none, and counts that are not true.

use serde_json::{Value, json};

use super::{MODEST, refusals, sound_text};

/// A sound document with another value at a place.
fn document(file: &str, place: &str, value: Value) -> Vec<u8> {
    let mut document: Value = serde_json::from_str(&sound_text(file)).expect("JSON");
    *document.pointer_mut(place).unwrap_or_else(|| panic!("{file} has {place}")) = value;
    serde_json::to_vec(&document).expect("JSON")
}

/// A sound document with another text in place of the first one.
fn replaced(file: &str, old: &str, new: &str) -> Vec<u8> {
    let text = sound_text(file);
    assert!(text.contains(old), "{file} has {old}");
    text.replacen(old, new, 1).into_bytes()
}

/// A sound document with one more key, whose value is nested 100,000 deep.
fn nested(file: &str, open: &str, close: &str) -> Vec<u8> {
    let deep = format!("{{\"deep\": {}1{}, ", open.repeat(100_000), close.repeat(100_000));
    let text = sound_text(file);
    let at = text.find('{').expect("an object");
    // CatBoost's first key tells whose model it is.
    let end = text.trim_end().len() - 1;
    if file.starts_with("catboost") {
        return format!("{}, {}}}", &text[..end], deep[1..].trim_end_matches(", ")).into_bytes();
    }
    format!("{deep}{}", &text[at + 1..]).into_bytes()
}

#[test]
fn hostile_documents_of_xgboost_are_refused() {
    const TREE: &str = "/learner/gradient_booster/model/trees/0";
    let tree = |key: &str, value: Value| document("xgboost.json", &format!("{TREE}/{key}"), value);
    let parameter = |key: &str, value: &str| {
        document("xgboost.json", &format!("/learner/learner_model_param/{key}"), json!(value))
    };
    let number = |digits: &str| {
        let sound = sound_text("xgboost.json");
        let from = sound.find("\"split_conditions\":").expect("a tree");
        let start = from + sound[from..].find('[').expect("a list") + 1;
        let end = start + sound[start..].find(',').expect("several numbers");
        format!("{}{digits}{}", &sound[..start], &sound[end..]).into_bytes()
    };
    insta::assert_snapshot!(refusals(
        "xgboost",
        MODEST,
        [
            ("nested-lists.json", nested("xgboost.json", "[", "]")),
            ("nested-objects.json", nested("xgboost.json", "{\"a\":", "}")),
            ("lists-alone.json", ("[".repeat(100_000) + &"]".repeat(100_000)).into_bytes()),
            ("number.json", number("1e999999")),
            ("number-negative.json", number("-1e999999")),
            ("number-long.json", number(&"9".repeat(100_000))),
            ("number-text.json", number("\"1\"")),
            ("loop.json", tree("left_children/0", json!(0))),
            ("child.json", tree("left_children/0", json!(1_u64 << 31))),
            ("child-negative.json", tree("left_children/0", json!(i64::MIN))),
            ("child-fraction.json", tree("left_children/0", json!(1.5))),
            ("nodes.json", tree("tree_param/num_nodes", json!("2147483648"))),
            ("leaf-vector.json", tree("tree_param/size_leaf_vector", json!("2147483648"))),
            ("feature.json", tree("split_indices/0", json!(1_u64 << 31))),
            ("lengths.json", tree("right_children", json!([1, 2]))),
            (
                "trees-text.json",
                document("xgboost.json", "/learner/gradient_booster/model/trees", json!("none"))
            ),
            ("tree-number.json", document("xgboost.json", TREE, json!(1))),
            (
                "tree-info.json",
                document("xgboost.json", "/learner/gradient_booster/model/tree_info/0", json!(1_u64 << 31))
            ),
            ("features.json", parameter("num_feature", "2147483648")),
            ("classes.json", parameter("num_class", "2147483648")),
            ("targets.json", parameter("num_target", "-1")),
            ("base-score.json", parameter("base_score", "1e999999")),
            ("objective.json", document("xgboost.json", "/learner/objective/name", json!("reg:unknown"))),
        ]
    ));
}

/// A key of UBJSON.
fn key(text: &str) -> Vec<u8> {
    [b"L".as_slice(), &(text.len() as i64).to_be_bytes(), text.as_bytes()].concat()
}

/// A length of UBJSON.
fn length(length: i64) -> Vec<u8> {
    [b"#L".as_slice(), &length.to_be_bytes()].concat()
}

#[test]
fn lengths_of_ubjson_that_are_not_true_are_refused() {
    let list = |of: &[u8], count: i64, rest: &[u8]| {
        [b"{".as_slice(), &key("learner"), b"[", of, &length(count), rest].concat()
    };
    let text = [b"{L".as_slice(), &(1_i64 << 60).to_be_bytes(), b"learner"].concat();
    let entries = [b"{".as_slice(), &length(1 << 60), &key("learner"), b"{}"].concat();
    let deep = [b"{".as_slice(), &key("learner"), &b"[".repeat(1_000_000)].concat();
    let typed =
        [b"{".as_slice(), &key("learner"), &[b"[$[".as_slice(), &length(1 << 40)].concat().repeat(1000)]
            .concat();
    insta::assert_snapshot!(refusals(
        "xgboost",
        MODEST,
        [
            ("text.ubj", text),
            ("numbers.ubj", list(b"$d", 1 << 31, b"1234")),
            ("numbers-30.ubj", list(b"$d", 1 << 30, b"1234")),
            ("nothings.ubj", list(b"$Z", 1 << 40, b"}")),
            ("nothings-30.ubj", list(b"$Z", 1 << 30, b"}")),
            ("truths.ubj", list(b"$T", 1 << 27, b"}")),
            ("values.ubj", list(b"", 1 << 30, b"ZZZZZZZZZZ")),
            ("negative.ubj", list(b"$d", -5, b"1234}")),
            ("entries.ubj", entries),
            ("nested.ubj", deep),
            ("nested-typed.ubj", typed),
        ]
    ));
}

#[test]
fn counts_of_lightgbm_that_are_not_true_are_refused() {
    let line = |key: &str, value: &str| {
        let text = sound_text("mlflow/model.lgb");
        let start = text.find(&format!("\n{key}=")).unwrap_or_else(|| panic!("the file has {key}")) + 1;
        let end = start + text[start..].find('\n').expect("a line ends");
        format!("{}{key}={value}{}", &text[..start], &text[end..]).into_bytes()
    };
    let first = |key: &str, value: &str| {
        let text = sound_text("mlflow/model.lgb");
        let start = text.find(&format!("\n{key}=")).unwrap_or_else(|| panic!("the file has {key}"));
        let numbers =
            text[start..].lines().nth(1).and_then(|line| line.split_once(' ')).expect("several numbers").1;
        line(key, &format!("{value} {numbers}"))
    };
    insta::assert_snapshot!(refusals(
        "lightgbm",
        MODEST,
        [
            ("leaves.txt", line("num_leaves", "2147483648")),
            ("leaves-none.txt", line("num_leaves", "0")),
            ("leaves-fewer.txt", line("num_leaves", "2")),
            ("categories.txt", line("num_cat", "4294967296")),
            ("categories-more.txt", line("num_cat", "3")),
            ("classes.txt", line("num_class", "2147483648")),
            ("classes-more.txt", line("num_class", "4")),
            ("sums.txt", line("num_tree_per_iteration", "1000000000")),
            ("sums-more.txt", line("num_tree_per_iteration", "3")),
            ("features.txt", line("max_feature_idx", "2147483647")),
            ("features-more.txt", line("max_feature_idx", "7")),
            ("tree-sizes.txt", line("tree_sizes", "1 2")),
            ("loop.txt", first("left_child", "0")),
            ("child.txt", first("left_child", "2147483647")),
            ("feature.txt", first("split_feature", "99999")),
            ("number.txt", first("threshold", "1e999999")),
            ("number-text.txt", first("threshold", "x")),
            ("leaf-number.txt", first("leaf_value", "-1e999999")),
            ("set.txt", first("decision_type", "1")),
            ("decision.txt", first("decision_type", "12")),
            ("objective.txt", line("objective", "unknown")),
        ]
    ));
}

#[test]
fn hostile_documents_of_catboost_are_refused() {
    let at = |place: &str, value: Value| document("catboost.json", place, value);
    let split =
        json!({ "border": 1.5, "float_feature_index": 0, "split_index": 0, "split_type": "FloatFeature" });
    insta::assert_snapshot!(refusals(
        "catboost",
        MODEST,
        [
            ("nested-lists.json", nested("catboost.json", "[", "]")),
            ("nested-objects.json", nested("catboost.json", "{\"a\":", "}")),
            ("number.json", replaced("catboost.json", "\"border\": ", "\"border\": 1e999999, \"other\": ")),
            ("depth.json", at("/oblivious_trees/0/splits", Value::from(vec![split.clone(); 600]))),
            ("depth-62.json", at("/oblivious_trees/0/splits", Value::from(vec![split; 62]))),
            ("leaves.json", at("/oblivious_trees/0/leaf_values", json!([1.0]))),
            ("feature.json", at("/oblivious_trees/0/splits/0/float_feature_index", json!(1_u64 << 31))),
            ("split-type.json", at("/oblivious_trees/0/splits/0/split_type", json!("OnlineCtr"))),
            ("border.json", at("/oblivious_trees/0/splits/0/border", json!("1"))),
            ("place.json", at("/features_info/float_features/0/flat_feature_index", json!(1_u64 << 31))),
            ("bias.json", at("/scale_and_bias", json!([1, vec![1.0; 1_000_000]]))),
            ("trees-text.json", at("/oblivious_trees", json!("none"))),
            ("trees-number.json", at("/oblivious_trees", json!([1, 2, 3]))),
            ("loss.json", at("/model_info/params/loss_function/type", json!("Unknown"))),
        ]
    ));
}
